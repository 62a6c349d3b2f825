package routing_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/e164"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// ledger is a store that tells what changed, as the database does: each rule by the version it changed in.
type ledger struct {
	mu       sync.Mutex
	rs       *routingtest.RuleSet
	versions routing.Versions
	changed  map[uuid.UUID]int64
	gone     map[uuid.UUID]int64
	loads    int
	// loading happens within Load, after the rules were read.
	loading func()
	// table is what Load gives instead of a new one.
	table *routing.Table
}

func newLedger(rs *routingtest.RuleSet) *ledger {
	return &ledger{rs: rs, versions: routing.Versions{Config: 1, Rules: 1}, changed: map[uuid.UUID]int64{}, gone: map[uuid.UUID]int64{}}
}

func (l *ledger) State(context.Context) (routing.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return routing.State{Versions: l.versions}, nil
}

func (l *ledger) Operators(context.Context) ([]routing.Operator, routing.Versions, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]routing.Operator{}, l.rs.Operators...), l.versions, nil
}

func (l *ledger) Load(_ context.Context, health *routing.HealthView) (*routing.Table, error) {
	l.mu.Lock()
	l.loads++
	table, loading := l.table, l.loading
	if table == nil {
		table = l.rs.TableWith(health, l.versions)
	}
	l.mu.Unlock()
	if loading != nil {
		loading()
	}
	return table, nil
}

func (l *ledger) Changes(_ context.Context, since routing.Mark, limit int) (*routing.Changes, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.versions.Config < since.Config {
		return nil, nil
	}
	c := &routing.Changes{Versions: l.versions, Operators: append([]routing.Operator{}, l.rs.Operators...), Untold: l.rs.Untold != since.Untold}
	for _, r := range l.rs.Rules {
		if l.changed[r.ID] > since.Config {
			c.Rules = append(c.Rules, r)
		}
	}
	for id, version := range l.gone {
		if version > since.Config {
			c.Gone = append(c.Gone, id)
		}
	}
	if len(c.Rules)+len(c.Gone) > limit {
		c.Rules, c.Gone, c.TooMany = nil, nil, true
	}
	return c, nil
}

// set is for tests in which a supply runs.
func (l *ledger) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// put creates a rule or replaces the one with its id.
func (l *ledger) put(rules ...routing.Rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.versions.Config++
	l.versions.Rules++
	places := make(map[uuid.UUID]int, len(l.rs.Rules))
	for i := range l.rs.Rules {
		places[l.rs.Rules[i].ID] = i
	}
	for _, r := range rules {
		l.changed[r.ID] = l.versions.Config
		if at, known := places[r.ID]; known {
			l.rs.Rules[at] = r
			continue
		}
		places[r.ID] = len(l.rs.Rules)
		l.rs.Rules = append(l.rs.Rules, r)
	}
}

func (l *ledger) remove(id uuid.UUID) {
	l.versions.Config++
	l.versions.Rules++
	l.gone[id] = l.versions.Config
	l.rs.Rules = slices.DeleteFunc(slices.Clone(l.rs.Rules), func(r routing.Rule) bool { return r.ID == id })
}

// supply gives a supply with all rules of the ledger.
func (l *ledger) supply(t *testing.T, view *routing.HealthView) *routing.Supply {
	t.Helper()
	s := routing.NewSupply(routing.SupplySources{Store: l, Whole: true}, view, time.Now, slog.New(slog.DiscardHandler), func() {})
	require.NoError(t, s.Renew(t.Context(), 1))
	require.Equal(t, 1, l.loads)
	return s
}

// TestChangesOneByOneAreAsGoodAsReadingEverything applies random changes to random worlds, some read one by one, some
// several at once. Queries are few per step: a table that is wrong stays wrong in those that follow.
func TestChangesOneByOneAreAsGoodAsReadingEverything(t *testing.T) {
	applied := 0
	for seed := range uint64(24) {
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 25))
		rs, accounts := routingtest.Generate(rng)
		view := rs.View()
		store := newLedger(rs)
		s := store.supply(t, view)
		next := uint64(20_000)
		for range 30 {
			// A world like it gives what to change to.
			other, _ := routingtest.Generate(rng)
			draw := func() (r routing.Rule, ok bool) {
				if len(other.Rules) == 0 {
					return r, false
				}
				return other.Rules[rng.IntN(len(other.Rules))], true
			}
			switch rng.IntN(9) {
			case 0, 1:
				if r, ok := draw(); ok {
					r.ID = routingtest.UID(next)
					next++
					store.put(r)
				}
			case 2, 3:
				if r, ok := draw(); ok && len(rs.Rules) > 0 {
					r.ID = rs.Rules[rng.IntN(len(rs.Rules))].ID
					store.put(r)
				}
			case 4, 5:
				if len(rs.Rules) > 0 {
					store.remove(rs.Rules[rng.IntN(len(rs.Rules))].ID)
				}
			case 6: // an import
				for i := range other.Rules {
					other.Rules[i].ID = routingtest.UID(next)
					if len(rs.Rules) > 0 && rng.IntN(2) == 0 {
						other.Rules[i].ID = rs.Rules[rng.IntN(len(rs.Rules))].ID
					}
					next++
				}
				store.put(other.Rules...)
			case 7:
				store.versions.Config++
				rs.Operators = other.Operators
			case 8: // rates and what currencies are worth, which no rule tells of
				if rng.IntN(4) > 0 {
					break
				}
				store.versions.Config++
				store.versions.Rules++
				rs.Untold++
				rs.Rates, rs.FX = other.Rates, other.FX
			}
			if rng.IntN(4) == 0 {
				continue
			}
			before, loads := s.Table(), store.loads
			require.NoError(t, s.Renew(t.Context(), store.versions.Config))
			if s.Table() != before && store.loads == loads {
				applied++
			}
			routingtest.RequireSame(t, rng, accounts, rs.TableWith(view, store.versions), s.Table())
		}
	}
	require.Greater(t, applied, 300, "most changes are taken in one by one")
}

