package routing_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

var errDown = fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down")

// place is a source of rules: a database, or operator-management. It holds one rule for +44, whose only operator
// has a limit of as many messages per second as the configuration has changes.
type place struct {
	mu        sync.Mutex
	versions  routing.Versions
	suspended bool
	err       error
	calls     map[string]int
	// hang is how long State takes, unless its context ends before.
	hang time.Duration
	// lag is how far all others are behind State, as when a replica answers.
	lag int64
}

func newPlace(config, rules int64) *place {
	return &place{versions: routing.Versions{Config: config, Rules: rules}, calls: map[string]int{}}
}

func (p *place) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *place) called(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[name]
}

func (p *place) call(name string) (routing.Versions, []routing.Operator, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[name]++
	o := routing.Operator{ID: opA, Status: routing.StatusActive, Types: routing.AllMessageTypes, TPSLimit: int32(p.versions.Config)}
	if p.suspended {
		o.Status = routing.StatusSuspended
	}
	v := p.versions
	if name != "state" {
		v.Config -= p.lag
	}
	return v, []routing.Operator{o}, p.err
}

func (p *place) State(ctx context.Context) (routing.State, error) {
	v, _, err := p.call("state")
	select {
	case <-ctx.Done():
		return routing.State{}, ctx.Err()
	case <-time.After(p.hang):
	}
	return routing.State{Versions: v, Longest: 2}, err
}

func (p *place) Operators(context.Context) ([]routing.Operator, routing.Versions, error) {
	v, operators, err := p.call("operators")
	return operators, v, err
}

func (p *place) Load(_ context.Context, health *routing.HealthView) (*routing.Table, error) {
	v, operators, err := p.call("load")
	return build(v, operators, health, p.mark(v)), err
}

// mark is of a store that tells nothing of its rules.
func (p *place) mark(v routing.Versions) routing.Mark {
	return routing.Mark{Config: v.Config, Untold: v.Rules}
}

func (p *place) Changes(_ context.Context, since routing.Mark, _ int) (*routing.Changes, error) {
	v, operators, err := p.call("changes")
	if err != nil || v.Config < since.Config || v.Rules != since.Untold {
		return nil, err
	}
	return &routing.Changes{Versions: v, Operators: operators}, nil
}

func (p *place) Snapshot(_ context.Context, health *routing.HealthView, least int64) (*routing.Table, int64, error) {
	v, operators, err := p.call("snapshot")
	if err != nil || v.Config < least {
		return nil, v.Config, err
	}
	return build(v, operators, health, routing.Mark{}), v.Config, nil
}

// Find implements routing.Finder.
func (p *place) Find(context.Context, routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	v, operators, err := p.call("find")
	if err != nil {
		return nil, 0, err
	}
	return &routing.Extract{Versions: v, Operators: operators, Rules: []routing.Rule{ruleOfA()}}, routing.CacheMiss, nil
}

func ruleOfA() routing.Rule { return rule("44", routing.Priority, cand(opA, 1, 1, money.Money{})) }

func build(v routing.Versions, operators []routing.Operator, health *routing.HealthView, mark routing.Mark) *routing.Table {
	b := routing.NewTableBuilder(health)
	b.Mark(mark)
	for _, o := range operators {
		b.AddOperator(o)
	}
	b.AddRule(ruleOfA())
	b.AddRate(rateOf(opB, "4477", euro(1)))
	return b.Build(v)
}

type supplying struct {
	*routing.Supply
	store, substitute *place
	selector          *routing.Selector
	applied           atomic.Int64
	view              *routing.HealthView
}

// answer decides about a number and gives the limit of the winner, which tells the version it came from.
func (s *supplying) answer(t *testing.T) (int32, routing.CacheResult, error) {
	t.Helper()
	var d routing.Decision
	q := ask()
	if err := s.selector.Select(t.Context(), &q, &d); err != nil {
		return 0, d.Cache, err
	}
	require.EqualValues(t, d.Choices[0].TPSLimit, d.Versions.Config, "an answer belongs to the version it names")
	return d.Choices[0].TPSLimit, d.Cache, nil
}

func (s *supplying) answers(t *testing.T, version int32, cache routing.CacheResult) {
	t.Helper()
	got, by, err := s.answer(t)
	require.NoError(t, err)
	require.Equal(t, version, got)
	require.Equal(t, cache, by)
}

// tell is an event of a change.
func (s *supplying) tell(version int64) {
	s.Changed(version)
	synctest.Wait()
}

