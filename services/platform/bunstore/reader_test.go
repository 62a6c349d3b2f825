package bunstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

// pair is a primary with a replica and a table t, which the reader knows as a role without special rights.
type pair struct {
	primary *pgtest.Server
	replica *pgtest.Replica
	db      *bun.DB
	reader  *bunstore.Reader
	clock   *clock.Fake
	metrics *prometheus.Registry
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func plain(url string) config.Secret {
	return config.NewSecret(strings.Replace(url, "postgres@", "plain@", 1))
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{primary: pgtest.Start(t), clock: clock.NewFake(start), metrics: prometheus.NewRegistry()}
	p.write(t, "CREATE ROLE plain LOGIN", "CREATE TABLE t (n integer)", "GRANT ALL ON t TO plain")
	p.replica = p.primary.StartReplica(t)
	p.open(t, p.clock)
	return p
}

func (p *pair) open(t *testing.T, clk clock.Clock) {
	t.Helper()
	cfg := settings("")
	cfg.URL, cfg.ReplicaURL = plain(p.primary.URL()), plain(p.replica.URL())
	p.db = open(t, cfg)
	var err error
	p.reader, err = bunstore.OpenReader(t.Context(), cfg, p.db, bunstore.ReaderOptions{Clock: clk, Log: quiet})
	require.NoError(t, err)
	require.NoError(t, p.reader.Register(p.metrics))
	t.Cleanup(func() { require.NoError(t, p.reader.Close()) })
}

// run looks at the servers until the test ends.
func (p *pair) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.reader.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

// write goes to the primary as its superuser.
func (p *pair) write(t *testing.T, statements ...string) {
	pgtest.Exec(t, p.primary.URL(), statements...)
}

func (p *pair) lag(t *testing.T) time.Duration {
	t.Helper()
	families, err := p.metrics.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "ops_replica_lag_seconds", families[0].GetName())
	return time.Duration(families[0].GetMetric()[0].GetGauge().GetValue() * float64(time.Second))
}

// awaitComplete returns when a look at the present time found the replica complete.
func (p *pair) awaitComplete(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return p.lag(t) == 0 }, 15*time.Second, 10*time.Millisecond)
}

func (p *pair) awaitDown(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return p.reader.CheckPrimary(t.Context()) != nil }, 15*time.Second, 10*time.Millisecond)
	requireFault(t, p.reader.CheckPrimary(t.Context()), fault.Unavailable, bunstore.ReasonUnavailable)
}

// sum reads through the reader. The limit is the test's own.
func (p *pair) sum(t *testing.T) (int, bunstore.Freshness, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var n int
	fresh, err := p.reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
		return db.QueryRowContext(ctx, "SELECT coalesce(sum(n), 0) FROM t").Scan(&n)
	})
	return n, fresh, err
}

func (p *pair) requireSum(t *testing.T, want int, fresh bunstore.Freshness) {
	t.Helper()
	n, got, err := p.sum(t)
	require.NoError(t, err)
	require.Equal(t, want, n)
	require.Equal(t, fresh, got)
}

func (p *pair) awaitFresh(t *testing.T, want int) {
	t.Helper()
	require.Eventually(t, func() bool {
		n, fresh, err := p.sum(t)
		return err == nil && n == want && !fresh.Stale
	}, 15*time.Second, 10*time.Millisecond)
}

func TestWhileThePrimaryIsDownReadsSayHowOldTheyAre(t *testing.T) {
	p := newPair(t)
	p.run(t)
	p.write(t, "INSERT INTO t VALUES (1)")
	p.awaitFresh(t, 1)
	require.Eventually(t, func() bool { return p.reader.CheckReplica(t.Context()) == nil }, 15*time.Second, 10*time.Millisecond)

	// An hour without a write makes nothing old.
	p.clock.Advance(time.Hour)
	p.awaitComplete(t)

	p.primary.Kill(t)
	p.clock.Advance(7 * time.Second)
	p.requireSum(t, 1, bunstore.Freshness{Stale: true, Age: 7 * time.Second})
	p.awaitDown(t)
	p.clock.Advance(time.Minute)
	p.requireSum(t, 1, bunstore.Freshness{Stale: true, Age: 67 * time.Second})
	require.Equal(t, 67*time.Second, p.lag(t))
	_, err := p.db.ExecContext(t.Context(), "INSERT INTO t VALUES (2)")
	requireFault(t, bunstore.Fault(err), fault.Unavailable, bunstore.ReasonUnavailable)

	p.replica.Kill(t)
	_, fresh, err := p.sum(t)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	require.True(t, fresh.Stale)
	require.Eventually(t, func() bool { return p.reader.CheckReplica(t.Context()) != nil }, 15*time.Second, 10*time.Millisecond)
	requireFault(t, p.reader.CheckReplica(t.Context()), fault.Unavailable, bunstore.ReasonUnavailable)

	p.primary.Restart(t)
	p.awaitFresh(t, 1)
	require.NoError(t, p.reader.CheckPrimary(t.Context()))
	p.replica.Restart(t)
	p.awaitComplete(t)
	require.NoError(t, p.reader.CheckReplica(t.Context()))
}