// TestATableStaysAsItWasWhileItsSuccessorIsMade: decisions under way read it.
func TestATableStaysAsItWasWhileItsSuccessorIsMade(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 25))
	rs, accounts := routingtest.Generate(rng)
	view := rs.View()
	store := newLedger(rs)
	s := store.supply(t, view)
	same := *rs
	for i := range uint64(20) {
		other, _ := routingtest.Generate(rng)
		for k := range other.Rules {
			other.Rules[k].ID = routingtest.UID(20_000 + i*100 + uint64(k))
		}
		same.Rules = append([]routing.Rule{}, rs.Rules...)
		versions, former := store.versions, s.Table()
		store.put(other.Rules...)
		require.NoError(t, s.Renew(t.Context(), store.versions.Config))
		routingtest.RequireSame(t, rng, accounts, same.TableWith(view, versions), former)
	}
	require.Equal(t, 1, store.loads)
}

// TestSuccessorsOfOneTableShareNothingNew: memory behind the end of a table, where one adds, is not the other's.
func TestSuccessorsOfOneTableShareNothingNew(t *testing.T) {
	own := func(id uint64, length time.Duration, price int64, operator uuid.UUID) routing.Rule {
		r := rule("447", routing.Priority, cand(operator, 1, 1, euro(price)))
		r.ID, r.Window.To = routingtest.UID(id), routingtest.Now.Add(length)
		return r
	}
	for name, second := range map[string]routing.Rule{
		"candidates": own(200, time.Minute, 72, opB),
		"spans":      own(200, -time.Minute, 71, opA),
	} {
		t.Run(name, func(t *testing.T) {
			base := newLedger(world(own(100, -time.Hour, 1, opA), own(101, -2*time.Hour, 2, opA), own(102, -3*time.Hour, 3, opA)))
			view := base.rs.View()
			s := base.supply(t, view)
			for i := range int64(2) { // a table that was added to has room at its end
				base.put(own(100+uint64(i), time.Duration(4+i)*-time.Hour, 4+i, opA))
				require.NoError(t, s.Renew(t.Context(), base.versions.Config))
			}
			successor := func(r routing.Rule) *routing.Supply {
				l := newLedger(base.rs)
				l.table, l.versions = s.Table(), base.versions
				next := l.supply(t, view)
				l.rs = world(base.rs.Rules...)
				l.put(r)
				require.NoError(t, next.Renew(t.Context(), l.versions.Config))
				require.Equal(t, 1, l.loads)
				return next
			}
			first := successor(own(200, time.Minute, 71, opA))
			successor(second)
			q, d := ask(), routing.Decision{}
			require.NoError(t, first.Table().Decide(&q, &d, nil))
			require.Equal(t, opA, d.Choices[0].ID)
			require.Equal(t, euro(71), d.Choices[0].Price)
		})
	}
}

func TestDecidingByAChangedTableAllocatesNothing(t *testing.T) {
	rs := world(rule("44", routing.Cost, cand(opA, 1, 1, euro(2)), cand(opB, 1, 1, euro(1))))
	store := newLedger(rs)
	s := store.supply(t, rs.View())
	changed := rule("447", routing.Cost, cand(opA, 1, 1, euro(1)), cand(opB, 1, 1, euro(2)))
	changed.ID = routingtest.UID(20_000)
	store.put(changed)
	require.NoError(t, s.Renew(t.Context(), 2))
	table, q := s.Table(), ask()
	var d routing.Decision
	require.NoError(t, table.Decide(&q, &d, nil))
	require.Equal(t, changed.ID, d.Rule)
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = table.Decide(&q, &d, nil) }))
}

