DROP TRIGGER audit_log_no_update;

--bun:split

DROP TRIGGER audit_log_no_delete;

--bun:split

DROP TRIGGER audit_log_await_seal;

--bun:split

DROP TABLE audit_unsealed;

--bun:split

DROP TABLE audit_chain;

--bun:split

DROP TABLE access_state;

--bun:split

DROP TABLE api_keys;

--bun:split

DROP TABLE accounts;

--bun:split

DROP INDEX audit_log_actor;

--bun:split

DROP INDEX audit_log_action;