// supply runs a supply in a bubble. store and substitute may be nil: a nil substitute is none.
func supply(t *testing.T, whole bool, store, substitute *place, check func(t *testing.T, s *supplying)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &supplying{store: store, substitute: substitute, view: routing.NewHealthView()}
		from := routing.SupplySources{Store: store, Whole: whole}
		if substitute != nil {
			from.Substitute = substitute
		}
		s.Supply = routing.NewSupply(from, s.view, time.Now, slog.New(slog.DiscardHandler), func() { s.applied.Add(1) })
		var lookups routing.Finder
		if !whole {
			lookups = store
		}
		s.selector = routing.NewSelector(s.Source(lookups))
		_, _, err := s.answer(t)
		require.Equal(t, routing.ErrNotReady, err, "before the first load")
		require.Equal(t, routing.ErrNotReady, s.CheckReady(t.Context()))
		require.Equal(t, routing.NoOrigin, s.Origin())
		require.Nil(t, s.UsableOperators())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		synctest.Wait()
		check(t, s)
		cancel()
		<-done
	})
}

// bothModes runs a check for an engine with all rules in memory and for one that looks them up.
func bothModes(t *testing.T, check func(t *testing.T, whole bool)) {
	t.Run("memory", func(t *testing.T) { check(t, true) })
	t.Run("database", func(t *testing.T) { check(t, false) })
}

func TestMemoryServesTheNewestTable(t *testing.T) {
	supply(t, true, newPlace(2, 2), nil, func(t *testing.T, s *supplying) {
		s.answers(t, 2, routing.CacheBypass)
		require.NoError(t, s.CheckReady(t.Context()))
		require.Equal(t, routing.FromDatabase, s.Origin())
		require.Zero(t, s.applied.Load(), "the first rules make no others unreachable")
		s.store.set(func() { s.store.versions = routing.Versions{Config: 3, Rules: 3} })
		s.tell(3)
		s.answers(t, 3, routing.CacheBypass)
		require.EqualValues(t, 1, s.applied.Load())
		s.store.set(func() { s.store.versions = routing.Versions{Config: 2, Rules: 2} })
		s.tell(0)
		s.answers(t, 3, routing.CacheBypass)
		s.store.set(func() { s.store.versions, s.store.lag = routing.Versions{Config: 4, Rules: 4}, 2 })
		s.tell(4)
		s.answers(t, 3, routing.CacheBypass) // versions never go backwards, also when two replicas answer
		s.store.set(func() { s.store.lag = 0 })
		elapse(2 * time.Second)
		s.answers(t, 4, routing.CacheBypass)
	})
}

func TestAnEngineStartsColdFromOperatorManagement(t *testing.T) {
	bothModes(t, func(t *testing.T, whole bool) {
		store, management := newPlace(7, 7), newPlace(7, 7)
		store.err = errDown
		supply(t, whole, store, management, func(t *testing.T, s *supplying) {
			s.answers(t, 7, routing.CacheBypass)
			require.NoError(t, s.CheckReady(t.Context()))
			require.Equal(t, routing.FromManagement, s.Origin())
			require.Zero(t, s.Failures(), "it is not a failure to alert on")
			require.Equal(t, []uuid.UUID{opA}, s.UsableOperators())
			err := s.CheckOrigin(t.Context())
			require.True(t, fault.Is(err, routing.ReasonFromManagement))
			require.ErrorContains(t, err, "since 2000-01-01T00:00:00Z")

			// A change comes by event while the database is down.
			management.set(func() { management.versions = routing.Versions{Config: 8, Rules: 8} })
			s.tell(8)
			elapse(250 * time.Millisecond)
			s.answers(t, 8, routing.CacheBypass)
			require.ErrorContains(t, s.CheckOrigin(t.Context()), "since 2000-01-01T00:00:00Z", "the database is bypassed as long as before")

			// The database answers, but lags behind what is served.
			store.set(func() { store.err = nil })
			elapse(time.Minute)
			require.Equal(t, routing.FromManagement, s.Origin())
			s.answers(t, 8, routing.CacheBypass)

			store.set(func() { store.versions = routing.Versions{Config: 8, Rules: 8} })
			elapse(6 * time.Second)
			require.Equal(t, routing.FromDatabase, s.Origin(), "it goes over by itself")
			require.NoError(t, s.CheckOrigin(t.Context()))
			if whole {
				require.Zero(t, store.called("load"), "the same version is not read again")
				s.answers(t, 8, routing.CacheBypass)
			} else {
				require.Nil(t, s.Table())
				s.answers(t, 8, routing.CacheMiss)
			}
			asked := management.called("snapshot")
			elapse(time.Hour)
			require.Equal(t, asked, management.called("snapshot"), "it is left alone while the database answers")
		})
	})
}

