DROP TABLE health_transitions;

--bun:split

DROP TABLE operator_health;

--bun:split

DROP TABLE outbox;

--bun:split

DROP TABLE audit_log;

--bun:split

DROP TABLE requests;

--bun:split

DROP INDEX rates_ended;

--bun:split

DROP INDEX rates_operator;

--bun:split

ALTER TABLE rates DROP COLUMN mnc;

--bun:split

ALTER TABLE rates DROP COLUMN mcc;

--bun:split

ALTER TABLE config_state DROP COLUMN rule_changes;

--bun:split

DROP INDEX routing_rules_changed;

--bun:split

ALTER TABLE routing_rules DROP COLUMN changed_in;

--bun:split

ALTER TABLE routing_rules DROP COLUMN description;

--bun:split

ALTER TABLE routing_rules DROP COLUMN version;

--bun:split

ALTER TABLE routing_rules DROP COLUMN created_by;

--bun:split

ALTER TABLE routing_rules DROP COLUMN updated_by;

--bun:split

ALTER TABLE operators DROP COLUMN system_type;

--bun:split

ALTER TABLE operators DROP COLUMN burst_multiplier;

--bun:split

ALTER TABLE operators DROP COLUMN enforcement_mode;

--bun:split

ALTER TABLE operators DROP COLUMN backup_operator_id;

--bun:split

ALTER TABLE operators DROP COLUMN notes;

--bun:split

ALTER TABLE operators DROP COLUMN credentials_version;

--bun:split

ALTER TABLE operators DROP COLUMN created_by;

--bun:split

ALTER TABLE operators DROP COLUMN updated_by;
