// Package bunstoretest gives tests databases that are migrated and else empty. The migrations run once in a test process;
// each test gets a copy, because under the race detector they take as long as most tests.
package bunstoretest

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/pgtest"
)

// Postgres creates a database on the server that all tests of the process share, and returns its address. It is dropped
// at the end of t. files has the migrations in the folder postgres, and is a value that can be compared.
func Postgres(t testing.TB, files fs.FS) string {
	t.Helper()
	return pgtest.Prepared(t, files, func(url string) { migrate(t, url, bunstore.Migrations{Files: files, Dir: "postgres"}) })
}

// templates holds a migrated file for each source of migrations.
var templates struct {
	mu sync.Mutex
	of map[fs.FS][]byte
}

// SQLite creates a file in a folder of the test and returns its address, sqlite:PATH. files has the migrations in the
// folder sqlite, and is a value that can be compared.
func SQLite(t testing.TB, files fs.FS) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, template(t, files), 0o600); err != nil {
		t.Fatalf("copy the migrated database: %v", err)
	}
	return "sqlite:" + path
}

func template(t testing.TB, files fs.FS) []byte {
	t.Helper()
	templates.mu.Lock()
	defer templates.mu.Unlock()
	if content, made := templates.of[files]; made {
		return content
	}
	path := filepath.Join(t.TempDir(), "template.db")
	migrate(t, "sqlite:"+path, bunstore.Migrations{Files: files, Dir: "sqlite"})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read the migrated database: %v", err)
	}
	if templates.of == nil {
		templates.of = make(map[fs.FS][]byte)
	}
	templates.of[files] = content
	return content
}

// migrate leaves no session open: a database in use cannot be copied, and a file in use is not whole.
func migrate(t testing.TB, url string, migrations bunstore.Migrations) {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open the database to migrate: %v", err)
	}
	migrator, err := bunstore.NewMigrator(db, migrations, clock.System())
	if err == nil {
		_, err = migrator.Up(t.Context())
	}
	if err != nil {
		_ = db.Close()
		t.Fatalf("migrate: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("close the migrated database: %v", err)
	}
}
