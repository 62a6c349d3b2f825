DROP INDEX ops_routing.decision_log_failed;