func TestAnEngineWithoutAnySourceGoesOnTrying(t *testing.T) {
	bothModes(t, func(t *testing.T, whole bool) {
		store, management := newPlace(7, 7), newPlace(7, 7)
		store.err, management.err = errDown, errors.New("down too")
		supply(t, whole, store, management, func(t *testing.T, s *supplying) {
			_, _, err := s.answer(t)
			require.Equal(t, routing.ErrNotReady, err)
			require.True(t, fault.Is(s.CheckReady(t.Context()), "DATABASE_UNAVAILABLE"), "health pages tell why")
			require.ErrorIs(t, s.CheckReady(t.Context()), management.err)
			elapse(4 * time.Second)
			require.Greater(t, s.Failures(), int64(2))
			management.set(func() { management.err = nil })
			elapse(10 * time.Second)
			s.answers(t, 7, routing.CacheBypass)
			require.Zero(t, s.Failures())
		})
	})
}

func TestAnEngineWithoutSubstituteDoesWithoutIt(t *testing.T) {
	store := newPlace(7, 7)
	supply(t, false, store, nil, func(t *testing.T, s *supplying) {
		s.answers(t, 7, routing.CacheMiss)
		store.set(func() { store.err = errDown })
		_, _, err := s.answer(t)
		require.ErrorIs(t, err, errDown)
		synctest.Wait()
		require.Equal(t, 1, store.called("state"), "there is nobody else to ask, so nothing is hurried")
	})
}

func TestLookupsGoOnFromOperatorManagementWhenTheDatabaseGoes(t *testing.T) {
	store, management := newPlace(7, 7), newPlace(7, 7)
	supply(t, false, store, management, func(t *testing.T, s *supplying) {
		s.answers(t, 7, routing.CacheMiss)
		store.set(func() { store.err = errDown })
		_, _, err := s.answer(t)
		require.ErrorIs(t, err, errDown, "nobody waits for the snapshot")
		synctest.Wait()
		s.answers(t, 7, routing.CacheBypass)
		require.Zero(t, s.applied.Load(), "the rules are the same")
		state, ok := s.State()
		require.True(t, ok)
		require.Equal(t, 4, state.Longest, "of any rule or rate")

		require.Equal(t, 1, management.called("snapshot"))
		store.set(func() { store.err = nil })
		elapse(6 * time.Second)
		s.answers(t, 7, routing.CacheMiss)
	})
}

func TestAFailingLookupDoesNotHurryTheSupplyMoreThanOnceASecond(t *testing.T) {
	store, management := newPlace(7, 7), newPlace(6, 6)
	supply(t, false, store, management, func(t *testing.T, s *supplying) {
		// Lookups fail, the state can be read.
		source := s.Source(finder(func(routing.Lookup) (*routing.Extract, routing.CacheResult, error) { return nil, 0, errDown }))
		q := ask()
		for range 50 {
			_, _, err := source.Table(t.Context(), &q)
			require.ErrorIs(t, err, errDown)
			synctest.Wait()
		}
		require.Equal(t, 2, store.called("state"))
		elapse(time.Second)
		_, _, err := source.Table(t.Context(), &q)
		require.ErrorIs(t, err, errDown)
		synctest.Wait()
		require.Equal(t, 3, store.called("state"))

		// operator-management knows less than this engine: that is no help.
		elapse(time.Second)
		store.set(func() { store.err = errDown })
		_, _, err = source.Table(t.Context(), &q)
		require.ErrorIs(t, err, errDown)
		synctest.Wait()
		require.EqualValues(t, 1, s.Failures())
		require.ErrorContains(t, s.Failure(), "older configuration")
		require.Equal(t, routing.FromDatabase, s.Origin())
		elapse(8 * time.Second) // tried again after 1, 2 and 4 s, and next after 8 s
		tried := store.called("state")
		for range 5 {
			_, _, err = source.Table(t.Context(), &q)
			require.ErrorIs(t, err, errDown)
			elapse(time.Second)
		}
		require.Equal(t, tried, store.called("state"), "lookups do not shorten the pauses")
	})
}

func TestASuspensionNeedsNoRules(t *testing.T) {
	store := newPlace(7, 7)
	supply(t, true, store, nil, func(t *testing.T, s *supplying) {
		require.Equal(t, 1, store.called("load"))
		store.set(func() { store.versions.Config, store.suspended = 8, true })
		s.tell(8)
		_, _, err := s.answer(t)
		require.Equal(t, routing.ErrNoUsableOperator, err)
		require.Empty(t, s.UsableOperators())
		require.Equal(t, 1, store.called("load"), "a million rules are not read again for one operator")
		require.EqualValues(t, 1, s.applied.Load())

		store.set(func() { store.versions, store.suspended = routing.Versions{Config: 9, Rules: 8}, false })
		s.tell(9)
		s.answers(t, 9, routing.CacheBypass)
		require.Equal(t, 2, store.called("load"), "but for a change of rules")
	})
}
