package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
)

var _ operators.RateImportStore = (*Store)(nil)

// View runs do on one state of the primary: a preview by what a replica has could be of a state that is gone. It takes no
// lock that a change waits for, and never commits.
func (s *Store) View(ctx context.Context, do func(ctx context.Context, tx operators.Tx) error) (err error) {
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return err
	}
	options := &sql.TxOptions{ReadOnly: true}
	if bunstore.DialectOf(s.db) == bunstore.Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	inner, err := s.db.BeginTx(bunstore.WithQueryName(ctx, "view"), options)
	if err != nil {
		return bunstore.Fault(err)
	}
	defer func() { _ = inner.Rollback() }() // there is nothing to lose
	return bunstore.Fault(do(ctx, s.within(inner)))
}

// InBulk runs a long change of one operator's rates and lets other changes go on until its end.
//
// On PostgreSQL it is one transaction that joins the queue of InTx only for Finish. It is READ COMMITTED, and still as if
// it were alone:
//   - SERIALIZABLE would give up the whole bulk at its commit, again and again, when others meanwhile changed what it
//     read, such as the operator, or read what it wrote, as checks of rules do.
//   - The rates that it plans by cannot change: only bulks change rates, and the lock on the operator lets in one.
//   - Everything else that it read is read again in Finish, in statements that see all that is committed. Finish has the
//     lock of InTx until the commit, so versions rise in the order of commits, and a change in InTx sees the bulk whole,
//     with its version, or not at all.
//
// The foreign key of rates holds a KEY SHARE lock on the operator, which changes of its row do not wait for.
//
// SQLite has one writer at a time, which Write holds up. So Plan, where the time goes that is not spent on writing, runs
// before that, in a transaction of its own. SQLite serves one process, which keeps the lock on the operator in memory.
func (s *Store) InBulk(ctx context.Context, b operators.Bulk) error {
	if bunstore.DialectOf(s.db) != bunstore.Postgres {
		return s.inBulkLocally(ctx, b)
	}
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return err
	}
	return bunstore.Fault(s.db.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}, func(ctx context.Context, inner bun.Tx) error {
		// It is held to the end of the transaction, also when its session is gone and the commit is not decided yet.
		var alone bool
		err := inner.NewRaw("SELECT pg_try_advisory_xact_lock(?)", bulkKey(b.Operator)).Scan(bunstore.WithQueryName(ctx, "lock_rates"), &alone)
		switch {
		case err != nil:
			return err
		case !alone:
			return operators.ImportRunning()
		}
		t := s.within(inner)
		if err := b.Plan(ctx, t); err != nil {
			return err
		}
		if err := b.Write(ctx, t); err != nil {
			return err
		}
		// Longer than others wait: so much work is not thrown away for a change of some seconds.
		if err := lockConfig(ctx, inner, "SET LOCAL statement_timeout = '31s'", "SET LOCAL lock_timeout = '30s'"); err != nil {
			return err
		}
		return b.Finish(ctx, t)
	}))
}

func (s *Store) inBulkLocally(ctx context.Context, b operators.Bulk) error {
	if _, running := s.bulks.LoadOrStore(b.Operator, nil); running {
		return operators.ImportRunning()
	}
	defer s.bulks.Delete(b.Operator)
	if err := s.View(ctx, b.Plan); err != nil {
		return err
	}
	return s.InTx(ctx, func(ctx context.Context, tx operators.Tx) error {
		if err := b.Write(ctx, tx); err != nil {
			return err
		}
		return b.Finish(ctx, tx)
	})
}

// bulkKey is the advisory lock of an operator's rates. The hash keeps it apart from the small keys of leaders.
func bulkKey(operator uuid.UUID) int64 {
	sum := sha256.Sum256([]byte("rates of " + operator.String()))
	return int64(binary.BigEndian.Uint64(sum[:]))
}
