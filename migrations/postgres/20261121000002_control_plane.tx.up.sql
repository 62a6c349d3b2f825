ALTER TABLE ops_routing.operators
    ADD COLUMN system_type         text             NOT NULL DEFAULT '' CHECK (octet_length(system_type) <= 12),
    ADD COLUMN burst_multiplier    double precision NOT NULL DEFAULT 1.5 CHECK (burst_multiplier BETWEEN 1 AND 100),
    ADD COLUMN enforcement_mode    text             NOT NULL DEFAULT 'HARD_REJECT' CHECK (enforcement_mode IN ('HARD_REJECT', 'SOFT_THROTTLE')),
    ADD COLUMN backup_operator_id  uuid             REFERENCES ops_routing.operators (operator_id),
    ADD COLUMN notes               text             NOT NULL DEFAULT '' CHECK (char_length(notes) <= 2000),
    -- The version of the password in the secret store that is in force; 0 is none.
    ADD COLUMN credentials_version bigint           NOT NULL DEFAULT 0 CHECK (credentials_version >= 0),
    ADD COLUMN created_by          text             NOT NULL DEFAULT '',
    ADD COLUMN updated_by          text             NOT NULL DEFAULT '',
    ADD CHECK (backup_operator_id <> operator_id);

--bun:split

ALTER TABLE ops_routing.routing_rules
    ADD COLUMN description text   NOT NULL DEFAULT '' CHECK (char_length(description) <= 500),
    ADD COLUMN version     bigint NOT NULL DEFAULT 1,
    ADD COLUMN created_by  text   NOT NULL DEFAULT '',
    ADD COLUMN updated_by  text   NOT NULL DEFAULT '',
    -- The config_version with which the present state of the row, deleted or not, came into force.
    ADD COLUMN changed_in  bigint NOT NULL DEFAULT 0;

--bun:split

-- Serves engines that ask for what changed after the version they have.
CREATE INDEX routing_rules_changed ON ops_routing.routing_rules (changed_in);

--bun:split

-- How many raises of rules_version came from changes of rules alone whose rows carry changed_in. When it grows by as much
-- as rules_version, an engine reads those rows and nothing else; a raise that does not count here makes it read everything.
ALTER TABLE ops_routing.config_state ADD COLUMN rule_changes bigint NOT NULL DEFAULT 0;

--bun:split

-- The network a price is for, where the deck told. Routing decides by prefix alone.
ALTER TABLE ops_routing.rates
    ADD COLUMN mcc text NOT NULL DEFAULT '' CHECK (mcc = '' OR mcc ~ '^[0-9]{3}$'),
    ADD COLUMN mnc text NOT NULL DEFAULT '' CHECK (mnc = '' OR mcc <> '' AND mnc ~ '^[0-9]{2,3}$');

--bun:split

-- Serves ListRates and imports, which ask for one operator in the order of prefixes.
CREATE INDEX rates_operator ON ops_routing.rates (operator_id, prefix, message_type, effective_from);

--bun:split

-- Serves the purge of prices that ended long ago.
CREATE INDEX rates_ended ON ops_routing.rates (effective_to) WHERE effective_to IS NOT NULL;

--bun:split

-- What a mutation answered, so that a repeated request_id is not carried out twice. Kept for 24 h.
CREATE TABLE ops_routing.requests (
    actor       text        NOT NULL,
    request_id  text        NOT NULL CHECK (char_length(request_id) BETWEEN 1 AND 128),
    -- SHA-256 of the procedure and the request, in hexadecimal; without passwords.
    fingerprint text        NOT NULL,
    -- What the first run answered, as JSON of the service.
    reply       text        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (actor, request_id)
);

--bun:split

CREATE INDEX requests_age ON ops_routing.requests (created_at);

--bun:split

-- One row per change and per secret read, written in the transaction of the change. No secrets in it.
CREATE TABLE ops_routing.audit_log (
    audit_id    uuid        PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    actor       text        NOT NULL,
    request_id  text        NOT NULL,
    -- Such as operator.create.
    action      text        NOT NULL,
    -- Such as operator, and its id; '' when the change is about many rows.
    entity      text        NOT NULL,
    entity_id   text        NOT NULL,
    -- JSON of the entity before and after, or of a summary; NULL where there is none.
    before      text,
    after       text
);

