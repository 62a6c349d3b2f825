DROP TABLE ops_routing.decision_sums_state;

--bun:split

DROP TABLE ops_routing.decision_sums;
