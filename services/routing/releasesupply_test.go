package routing_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// liveOperators is a source of operators: as many messages per second as its version, and the first one suspended or not.
type liveOperators struct {
	*place
	hangs time.Duration // how long it takes, unless its context ends before
}

func newLive(config int64) *liveOperators { return &liveOperators{place: newPlace(config, 1)} }

func (l *liveOperators) Operators(ctx context.Context) ([]routing.Operator, routing.Versions, error) {
	select {
	case <-ctx.Done():
		return nil, routing.Versions{}, ctx.Err()
	case <-time.After(l.hangs):
	}
	return l.place.Operators(ctx)
}

// released is a supply with a way to ask it.
type released struct {
	*routing.ReleaseSupply
	t       *testing.T
	view    *routing.HealthView
	applied atomic.Int64
}

func newReleased(t *testing.T, store, substitute routing.OperatorSource) *released {
	r := &released{t: t, view: routing.NewHealthView()}
	r.ReleaseSupply = routing.NewReleaseSupply(store, substitute, r.view, time.Now, slog.New(slog.DiscardHandler), func() { r.applied.Add(1) })
	return r
}

// table is what a release is built to: its operator has no limit of its own.
func (r *released) table() *routing.Table {
	return build(routing.Versions{}, []routing.Operator{{ID: opA, Status: routing.StatusActive, Types: routing.AllMessageTypes}}, r.view, routing.Mark{})
}

func (r *released) serve(id uuid.UUID, activation int64) {
	r.Serve(routing.Release{ID: id, Activation: activation, CompiledAt: routingtest.Now}, r.table())
}

// run keeps it up to date until the bubble ends.
func (r *released) run() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.t.Cleanup(cancel)
	go r.Run(ctx)
	synctest.Wait()
}

// says gives the versions of a decision and the limit of its operator, or why there is none.
func (r *released) says() (v routing.Versions, limit int32, err error) {
	q := ask()
	var d routing.Decision
	if err = routing.NewSelector(r.Source()).Select(r.t.Context(), &q, &d); err == nil {
		limit = d.Choices[0].TPSLimit
		require.Equal(r.t, routing.CacheBypass, d.Cache)
	}
	return d.Versions, limit, err
}

func (r *released) want(release uuid.UUID, activation, config int64) {
	r.t.Helper()
	v, limit, err := r.says()
	require.NoError(r.t, err)
	require.Equal(r.t, routing.Versions{Config: config, Rules: activation, Release: release.String()}, v)
	require.EqualValues(r.t, config, limit, "the operators are those of the version")
}

var releaseA, releaseB = routingtest.UID(501), routingtest.UID(502)

func TestAReleaseServesWithLiveOperatorsOnTop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLive(5)
		r := newReleased(t, store, nil)
		_, _, err := r.says()
		require.ErrorIs(t, err, routing.ErrNotReady)
		require.ErrorIs(t, r.CheckReady(t.Context()), routing.ErrNotReady)
		_, _, ok := r.Serves()
		require.False(t, ok)

		r.serve(releaseA, 1)
		r.want(releaseA, 1, 0) // nobody knows the live ones yet
		<-r.Released()
		require.NoError(t, r.CheckReady(t.Context()))
		r.run()
		r.want(releaseA, 1, 5)
		require.Equal(t, routing.FromRelease, r.Origin())
		require.Equal(t, []uuid.UUID{opA}, r.UsableOperators())

		before := r.applied.Load()
		store.set(func() { store.versions.Config, store.suspended = 6, true })
		r.Changed(6)
		synctest.Wait()
		_, _, err = r.says()
		require.ErrorIs(t, err, routing.ErrNoUsableOperator)
		require.Empty(t, r.UsableOperators())
		require.Equal(t, before+1, r.applied.Load())

		// A release does not revive it.
		r.serve(releaseB, 2)
		_, _, err = r.says()
		require.ErrorIs(t, err, routing.ErrNoUsableOperator)
		store.set(func() { store.versions.Config, store.suspended = 7, false })
		r.Changed(7)
		synctest.Wait()
		r.want(releaseB, 2, 7)
		r.serve(releaseA, 3)
		r.want(releaseA, 3, 7)
		serving, since, ok := r.Serves()
		require.True(t, ok)
		require.EqualValues(t, 3, serving.Activation)
		require.Equal(t, time.Now(), since)
	})
}

func TestAnOperatorThatIsGoneIsNotUsableWhateverTheReleaseSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReleased(t, &exchange{rs: &routingtest.RuleSet{}, versions: routing.Versions{Config: 2}}, nil)
		r.serve(releaseA, 1)
		r.run()
		_, _, err := r.says()
		require.ErrorIs(t, err, routing.ErrNoUsableOperator)
	})
}

// TestAStoreThatLagsIsNotBelieved: neither while it catches up, nor when it was out of reach in between.
func TestAStoreThatLagsIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLive(5)
		r := newReleased(t, store, nil)
		r.serve(releaseA, 1)
		r.run()
		older := func(err error) {
			t.Helper()
			store.set(func() { store.versions.Config, store.err = 4, err })
			r.Changed(0)
			for range 25 {
				time.Sleep(time.Second)
				synctest.Wait()
				r.want(releaseA, 1, 5)
			}
			require.NoError(t, r.CheckLive(t.Context()))
		}
		older(nil)
		older(errDown)
		older(nil)
		store.set(func() { store.versions.Config = 5 })
		time.Sleep(time.Minute)
		older(nil)
	})
}

