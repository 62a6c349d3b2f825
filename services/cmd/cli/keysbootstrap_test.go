package cli

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/secret"
)

func TestTheFirstKeyOpensTheDoorAndIsMadeOnce(t *testing.T) {
	address := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	pepper := strings.Repeat("pepper-canary", 3)
	file := filepath.Join(t.TempDir(), "pepper")
	require.NoError(t, os.WriteFile(file, []byte(pepper), 0o600))
	_, stderr, code := call(t, "keys", "bootstrap", "--name", "first")
	require.Equal(t, ExitUsage, code)
	require.Contains(t, stderr, "database.url")
	t.Setenv("TRUNKLINE_DATABASE_URL", address)
	_, stderr, code = call(t, "keys", "bootstrap", "--name", "first")
	require.Equal(t, ExitUsage, code)
	require.Contains(t, stderr, "TRUNKLINE_ACCESS_KEYS_PEPPER")
	t.Setenv("TRUNKLINE_ACCESS_KEYS_PEPPER_FILE", file)
	_, stderr, code = call(t, "keys", "bootstrap", "--name", "first")
	require.Equal(t, ExitConflict, code, "there is no schema")
	require.Contains(t, stderr, "migrate up")
	_, stderr, code = call(t, "migrate", "up")
	require.Zero(t, code, stderr)

	stdout, stderr, code := call(t, "keys", "bootstrap", "--name", "first", "--lifetime", "1h")
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "admin")
	require.NotContains(t, stdout+stderr, "canary")
	text := strings.TrimSuffix(stdout, "\n")
	_, err := access.ParseKey(text)
	require.NoError(t, err, "standard output is the key alone")
	_, stderr, code = call(t, "keys", "bootstrap", "--name", "second")
	require.Equal(t, ExitConflict, code)
	require.Contains(t, stderr, "ADMIN_KEY_EXISTS")
	require.Contains(t, stderr, "--force")
	_, stderr, code = call(t, "keys", "bootstrap", "--name", "")
	require.Equal(t, ExitInvalid, code, stderr)
	stdout, stderr, code = call(t, "keys", "bootstrap", "--name", "second", "--force", "-o", "json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"role": "ROLE_ADMIN"`)

	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(address)
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	p, err := access.NewPepper(secret.New(pepper))
	require.NoError(t, err)
	watcher := access.NewWatcher(database.New(db, bunstore.NewReader(db)), p, nil, clock.System().Now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); watcher.Run(ctx) }()
	var who caller.Caller
	require.Eventually(t, func() bool { who, err = watcher.Find(text); return err == nil }, 60*time.Second, 10*time.Millisecond)
	require.Equal(t, caller.Admin, who.Role)
	require.False(t, who.Bound())
	cancel()
	<-done
	var actors []string
	require.NoError(t, db.NewRaw("SELECT actor FROM audit_log WHERE action = 'api_key.create'").Scan(t.Context(), &actors))
	require.Equal(t, []string{"bootstrap", "bootstrap"}, actors)
}

func TestTheFirstKeyIsMadeWithTheConfigurationOfAProcess(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TRUNKLINE_DATABASE_URL", "sqlite:"+filepath.Join(dir, "x.db"))
	_, stderr, code := call(t, "migrate", "up")
	require.Zero(t, code, stderr)
	require.NoError(t, os.Unsetenv("TRUNKLINE_DATABASE_URL"))
	file := filepath.Join(dir, "engine.yaml")
	write := func(pepper string) {
		content := "environment: production\nserver:\n  addr: 0.0.0.0:8080\naccess:\n  development: false\n  jwt:\n    issuer: https://idp.example\n" +
			"  keys:\n    pepper: " + pepper + "\ndatabase:\n  url: sqlite:" + filepath.Join(dir, "x.db") + "\n  read_only: true\n"
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	}
	write("short-canary")
	_, stderr, code = call(t, "keys", "bootstrap", "--name", "first", "--config", file)
	require.Equal(t, ExitUsage, code)
	require.Contains(t, stderr, "access.keys.pepper")
	require.NotContains(t, stderr, "canary")

	write(strings.Repeat("pepper-canary", 3))
	stdout, stderr, code := call(t, "keys", "bootstrap", "--name", "first", "--config", file)
	require.Zero(t, code, stderr)
	_, err := access.ParseKey(strings.TrimSuffix(stdout, "\n"))
	require.NoError(t, err)

	_, stderr, code = call(t, "keys", "bootstrap", "--name", "first", "--config", filepath.Join(dir, "none.yaml"))
	require.Equal(t, ExitUsage, code)
	require.Contains(t, stderr, "none.yaml")
}

func TestARoleThatMayNotReadTheMigrationsMakesTheFirstKey(t *testing.T) {
	admin := pgtest.Database(t)
	t.Setenv("TRUNKLINE_DATABASE_URL", admin)
	t.Setenv("TRUNKLINE_ACCESS_KEYS_PEPPER", testPepper)
	_, stderr, code := call(t, "migrate", "up")
	require.Zero(t, code, stderr)
	role := "first_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	pgtest.Exec(t, admin, "CREATE ROLE "+role+" LOGIN", "GRANT USAGE ON SCHEMA ops_routing TO "+role,
		"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ops_routing TO "+role, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops_routing TO "+role)
	t.Cleanup(func() { pgtest.Exec(t, admin, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	own, err := url.Parse(admin)
	require.NoError(t, err)
	own.User = url.User(role)
	t.Setenv("TRUNKLINE_DATABASE_URL", own.String())
	_, stderr, code = call(t, "keys", "bootstrap", "--name", "first")
	require.Zero(t, code, stderr)
}
