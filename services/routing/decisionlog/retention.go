package decisionlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
)

const (
	// daysAhead is how many days have their partition ahead of time, the present one among them.
	daysAhead = 3
	// retentionPause is the time between two looks, retentionLimit bounds one, retentionLock waiting for a lock.
	retentionPause = time.Hour
	retentionLimit = 5 * time.Minute
	retentionLock  = 2 * time.Second
	// deleteBatch is how many rows without a partition of their own go at once.
	deleteBatch = 5000
	// retentionKey is the key of the advisory lock: "decision" in ASCII.
	retentionKey = 0x6465636973696f6e
)

// tables are those of the log, with the column of their time.
var tables = [...]struct{ name, column, key string }{
	{"decision_log", "decided_at", "decision_id"},
	{"decision_outcomes", "reported_at", "report_id"},
}

// Retention makes the daily partitions of the log ahead on PostgreSQL, and drops those that are older than wanted. On
// SQLite, which has none, old rows are deleted. Days are those of UTC. No insert depends on it: what has no partition goes
// to the default one and is deleted there. Sums go after their decisions, so that both tell the same.
type Retention struct {
	db    *bun.DB
	keep  int
	clock clock.Clock
	log   *slog.Logger
}

// NewRetention keeps keepDays whole days besides the present one.
func NewRetention(db *bun.DB, keepDays int, clk clock.Clock, log *slog.Logger) *Retention {
	return &Retention{db, keepDays, clk, log}
}

// Run looks after the log until ctx ends.
func (r *Retention) Run(ctx context.Context) {
	for {
		if err := r.Ensure(ctx, r.clock.Now()); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "old decisions could not be cleared away, or partitions made; the log goes on", "error", err)
		}
		timer := time.NewTimer(retentionPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Ensure makes what is missing at a moment and takes away what is too old. Several processes may call it at once.
func (r *Retention) Ensure(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "decision_retention"), retentionLimit)
	defer cancel()
	today := now.UTC().Truncate(24 * time.Hour)
	oldest := today.AddDate(0, 0, -r.keep)
	var made, gone []error
	for _, t := range tables {
		if bunstore.DialectOf(r.db) == bunstore.Postgres {
			for ahead := range daysAhead {
				made = append(made, r.makePartition(ctx, t.name, today.AddDate(0, 0, ahead)))
			}
			gone = append(gone, r.dropPartitions(ctx, t.name, oldest), r.deleteBefore(ctx, t.name+"_default", t.column, t.key, oldest))
		} else {
			gone = append(gone, r.deleteBefore(ctx, t.name, t.column, t.key, oldest))
		}
	}
	err := errors.Join(gone...)
	if err == nil {
		err = r.deleteSums(ctx, oldest)
	}
	return errors.Join(append(made, err)...)
}

// deleteSums deletes the sums of decisions that are gone.
func (r *Retention) deleteSums(ctx context.Context, oldest time.Time) error {
	errs := []error{r.deleteSumsWhere(ctx, oldest, "account_id <> ?", allAccounts)}
	for _, span := range spansOfAll {
		errs = append(errs, r.deleteSumsWhere(ctx, oldest, "account_id = ? AND span = ?", allAccounts, span))
	}
	return errors.Join(errs...)
}

// deleteSumsWhere deletes an hour at a time, so that nobody waits for long.
func (r *Retention) deleteSumsWhere(ctx context.Context, oldest time.Time, which string, args ...any) error {
	for {
		var first *int64
		err := changing(ctx, r.db, func(ctx context.Context, tx bun.Tx) error {
			if _, err := holdSums(ctx, tx); err != nil { // a late batch may change the same ones
				return err
			}
			err := tx.NewRaw("SELECT min(begins) FROM decision_sums WHERE "+which+" AND begins < ?", append(args, oldest.Unix())...).Scan(ctx, &first)
			if err != nil || first == nil {
				return err
			}
			end := min(*first+hourSpan, oldest.Unix())
			_, err = tx.NewRaw("DELETE FROM decision_sums WHERE "+which+" AND begins < ?", append(args, end)...).Exec(ctx)
			return err
		})
		if err != nil || first == nil {
			return bunstore.Fault(err)
		}
	}
}

// makePartition makes the partition of a day, unless it is there. While the default partition holds rows of that day it
// cannot be made; they are in nobody's way.
func (r *Retention) makePartition(ctx context.Context, table string, day time.Time) error {
	name := table + "_" + day.Format(dayLayout)
	return r.alone(ctx, func(ctx context.Context, tx bun.Tx) error {
		there, err := partitions(ctx, tx, table)
		if err != nil || there[name] {
			return err
		}
		_, err = tx.NewRaw("CREATE TABLE ? PARTITION OF ? FOR VALUES FROM (?) TO (?)",
			bun.Ident(name), bun.Ident(table), day, day.AddDate(0, 0, 1)).Exec(ctx)
		return err
	})
}

const dayLayout = "20060102"

func (r *Retention) dropPartitions(ctx context.Context, table string, oldest time.Time) error {
	there, err := partitions(ctx, r.db, table)
	if err != nil {
		return bunstore.Fault(err)
	}
	for name := range there {
		day, err := time.Parse(dayLayout, strings.TrimPrefix(name, table+"_"))
		if err != nil || !day.Before(oldest) {
			continue // the default one, or one that others made
		}
		err = r.alone(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewRaw("DROP TABLE IF EXISTS ?", bun.Ident(name)).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
		r.log.InfoContext(ctx, "a day of the decision log was dropped", "partition", name)
	}
	return nil
}

// deleteBefore deletes rows in small transactions, so that nobody waits for long.
func (r *Retention) deleteBefore(ctx context.Context, table, column, key string, oldest time.Time) error {
	for {
		result, err := r.db.NewRaw("DELETE FROM ? WHERE ? < ? AND ? IN (SELECT ? FROM ? WHERE ? < ? LIMIT ?)",
			bun.Ident(table), bun.Ident(column), oldest, bun.Ident(key), bun.Ident(key), bun.Ident(table), bun.Ident(column), oldest, deleteBatch).Exec(ctx)
		if err != nil {
			return bunstore.Fault(err)
		}
		if n, err := result.RowsAffected(); err != nil || n < deleteBatch {
			return bunstore.Fault(err)
		}
	}
}

// alone runs one step alone among all processes, with a short patience for locks.
func (r *Retention) alone(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	return bunstore.Fault(r.db.RunInTx(ctx, &sql.TxOptions{}, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", int64(retentionKey)),
			fmt.Sprintf("SET LOCAL lock_timeout = %d", retentionLock.Milliseconds()),
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return do(ctx, tx)
	}))
}

func partitions(ctx context.Context, db bun.IDB, table string) (map[string]bool, error) {
	var names []string
	err := db.NewRaw(`SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = ?::regclass`, table).Scan(ctx, &names)
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	return there, err
}
