package routing_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/routing"
)

// store is what a Refresher loads from: a version that may be out of reach.
type store struct {
	mu      sync.Mutex
	version int64
	err     error
	loads   int
	// provisional is said of every load.
	provisional bool
}

func (s *store) load(context.Context) (routing.Loaded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	return routing.Loaded{Versions: routing.Versions{Config: s.version, Rules: s.version}, Provisional: s.provisional}, s.err
}

func (s *store) holds(version int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version, s.err = version, err
}

func (s *store) loaded() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads
}

// elapse lets time pass inside a synctest bubble, where it costs none.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func refreshing(t *testing.T, s *store, check func(t *testing.T, r *routing.Refresher)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := routing.NewRefresher(s.load, slog.New(slog.DiscardHandler))
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Run(ctx)
		}()
		synctest.Wait()
		check(t, r)
		cancel()
		<-done
	})
}

func TestRefresherLoadsAtStartAndOnEveryNewVersion(t *testing.T) {
	s := &store{version: 1}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		require.EqualValues(t, 1, r.Serving())
		r.Changed(1)
		synctest.Wait()
		require.Equal(t, 1, s.loaded(), "a version in force is not loaded again")
		s.holds(2, nil)
		r.Changed(2)
		synctest.Wait()
		require.EqualValues(t, 2, r.Serving())
		require.Equal(t, 2, s.loads)
		r.Changed(0)
		synctest.Wait()
		require.Equal(t, 3, s.loaded(), "0 always looks")
	})
}

func TestRefresherSweepsForLostEvents(t *testing.T) {
	s := &store{version: 1}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		s.holds(5, nil)
		elapse(routing.SweepEvery - time.Second)
		require.EqualValues(t, 1, r.Serving())
		elapse(2 * time.Second)
		require.EqualValues(t, 5, r.Serving())
	})
}

func TestRefresherKeepsTheLastGoodAndComesBack(t *testing.T) {
	s := &store{err: errors.New("down")}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		require.Zero(t, r.Serving())
		require.EqualValues(t, 1, r.Failures())
		require.EqualError(t, r.Failure(), "down")
		elapse(3500 * time.Millisecond) // tries again after 1 s and 2 s more
		require.EqualValues(t, 3, r.Failures())
		s.holds(4, nil)
		elapse(time.Minute)
		require.EqualValues(t, 4, r.Serving())
		require.Zero(t, r.Failures())
		require.NoError(t, r.Failure())
		s.holds(4, errors.New("down again"))
		r.Changed(5)
		synctest.Wait()
		require.EqualValues(t, 4, r.Serving(), "the last good one stays in force")
		require.EqualValues(t, 1, r.Failures())
	})
}

func TestRefresherLooksAgainWhenTheStoreLagsBehindTheEvent(t *testing.T) {
	s := &store{version: 1}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		r.Changed(2)
		synctest.Wait()
		require.EqualValues(t, 1, r.Serving())
		s.holds(2, nil)
		elapse(2 * time.Second)
		require.EqualValues(t, 2, r.Serving())
	})
}

func TestRefresherDoesNotWaitForeverForAVersionSomebodyMadeUp(t *testing.T) {
	s := &store{version: 1}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		for range 2 {
			before := s.loaded()
			r.Changed(1 << 62)
			elapse(4 * time.Minute)
			require.Less(t, s.loaded()-before, 12, "it is looked for a few times")
			require.Greater(t, s.loaded()-before, 7, "long enough for a replica that lags")
			before = s.loaded()
			elapse(4 * time.Minute)
			require.LessOrEqual(t, s.loaded()-before, 1, "afterwards there are only the sweeps")
		}
		s.holds(2, nil)
		r.Changed(2)
		synctest.Wait()
		require.EqualValues(t, 2, r.Serving(), "a real change is followed as before")
	})
}

func TestRefresherLooksAgainSoonAfterAProvisionalLoad(t *testing.T) {
	s := &store{version: 3, provisional: true}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		require.EqualValues(t, 3, r.Serving())
		require.Zero(t, r.Failures(), "it is not a failure")
		before := s.loaded()
		elapse(time.Minute)
		require.InDelta(t, 13, s.loaded()-before, 2, "every 5 s in the end")
		s.mu.Lock()
		s.provisional = false
		s.mu.Unlock()
		elapse(5 * time.Second)
		before = s.loaded()
		elapse(time.Minute)
		require.Equal(t, before, s.loaded())
	})
}

func TestAwaitWaitsForAVersion(t *testing.T) {
	s := &store{version: 1}
	refreshing(t, s, func(t *testing.T, r *routing.Refresher) {
		require.True(t, r.Await(t.Context(), 1))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.False(t, r.Await(short, 2))
		got := make(chan bool, 1)
		go func() { got <- r.Await(t.Context(), 3) }()
		s.holds(2, nil)
		r.Changed(2)
		synctest.Wait()
		require.Empty(t, got)
		s.holds(3, nil)
		r.Changed(3)
		require.True(t, <-got)
	})
}
