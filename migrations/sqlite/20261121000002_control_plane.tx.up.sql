ALTER TABLE operators ADD COLUMN system_type text NOT NULL DEFAULT '' CHECK (length(system_type) <= 12);

--bun:split

ALTER TABLE operators ADD COLUMN burst_multiplier real NOT NULL DEFAULT 1.5 CHECK (burst_multiplier BETWEEN 1 AND 100);

--bun:split

ALTER TABLE operators ADD COLUMN enforcement_mode text NOT NULL DEFAULT 'HARD_REJECT' CHECK (enforcement_mode IN ('HARD_REJECT', 'SOFT_THROTTLE'));

--bun:split

ALTER TABLE operators ADD COLUMN backup_operator_id text REFERENCES operators (operator_id) CHECK (backup_operator_id <> operator_id);

--bun:split

ALTER TABLE operators ADD COLUMN notes text NOT NULL DEFAULT '' CHECK (length(notes) <= 2000);

--bun:split

-- The version of the password in the secret store that is in force; 0 is none.
ALTER TABLE operators ADD COLUMN credentials_version integer NOT NULL DEFAULT 0 CHECK (credentials_version >= 0);

--bun:split

ALTER TABLE operators ADD COLUMN created_by text NOT NULL DEFAULT '';

--bun:split

ALTER TABLE operators ADD COLUMN updated_by text NOT NULL DEFAULT '';

--bun:split

ALTER TABLE routing_rules ADD COLUMN description text NOT NULL DEFAULT '' CHECK (length(description) <= 500);

--bun:split

ALTER TABLE routing_rules ADD COLUMN version integer NOT NULL DEFAULT 1;

--bun:split

ALTER TABLE routing_rules ADD COLUMN created_by text NOT NULL DEFAULT '';

--bun:split

ALTER TABLE routing_rules ADD COLUMN updated_by text NOT NULL DEFAULT '';

--bun:split

-- The config_version with which the present state of the row, deleted or not, came into force.
ALTER TABLE routing_rules ADD COLUMN changed_in integer NOT NULL DEFAULT 0;

--bun:split

-- Serves engines that ask for what changed after the version they have.
CREATE INDEX routing_rules_changed ON routing_rules (changed_in);

--bun:split

-- How many raises of rules_version came from changes of rules alone whose rows carry changed_in. When it grows by as much
-- as rules_version, an engine reads those rows and nothing else; a raise that does not count here makes it read everything.
ALTER TABLE config_state ADD COLUMN rule_changes integer NOT NULL DEFAULT 0;

--bun:split

-- The network a price is for, where the deck told. Routing decides by prefix alone.
ALTER TABLE rates ADD COLUMN mcc text NOT NULL DEFAULT '' CHECK (mcc = '' OR mcc GLOB '[0-9][0-9][0-9]');

--bun:split

ALTER TABLE rates ADD COLUMN mnc text NOT NULL DEFAULT '' CHECK (mnc = '' OR mcc <> '' AND (mnc GLOB '[0-9][0-9]' OR mnc GLOB '[0-9][0-9][0-9]'));

--bun:split

-- Serves ListRates and imports, which ask for one operator in the order of prefixes.
CREATE INDEX rates_operator ON rates (operator_id, prefix, message_type, effective_from);

--bun:split

-- Serves the purge of prices that ended long ago.
CREATE INDEX rates_ended ON rates (effective_to) WHERE effective_to IS NOT NULL;

--bun:split

-- What a mutation answered, so that a repeated request_id is not carried out twice. Kept for 24 h.
CREATE TABLE requests (
    actor       text        NOT NULL,
    request_id  text        NOT NULL CHECK (length(request_id) BETWEEN 1 AND 128),
    -- SHA-256 of the procedure and the request, in hexadecimal; without passwords.
    fingerprint text        NOT NULL,
    -- What the first run answered, as JSON of the service.
    reply       text        NOT NULL,
    created_at  timestamp NOT NULL,
    PRIMARY KEY (actor, request_id)
);

--bun:split

CREATE INDEX requests_age ON requests (created_at);

--bun:split

-- One row per change and per secret read, written in the transaction of the change. No secrets in it.
CREATE TABLE audit_log (
    audit_id    text        PRIMARY KEY,
    occurred_at timestamp NOT NULL,
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

CREATE INDEX audit_log_time ON audit_log (occurred_at);

--bun:split

CREATE INDEX audit_log_entity ON audit_log (entity, entity_id, occurred_at);

--bun:split

-- Events of committed changes on their way to NATS. PENDING waits for the relay, PENDING_PUBLISH for the
-- reconciler after three failed tries, PUBLISHED was acknowledged by the stream.
CREATE TABLE outbox (
    event_id      text        PRIMARY KEY,
    subject       text        NOT NULL,
    payload       text        NOT NULL,
    -- W3C traceparent of the change, or ''.
    traceparent   text        NOT NULL DEFAULT '',
    state         text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'PENDING_PUBLISH', 'PUBLISHED')),
    attempts      integer     NOT NULL DEFAULT 0,
    created_at    timestamp NOT NULL,
    -- Not before this moment: the end of a claim, or of a pause after a failed try.
    due_at        timestamp NOT NULL,
    -- Who claimed the row; '' is nobody.
    claimed_by    text        NOT NULL DEFAULT '',
    published_at  timestamp,
    last_error    text        NOT NULL DEFAULT ''
);

--bun:split

-- Serves claims: what waits, in the order of the changes.
CREATE INDEX outbox_waiting ON outbox (created_at, event_id) WHERE state <> 'PUBLISHED';

--bun:split

CREATE INDEX outbox_published ON outbox (published_at) WHERE state = 'PUBLISHED';

--bun:split

-- The reduced health of each operator, as last published. version is that of the health events.
CREATE TABLE operator_health (
    operator_id text        PRIMARY KEY REFERENCES operators (operator_id),
    bind_state  text        NOT NULL CHECK (bind_state IN ('UNKNOWN', 'BOUND', 'UNBOUND', 'FAILBACK')),
    quality     text        NOT NULL CHECK (quality IN ('UNKNOWN', 'HEALTHY', 'DEGRADED', 'UNHEALTHY')),
    throttled   boolean     NOT NULL DEFAULT false,
    version     integer      NOT NULL,
    changed_at  timestamp NOT NULL,
    observed_at timestamp NOT NULL
);

--bun:split

-- One row per change of the reduced health.
CREATE TABLE health_transitions (
    transition_id text        NOT NULL,
    operator_id   text        NOT NULL,
    occurred_at   timestamp NOT NULL,
    from_bind     text        NOT NULL,
    to_bind       text        NOT NULL,
    from_quality  text        NOT NULL,
    to_quality    text        NOT NULL,
    -- Why, in a few words; with the submits and errors of the window that decided.
    cause         text        NOT NULL,
    submits       integer      NOT NULL DEFAULT 0,
    errors        integer      NOT NULL DEFAULT 0,
    version       integer      NOT NULL,
    PRIMARY KEY (transition_id)
);

--bun:split

CREATE INDEX health_transitions_operator ON health_transitions (operator_id, occurred_at DESC);

--bun:split

CREATE INDEX health_transitions_time ON health_transitions (occurred_at DESC, transition_id DESC);
