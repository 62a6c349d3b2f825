-- Sums of decision_log and decision_outcomes, so that a long time is not summed up row by row. They change in the transaction
-- that changes the rows. A decision is in the sum of its minute for all accounts together, and of its 5 minutes for its own; when the hour
-- is over, also in those of 5 minutes, the hour and 6 hours for all, and of the hour and 6 hours for its own.
CREATE TABLE ops_routing.decision_sums (
    -- Seconds from begins on; begins is a multiple of it since 1970.
    span            integer NOT NULL,
    -- Zeros: all accounts.
    account_id      uuid    NOT NULL,
    begins          bigint  NOT NULL,
    -- Zeros: no operator.
    operator_id     uuid    NOT NULL,
    failure         text    NOT NULL,
    -- '': no price.
    currency        text    NOT NULL,
    decisions       bigint  NOT NULL,
    -- Prices, in whole units and billionths of one, because all of them in billionths may not fit.
    units           bigint  NOT NULL,
    nanos           bigint  NOT NULL,
    -- Those that took at most so many microseconds, and more than the column before says. NULL is 0, here and below.
    latency_10      bigint,
    latency_25      bigint,
    latency_50      bigint,
    latency_100     bigint,
    latency_250     bigint,
    latency_500     bigint,
    latency_1000    bigint,
    latency_2500    bigint,
    latency_5000    bigint,
    latency_10000   bigint,
    latency_25000   bigint,
    latency_40000   bigint,
    latency_50000   bigint,
    latency_100000  bigint,
    latency_250000  bigint,
    latency_500000  bigint,
    latency_1000000 bigint,
    latency_2500000 bigint,
    latency_5000000 bigint,
    -- What was reported last of each.
    accepted        bigint,
    rejected        bigint,
    failed          bigint,
    delivered       bigint,
    undelivered     bigint,
    PRIMARY KEY (span, account_id, begins, operator_id, failure, currency)
) WITH (fillfactor = 70);

--bun:split

-- Sums of accounts are rolled up and cleared away by time. The key is better for all else, so the others are not in it.
CREATE INDEX decision_sums_time ON ops_routing.decision_sums (begins) WHERE account_id <> '00000000-0000-0000-0000-000000000000';

--bun:split

-- One row. Who changes sums keeps it locked until the end, so one does at a time.
CREATE TABLE ops_routing.decision_sums_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Decisions are in the sums from this Unix second on, a multiple of 60.
    since    bigint  NOT NULL,
    -- Before this Unix second, a multiple of 3600, they are in those of all lengths.
    rolled   bigint  NOT NULL
);

--bun:split

-- Processes of the version before go on for a while, without sums: these begin with the second whole hour from now. What is older is summed
-- up after that.
INSERT INTO ops_routing.decision_sums_state (since, rolled)
    SELECT start, start FROM (SELECT CASE WHEN EXISTS (SELECT FROM ops_routing.decision_log) OR EXISTS (SELECT FROM ops_routing.decision_outcomes)
        THEN (floor(date_part('epoch', now()) / 3600)::bigint + 2) * 3600 ELSE 0 END AS start) AS b;

--bun:split

-- Also where other default privileges were in force when the tables were made.
REVOKE ALL ON ops_routing.decision_sums, ops_routing.decision_sums_state FROM ops_routing_reader;
