DROP TABLE ops_routing.decision_outcomes;

--bun:split

DROP TABLE ops_routing.decision_log;
