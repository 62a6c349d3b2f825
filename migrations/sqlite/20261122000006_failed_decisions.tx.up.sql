-- Decisions without an operator are few, and are looked for when something is wrong.
CREATE INDEX decision_log_failed ON decision_log (decided_at, decision_id) WHERE failure <> '';