// TestAStoreThatWasPutBackIsBelievedInTheEnd: its operators count, and the version does not go back.
func TestAStoreThatWasPutBackIsBelievedInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLive(60)
		r := newReleased(t, store, nil)
		r.serve(releaseA, 1)
		r.run()
		want := func(config int64, limit int32) {
			t.Helper()
			v, got, err := r.says()
			require.NoError(t, err)
			require.Equal(t, config, v.Config)
			require.Equal(t, limit, got)
		}
		put := func(config int64, suspended bool, wait time.Duration) {
			t.Helper()
			store.set(func() { store.versions.Config, store.suspended = config, suspended })
			r.Changed(0)
			time.Sleep(wait)
			synctest.Wait()
		}
		want(60, 60)
		put(50, false, time.Minute)
		want(60, 50)
		require.True(t, fault.Is(r.CheckLive(t.Context()), routing.ReasonBehind))
		require.Zero(t, r.Failures())
		applied := r.applied.Load()
		time.Sleep(time.Minute)
		require.Equal(t, applied, r.applied.Load(), "nothing is new")

		// From then on it is believed at once, unless it goes back again.
		put(51, true, time.Second)
		_, _, err := r.says()
		require.ErrorIs(t, err, routing.ErrNoUsableOperator)
		put(52, false, time.Second)
		want(60, 52)
		live, _ := r.Live()
		require.EqualValues(t, 60, live.Config)
		require.EqualValues(t, 52, live.Behind)

		put(45, false, 20*time.Second)
		want(60, 52)
		put(53, false, 10*time.Second) // it lagged only
		want(60, 53)
		put(45, false, time.Minute)
		want(60, 45)

		// It catches up; the same version says something else than before.
		put(60, true, 10*time.Second)
		_, _, err = r.says()
		require.ErrorIs(t, err, routing.ErrNoUsableOperator)
		require.NoError(t, r.CheckLive(t.Context()))
		put(61, false, time.Second)
		want(61, 61)
	})
}

// TestASubstituteThatIsOlderIsNeverBelieved: it may have been started before the store went away.
func TestASubstituteThatIsOlderIsNeverBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, substitute := newLive(5), newLive(4)
		r := newReleased(t, store, substitute)
		r.serve(releaseA, 1)
		r.run()
		store.set(func() { store.err = errDown })
		r.Changed(0)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		r.want(releaseA, 1, 5)
	})
}

// TestWhatIsRecalledCountsUntilTheSourceAnswers: a newer answer counts, and one of the same version; an older one does
// after a while, under the version that is recalled.
func TestWhatIsRecalledCountsUntilTheSourceAnswers(t *testing.T) {
	for name, test := range map[string]struct{ answers, counts int64 }{
		"an older one does": {4, 6}, "the same version does": {6, 6}, "a newer one does": {7, 7},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newLive(test.answers)
				store.err = errDown
				r := newReleased(t, store, nil)
				r.Recall(routing.LiveOperators{Config: 6, Operators: []routing.Operator{{ID: opA, Status: routing.StatusSuspended, Types: routing.AllMessageTypes}}})
				r.serve(releaseA, 1)
				r.run()
				v, _, err := r.says()
				require.ErrorIs(t, err, routing.ErrNoUsableOperator)
				require.EqualValues(t, 6, v.Config)

				store.set(func() { store.err = nil })
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				v, limit, err := r.says()
				require.NoError(t, err)
				require.Equal(t, test.counts, v.Config)
				require.EqualValues(t, test.answers, limit)
				live, ok := r.Live()
				require.True(t, ok)
				require.Equal(t, test.counts, live.Config)
				r.Recall(routing.LiveOperators{Config: 99})
				v, _, _ = r.says()
				require.Equal(t, test.counts, v.Config, "only before anything is known")
			})
		})
	}
}

func TestLiveOperatorsComeFromTheSubstituteWhileTheStoreIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, substitute := newLive(5), newLive(6)
		store.err = errDown
		r := newReleased(t, store, substitute)
		r.serve(releaseA, 1)
		r.run()
		r.want(releaseA, 1, 6)
		require.True(t, fault.Is(r.CheckOrigin(t.Context()), routing.ReasonFromManagement))

		// One that knows less than the engine is of no use.
		substitute.set(func() { substitute.versions.Config = 5 })
		r.Changed(0)
		time.Sleep(time.Second)
		synctest.Wait()
		r.want(releaseA, 1, 6)
		require.Positive(t, r.Failures())

		store.set(func() { store.err, store.versions.Config = nil, 7 })
		time.Sleep(time.Minute)
		synctest.Wait()
		r.want(releaseA, 1, 7)
		require.NoError(t, r.CheckOrigin(t.Context()))
		require.Zero(t, r.Failures())
	})
}

// TestASuspensionDoesNotWaitForAStoreThatHangs: it is told of while operator-management gives the operators.
func TestASuspensionDoesNotWaitForAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, substitute := newLive(5), newLive(5)
		store.err, store.hangs = errDown, 5*time.Second
		r := newReleased(t, store, substitute)
		r.serve(releaseA, 1)
		r.run()
		time.Sleep(time.Minute) // somewhere in a look at the store, or between two
		for config := int64(6); config < 60; config++ {
			substitute.set(func() { substitute.versions.Config = config })
			r.Changed(config)
			time.Sleep(provisionalPause)
			synctest.Wait()
			r.want(releaseA, 1, config)
			time.Sleep(777 * time.Millisecond)
		}
	})
}

// provisionalPause is the least time between two refreshes by the substitute.
const provisionalPause = 250 * time.Millisecond

func TestTheTableOfAReleaseStaysAsItWasBuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReleased(t, newLive(5), nil)
		table := r.table()
		r.Serve(routing.Release{ID: releaseA, Activation: 1}, table)
		r.run()
		r.want(releaseA, 1, 5)
		require.Equal(t, routing.Versions{}, table.Versions())
		r.Serve(routing.Release{ID: releaseB, Activation: 2}, table)
		r.want(releaseB, 2, 5)
	})
}
