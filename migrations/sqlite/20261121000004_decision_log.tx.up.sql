-- One row per decision. The number is there as HMAC-SHA256 under the key with hash_key_id.
CREATE TABLE decision_log (
    decision_id    text      PRIMARY KEY,
    decided_at     timestamp NOT NULL,
    account_id     text      NOT NULL,
    number_hash    blob      NOT NULL CHECK (length(number_hash) = 32),
    hash_key_id    text      NOT NULL,
    message_type   text      NOT NULL,
    matched_prefix text      NOT NULL DEFAULT '',
    -- NULL without an operator.
    rule_id        text,
    operator_id    text,
    price_nanos    integer,
    currency       text,
    -- The reason why there is no operator, or ''.
    failure        text      NOT NULL DEFAULT '',
    release_id     text      NOT NULL DEFAULT '',
    config_version integer   NOT NULL,
    rules_version  integer   NOT NULL,
    algo_version   integer   NOT NULL,
    cache          text      NOT NULL DEFAULT '',
    health_unknown boolean   NOT NULL DEFAULT false,
    latency_micros integer   NOT NULL
);

--bun:split

CREATE INDEX decision_log_time ON decision_log (decided_at, decision_id);

--bun:split

CREATE INDEX decision_log_number ON decision_log (number_hash);

--bun:split

-- What became of messages. A report counts for a decision of its own account, or for any when its reporter is bound to none.
CREATE TABLE decision_outcomes (
    report_id      text      PRIMARY KEY,
    reported_at    timestamp NOT NULL,
    decision_id    text      NOT NULL,
    account_id     text,
    operator_id    text      NOT NULL,
    outcome        text      NOT NULL,
    command_status integer   NOT NULL DEFAULT 0,
    segments       integer   NOT NULL DEFAULT 0
);

--bun:split

CREATE INDEX decision_outcomes_decision ON decision_outcomes (decision_id);

--bun:split

CREATE INDEX decision_outcomes_time ON decision_outcomes (reported_at);