func TestWhatCannotBeTrustedIsReadAnew(t *testing.T) {
	small := func(n uint64) routing.Rule {
		r := rule("1", routing.Priority, cand(opA, 1, 1, euro(int64(n))))
		r.ID, r.Prefix = routingtest.UID(20_000+n), "1"
		for rest := n; len(r.Prefix) < 8; rest /= 4 { // each its own, of digits that queries ask for
			r.Prefix += e164.Prefix('0' + byte(rest%4))
		}
		return r
	}
	many := make([]routing.Rule, 10_001)
	for i := range many {
		many[i] = small(uint64(i))
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, l *ledger, s *routing.Supply)
		loads  int
	}{
		"one rule is not everything": {func(_ *testing.T, l *ledger, _ *routing.Supply) { l.put(small(1)) }, 0},
		"as many rules as are taken": {func(_ *testing.T, l *ledger, _ *routing.Supply) { l.put(many[2:]...) }, 0},
		"too many rules":             {func(_ *testing.T, l *ledger, _ *routing.Supply) { l.put(many...) }, 1},
		"too many rules one by one": {func(t *testing.T, l *ledger, s *routing.Supply) {
			l.put(many[:5_000]...)
			require.NoError(t, s.Renew(t.Context(), l.versions.Config))
			require.Equal(t, 1, l.loads)
			for range 2 { // the same ones again, so that the rules do not become more
				l.put(many[:4_000]...)
				require.NoError(t, s.Renew(t.Context(), l.versions.Config))
			}
			require.Equal(t, 2, l.loads, "what was replaced does not pile up")
			l.put(small(1))
		}, 1},
		"prices": {func(_ *testing.T, l *ledger, _ *routing.Supply) {
			l.put(small(1))
			l.put()
			l.rs.Untold++
		}, 1},
		"versions of another history": {func(t *testing.T, l *ledger, s *routing.Supply) {
			l.put(small(1))
			require.NoError(t, s.Renew(t.Context(), 2))
			l.versions, l.rs.Rules = routing.Versions{Config: 1, Rules: 1}, nil // from a backup
			require.NoError(t, s.Renew(t.Context(), 3), "somebody heard of a later one")
			require.Equal(t, 1, l.loads, "an older version is not put in force")
			l.put(small(2))
			l.put()
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			rs := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1))))
			l := newLedger(rs)
			view := rs.View()
			s := l.supply(t, view)
			tt.change(t, l, s)
			require.NoError(t, s.Renew(t.Context(), l.versions.Config))
			require.Equal(t, 1+tt.loads, l.loads)
			routingtest.RequireSame(t, rand.New(rand.NewPCG(1, 1)), []uuid.UUID{routingtest.UID(1001), routingtest.UID(1002)}, rs.TableWith(view, l.versions), s.Table())
			before := l.loads
			l.put(small(3))
			require.NoError(t, s.Renew(t.Context(), l.versions.Config))
			require.Equal(t, before, l.loads, "then changes are trusted again")
		})
	}
}

func TestATableFromElsewhereIsNotAddedTo(t *testing.T) {
	store, management := newPlace(7, 7), newPlace(7, 7)
	store.err = errDown
	supply(t, true, store, management, func(t *testing.T, s *supplying) {
		s.answers(t, 7, routing.CacheBypass)
		store.set(func() { store.err, store.versions.Config = nil, 8 })
		elapse(6 * time.Second)
		s.answers(t, 8, routing.CacheBypass)
		require.Zero(t, store.called("changes"))
		require.Equal(t, 1, store.called("load"))
	})
}

func TestEverythingIsReadAnewAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1))))
		view := rs.View()
		l := newLedger(rs)
		s := l.supply(t, view)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		same := func(loads int) {
			t.Helper()
			l.mu.Lock()
			defer l.mu.Unlock()
			require.Equal(t, loads, l.loads)
			routingtest.RequireSame(t, rand.New(rand.NewPCG(1, 1)), []uuid.UUID{routingtest.UID(1001), routingtest.UID(1002)}, rs.TableWith(view, l.versions), s.Table())
		}
		change := func(n uint64) {
			r := rule("44", routing.Priority, cand(opB, 1, 1, euro(int64(n))))
			r.ID, r.Prefix = routingtest.UID(20_000+n), "447"
			l.put(r)
			state, _ := l.State(t.Context())
			s.Changed(state.Versions.Config)
			s.Await(t.Context(), state.Versions.Config)
		}
		elapse(time.Hour)
		same(1) // nothing changed, so there is nothing to mend

		change(1)
		same(1)
		l.set(func() { l.rs.Rules = l.rs.Rules[:1] }) // the change went wrong: the store does not hold what is in force
		require.NotEqual(t, l.rs.TableWith(view, l.versions).Rules(), s.Table().Rules())
		elapse(routing.SweepEvery)
		same(2)
		elapse(time.Hour)
		same(2)

		change(2)
		l.set(func() {
			l.rs.Rules = l.rs.Rules[:1]
			l.loading = func() { change(3) } // it does not wait until everything is read
		})
		elapse(routing.SweepEvery)
		same(3)
		require.EqualValues(t, l.versions.Config, s.Serving())
		l.set(func() { l.loading = nil })
		elapse(routing.SweepEvery)
		same(4)
		cancel()
		<-done
	})
}
