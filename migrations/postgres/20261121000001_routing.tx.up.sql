CREATE SCHEMA IF NOT EXISTS ops_routing;

--bun:split

CREATE TABLE ops_routing.operators (
    operator_id   uuid        PRIMARY KEY,
    name          text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    host          text        NOT NULL CHECK (char_length(host) BETWEEN 1 AND 253),
    port          integer     NOT NULL CHECK (port BETWEEN 1 AND 65535),
    system_id     text        NOT NULL CHECK (octet_length(system_id) BETWEEN 1 AND 15),
    bind_type     text        NOT NULL CHECK (bind_type IN ('TRANSCEIVER', 'TRANSMITTER', 'RECEIVER')),
    max_tps       integer     NOT NULL CHECK (max_tps >= 1),
    -- Canonical list, sorted as SMS,FLASH,WAP and joined by commas; never empty.
    message_types text        NOT NULL CHECK (message_types <> ''),
    status        text        NOT NULL CHECK (status IN ('INACTIVE', 'ACTIVE', 'SUSPENDED')),
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    deleted_at    timestamptz
);

--bun:split

CREATE UNIQUE INDEX operators_live_name ON ops_routing.operators (name) WHERE deleted_at IS NULL;

--bun:split

CREATE UNIQUE INDEX operators_live_connection ON ops_routing.operators (host, port, system_id) WHERE deleted_at IS NULL;

--bun:split

CREATE TABLE ops_routing.routing_rules (
    rule_id       uuid        PRIMARY KEY,
    -- NULL is a global rule.
    account_id    uuid,
    prefix        text        NOT NULL CHECK (prefix ~ '^\+[1-9][0-9]{0,14}$'),
    country       text        NOT NULL DEFAULT '' CHECK (country = '' OR country ~ '^[A-Z]{2}$'),
    -- Canonical list as for operators; '' is all types.
    message_types text        NOT NULL DEFAULT '',
    strategy      text        NOT NULL CHECK (strategy IN ('COST', 'PRIORITY', 'FAILOVER', 'WEIGHTED')),
    on_exhausted  text        NOT NULL DEFAULT 'FAIL' CHECK (on_exhausted IN ('FAIL', 'FALL_THROUGH')),
    active        boolean     NOT NULL DEFAULT true,
    valid_from    timestamptz,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    deleted_at    timestamptz,
    CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to)
);

--bun:split

-- Serves the longest-prefix question: a number asks for its at most 15 prefixes. The last guard against
-- two live rules for the same account, prefix and message types, also for global rules.
CREATE UNIQUE INDEX routing_rules_live ON ops_routing.routing_rules (prefix, account_id, message_types)
    NULLS NOT DISTINCT WHERE deleted_at IS NULL;

--bun:split

-- Serves max(length(prefix)), by which the keys of the decision cache are cut.
CREATE INDEX routing_rules_length ON ops_routing.routing_rules (length(prefix)) WHERE deleted_at IS NULL;

--bun:split

CREATE TABLE ops_routing.rule_candidates (
    rule_id     uuid    NOT NULL REFERENCES ops_routing.routing_rules (rule_id) ON DELETE CASCADE,
    operator_id uuid    NOT NULL REFERENCES ops_routing.operators (operator_id),
    priority    integer NOT NULL CHECK (priority >= 1),
    weight      integer NOT NULL DEFAULT 100 CHECK (weight >= 0),
    -- Both are NULL (the operator's rate counts) or both are given.
    price_nanos bigint  CHECK (price_nanos >= 0),
    currency    text    CHECK (currency ~ '^[A-Z]{3}$'),
    PRIMARY KEY (rule_id, operator_id),
    CHECK ((price_nanos IS NULL) = (currency IS NULL))
);

--bun:split

CREATE INDEX rule_candidates_operator ON ops_routing.rule_candidates (operator_id);

--bun:split

CREATE TABLE ops_routing.rates (
    rate_id        uuid        PRIMARY KEY,
    operator_id    uuid        NOT NULL REFERENCES ops_routing.operators (operator_id),
    prefix         text        NOT NULL CHECK (prefix ~ '^\+[1-9][0-9]{0,14}$'),
    message_type   text        NOT NULL CHECK (message_type IN ('SMS', 'FLASH', 'WAP')),
    price_nanos    bigint      NOT NULL CHECK (price_nanos >= 0),
    currency       text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    effective_from timestamptz NOT NULL,
    effective_to   timestamptz,
    CHECK (effective_to IS NULL OR effective_from < effective_to)
);

--bun:split

CREATE UNIQUE INDEX rates_start ON ops_routing.rates (prefix, operator_id, message_type, effective_from);

--bun:split

CREATE INDEX rates_length ON ops_routing.rates (length(prefix));

--bun:split

CREATE TABLE ops_routing.fx_rates (
    currency   text   PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'),
    -- Billionths of the base currency that one unit is worth; the base currency itself has 1000000000.
    rate_nanos bigint NOT NULL CHECK (rate_nanos > 0)
);

--bun:split

-- One row. Every transaction that changes a table above raises config_version; one that changes rules,
-- candidates, rates or fx_rates raises rules_version too. The row lock makes versions grow in commit order.
CREATE TABLE ops_routing.config_state (
    only_row       boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    config_version bigint      NOT NULL,
    rules_version  bigint      NOT NULL,
    updated_at     timestamptz NOT NULL
);

--bun:split

INSERT INTO ops_routing.config_state (config_version, rules_version, updated_at) VALUES (1, 1, now());

--bun:split

-- The engine logs in as a member of this role and can only read. Roles belong to the whole server, so
-- the role may exist already and another database may be creating it right now. An existing role needs
-- no right to create one.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ops_routing_reader') THEN
        CREATE ROLE ops_routing_reader NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

--bun:split

GRANT USAGE ON SCHEMA ops_routing TO ops_routing_reader;

--bun:split

GRANT SELECT ON ALL TABLES IN SCHEMA ops_routing TO ops_routing_reader;

--bun:split

ALTER DEFAULT PRIVILEGES IN SCHEMA ops_routing GRANT SELECT ON TABLES TO ops_routing_reader;
