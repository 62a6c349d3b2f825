DROP POLICY routing_rules_account ON ops_routing.routing_rules;

--bun:split

ALTER TABLE ops_routing.routing_rules NO FORCE ROW LEVEL SECURITY;

--bun:split

ALTER TABLE ops_routing.routing_rules DISABLE ROW LEVEL SECURITY;

--bun:split

DROP TRIGGER audit_log_append_only ON ops_routing.audit_log;

--bun:split

DROP TRIGGER audit_log_await_seal ON ops_routing.audit_log;

--bun:split

DROP TABLE ops_routing.audit_unsealed;

--bun:split

DROP TABLE ops_routing.audit_chain;

--bun:split

DROP TABLE ops_routing.access_state;

--bun:split

DROP TABLE ops_routing.api_keys;

--bun:split

DROP TABLE ops_routing.accounts;

--bun:split

DROP FUNCTION ops_routing.may_see(uuid);

--bun:split

DROP FUNCTION ops_routing.refuse_change();

--bun:split

DROP FUNCTION ops_routing.await_seal();

--bun:split

DROP INDEX ops_routing.audit_log_actor;

--bun:split

DROP INDEX ops_routing.audit_log_action;

--bun:split

REVOKE INSERT ON ops_routing.audit_log FROM ops_routing_reader;
