-- One row per decision. The number is there as HMAC-SHA256 under the key with hash_key_id. Partitioned by day;
-- operator-management makes the partitions ahead, and the default partition takes what falls between.
CREATE TABLE ops_routing.decision_log (
    decision_id    uuid        NOT NULL,
    decided_at     timestamptz NOT NULL,
    account_id     uuid        NOT NULL,
    number_hash    bytea       NOT NULL CHECK (octet_length(number_hash) = 32),
    hash_key_id    text        NOT NULL,
    message_type   text        NOT NULL,
    matched_prefix text        NOT NULL DEFAULT '',
    -- NULL without an operator.
    rule_id        uuid,
    operator_id    uuid,
    price_nanos    bigint,
    currency       text,
    -- The reason why there is no operator, or ''.
    failure        text        NOT NULL DEFAULT '',
    release_id     text        NOT NULL DEFAULT '',
    config_version bigint      NOT NULL,
    rules_version  bigint      NOT NULL,
    algo_version   integer     NOT NULL,
    cache          text        NOT NULL DEFAULT '',
    health_unknown boolean     NOT NULL DEFAULT false,
    latency_micros bigint      NOT NULL,
    PRIMARY KEY (decision_id, decided_at)
) PARTITION BY RANGE (decided_at);

--bun:split

CREATE TABLE ops_routing.decision_log_default PARTITION OF ops_routing.decision_log DEFAULT;

--bun:split

CREATE INDEX decision_log_time ON ops_routing.decision_log (decided_at, decision_id);

--bun:split

CREATE INDEX decision_log_number ON ops_routing.decision_log (number_hash);

--bun:split

-- What became of messages. A report counts for a decision of its own account, or for any when its reporter is bound to none.
CREATE TABLE ops_routing.decision_outcomes (
    report_id      uuid        NOT NULL,
    reported_at    timestamptz NOT NULL,
    decision_id    uuid        NOT NULL,
    account_id     uuid,
    operator_id    uuid        NOT NULL,
    outcome        text        NOT NULL,
    command_status bigint      NOT NULL DEFAULT 0,
    segments       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (report_id, reported_at)
) PARTITION BY RANGE (reported_at);

--bun:split

CREATE TABLE ops_routing.decision_outcomes_default PARTITION OF ops_routing.decision_outcomes DEFAULT;

--bun:split

CREATE INDEX decision_outcomes_decision ON ops_routing.decision_outcomes (decision_id);

--bun:split

-- Also where other default privileges were in force when the tables were made.
REVOKE ALL ON ops_routing.decision_log, ops_routing.decision_log_default, ops_routing.decision_outcomes,
    ops_routing.decision_outcomes_default FROM ops_routing_reader;
