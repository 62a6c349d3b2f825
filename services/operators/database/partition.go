package database

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
)

const (
	// monthsAhead is how many months have their partition ahead of time, the present one among them.
	monthsAhead = 3
	// partitionPause is the time between two looks at the partitions, partitionRetry that after a failure.
	partitionPause = time.Hour
	partitionRetry = time.Minute
	// partitionLimit bounds one look, partitionLock waiting for a lock: whoever writes the log waits behind it.
	partitionLimit = time.Minute
	partitionLock  = 2 * time.Second
	// partitionKey is the key of the advisory lock: "healthlg" in ASCII.
	partitionKey = 0x6865616c74686c67
)

// PartitionConfig says how long the log of health transitions is kept.
type PartitionConfig struct {
	KeepMonths int `koanf:"keep_months" doc:"Whole months that the log of health transitions is kept, besides the present one (1 to 120)."`
}

// DefaultPartitionConfig keeps 13 months, so that every month can be compared with that of the year before.
func DefaultPartitionConfig() PartitionConfig { return PartitionConfig{KeepMonths: 13} }

// Validate returns what is wrong and how to fix it.
func (c PartitionConfig) Validate() error {
	if c.KeepMonths < 1 || c.KeepMonths > 120 {
		return config.Invalid("keep_months", c.KeepMonths, "set 1 to 120")
	}
	return nil
}

// Partitions keeps the monthly partitions of the log of health transitions on PostgreSQL: those of this month and the
// next two are made ahead, and those that are older than wanted dropped. On SQLite, which has none, old rows are deleted.
// Months are those of UTC.
//
// No insert depends on it: what has no partition goes to the default one, and moves when the partition is made. It needs
// to own the table and the right to create in its schema; without them the log still grows, and the metric tells.
type Partitions struct {
	db    *bun.DB
	cfg   PartitionConfig
	clock clock.Clock
	log   *slog.Logger
	// until is the first moment, in seconds since 1970, that has no partition; 0 while nothing is known.
	until atomic.Int64
}

// NewPartitions returns the partitions of a migrated database. On PostgreSQL it registers
// ops_health_partition_months_ahead: how many months in a row have their partition, the present one among them; 3 when
// all is well, 0 when inserts go to the default partition.
func NewPartitions(db *bun.DB, cfg PartitionConfig, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*Partitions, error) {
	p := &Partitions{db: db, cfg: cfg, clock: clk, log: log}
	if bunstore.DialectOf(db) != bunstore.Postgres {
		return p, nil
	}
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ops_health_partition_months_ahead",
		Help: "Months in a row that have their partition of the health log, the present one among them.",
	}, func() float64 { return float64(p.ahead(clk.Now())) })
	if err := reg.Register(gauge); err != nil {
		return nil, fmt.Errorf("register the metric of the partitions: %w", err)
	}
	return p, nil
}

// ahead counts from the clock, so that it falls when nobody makes partitions any more.
func (p *Partitions) ahead(now time.Time) (months int) {
	until := time.Unix(p.until.Load(), 0)
	for monthOf(now).AddDate(0, months, 0).Before(until) {
		months++
	}
	return months
}

// Run looks after the partitions until ctx ends.
func (p *Partitions) Run(ctx context.Context) {
	for {
		pause := partitionPause
		if err := p.Ensure(ctx, p.clock.Now()); err != nil {
			pause = partitionRetry
			p.log.WarnContext(ctx, "the partitions of the health log could not be brought up to date; inserts go on", "error", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Ensure makes what is missing at a moment and drops what is too old. Several processes may call it at once.
func (p *Partitions) Ensure(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "partitions"), partitionLimit)
	defer cancel()
	month := monthOf(now)
	oldest := month.AddDate(0, -p.cfg.KeepMonths, 0)
	if bunstore.DialectOf(p.db) != bunstore.Postgres {
		_, err := p.db.NewRaw("DELETE FROM health_transitions WHERE occurred_at < ?", oldest).Exec(ctx)
		return bunstore.Fault(err)
	}
	for ahead := range monthsAhead {
		from := month.AddDate(0, ahead, 0)
		if err := p.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return makePartition(ctx, tx, from) }); err != nil {
			return err
		}
		p.until.Store(from.AddDate(0, 1, 0).Unix())
	}
	return p.dropBefore(ctx, oldest)
}

