package bunstore

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/fault"
)

// Bounds of the retries in Serializable. The pause doubles, so six tries wait less
// than 1 s in all.
const (
	serializableTries = 6
	firstPause        = 20 * time.Millisecond
)

// Serializable runs fn in a transaction that behaves as if no other ran at the
// same time. When the database gives it up in favour of another transaction, fn
// runs again from the start, so fn must not have effects outside tx. After the
// last try the error is Aborted with ReasonConflict.
//
// When the connection is lost during the commit, the error is Unavailable and
// it is not known whether the commit took place.
func Serializable(ctx context.Context, db *bun.DB, fn func(ctx context.Context, tx bun.Tx) error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := Fault(db.RunInTx(ctx, &sql.TxOptions{Isolation: isolation(db)}, fn))
		if err == nil || try == serializableTries || !fault.Is(err, ReasonConflict) {
			return err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause *= 2
	}
}

// isolation is the default for SQLite: its immediate transactions run one after
// the other, and the driver knows no levels.
func isolation(db *bun.DB) sql.IsolationLevel {
	if DialectOf(db) == Postgres {
		return sql.LevelSerializable
	}
	return sql.LevelDefault
}