--bun:split

CREATE INDEX audit_log_time ON ops_routing.audit_log (occurred_at);

--bun:split

CREATE INDEX audit_log_entity ON ops_routing.audit_log (entity, entity_id, occurred_at);

--bun:split

-- Events of committed changes on their way to NATS. PENDING waits for the relay, PENDING_PUBLISH for the
-- reconciler after three failed tries, PUBLISHED was acknowledged by the stream.
CREATE TABLE ops_routing.outbox (
    event_id      uuid        PRIMARY KEY,
    subject       text        NOT NULL,
    payload       text        NOT NULL,
    -- W3C traceparent of the change, or ''.
    traceparent   text        NOT NULL DEFAULT '',
    state         text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'PENDING_PUBLISH', 'PUBLISHED')),
    attempts      integer     NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    -- Not before this moment: the end of a claim, or of a pause after a failed try.
    due_at        timestamptz NOT NULL,
    -- Who claimed the row; '' is nobody.
    claimed_by    text        NOT NULL DEFAULT '',
    published_at  timestamptz,
    last_error    text        NOT NULL DEFAULT ''
);

--bun:split

-- Serves claims: what waits, in the order of the changes.
CREATE INDEX outbox_waiting ON ops_routing.outbox (created_at, event_id) WHERE state <> 'PUBLISHED';

--bun:split

CREATE INDEX outbox_published ON ops_routing.outbox (published_at) WHERE state = 'PUBLISHED';

--bun:split

-- The reduced health of each operator, as last published. version is that of the health events.
CREATE TABLE ops_routing.operator_health (
    operator_id uuid        PRIMARY KEY REFERENCES ops_routing.operators (operator_id),
    bind_state  text        NOT NULL CHECK (bind_state IN ('UNKNOWN', 'BOUND', 'UNBOUND', 'FAILBACK')),
    quality     text        NOT NULL CHECK (quality IN ('UNKNOWN', 'HEALTHY', 'DEGRADED', 'UNHEALTHY')),
    throttled   boolean     NOT NULL DEFAULT false,
    version     bigint      NOT NULL,
    changed_at  timestamptz NOT NULL,
    observed_at timestamptz NOT NULL
);

--bun:split

-- One row per change of the reduced health. Partitioned by month; operator-management makes the partitions
-- ahead, and the default partition takes what falls between.
CREATE TABLE ops_routing.health_transitions (
    transition_id uuid        NOT NULL,
    operator_id   uuid        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    from_bind     text        NOT NULL,
    to_bind       text        NOT NULL,
    from_quality  text        NOT NULL,
    to_quality    text        NOT NULL,
    -- Why, in a few words; with the submits and errors of the window that decided.
    cause         text        NOT NULL,
    submits       bigint      NOT NULL DEFAULT 0,
    errors        bigint      NOT NULL DEFAULT 0,
    version       bigint      NOT NULL,
    PRIMARY KEY (transition_id, occurred_at)
) PARTITION BY RANGE (occurred_at);

--bun:split

CREATE TABLE ops_routing.health_transitions_default PARTITION OF ops_routing.health_transitions DEFAULT;

--bun:split

CREATE INDEX health_transitions_operator ON ops_routing.health_transitions (operator_id, occurred_at DESC);

--bun:split

CREATE INDEX health_transitions_time ON ops_routing.health_transitions (occurred_at DESC, transition_id DESC);

--bun:split

-- The engine reads what it routes by and nothing else.
REVOKE SELECT ON ops_routing.requests, ops_routing.audit_log, ops_routing.outbox, ops_routing.operator_health,
    ops_routing.health_transitions, ops_routing.health_transitions_default FROM ops_routing_reader;

--bun:split

ALTER DEFAULT PRIVILEGES IN SCHEMA ops_routing REVOKE SELECT ON TABLES FROM ops_routing_reader;
