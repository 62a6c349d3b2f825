package bunstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/pgtest"
)

const (
	office      = 0x74657374
	leaderLimit = 15 * time.Second
)

// candidate is one process that runs for the office.
type candidate struct {
	leads chan context.Context // receives the context of every term
	leave chan error           // ends a term
	tries atomic.Int64         // for the lock
	done  chan struct{}
	stop  context.CancelFunc
}

func run(t *testing.T, url string) *candidate {
	t.Helper()
	c := &candidate{leads: make(chan context.Context, 10), leave: make(chan error), done: make(chan struct{})}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(t.Context())
	leader := bunstore.NewLeader(open(t, settings(url)).WithQueryHook(c), quiet)
	go func() {
		defer close(c.done)
		leader.Run(ctx, office, func(ctx context.Context) error {
			c.leads <- ctx
			select {
			case err := <-c.leave:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(func() { c.stop(); <-c.done })
	return c
}

func (c *candidate) term(t *testing.T) context.Context {
	t.Helper()
	select {
	case ctx := <-c.leads:
		return ctx
	case <-time.After(leaderLimit):
		require.FailNow(t, "nobody leads")
		return nil
	}
}

// waits proves that the candidate tries in vain.
func (c *candidate) waits(t *testing.T) {
	t.Helper()
	before := c.tries.Load()
	require.Eventually(t, func() bool { return c.tries.Load() > before+1 }, leaderLimit, 10*time.Millisecond)
	require.Empty(t, c.leads)
}

func (c *candidate) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *candidate) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if strings.Contains(event.Query, "pg_try_advisory_lock") {
		c.tries.Add(1)
	}
}

func ends(term context.Context, t *testing.T) {
	t.Helper()
	select {
	case <-term.Done():
	case <-time.After(leaderLimit):
		require.FailNow(t, "the term does not end")
	}
}

// holder is the session that holds the lock.
const holder = "FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"

func TestAnotherLeadsWhenTheSessionOfTheLeaderIsLost(t *testing.T) {
	url := pgtest.Database(t)
	first := run(t, url)
	term := first.term(t)
	second := run(t, url)
	require.NoError(t, term.Err())
	second.waits(t)

	pgtest.Exec(t, url, "SELECT pg_terminate_backend(pid) "+holder)
	ends(term, t)
	// Whoever is faster.
	var next context.Context
	select {
	case next = <-first.leads:
		second.waits(t)
		first.stop()
		ends(next, t)
		next = second.term(t)
	case next = <-second.leads:
		first.waits(t)
	case <-time.After(leaderLimit):
		require.FailNow(t, "nobody leads")
	}
	require.NoError(t, next.Err())
}

func TestALeaderThatStopsMakesRoom(t *testing.T) {
	url := pgtest.Database(t)
	first := run(t, url)
	term := first.term(t)
	second := run(t, url)
	first.stop()
	ends(term, t)
	<-first.done
	second.term(t)
}

func TestALeaderWhoseWorkEndsTriesAgain(t *testing.T) {
	for name, url := range map[string]string{"postgres": pgtest.Database(t), "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "x.db")} {
		t.Run(name, func(t *testing.T) {
			c := run(t, url)
			for _, err := range []error{errors.New("work failed"), nil} {
				c.term(t)
				c.leave <- err
			}
			c.term(t)
		})
	}
}

func TestALeaderIsFoundAgainWithTheServer(t *testing.T) {
	server := pgtest.Start(t)
	c := run(t, server.URL())
	term := c.term(t)
	server.Kill(t)
	ends(term, t)
	require.Empty(t, c.leads)
	server.Restart(t)
	c.term(t)
}

func TestLeadingLeavesNothingBehind(t *testing.T) {
	url := pgtest.Database(t)
	before := goleak.IgnoreCurrent()
	db, err := bunstore.Open(t.Context(), settings(url), quiet)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	bunstore.NewLeader(db, quiet).Run(ctx, office, func(context.Context) error { cancel(); return nil })
	require.Eventually(t, func() bool {
		locks := -1
		return db.NewRaw("SELECT count(*) "+holder).Scan(t.Context(), &locks) == nil && locks == 0
	}, leaderLimit, 10*time.Millisecond, "the lock does not stay in the pool")
	require.NoError(t, db.Close())
	goleak.VerifyNone(t, before)
}