func TestTheAgeCountsWhatTheReplicaDidNotReplay(t *testing.T) {
	p := newPair(t)
	p.run(t)
	p.awaitComplete(t)
	p.replica.PauseReplay(t)
	p.write(t, "INSERT INTO t VALUES (1)")
	p.clock.Advance(20 * time.Second)
	require.Equal(t, 20*time.Second, p.lag(t))
	p.awaitFresh(t, 1)

	p.primary.Kill(t)
	p.clock.Advance(10 * time.Second)
	p.requireSum(t, 0, bunstore.Freshness{Stale: true, Age: 30 * time.Second})

	// What had arrived before the end is shown when replay goes on, and the age tells.
	p.replica.ResumeReplay(t)
	require.Eventually(t, func() bool {
		n, fresh, err := p.sum(t)
		return err == nil && n == 1 && fresh.Stale
	}, 15*time.Second, 10*time.Millisecond)
	p.primary.Restart(t)
	p.awaitFresh(t, 1)
	p.awaitComplete(t)
}

// readWhilePausing freezes the primary in the middle of a read. It returns false when the read did not begin there,
// because a look took too long on a busy machine.
func (p *pair) readWhilePausing(t *testing.T) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	paused := false
	fresh, err := p.reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
		var standby bool
		if err := db.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil || standby {
			return err
		}
		p.primary.Pause(t)
		paused = true
		_, err := db.ExecContext(ctx, "SELECT n FROM t")
		return err
	})
	return paused && assert.NoError(t, err) && assert.Equal(t, bunstore.Freshness{Stale: true}, fresh)
}

func TestAPrimaryThatHangsIsLeftAlone(t *testing.T) {
	p := newPair(t)
	p.run(t)
	p.write(t, "INSERT INTO t VALUES (1)")
	p.awaitComplete(t)

	// Reads that hold every connection say nothing about the primary.
	p.db.SetMaxOpenConns(1)
	tx, err := p.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	p.clock.Advance(time.Minute)
	p.awaitComplete(t)
	require.NoError(t, tx.Rollback())
	p.db.SetMaxOpenConns(10)

	// A read in progress is ended and begins again on the replica.
	require.Eventually(t, func() bool { return p.readWhilePausing(t) }, time.Minute, 10*time.Millisecond)
	p.clock.Advance(5 * time.Second)
	p.requireSum(t, 1, bunstore.Freshness{Stale: true, Age: 5 * time.Second})
	p.awaitDown(t)

	p.primary.Resume(t)
	p.awaitFresh(t, 1)
	p.awaitComplete(t)

	// A replica that hangs keeps nobody waiting for ever when it is needed.
	p.primary.Kill(t)
	p.replica.Pause(t)
	_, _, err = p.sum(t)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	p.replica.Resume(t)
	require.Eventually(t, func() bool {
		n, fresh, err := p.sum(t)
		return err == nil && n == 1 && fresh.Stale
	}, 15*time.Second, 10*time.Millisecond)
}

func TestAnswersOfTheDatabaseAreNotAskedAgainElsewhere(t *testing.T) {
	p := newPair(t)
	for _, c := range []struct {
		name, statement string
		kind            fault.Kind
		reason          string
	}{
		{"no row", "SELECT n FROM t WHERE n = 9", fault.NotFound, bunstore.ReasonNoRow},
		{"a statement that is wrong", "SELECT nothing FROM t", fault.FailedPrecondition, bunstore.ReasonSchema},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.write(t, "DELETE FROM t", "INSERT INTO t VALUES (1)")
			runs := 0
			fresh, err := p.reader.Read(t.Context(), func(ctx context.Context, db bun.IDB) error {
				runs++
				var n int
				return db.QueryRowContext(ctx, c.statement).Scan(&n)
			})
			requireFault(t, err, c.kind, c.reason)
			require.Equal(t, 1, runs)
			require.False(t, fresh.Stale)
		})
	}
	t.Run("a statement that takes too long", func(t *testing.T) {
		runs := 0
		fresh, err := p.reader.Read(t.Context(), func(ctx context.Context, db bun.IDB) error {
			runs++
			return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				if _, err := tx.ExecContext(ctx, "SET LOCAL statement_timeout = 50"); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, "SELECT pg_sleep(30)")
				return err
			})
		})
		requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
		require.Equal(t, 1, runs)
		require.False(t, fresh.Stale)
	})
	t.Run("the end of the caller's patience", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		_, err := p.reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
			runs++
			cancel()
			_, err := db.ExecContext(ctx, "SELECT 1")
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, runs)
	})
	t.Run("a row that the replica does not have", func(t *testing.T) {
		p.replica.CatchUp(t)
		p.primary.Kill(t)
		fresh, err := p.reader.Read(t.Context(), func(ctx context.Context, db bun.IDB) error {
			var n int
			return db.QueryRowContext(ctx, "SELECT n FROM t WHERE n = 9").Scan(&n)
		})
		requireFault(t, err, fault.NotFound, bunstore.ReasonNoRow)
		require.True(t, fresh.Stale)
		_, err = p.reader.Read(t.Context(), func(ctx context.Context, db bun.IDB) error {
			_, err := db.ExecContext(ctx, "INSERT INTO t VALUES (3)")
			return err
		})
		requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonReadOnly)
	})
}

