ALTER DEFAULT PRIVILEGES IN SCHEMA ops_routing GRANT SELECT ON TABLES TO ops_routing_reader;

--bun:split

DROP TABLE ops_routing.health_transitions;

--bun:split

DROP TABLE ops_routing.operator_health;

--bun:split

DROP TABLE ops_routing.outbox;

--bun:split

DROP TABLE ops_routing.audit_log;

--bun:split

DROP TABLE ops_routing.requests;

--bun:split

DROP INDEX ops_routing.rates_ended;

--bun:split

DROP INDEX ops_routing.rates_operator;

--bun:split

ALTER TABLE ops_routing.rates DROP COLUMN mnc, DROP COLUMN mcc;

--bun:split

ALTER TABLE ops_routing.config_state DROP COLUMN rule_changes;

--bun:split

-- Its index goes with changed_in.
ALTER TABLE ops_routing.routing_rules
    DROP COLUMN description, DROP COLUMN version, DROP COLUMN created_by, DROP COLUMN updated_by, DROP COLUMN changed_in;

--bun:split

ALTER TABLE ops_routing.operators
    DROP COLUMN system_type, DROP COLUMN burst_multiplier, DROP COLUMN enforcement_mode, DROP COLUMN backup_operator_id,
    DROP COLUMN notes, DROP COLUMN credentials_version, DROP COLUMN created_by, DROP COLUMN updated_by;
