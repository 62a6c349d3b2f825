DROP TABLE config_state;

--bun:split

DROP TABLE fx_rates;

--bun:split

DROP TABLE rates;

--bun:split

DROP TABLE rule_candidates;

--bun:split

DROP TABLE routing_rules;

--bun:split

DROP TABLE operators;
