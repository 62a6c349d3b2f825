-- Sums of decision_log and decision_outcomes, so that a long time is not summed up row by row. They change in the transaction
-- that changes the rows. A decision is in the sum of its minute for all accounts together, and of its 5 minutes for its own; when the hour
-- is over, also in those of 5 minutes, the hour and 6 hours for all, and of the hour and 6 hours for its own.
CREATE TABLE decision_sums (
    -- Seconds from begins on; begins is a multiple of it since 1970.
    span            integer NOT NULL,
    -- Zeros: all accounts.
    account_id      text    NOT NULL,
    begins          integer NOT NULL,
    -- Zeros: no operator.
    operator_id     text    NOT NULL,
    failure         text    NOT NULL,
    -- '': no price.
    currency        text    NOT NULL,
    decisions       integer NOT NULL,
    -- Prices, in whole units and billionths of one, because all of them in billionths may not fit.
    units           integer NOT NULL,
    nanos           integer NOT NULL,
    -- Those that took at most so many microseconds, and more than the column before says. NULL is 0, here and below.
    latency_10      integer,
    latency_25      integer,
    latency_50      integer,
    latency_100     integer,
    latency_250     integer,
    latency_500     integer,
    latency_1000    integer,
    latency_2500    integer,
    latency_5000    integer,
    latency_10000   integer,
    latency_25000   integer,
    latency_40000   integer,
    latency_50000   integer,
    latency_100000  integer,
    latency_250000  integer,
    latency_500000  integer,
    latency_1000000 integer,
    latency_2500000 integer,
    latency_5000000 integer,
    -- What was reported last of each.
    accepted        integer,
    rejected        integer,
    failed          integer,
    delivered       integer,
    undelivered     integer,
    PRIMARY KEY (span, account_id, begins, operator_id, failure, currency)
) WITHOUT ROWID;

--bun:split

-- Sums of accounts are rolled up and cleared away by time. The key is better for all else, so the others are not in it.
CREATE INDEX decision_sums_time ON decision_sums (begins) WHERE account_id <> '00000000-0000-0000-0000-000000000000';

--bun:split

-- One row. Who changes sums keeps it locked until the end, so one does at a time.
CREATE TABLE decision_sums_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Decisions are in the sums from this Unix second on, a multiple of 60.
    since    integer NOT NULL,
    -- Before this Unix second, a multiple of 3600, they are in those of all lengths.
    rolled   integer NOT NULL
);

--bun:split

-- Processes of the version before go on for a while, without sums: these begin with the second whole hour from now. What is older is summed
-- up after that.
INSERT INTO decision_sums_state (since, rolled)
    SELECT start, start FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM decision_log) OR EXISTS (SELECT 1 FROM decision_outcomes)
        THEN (unixepoch() / 3600 + 2) * 3600 ELSE 0 END AS start) AS b;