// inTx runs one step alone among all processes, with a short patience for locks.
func (p *Partitions) inTx(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	return bunstore.Fault(p.db.RunInTx(ctx, &sql.TxOptions{}, func(ctx context.Context, tx bun.Tx) error {
		if err := run(ctx, tx, "SELECT pg_advisory_xact_lock(?)", int64(partitionKey)); err != nil {
			return err
		}
		if err := run(ctx, tx, fmt.Sprintf("SET LOCAL lock_timeout = %d", partitionLock.Milliseconds())); err != nil {
			return err
		}
		return do(ctx, tx)
	}))
}

// makePartition makes the partition of the month that begins at from, unless it is there, and gives it the rows that the
// default partition has of that month. Inserts wait at the table meanwhile: one that had chosen the default partition
// before would be refused by it afterwards.
func makePartition(ctx context.Context, tx bun.Tx, from time.Time) error {
	name, to := partitionName(from), from.AddDate(0, 1, 0)
	there, err := partitions(ctx, tx)
	if err != nil || slices.Contains(there, name) {
		return err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{"LOCK TABLE ONLY health_transitions IN SHARE ROW EXCLUSIVE MODE", nil},
		{"CREATE TABLE ? (LIKE health_transitions INCLUDING ALL)", []any{bun.Ident(name)}},
		{`WITH moved AS (DELETE FROM health_transitions_default WHERE occurred_at >= ? AND occurred_at < ? RETURNING *)
			INSERT INTO ? SELECT * FROM moved`, []any{from, to, bun.Ident(name)}},
		{"ALTER TABLE health_transitions ATTACH PARTITION ? FOR VALUES FROM (?) TO (?)", []any{bun.Ident(name), from, to}},
	} {
		if err := run(ctx, tx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// dropBefore drops the partitions of the months before oldest, and the rows before it in the default partition.
func (p *Partitions) dropBefore(ctx context.Context, oldest time.Time) error {
	there, err := partitions(ctx, p.db)
	if err != nil {
		return bunstore.Fault(err)
	}
	for _, name := range there {
		if month, ok := partitionMonth(name); !ok || !month.Before(oldest) {
			continue
		}
		err := p.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			return run(ctx, tx, "DROP TABLE IF EXISTS ?", bun.Ident(name))
		})
		if err != nil {
			return err
		}
		p.log.InfoContext(ctx, "an old partition of the health log was dropped", "partition", name)
	}
	return bunstore.Fault(run(ctx, p.db, "DELETE FROM health_transitions_default WHERE occurred_at < ?", oldest))
}

// partitions gives the names of the partitions that are attached.
func partitions(ctx context.Context, db bun.IDB) (names []string, err error) {
	err = db.NewRaw(`SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'health_transitions'::regclass`).Scan(ctx, &names)
	return names, err
}

func run(ctx context.Context, db bun.IDB, statement string, args ...any) error {
	_, err := db.NewRaw(statement, args...).Exec(ctx)
	return err
}

const partitionLayout = "health_transitions_2006_01"

func partitionName(month time.Time) string { return month.Format(partitionLayout) }

// partitionMonth is false for the default partition and for what others attached.
func partitionMonth(name string) (time.Time, bool) {
	month, err := time.Parse(partitionLayout, name)
	return month, err == nil
}

// monthOf is the first moment of the month, in UTC.
func monthOf(t time.Time) time.Time {
	year, month, _ := t.UTC().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}
