package bunstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

var quiet = slog.New(slog.DiscardHandler)

func settings(url string) bunstore.Config {
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	return cfg
}

func open(t *testing.T, cfg bunstore.Config) *bun.DB {
	t.Helper()
	db, err := bunstore.Open(t.Context(), cfg, quiet)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// onBoth runs a test on an empty PostgreSQL database and an empty SQLite file.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Database(t)) })
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "with space?.db")) })
}

func exec(t *testing.T, db bun.IDB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, kind.String()+" "+reason, f.Kind.String()+" "+f.Reason, "%v", errors.Unwrap(f))
}

func TestDriverErrorsBecomeFaults(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		exec(t, db,
			"CREATE TABLE parent (id integer PRIMARY KEY, name text UNIQUE, n integer NOT NULL CHECK (n > 0))",
			"CREATE TABLE child (parent_id integer REFERENCES parent (id))",
			"INSERT INTO parent VALUES (1, 'a', 1)")
		for _, c := range []struct {
			name, statement string
			kind            fault.Kind
			reason          string
		}{
			{"a second row with the primary key", "INSERT INTO parent VALUES (1, 'b', 1)", fault.AlreadyExists, bunstore.ReasonDuplicate},
			{"a second row with a unique value", "INSERT INTO parent VALUES (2, 'a', 1)", fault.AlreadyExists, bunstore.ReasonDuplicate},
			{"a reference to nothing", "INSERT INTO child VALUES (9)", fault.FailedPrecondition, bunstore.ReasonReference},
			{"a value that a check refuses", "INSERT INTO parent VALUES (3, 'c', 0)", fault.InvalidArgument, bunstore.ReasonConstraint},
			{"a missing value", "INSERT INTO parent VALUES (3, 'c', NULL)", fault.InvalidArgument, bunstore.ReasonConstraint},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := db.ExecContext(t.Context(), c.statement)
				requireFault(t, bunstore.Fault(err), c.kind, c.reason)
			})
		}
	})
}

func TestErrorsThatAreNotFromAServer(t *testing.T) {
	known := fault.New(fault.NotFound, "X", "x")
	require.NoError(t, bunstore.Fault(nil))
	require.Same(t, known, bunstore.Fault(known))
	require.Equal(t, context.Canceled, bunstore.Fault(context.Canceled))
	require.Equal(t, context.DeadlineExceeded, bunstore.Fault(context.DeadlineExceeded))
	requireFault(t, bunstore.Fault(sql.ErrNoRows), fault.NotFound, bunstore.ReasonNoRow)
	requireFault(t, bunstore.Fault(fmt.Errorf("x: %w", driver.ErrBadConn)), fault.Unavailable, bunstore.ReasonUnavailable)
	requireFault(t, bunstore.Fault(fmt.Errorf("x: %w", io.ErrUnexpectedEOF)), fault.Unavailable, bunstore.ReasonUnavailable)
	requireFault(t, bunstore.Fault(errors.New("who knows")), fault.Internal, fault.ReasonInternal)
}

func TestAnUnmigratedPostgresSaysThatMigrationsAreMissing(t *testing.T) {
	db := open(t, settings(pgtest.Database(t)))
	_, err := db.ExecContext(t.Context(), "SELECT * FROM operators")
	requireFault(t, bunstore.Fault(err), fault.FailedPrecondition, bunstore.ReasonSchema)
}

func TestASlowStatementIsEndedByTheServer(t *testing.T) {
	cfg := settings(pgtest.Database(t))
	cfg.StatementTimeout = 20 * time.Millisecond
	_, err := open(t, cfg).ExecContext(t.Context(), "SELECT pg_sleep(30)")
	requireFault(t, bunstore.Fault(err), fault.Unavailable, bunstore.ReasonUnavailable)
}

func TestAReadOnlyConnectionRefusesWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		exec(t, open(t, settings(url)), "CREATE TABLE t (n integer)")
		cfg := settings(url)
		cfg.ReadOnly = true
		db := open(t, cfg)
		exec(t, db, "SELECT * FROM t")
		_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
		requireFault(t, bunstore.Fault(err), fault.FailedPrecondition, bunstore.ReasonReadOnly)
	})
}

func TestOpenDoesNotNeedTheServerAndRecoversWithIt(t *testing.T) {
	server := pgtest.Start(t)
	db := open(t, settings(server.URL()))
	exec(t, db, "SELECT 1")

	server.Kill(t)
	for range 3 {
		_, err := db.ExecContext(t.Context(), "SELECT 1")
		requireFault(t, bunstore.Fault(err), fault.Unavailable, bunstore.ReasonUnavailable)
		require.Equal(t, time.Second, fault.From(bunstore.Fault(err)).RetryAfter)
	}
	late := open(t, settings(server.URL()))
	_, err := late.ExecContext(t.Context(), "SELECT 1")
	requireFault(t, bunstore.Fault(err), fault.Unavailable, bunstore.ReasonUnavailable)

	server.Restart(t)
	exec(t, db, "SELECT 1")
	exec(t, late, "SELECT 1")
}

func TestAServerThatDiesDuringAStatementIsUnavailable(t *testing.T) {
	server := pgtest.Start(t)
	db := open(t, settings(server.URL()))
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	server.Kill(t)
	_, err = tx.ExecContext(t.Context(), "SELECT 1")
	requireFault(t, bunstore.Fault(err), fault.Unavailable, bunstore.ReasonUnavailable)
}

func TestAHangingServerIsUnavailableAfterTheConnectTimeout(t *testing.T) {
	server := pgtest.Start(t)
	cfg := settings(server.URL())
	cfg.ConnectTimeout = 50 * time.Millisecond
	db := open(t, cfg)
	server.Pause(t)
	_, err := db.ExecContext(t.Context(), "SELECT 1")
	requireFault(t, bunstore.Fault(err), fault.Unavailable, bunstore.ReasonUnavailable)
	server.Resume(t)
	require.Eventually(t, func() bool {
		_, err := db.ExecContext(t.Context(), "SELECT 1")
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
}

func TestAnEndedContextStaysWhatItIs(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := db.ExecContext(ctx, "SELECT 1")
		require.ErrorIs(t, bunstore.Fault(err), context.Canceled)
		require.Equal(t, fault.Canceled, fault.From(bunstore.Fault(err)).Kind)
	})
}

// The guard is the extended protocol: with the simple protocol this passes as
// two statements.
func TestASecondStatementInOneTextIsRefused(t *testing.T) {
	db := open(t, settings(pgtest.Database(t)))
	exec(t, db, "CREATE TABLE t (n integer)")
	_, err := db.ExecContext(t.Context(), "SELECT 1; DROP TABLE t")
	require.Error(t, err)
	exec(t, db, "SELECT * FROM t")
}

func TestHostileTextsAreStoredAsTheyAre(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		exec(t, db, "CREATE TABLE texts (s text NOT NULL)")
		for _, s := range []string{`'; DROP TABLE texts; --`, `\'; --`, `\`, `''`, "?", "$1", "’", "\n\t", `"`, "%s"} {
			_, err := db.NewRaw("INSERT INTO texts VALUES (?)", s).Exec(t.Context())
			require.NoError(t, err, "%q", s)
			var back string
			require.NoError(t, db.NewRaw("SELECT s FROM texts WHERE s = ?", s).Scan(t.Context(), &back), "%q", s)
			require.Equal(t, s, back)
		}
	})
}

