package bunstore_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

// Both transactions read the sum before either writes: without SERIALIZABLE both
// would commit, and no order of the two gives that result.
func TestSerializableRunsTheLoserAgainOnPostgres(t *testing.T) {
	db := open(t, settings(pgtest.Database(t)))
	exec(t, db, "CREATE TABLE account (id integer PRIMARY KEY, n integer NOT NULL)", "INSERT INTO account VALUES (1, 10), (2, 10)")
	var bothRead sync.WaitGroup
	bothRead.Add(2)
	results := make(chan int)
	for id := 1; id <= 2; id++ {
		go func() {
			tries := 0
			err := bunstore.Serializable(context.Background(), db, func(ctx context.Context, tx bun.Tx) error {
				tries++
				var sum int
				if err := tx.NewRaw("SELECT sum(n) FROM account").Scan(ctx, &sum); err != nil {
					return err
				}
				if tries == 1 {
					bothRead.Done()
					bothRead.Wait()
				}
				_, err := tx.NewRaw("UPDATE account SET n = n + ? WHERE id = ?", sum, id).Exec(ctx)
				return err
			})
			assert.NoError(t, err)
			results <- tries
		}()
	}
	require.Equal(t, 3, <-results+<-results, "one of the two ran twice")
	var sum int
	require.NoError(t, db.NewRaw("SELECT sum(n) FROM account").Scan(t.Context(), &sum))
	require.Equal(t, 80, sum)
}

// SQLite's immediate transactions run one after the other.
func TestSerializableLosesNothingOnSQLite(t *testing.T) {
	db := open(t, settings("sqlite:"+filepath.Join(t.TempDir(), "x.db")))
	exec(t, db, "CREATE TABLE counter (n integer NOT NULL)", "INSERT INTO counter VALUES (0)")
	const workers, each = 4, 10
	results := make(chan error)
	for range workers {
		go func() {
			var failed error
			for range each {
				failed = errors.Join(failed, bunstore.Serializable(context.Background(), db, func(ctx context.Context, tx bun.Tx) error {
					var n int
					if err := tx.NewRaw("SELECT n FROM counter").Scan(ctx, &n); err != nil {
						return err
					}
					_, err := tx.NewRaw("UPDATE counter SET n = ?", n+1).Exec(ctx)
					return err
				}))
			}
			results <- failed
		}()
	}
	for range workers {
		require.NoError(t, <-results)
	}
	var n int
	require.NoError(t, db.NewRaw("SELECT n FROM counter").Scan(t.Context(), &n))
	require.Equal(t, workers*each, n)
}

// A transaction that took the write lock only at its first write would have read
// what another one then changed.
func TestATransactionOnSQLiteHasTheWriteLockFromItsStart(t *testing.T) {
	db := open(t, settings("sqlite:"+filepath.Join(t.TempDir(), "x.db")))
	first, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = db.BeginTx(ctx, nil)
	require.Error(t, err)
	require.NoError(t, first.Rollback())
	second, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, second.Rollback())
}

func TestSerializableGivesUpAndKeepsOtherErrors(t *testing.T) {
	db := open(t, settings("sqlite::memory:"))
	tries := 0
	err := bunstore.Serializable(t.Context(), db, func(context.Context, bun.Tx) error {
		tries++
		return fault.New(fault.Aborted, bunstore.ReasonConflict, "lost")
	})
	requireFault(t, err, fault.Aborted, bunstore.ReasonConflict)
	require.Equal(t, 6, tries)

	tries = 0
	err = bunstore.Serializable(t.Context(), db, func(context.Context, bun.Tx) error { tries++; return io.EOF })
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	require.Equal(t, 1, tries)

	ctx, cancel := context.WithCancel(t.Context())
	err = bunstore.Serializable(ctx, db, func(context.Context, bun.Tx) error {
		cancel()
		return fault.New(fault.Aborted, bunstore.ReasonConflict, "lost")
	})
	require.ErrorIs(t, err, context.Canceled)
}
