package bunstore

import (
	"context"
	"database/sql"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// ForAccount runs reads for a caller who is bound to an account. On PostgreSQL they run in a transaction that sees the
// rows of that account only, and those of nobody where these are everybody's (row level security): a second wall behind
// the conditions of the queries, which must be there all the same. Superusers and roles with BYPASSRLS have no such wall.
// For uuid.Nil and on SQLite read runs as it is.
//
// read may run on a replica. It does not write.
func ForAccount(ctx context.Context, db bun.IDB, account uuid.UUID, read func(ctx context.Context, db bun.IDB) error) error {
	if account == uuid.Nil || DialectOf(db) != Postgres {
		return read(ctx, db)
	}
	return db.RunInTx(ctx, &sql.TxOptions{ReadOnly: true}, func(ctx context.Context, tx bun.Tx) error {
		if err := Bind(ctx, tx, account); err != nil {
			return err
		}
		return read(ctx, tx)
	})
}

// Bind puts the wall of ForAccount around the rest of a transaction. For uuid.Nil and on SQLite it does nothing.
func Bind(ctx context.Context, tx bun.Tx, account uuid.UUID) error {
	if account == uuid.Nil || DialectOf(tx) != Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT set_config('trunkline.account', ?, true)", account.String())
	return err
}
