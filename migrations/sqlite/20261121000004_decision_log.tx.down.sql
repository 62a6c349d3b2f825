DROP TABLE decision_outcomes;

--bun:split

DROP TABLE decision_log;
