-- Customers of the gateway. A deleted account keeps its row, so that rules and audit rows keep their meaning.
CREATE TABLE accounts (
    account_id text      PRIMARY KEY,
    name       text      NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    notes      text      NOT NULL DEFAULT '' CHECK (length(notes) <= 2000),
    version    integer   NOT NULL DEFAULT 1,
    created_at timestamp NOT NULL,
    updated_at timestamp NOT NULL,
    created_by text      NOT NULL DEFAULT '',
    updated_by text      NOT NULL DEFAULT '',
    deleted_at timestamp
);

--bun:split

CREATE UNIQUE INDEX accounts_live_name ON accounts (name) WHERE deleted_at IS NULL;

--bun:split

-- Credentials of servers. The text of a key is not here: mac is its HMAC-SHA256 under the pepper with this id.
CREATE TABLE api_keys (
    key_id       text      PRIMARY KEY,
    -- NULL is a key that is bound to no account.
    account_id   text      REFERENCES accounts (account_id),
    name         text      NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role         text      NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    hint         text      NOT NULL,
    pepper_id    text      NOT NULL,
    mac          blob      NOT NULL CHECK (length(mac) = 32),
    created_by   text      NOT NULL,
    created_at   timestamp NOT NULL,
    expires_at   timestamp,
    revoked_at   timestamp,
    last_used_at timestamp
);

--bun:split

CREATE INDEX api_keys_time ON api_keys (created_at DESC, key_id DESC);

--bun:split

CREATE INDEX api_keys_live ON api_keys (account_id) WHERE revoked_at IS NULL;

--bun:split

-- Serves those that ended lately, and the end of those that ended long ago.
CREATE INDEX api_keys_ended ON api_keys (coalesce(revoked_at, expires_at));

--bun:split

-- One row. Every transaction that changes a key or an account raises version, by which all processes notice it.
CREATE TABLE access_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  integer NOT NULL
);

--bun:split

INSERT INTO access_state (version) VALUES (1);

--bun:split

-- The seal of the audit log: each row of it, in the order in which it was found committed, with the hash of the row and
-- of the hash before it.
CREATE TABLE audit_chain (
    sequence  integer   PRIMARY KEY CHECK (sequence >= 1),
    audit_id  text      NOT NULL UNIQUE REFERENCES audit_log (audit_id),
    hash      blob      NOT NULL CHECK (length(hash) = 32),
    sealed_at timestamp NOT NULL
);

--bun:split

-- The rows of the audit log that wait for their seal: a queue, so that sealing does not look through the log.
CREATE TABLE audit_unsealed (
    audit_id      text      PRIMARY KEY REFERENCES audit_log (audit_id),
    waiting_since timestamp NOT NULL
);

--bun:split

INSERT INTO audit_unsealed SELECT audit_id, strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') FROM audit_log;

--bun:split

CREATE TRIGGER audit_log_await_seal AFTER INSERT ON audit_log
BEGIN INSERT INTO audit_unsealed (audit_id, waiting_since) VALUES (NEW.audit_id, strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')); END;

--bun:split

CREATE INDEX audit_log_actor ON audit_log (actor, occurred_at);

--bun:split

CREATE INDEX audit_log_action ON audit_log (action, occurred_at);

--bun:split

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'rows of audit_log are added and never changed'); END;

--bun:split

CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'rows of audit_log are added and never changed'); END;

--bun:split

CREATE TRIGGER audit_chain_no_update BEFORE UPDATE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'rows of audit_chain are added and never changed'); END;

--bun:split

CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'rows of audit_chain are added and never changed'); END;
