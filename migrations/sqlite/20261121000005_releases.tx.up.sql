-- The country code and at most 4 digits more of a number, without +, and how many digits it has: releases are replayed with
-- them.
ALTER TABLE decision_log ADD COLUMN number_prefix text NOT NULL DEFAULT '';

--bun:split

ALTER TABLE decision_log ADD COLUMN number_digits integer NOT NULL DEFAULT 0;

--bun:split

-- Whole rule sets, compiled at one moment. A row never changes but for its approval and the end of its artifact.
CREATE TABLE releases (
    release_id     text PRIMARY KEY,
    number         integer NOT NULL UNIQUE CHECK (number > 0),
    description    text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    -- SHA-256 of the artifact before compression, in hexadecimal: its name wherever it is kept.
    digest         text NOT NULL CHECK (length(digest) = 64),
    size_bytes     integer NOT NULL,
    stored_bytes   integer NOT NULL,
    operator_count integer NOT NULL,
    rule_count     integer NOT NULL,
    rate_count     integer NOT NULL,
    config_version integer NOT NULL,
    warning_count  integer NOT NULL DEFAULT 0,
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamp NOT NULL,
    created_by     text NOT NULL,
    approved_at    timestamp,
    approved_by    text NOT NULL DEFAULT '',
    -- When the artifact was cleared away.
    expired_at     timestamp
);

--bun:split

-- The bytes of artifacts, in parts of at most 1 MiB. NATS only hands them out: from here they come back when it lost them.
CREATE TABLE release_artifacts (
    digest text NOT NULL,
    part   integer NOT NULL,
    bytes  blob NOT NULL,
    PRIMARY KEY (digest, part)
);

--bun:split

-- Each publish and each rollback. The one in force is the last that is not cancelled and whose time has come; at most one
-- that is not cancelled is still to come.
CREATE TABLE release_activations (
    activation        integer PRIMARY KEY,
    release_id        text NOT NULL REFERENCES releases (release_id),
    kind              text NOT NULL CHECK (kind IN ('PUBLISH', 'ROLLBACK')),
    activate_at       timestamp NOT NULL,
    created_at        timestamp NOT NULL,
    created_by        text NOT NULL,
    reason            text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    former_release_id text,
    -- The manifest that first said so.
    revision          integer NOT NULL,
    cancelled_at      timestamp
);

--bun:split

CREATE INDEX release_activations_release ON release_activations (release_id, activation DESC);

--bun:split

-- One row. Every change of what is in force raises revision in its transaction; announced is the revision of the manifest
-- that NATS holds.
CREATE TABLE release_state (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision  integer NOT NULL,
    announced integer NOT NULL
);

--bun:split

INSERT INTO release_state (revision, announced) VALUES (0, 0);
