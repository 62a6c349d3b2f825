-- The country code and at most 4 digits more of a number, without +, and how many digits it has: releases are replayed with
-- them.
ALTER TABLE ops_routing.decision_log
    ADD COLUMN number_prefix text     NOT NULL DEFAULT '',
    ADD COLUMN number_digits smallint NOT NULL DEFAULT 0;

--bun:split

-- Whole rule sets, compiled at one moment. A row never changes but for its approval and the end of its artifact.
CREATE TABLE ops_routing.releases (
    release_id     uuid        PRIMARY KEY,
    number         bigint      NOT NULL UNIQUE CHECK (number > 0),
    description    text        NOT NULL DEFAULT '' CHECK (char_length(description) <= 500),
    -- SHA-256 of the artifact before compression, in hexadecimal: its name wherever it is kept.
    digest         text        NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    size_bytes     bigint      NOT NULL,
    stored_bytes   bigint      NOT NULL,
    operator_count bigint      NOT NULL,
    rule_count     bigint      NOT NULL,
    rate_count     bigint      NOT NULL,
    config_version bigint      NOT NULL,
    warning_count  bigint      NOT NULL DEFAULT 0,
    version        bigint      NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    created_by     text        NOT NULL,
    approved_at    timestamptz,
    approved_by    text        NOT NULL DEFAULT '',
    -- When the artifact was cleared away.
    expired_at     timestamptz
);

--bun:split

-- The bytes of artifacts, in parts of at most 1 MiB. NATS only hands them out: from here they come back when it lost them.
CREATE TABLE ops_routing.release_artifacts (
    digest text    NOT NULL,
    part   integer NOT NULL,
    bytes  bytea   NOT NULL,
    PRIMARY KEY (digest, part)
);

--bun:split

-- Each publish and each rollback. The one in force is the last that is not cancelled and whose time has come; at most one
-- that is not cancelled is still to come.
CREATE TABLE ops_routing.release_activations (
    activation        bigint      PRIMARY KEY,
    release_id        uuid        NOT NULL REFERENCES ops_routing.releases (release_id),
    kind              text        NOT NULL CHECK (kind IN ('PUBLISH', 'ROLLBACK')),
    activate_at       timestamptz NOT NULL,
    created_at        timestamptz NOT NULL,
    created_by        text        NOT NULL,
    reason            text        NOT NULL DEFAULT '' CHECK (char_length(reason) <= 500),
    former_release_id uuid,
    -- The manifest that first said so.
    revision          bigint      NOT NULL,
    cancelled_at      timestamptz
);

--bun:split

CREATE INDEX release_activations_release ON ops_routing.release_activations (release_id, activation DESC);

--bun:split

-- One row. Every change of what is in force raises revision in its transaction; announced is the revision of the manifest
-- that NATS holds.
CREATE TABLE ops_routing.release_state (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision  bigint  NOT NULL,
    announced bigint  NOT NULL
);

--bun:split

INSERT INTO ops_routing.release_state (revision, announced) VALUES (0, 0);

--bun:split

-- Also where other default privileges were in force when the tables were made.
REVOKE ALL ON ops_routing.releases, ops_routing.release_artifacts, ops_routing.release_activations, ops_routing.release_state
    FROM ops_routing_reader;
