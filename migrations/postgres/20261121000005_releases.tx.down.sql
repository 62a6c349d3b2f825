DROP TABLE ops_routing.release_state;

--bun:split

DROP TABLE ops_routing.release_activations;

--bun:split

DROP TABLE ops_routing.release_artifacts;

--bun:split

DROP TABLE ops_routing.releases;

--bun:split

ALTER TABLE ops_routing.decision_log
    DROP COLUMN number_digits,
    DROP COLUMN number_prefix;
