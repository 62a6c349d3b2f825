DROP TABLE decision_sums_state;

--bun:split

DROP TABLE decision_sums;
