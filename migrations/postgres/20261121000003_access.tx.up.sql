-- Customers of the gateway. A deleted account keeps its row, so that rules and audit rows keep their meaning.
CREATE TABLE ops_routing.accounts (
    account_id uuid        PRIMARY KEY,
    name       text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    notes      text        NOT NULL DEFAULT '' CHECK (char_length(notes) <= 2000),
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    created_by text        NOT NULL DEFAULT '',
    updated_by text        NOT NULL DEFAULT '',
    deleted_at timestamptz
);

--bun:split

CREATE UNIQUE INDEX accounts_live_name ON ops_routing.accounts (name) WHERE deleted_at IS NULL;

--bun:split

-- Credentials of servers. The text of a key is not here: mac is its HMAC-SHA256 under the pepper with this id.
CREATE TABLE ops_routing.api_keys (
    key_id       uuid        PRIMARY KEY,
    -- NULL is a key that is bound to no account.
    account_id   uuid        REFERENCES ops_routing.accounts (account_id),
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role         text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    hint         text        NOT NULL,
    pepper_id    text        NOT NULL,
    mac          bytea       NOT NULL CHECK (octet_length(mac) = 32),
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

--bun:split

CREATE INDEX api_keys_time ON ops_routing.api_keys (created_at DESC, key_id DESC);

--bun:split

CREATE INDEX api_keys_live ON ops_routing.api_keys (account_id) WHERE revoked_at IS NULL;

--bun:split

-- Serves those that ended lately, and the end of those that ended long ago.
CREATE INDEX api_keys_ended ON ops_routing.api_keys (coalesce(revoked_at, expires_at));

--bun:split

-- One row. Every transaction that changes a key or an account raises version, by which all processes notice it.
CREATE TABLE ops_routing.access_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint  NOT NULL
);

--bun:split

INSERT INTO ops_routing.access_state (version) VALUES (1);

--bun:split

-- The seal of the audit log: each row of it, in the order in which it was found committed, with the hash of the row and
-- of the hash before it.
CREATE TABLE ops_routing.audit_chain (
    sequence  bigint      PRIMARY KEY CHECK (sequence >= 1),
    audit_id  uuid        NOT NULL UNIQUE REFERENCES ops_routing.audit_log (audit_id),
    hash      bytea       NOT NULL CHECK (octet_length(hash) = 32),
    sealed_at timestamptz NOT NULL
);

--bun:split

-- The rows of the audit log that wait for their seal: a queue, so that sealing does not look through the log.
CREATE TABLE ops_routing.audit_unsealed (
    audit_id      uuid        PRIMARY KEY REFERENCES ops_routing.audit_log (audit_id),
    waiting_since timestamptz NOT NULL
);

--bun:split

INSERT INTO ops_routing.audit_unsealed SELECT audit_id, now() FROM ops_routing.audit_log;

--bun:split

-- With the rights of the owner, because who adds rows to the log has none on the queue. So every name is written out,
-- and temporary tables come last: whoever calls may have made one with the name of ours.
CREATE FUNCTION ops_routing.await_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ops_routing.audit_unsealed (audit_id, waiting_since) VALUES (NEW.audit_id, pg_catalog.clock_timestamp());
    RETURN NULL;
END
$$;

--bun:split

CREATE TRIGGER audit_log_await_seal AFTER INSERT ON ops_routing.audit_log FOR EACH ROW EXECUTE FUNCTION ops_routing.await_seal();

--bun:split

CREATE INDEX audit_log_actor ON ops_routing.audit_log (actor, occurred_at);

--bun:split

CREATE INDEX audit_log_action ON ops_routing.audit_log (action text_pattern_ops, occurred_at);

--bun:split

CREATE FUNCTION ops_routing.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are added and never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

--bun:split

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops_routing.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION ops_routing.refuse_change();

--bun:split

CREATE TRIGGER audit_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops_routing.audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION ops_routing.refuse_change();

--bun:split

-- The second wall around accounts: a transaction that sets trunkline.account to an account's UUID sees the rows of that
-- account and of nobody. Without the setting all rows are seen, so this guards against a forgotten condition, and not
-- against somebody who writes SQL.
CREATE FUNCTION ops_routing.may_see(account uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(current_setting('trunkline.account', true), '') = '' OR account IS NULL
        OR account::text = current_setting('trunkline.account', true)
$$;

--bun:split

ALTER TABLE ops_routing.routing_rules ENABLE ROW LEVEL SECURITY;

--bun:split

ALTER TABLE ops_routing.routing_rules FORCE ROW LEVEL SECURITY;

--bun:split

CREATE POLICY routing_rules_account ON ops_routing.routing_rules USING (ops_routing.may_see(account_id));

--bun:split

ALTER TABLE ops_routing.accounts ENABLE ROW LEVEL SECURITY;

--bun:split

ALTER TABLE ops_routing.accounts FORCE ROW LEVEL SECURITY;

--bun:split

CREATE POLICY accounts_account ON ops_routing.accounts USING (ops_routing.may_see(account_id));

--bun:split

ALTER TABLE ops_routing.api_keys ENABLE ROW LEVEL SECURITY;

--bun:split

ALTER TABLE ops_routing.api_keys FORCE ROW LEVEL SECURITY;

--bun:split

-- Unlike a rule, a key of no account is not everybody's.
CREATE POLICY api_keys_account ON ops_routing.api_keys
    USING (coalesce(current_setting('trunkline.account', true), '') = ''
        OR account_id::text = current_setting('trunkline.account', true));

--bun:split

-- Engines check keys by themselves and say when one was used. MACs are worth nothing without the pepper.
GRANT SELECT ON ops_routing.accounts, ops_routing.api_keys, ops_routing.access_state TO ops_routing_reader;

--bun:split

GRANT UPDATE (last_used_at) ON ops_routing.api_keys TO ops_routing_reader;

--bun:split

-- Security events of engines.
GRANT INSERT ON ops_routing.audit_log TO ops_routing_reader;
