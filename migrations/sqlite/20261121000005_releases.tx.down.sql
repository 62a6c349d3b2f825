DROP TABLE release_state;

--bun:split

DROP TABLE release_activations;

--bun:split

DROP TABLE release_artifacts;

--bun:split

DROP TABLE releases;
