package routing_test

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// reprice is the import of a rate deck.
func (l *ledger) reprice() {
	l.set(func() {
		l.versions.Config++
		l.versions.Rules++
		l.rs.Untold++
	})
}

// suspend suspends all operators.
func (l *ledger) suspend() {
	l.set(func() {
		l.versions.Config++
		l.rs.Operators = slices.Clone(l.rs.Operators)
		for i := range l.rs.Operators {
			l.rs.Operators[i].Status = routing.StatusSuspended
		}
	})
}

func (l *ledger) version() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.versions.Config
}

// running runs a supply of the ledger in a bubble.
func running(t *testing.T, l *ledger, check func(t *testing.T, s *routing.Supply)) {
	synctest.Test(t, func(t *testing.T) {
		s := l.supply(t, l.rs.View())
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

func TestASuspensionDoesNotWaitUntilEverythingIsRead(t *testing.T) {
	for name, suspend := range map[string]func(l *ledger, s *routing.Supply){
		"before it begins": func(l *ledger, s *routing.Supply) {
			l.suspend()
			s.Changed(l.version())
			synctest.Wait()
		},
		"told of while it is under way": func(l *ledger, s *routing.Supply) {
			s.Changed(2)
			synctest.Wait()
			l.suspend()
			s.Changed(l.version())
			synctest.Wait()
		},
		"while it is under way, and nobody tells": func(l *ledger, s *routing.Supply) {
			s.Changed(2)
			synctest.Wait()
			l.suspend()
			elapse(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1)))))
			running(t, l, func(t *testing.T, s *routing.Supply) {
				hold := make(chan struct{})
				l.set(func() { l.loading = func() { <-hold } })
				l.reprice()
				suspend(l, s)
				require.Equal(t, 2, l.loads, "everything is still read")
				require.Empty(t, s.UsableOperators())
				var d routing.Decision
				q := ask()
				require.Equal(t, routing.ErrNoUsableOperator, s.Table().Decide(&q, &d, nil))
				require.Equal(t, routing.Versions{Config: 1, Rules: 1}, d.Versions, "the prices are not in force yet")
				require.EqualValues(t, 1, s.Serving())

				close(hold)
				synctest.Wait()
				require.Empty(t, s.UsableOperators(), "what was read before the suspension does not undo it")
				elapse(2 * time.Second)
				require.Equal(t, l.version(), s.Table().Versions().Config)
				require.Empty(t, s.UsableOperators())
				require.Equal(t, 2, l.loads)
			})
		})
	}
}

func TestASuspensionOutlivesAFailureToReadEverything(t *testing.T) {
	rs := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1))))
	store := &exchange{rs: rs, versions: routing.Versions{Config: 1, Rules: 1}, partly: true}
	s := follower(store)
	require.NoError(t, s.Renew(t.Context(), 1))
	store.versions, store.loadErr = routing.Versions{Config: 3, Rules: 2}, errDown
	rs.Operators = nil
	require.ErrorIs(t, s.Renew(t.Context(), 3), errDown)
	require.Empty(t, s.UsableOperators())
	state, _ := s.State()
	require.EqualValues(t, 1, state.Versions.Config)

	store.versions = routing.Versions{Config: 2, Rules: 2} // a place that does not know of it yet
	rs.Operators = world().Operators
	require.NoError(t, s.Renew(t.Context(), 3))
	require.Empty(t, s.UsableOperators(), "what is in force never goes back")
	store.versions, store.loadErr = routing.Versions{Config: 4, Rules: 2}, nil
	require.NoError(t, s.Renew(t.Context(), 4))
	require.Len(t, s.UsableOperators(), 3)
	require.Equal(t, store.versions, s.Table().Versions())
}

// TestWhatComesWhileEverythingIsReadIsAsGoodAsIfItHadBeen applies random changes while prices are read: they decide by the
// former prices until then, and by what the store holds afterwards.
func TestWhatComesWhileEverythingIsReadIsAsGoodAsIfItHadBeen(t *testing.T) {
	for seed := range uint64(12) {
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 26))
		rs, accounts := routingtest.Generate(rng)
		view := rs.View()
		l := newLedger(rs)
		synctest.Test(t, func(t *testing.T) {
			s := l.supply(t, view)
			next := uint64(20_000)
			for range 6 {
				other, _ := routingtest.Generate(rng)
				before, versions := *rs, l.versions
				before.FX = maps.Clone(rs.FX)
				l.set(func() { rs.Rates, rs.FX = other.Rates, other.FX })
				l.reprice()
				during := 0
				l.set(func() {
					l.loading = func() {
						for range 4 {
							changed, _ := routingtest.Generate(rng)
							for i := range changed.Rules {
								changed.Rules[i].ID = routingtest.UID(next)
								next++
							}
							switch rng.IntN(3) {
							case 0:
								l.put(changed.Rules...)
							case 1:
								l.set(func() {
									if len(rs.Rules) > 0 {
										l.remove(rs.Rules[rng.IntN(len(rs.Rules))].ID)
									}
								})
							default:
								l.set(func() {
									l.versions.Config++
									rs.Operators = changed.Operators
								})
							}
							s.Changed(l.version())
							synctest.Wait()
							before.Rules, before.Operators = rs.Rules, rs.Operators
							routingtest.RequireSame(t, rng, accounts, before.TableWith(view, versions), s.Table())
							during++
						}
					}
				})
				loads := l.loads
				require.NoError(t, s.Renew(t.Context(), l.version()))
				require.Equal(t, loads+1, l.loads)
				require.Equal(t, 4, during)
				routingtest.RequireSame(t, rng, accounts, rs.TableWith(view, l.versions), s.Table())
			}
		})
	}
}

func TestChangesAreFollowedAtOnceWhileTheDatabaseHangs(t *testing.T) {
	bothModes(t, func(t *testing.T, whole bool) {
		store, management := newPlace(7, 7), newPlace(7, 7)
		store.err, store.hang = errDown, 2*time.Second
		supply(t, whole, store, management, func(t *testing.T, s *supplying) {
			elapse(20 * time.Second)
			s.answers(t, 7, routing.CacheBypass)
			change := func(version int64) {
				t.Helper()
				management.set(func() { management.versions = routing.Versions{Config: version, Rules: version} })
				s.tell(version)
				elapse(250 * time.Millisecond)
				s.answers(t, int32(version), routing.CacheBypass)
			}
			for version := int64(8); version < 40; version++ { // at every moment of a look at the store and of a pause
				change(version)
				elapse(time.Duration(version) * 77 * time.Millisecond)
			}

			// One change after the other does not keep it from the store, nor from its neighbours' time.
			looked, asked := store.called("state"), management.called("snapshot")
			for version := int64(40); version < 140; version++ {
				management.set(func() { management.versions = routing.Versions{Config: version, Rules: version} })
				s.tell(version)
				elapse(100 * time.Millisecond)
			}
			require.Greater(t, store.called("state"), looked, "the store is not forgotten")
			require.Less(t, management.called("snapshot")-asked, 85, "10 s have room for 40, and as many again when the store was looked at")
			store.set(func() { store.err, store.hang, store.versions = nil, 0, routing.Versions{Config: 140, Rules: 140} })
			elapse(6 * time.Second)
			require.Equal(t, routing.FromDatabase, s.Origin())
		})
	})
}

func follower(store routing.Store) *routing.Supply {
	return routing.NewSupply(routing.SupplySources{Store: store, Whole: true}, routing.NewHealthView(), time.Now, slog.New(slog.DiscardHandler), func() {})
}