// A process that starts during the outage has only the replica's word, by the clock of the primary.
func TestAReaderThatNeverSawThePrimaryTrustsTheReplicasWord(t *testing.T) {
	before := time.Now()
	p := newPair(t) // the copy is complete until its checkpoint, which counts whole seconds
	p.primary.Kill(t)
	late := &pair{primary: p.primary, replica: p.replica, metrics: prometheus.NewRegistry()}
	late.open(t, clock.System())
	asked := time.Now()
	n, fresh, err := late.sum(t)
	require.NoError(t, err)
	require.Zero(t, n)
	require.True(t, fresh.Stale)
	require.LessOrEqual(t, fresh.Age, time.Since(before)+time.Since(asked)+time.Second)

	// With a commit to replay the word is better.
	p.primary.Restart(t)
	commit := time.Now()
	p.write(t, "INSERT INTO t VALUES (1)")
	p.replica.CatchUp(t)
	committed := time.Now()
	p.primary.Kill(t)
	killed := time.Now()
	n, fresh, err = late.sum(t)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.LessOrEqual(t, fresh.Age, time.Since(commit)+time.Since(killed))
	require.GreaterOrEqual(t, fresh.Age, killed.Sub(committed))

	// A replica that was made the new primary can be read, and is no replica any more.
	pgtest.Exec(t, p.replica.URL(), "SELECT pg_promote()")
	late.run(t)
	require.Eventually(t, func() bool { return late.reader.CheckReplica(t.Context()) != nil }, 15*time.Second, 10*time.Millisecond)
	n, fresh, err = late.sum(t)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.True(t, fresh.Stale)
}

func TestWithoutAReplicaAReadIsOneOfTheDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		cfg := settings(url)
		db := open(t, cfg)
		reader, err := bunstore.OpenReader(t.Context(), cfg, db, bunstore.ReaderOptions{})
		require.NoError(t, err)
		require.False(t, reader.HasReplica())
		require.NoError(t, reader.Register(nil))
		require.NoError(t, reader.CheckPrimary(t.Context()))
		require.NoError(t, reader.CheckReplica(t.Context()))
		reader.Run(t.Context())
		fresh, err := reader.Read(t.Context(), func(_ context.Context, given bun.IDB) error {
			require.Same(t, db, given)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, bunstore.Freshness{}, fresh)
		require.NoError(t, reader.Close())
		require.NoError(t, db.Close())
		_, err = reader.Read(t.Context(), func(ctx context.Context, db bun.IDB) error {
			_, err := db.ExecContext(ctx, "SELECT 1")
			return err
		})
		require.Error(t, err)
	})
}

func TestReplicasThatCannotWorkAreNamed(t *testing.T) {
	for _, c := range []struct{ name, url, replica string }{
		{"SQLite as a replica", "postgres://u:hunter2@a/x", "sqlite:x.db"},
		{"another database", "postgres://u:hunter2@a/x", "mysql://u:hunter2@b/x"},
		{"a replica of SQLite", "sqlite:x.db", "postgres://u:hunter2@b/x"},
		{"the primary itself", "postgres://u:hunter2@a/x", "postgres://u:hunter2@a/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := settings(c.url)
			cfg.ReplicaURL = config.NewSecret(c.replica)
			require.ErrorContains(t, cfg.Validate(), "replica_url")
			require.NotContains(t, cfg.Validate().Error(), "hunter2")
			_, err := bunstore.OpenReader(t.Context(), cfg, nil, bunstore.ReaderOptions{Log: quiet})
			requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonConfig)
		})
	}
	cfg := settings("postgres://u@a/x")
	cfg.ReplicaURL = config.NewSecret("postgres://u@b/x")
	require.NoError(t, cfg.Validate())
}

func TestClosingAReaderLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	cfg := settings("postgres://u@127.0.0.1:1/x")
	cfg.ReplicaURL = config.NewSecret("postgres://u@127.0.0.1:2/x")
	db, err := bunstore.Open(t.Context(), cfg, quiet)
	require.NoError(t, err)
	reader, err := bunstore.OpenReader(t.Context(), cfg, db, bunstore.ReaderOptions{Clock: clock.System(), Log: quiet, Observer: &bunstore.Observer{}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reader.Run(ctx)
	}()
	require.Eventually(t, func() bool { return reader.CheckPrimary(ctx) != nil }, 15*time.Second, 10*time.Millisecond)
	_, err = reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
		_, err := db.ExecContext(ctx, "SELECT 1")
		return err
	})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	stop()
	<-ended
	require.NoError(t, reader.Close())
	require.NoError(t, db.Close())
	goleak.VerifyNone(t, before)
}
