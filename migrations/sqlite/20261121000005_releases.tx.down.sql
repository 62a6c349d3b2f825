DROP TABLE release_state;

--bun:split

DROP TABLE release_activations;

--bun:split

DROP TABLE release_artifacts;

--bun:split

DROP TABLE releases;

--bun:split

ALTER TABLE decision_log DROP COLUMN number_digits;

--bun:split

ALTER TABLE decision_log DROP COLUMN number_prefix;
