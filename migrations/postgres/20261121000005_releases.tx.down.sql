DROP TABLE ops_routing.release_state;

--bun:split

DROP TABLE ops_routing.release_activations;

--bun:split

DROP TABLE ops_routing.release_artifacts;

--bun:split

DROP TABLE ops_routing.releases;
