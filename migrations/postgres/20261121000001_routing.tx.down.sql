-- The role ops_routing_reader stays: other databases of the server may use it.
ALTER DEFAULT PRIVILEGES IN SCHEMA ops_routing REVOKE SELECT ON TABLES FROM ops_routing_reader;

--bun:split

DROP TABLE ops_routing.config_state, ops_routing.fx_rates, ops_routing.rates,
    ops_routing.rule_candidates, ops_routing.routing_rules, ops_routing.operators;

--bun:split

REVOKE USAGE ON SCHEMA ops_routing FROM ops_routing_reader;

--bun:split

-- Fails when something else was put into the schema, which is then not ours to drop. The migration
-- bookkeeping tables live in public.
DROP SCHEMA ops_routing;
