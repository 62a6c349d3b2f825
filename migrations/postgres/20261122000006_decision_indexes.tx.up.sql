-- Decisions without an operator are few, and are looked for when something is wrong.
CREATE INDEX decision_log_failed ON ops_routing.decision_log (decided_at, decision_id) WHERE failure <> '';

--bun:split

-- Those of a quiet account or operator lie far apart: without these a page of them reads all decisions.
CREATE INDEX decision_log_account ON ops_routing.decision_log (account_id, decided_at, decision_id);

--bun:split

CREATE INDEX decision_log_operator ON ops_routing.decision_log (operator_id, decided_at, decision_id);
