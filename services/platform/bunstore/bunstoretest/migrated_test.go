package bunstoretest_test

import (
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
)

func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestEachCopyIsMigratedAndItsOwn(t *testing.T) {
	for _, store := range []struct {
		name  string
		files fs.FS
		make  func(testing.TB, fs.FS) string
	}{{"postgres", migrations.Postgres, bunstoretest.Postgres}, {"sqlite", migrations.SQLite, bunstoretest.SQLite}} {
		t.Run(store.name, func(t *testing.T) {
			for range 2 {
				db := open(t, store.make(t, store.files))
				m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: store.files, Dir: store.name}, clock.System())
				require.NoError(t, err)
				done, err := m.Up(t.Context())
				require.NoError(t, err)
				require.Empty(t, done, "nothing was left to do")
				updated, err := db.NewRaw("UPDATE config_state SET config_version = config_version + 6 WHERE config_version = 1").Exec(t.Context())
				require.NoError(t, err)
				rows, err := updated.RowsAffected()
				require.NoError(t, err)
				require.EqualValues(t, 1, rows, "no other test has written to it")
			}
		})
	}
}

func TestACopyOfAFileIsWhole(t *testing.T) {
	url := bunstoretest.SQLite(t, migrations.SQLite)
	_, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + "-wal")
	require.ErrorIs(t, err, os.ErrNotExist)
	var verdict string
	require.NoError(t, open(t, url).NewRaw("PRAGMA integrity_check").Scan(t.Context(), &verdict))
	require.Equal(t, "ok", verdict)
}
