// Package database keeps accounts, API keys and the audit log in PostgreSQL or SQLite.
package database

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// readLimit bounds one read outside a transaction.
const readLimit = 10 * time.Second

// purgeLimit bounds one purge.
const purgeLimit = 30 * time.Second

// Store keeps accounts and keys. It is safe for concurrent use.
type Store struct {
	db     *bun.DB
	reader *bunstore.Reader
}

var (
	_ access.AccountStore = (*Store)(nil)
	_ access.KeyStore     = (*Store)(nil)
	_ access.KeySource    = (*Store)(nil)
)

// New returns a store over a database that bunstore opened and whose migrations are applied, with a reader of the same
// database. What people ask for is read from the primary: an answer that lags might show a revoked key as a live one.
func New(db *bun.DB, reader *bunstore.Reader) *Store { return &Store{db, reader} }

// InTx runs do in a serializable transaction, one after the other. On PostgreSQL they queue at the table of the version,
// which readers do not wait for. LOCK TABLE comes before the transaction's snapshot, so who waited sees everything that
// was committed meanwhile and does not run again. SQLite has one writer at a time.
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context, tx access.Tx) error) error {
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return err
	}
	return bunstore.Serializable(ctx, s.db, func(ctx context.Context, inner bun.Tx) error {
		if bunstore.DialectOf(inner) == bunstore.Postgres {
			// Shorter than a call may take, so that who waits in vain learns why.
			for _, statement := range []string{"SET LOCAL lock_timeout = '5s'", "LOCK TABLE access_state IN SHARE ROW EXCLUSIVE MODE"} {
				if _, err := inner.NewRaw(statement).Exec(bunstore.WithQueryName(ctx, "lock_access")); err != nil {
					return bunstore.Fault(err)
				}
			}
		}
		return do(ctx, &tx{inner})
	})
}

// tx is one change.
type tx struct{ tx bun.Tx }

// RaiseVersion raises the version of keys and accounts.
func (t *tx) RaiseVersion(ctx context.Context) error {
	_, err := t.tx.NewRaw("UPDATE access_state SET version = version + 1").Exec(bunstore.WithQueryName(ctx, "raise_access_version"))
	return bunstore.Fault(err)
}

// forAccount runs one read on the primary for a caller who may be bound to an account.
func (s *Store) forAccount(ctx context.Context, name string, only uuid.UUID, read func(ctx context.Context, db bun.IDB) error) error {
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, name), readLimit)
	defer cancel()
	return bunstore.Fault(bunstore.ForAccount(ctx, s.db, only, read))
}

// orNone turns the lack of a row into a fault of the domain.
func orNone(err, none error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return none
	}
	return bunstore.Fault(err)
}

// duplicate names what a unique index refused.
func duplicate(err error, reason, text string) error {
	err = bunstore.Fault(err)
	if fault.Is(err, bunstore.ReasonDuplicate) {
		return fault.New(fault.AlreadyExists, reason, "%s", text).Wrap(err)
	}
	return err
}

// like makes a text part of a LIKE pattern that stands for itself; ! escapes.
var like = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func nullable(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