func TestSessionsHaveTheSettingsThatQuotingReliesOn(t *testing.T) {
	base := pgtest.Database(t)
	pgtest.Exec(t, base, "ALTER ROLE postgres IN DATABASE "+pgx.Identifier{databaseName(t, base)}.Sanitize()+" SET standard_conforming_strings = off")
	db := open(t, settings(base))
	for name, want := range map[string]string{
		"standard_conforming_strings": "on", "client_encoding": "UTF8", "statement_timeout": "10s",
		"search_path": "ops_routing,public", "idle_in_transaction_session_timeout": "1min",
	} {
		var got string
		require.NoError(t, db.QueryRow("SHOW "+name).Scan(&got))
		require.Equal(t, want, got, name)
	}
}

func databaseName(t *testing.T, url string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	return cfg.Database
}

func TestSQLiteInMemoryIsOneDatabaseForAllGoroutines(t *testing.T) {
	db := open(t, settings("sqlite::memory:"))
	exec(t, db, "CREATE TABLE t (n integer)")
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := db.ExecContext(context.Background(), "INSERT INTO t VALUES (1)")
			done <- err
		}()
	}
	for range 8 {
		require.NoError(t, <-done)
	}
}

func TestAPathIntoNowhereIsRefusedAtOnce(t *testing.T) {
	_, err := bunstore.Open(t.Context(), settings("sqlite:"+filepath.Join(t.TempDir(), "no", "x.db")), quiet)
	requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonConfig)
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*bunstore.Config)
	}{
		{"no URL", "url", func(c *bunstore.Config) { c.URL = config.NewSecret("") }},
		{"another database", "url", func(c *bunstore.Config) { c.URL = config.NewSecret("mysql://x") }},
		{"no path", "url", func(c *bunstore.Config) { c.URL = config.NewSecret("sqlite:") }},
		{"a schema that needs quotes", "schema", func(c *bunstore.Config) { c.Schema = "a;b" }},
		{"no connections", "max_open_conns", func(c *bunstore.Config) { c.MaxOpen = 0 }},
		{"more idle than open", "max_idle_conns", func(c *bunstore.Config) { c.MaxIdle = c.MaxOpen + 1 }},
		{"no statement timeout", "statement_timeout", func(c *bunstore.Config) { c.StatementTimeout = 0 }},
		{"no connect timeout", "connect_timeout", func(c *bunstore.Config) { c.ConnectTimeout = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := settings("postgres://u:hunter2@localhost/x")
			require.NoError(t, cfg.Validate())
			c.change(&cfg)
			require.ErrorContains(t, cfg.Validate(), c.want)
			require.NotContains(t, cfg.Validate().Error(), "hunter2")
			_, err := bunstore.Open(t.Context(), cfg, quiet)
			requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonConfig)
		})
	}
	_, err := bunstore.Open(t.Context(), settings("postgres://u:hunter2@localhost:notaport/x"), quiet)
	requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonConfig)
}

func TestStatementsAreMeasuredUnderTheirName(t *testing.T) {
	observer := &bunstore.Observer{
		Duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "d_seconds"}, []string{"query"}),
		Errors:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "e_total"}, []string{"op"}),
	}
	db := open(t, settings("sqlite::memory:")).WithQueryHook(observer)
	ctx := bunstore.WithQueryName(t.Context(), "probe")
	_, err := db.ExecContext(ctx, "SELECT 1")
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, "SELECT * FROM nowhere")
	require.Error(t, err)
	exec(t, db, "SELECT 1")
	require.Equal(t, 2, testutil.CollectAndCount(observer.Duration))
	require.InDelta(t, 1, testutil.ToFloat64(observer.Errors.WithLabelValues("probe")), 0)
	require.InDelta(t, 0, testutil.ToFloat64(observer.Errors.WithLabelValues("other")), 0)
}

func TestClosingLeavesNothingRunning(t *testing.T) {
	url := pgtest.Database(t)
	before := goleak.IgnoreCurrent()
	db, err := bunstore.Open(t.Context(), settings(url), quiet)
	require.NoError(t, err)
	exec(t, db, "SELECT 1")
	require.NoError(t, db.Close())
	goleak.VerifyNone(t, before)
}
