DROP INDEX ops_routing.decision_log_operator;

--bun:split

DROP INDEX ops_routing.decision_log_account;

--bun:split

DROP INDEX ops_routing.decision_log_failed;
