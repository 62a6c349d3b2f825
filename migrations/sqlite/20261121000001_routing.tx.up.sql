CREATE TABLE operators (
    operator_id   text    PRIMARY KEY,
    name          text    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    host          text    NOT NULL CHECK (length(host) BETWEEN 1 AND 253),
    port          integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    system_id     text    NOT NULL CHECK (length(system_id) BETWEEN 1 AND 15),
    bind_type     text    NOT NULL CHECK (bind_type IN ('TRANSCEIVER', 'TRANSMITTER', 'RECEIVER')),
    max_tps       integer NOT NULL CHECK (max_tps >= 1),
    -- Canonical list, sorted as SMS,FLASH,WAP and joined by commas; never empty.
    message_types text    NOT NULL CHECK (message_types <> ''),
    status        text    NOT NULL CHECK (status IN ('INACTIVE', 'ACTIVE', 'SUSPENDED')),
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamp NOT NULL,
    updated_at    timestamp NOT NULL,
    deleted_at    timestamp
);

--bun:split

CREATE UNIQUE INDEX operators_live_name ON operators (name) WHERE deleted_at IS NULL;

--bun:split

CREATE UNIQUE INDEX operators_live_connection ON operators (host, port, system_id) WHERE deleted_at IS NULL;

--bun:split

CREATE TABLE routing_rules (
    rule_id       text    PRIMARY KEY,
    -- NULL is a global rule.
    account_id    text,
    prefix        text    NOT NULL CHECK (prefix GLOB '+[1-9]*' AND substr(prefix, 2) NOT GLOB '*[^0-9]*' AND length(prefix) <= 16),
    country       text    NOT NULL DEFAULT '' CHECK (country = '' OR country GLOB '[A-Z][A-Z]'),
    -- Canonical list as for operators; '' is all types.
    message_types text    NOT NULL DEFAULT '',
    strategy      text    NOT NULL CHECK (strategy IN ('COST', 'PRIORITY', 'FAILOVER', 'WEIGHTED')),
    on_exhausted  text    NOT NULL DEFAULT 'FAIL' CHECK (on_exhausted IN ('FAIL', 'FALL_THROUGH')),
    active        boolean NOT NULL DEFAULT true,
    valid_from    timestamp,
    valid_to      timestamp,
    created_at    timestamp NOT NULL,
    updated_at    timestamp NOT NULL,
    deleted_at    timestamp,
    CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to)
);

--bun:split

-- SQLite has no NULLS NOT DISTINCT, so the guard for global rules reads NULL as ''.
CREATE UNIQUE INDEX routing_rules_live ON routing_rules (prefix, coalesce(account_id, ''), message_types)
    WHERE deleted_at IS NULL;

--bun:split

-- Serves max(length(prefix)), by which the keys of the decision cache are cut.
CREATE INDEX routing_rules_length ON routing_rules (length(prefix)) WHERE deleted_at IS NULL;

--bun:split

CREATE TABLE rule_candidates (
    rule_id     text    NOT NULL REFERENCES routing_rules (rule_id) ON DELETE CASCADE,
    operator_id text    NOT NULL REFERENCES operators (operator_id),
    priority    integer NOT NULL CHECK (priority >= 1),
    weight      integer NOT NULL DEFAULT 100 CHECK (weight >= 0),
    -- Both are NULL (the operator's rate counts) or both are given.
    price_nanos integer CHECK (price_nanos >= 0),
    currency    text    CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    PRIMARY KEY (rule_id, operator_id),
    CHECK ((price_nanos IS NULL) = (currency IS NULL))
);

--bun:split

CREATE INDEX rule_candidates_operator ON rule_candidates (operator_id);

--bun:split

CREATE TABLE rates (
    rate_id        text    PRIMARY KEY,
    operator_id    text    NOT NULL REFERENCES operators (operator_id),
    prefix         text    NOT NULL CHECK (prefix GLOB '+[1-9]*' AND substr(prefix, 2) NOT GLOB '*[^0-9]*' AND length(prefix) <= 16),
    message_type   text    NOT NULL CHECK (message_type IN ('SMS', 'FLASH', 'WAP')),
    price_nanos    integer NOT NULL CHECK (price_nanos >= 0),
    currency       text    NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    effective_from timestamp NOT NULL,
    effective_to   timestamp,
    CHECK (effective_to IS NULL OR effective_from < effective_to)
);

--bun:split

CREATE UNIQUE INDEX rates_start ON rates (prefix, operator_id, message_type, effective_from);

--bun:split

CREATE INDEX rates_length ON rates (length(prefix));

--bun:split

CREATE TABLE fx_rates (
    currency   text    PRIMARY KEY CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
    -- Billionths of the base currency that one unit is worth; the base currency itself has 1000000000.
    rate_nanos integer NOT NULL CHECK (rate_nanos > 0)
);

--bun:split

-- One row. Every transaction that changes a table above raises config_version; one that changes rules,
-- candidates, rates or fx_rates raises rules_version too.
CREATE TABLE config_state (
    only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    config_version integer NOT NULL,
    rules_version  integer NOT NULL,
    updated_at     timestamp NOT NULL
);

--bun:split

INSERT INTO config_state (config_version, rules_version, updated_at) VALUES (1, 1, CURRENT_TIMESTAMP);
