package decisionlog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

const (
	// looksAtOnce leaves connections to those that store decisions and change rules, however many look at plots.
	looksAtOnce = 8
	// lookLimit ends before the statement timeout of the database and the time of a call, which tell less.
	lookLimit = 9 * time.Second
	// statementEnded is the SQLSTATE of a statement that took longer than the database allows.
	statementEnded = "57014"
)

// ReasonTooMany marks a search that would have to look at too many decisions.
const ReasonTooMany = "TOO_MANY_DECISIONS"

// look reads, with others at most looksAtOnce at a time and looksEach of a caller, what may concern many decisions. On PostgreSQL all statements see
// one state of the log.
func (k *Keeper) look(ctx context.Context, name string, read func(ctx context.Context, db bun.IDB) error) error {
	bound, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, name), lookLimit)
	defer cancel()
	leave, err := k.looks.enter(bound)
	if err != nil {
		return bunstore.Fault(err)
	}
	defer leave()
	err = k.snapshot(bound, read)
	var server *pgconn.PgError
	slow := bound.Err() != nil || errors.As(err, &server) && server.Code == statementEnded
	if err != nil && ctx.Err() == nil && slow {
		return tooMany(err)
	}
	return bunstore.Fault(err)
}

func tooMany(err error) error {
	return fault.New(fault.DeadlineExceeded, ReasonTooMany,
		"It takes too long to look at so many decisions: ask for a shorter time.").Wrap(err)
}

func (k *Keeper) snapshot(ctx context.Context, read func(ctx context.Context, db bun.IDB) error) error {
	if bunstore.DialectOf(k.db) == bunstore.SQLite {
		return read(ctx, k.db) // a transaction would keep those from writing that store decisions
	}
	return k.db.RunInTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}, func(ctx context.Context, tx bun.Tx) error {
		return read(ctx, tx)
	})
}
