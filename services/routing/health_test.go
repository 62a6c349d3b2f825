package routing_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

func TestHealthFollowsTheStateMachine(t *testing.T) {
	at := func(s int) time.Time { return routingtest.Now.Add(time.Duration(s) * time.Second) }
	bind := func(b routing.BindState) routing.HealthEvent { return routing.HealthEvent{Bind: b} }
	quality := func(q routing.Quality) routing.HealthEvent { return routing.HealthEvent{Quality: q} }
	tests := []struct {
		name   string
		events []routing.HealthEvent
		bind   routing.BindState
		want   routing.Quality
	}{
		{"nothing said is unknown", nil, routing.BindUnknown, routing.QualityUnknown},
		{"the first BOUND is HEALTHY", []routing.HealthEvent{bind(routing.Bound)}, routing.Bound, routing.Healthy},
		{"UNBOUND is UNHEALTHY", []routing.HealthEvent{bind(routing.Bound), bind(routing.Unbound)}, routing.Unbound, routing.Unhealthy},
		{"a rebind is HEALTHY", []routing.HealthEvent{bind(routing.Unbound), bind(routing.Bound)}, routing.Bound, routing.Healthy},
		{"FAILBACK after UNBOUND is HEALTHY", []routing.HealthEvent{bind(routing.Unbound), bind(routing.Failback)}, routing.Failback, routing.Healthy},
		{"a heartbeat BOUND keeps DEGRADED", []routing.HealthEvent{bind(routing.Bound), quality(routing.Degraded), bind(routing.Bound)}, routing.Bound, routing.Degraded},
		{"a quality leaves the bind state", []routing.HealthEvent{bind(routing.Failback), quality(routing.Unhealthy)}, routing.Failback, routing.Unhealthy},
		{"both axes at once are taken as they are", []routing.HealthEvent{{Bind: routing.Bound, Quality: routing.Degraded}}, routing.Bound, routing.Degraded},
		{"a repeated BOUND does not heal UNHEALTHY", []routing.HealthEvent{bind(routing.Bound), quality(routing.Unhealthy), bind(routing.Bound)}, routing.Bound, routing.Unhealthy},
		{"an event that says nothing is ignored", []routing.HealthEvent{bind(routing.Bound), {}}, routing.Bound, routing.Healthy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := routing.NewHealthView()
			for i, e := range tt.events {
				e.Operator, e.ObservedAt = opA, at(i)
				v.Apply(e)
			}
			got := v.Get(opA)
			require.Equal(t, tt.bind, got.Bind)
			require.Equal(t, tt.want, got.Quality)
		})
	}
}

func TestHealthTakesEachEventOnceAndInOrder(t *testing.T) {
	event := func(bind routing.BindState, version int64, sequence uint64, second int) routing.HealthEvent {
		return routing.HealthEvent{Operator: opA, Bind: bind, Version: version, Position: routing.Position{Sequence: sequence, At: routingtest.Now.Add(time.Duration(second) * time.Second)}, ObservedAt: routingtest.Now.Add(time.Duration(second) * time.Second)}
	}
	tests := []struct {
		name   string
		events []routing.HealthEvent
		taken  []bool
		want   routing.BindState
	}{
		{"a version is taken once", []routing.HealthEvent{event(routing.Bound, 5, 1, 1), event(routing.Unbound, 5, 2, 2)}, []bool{true, false}, routing.Bound},
		{"an older version is late", []routing.HealthEvent{event(routing.Unbound, 5, 2, 2), event(routing.Bound, 4, 1, 1)}, []bool{true, false}, routing.Unbound},
		{"without versions the stream's order counts", []routing.HealthEvent{event(routing.Unbound, 0, 2, 2), event(routing.Bound, 0, 1, 1)}, []bool{true, false}, routing.Unbound},
		{"a redelivery is ignored", []routing.HealthEvent{event(routing.Unbound, 0, 2, 2), event(routing.Unbound, 0, 2, 2)}, []bool{true, false}, routing.Unbound},
		{"an event by hand counts after versioned ones", []routing.HealthEvent{event(routing.Bound, 9, 1, 1), event(routing.Unbound, 0, 2, 2)}, []bool{true, true}, routing.Unbound},
		{"a versioned event counts after one by hand", []routing.HealthEvent{event(routing.Bound, 9, 1, 1), event(routing.Unbound, 0, 2, 2), event(routing.Bound, 10, 3, 3)}, []bool{true, true, true}, routing.Bound},
		{"a stream made anew counts from 1 again", []routing.HealthEvent{event(routing.Bound, 0, 700, 1), event(routing.Unbound, 0, 1, 2)}, []bool{true, true}, routing.Unbound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := routing.NewHealthView()
			for i, e := range tt.events {
				require.Equal(t, tt.taken[i], v.Apply(e), "event %d", i)
			}
			require.Equal(t, tt.want, v.Get(opA).Bind)
		})
	}
}

func TestEpochNamesTheBlockedOperators(t *testing.T) {
	v := routing.NewHealthView()
	say := func(id uuid.UUID, bind routing.BindState) uint64 {
		v.Apply(routing.HealthEvent{Operator: id, Bind: bind, ObservedAt: routingtest.Now})
		return v.Epoch()
	}
	none := v.Epoch()
	require.Equal(t, none, say(opA, routing.Bound), "a usable operator does not change it")
	a := say(opA, routing.Unbound)
	require.NotEqual(t, none, a)
	require.Equal(t, a, say(opA, routing.Unbound), "the same word again does not change it")
	ab := say(opB, routing.Unbound)
	require.NotContains(t, []uint64{none, a}, ab)
	b := say(opA, routing.Bound)
	require.NotContains(t, []uint64{none, a, ab}, b)
	require.Equal(t, none, say(opB, routing.Failback))

	again := routing.NewHealthView()
	again.Apply(routing.HealthEvent{Operator: opB, Bind: routing.Unbound, ObservedAt: routingtest.Now})
	require.Equal(t, b, again.Epoch(), "another process that knows the same has the same epoch")
}

func TestFillKnowsNoBetterThanANewerEvent(t *testing.T) {
	v := routing.NewHealthView()
	require.False(t, v.Fill(opA, routing.StoredHealth{Health: routing.Health{}}), "nothing known is nothing to take")
	require.True(t, v.Fill(opA, routing.StoredHealth{Health: bound}), "anything is better than nothing")
	require.False(t, v.Fill(opA, routing.StoredHealth{Health: bound}), "what is not newer is not taken")
	v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Unbound, ObservedAt: routingtest.Now.Add(time.Second)})
	require.False(t, v.Fill(opA, routing.StoredHealth{Health: bound}), "an older word does not lift UNBOUND")
	newer := bound
	newer.ObservedAt = routingtest.Now.Add(2 * time.Second)
	require.True(t, v.Fill(opA, routing.StoredHealth{Health: newer}))
	require.Equal(t, routing.Bound, v.Get(opA).Bind)
	require.Equal(t, routing.Health{}, v.Get(opB))
}

func TestAnOlderVersionDoesNotReviveAnOperator(t *testing.T) {
	v := routing.NewHealthView()
	v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Unbound, Version: 10, Position: routing.Position{Sequence: 1, At: routingtest.Now}, ObservedAt: routingtest.Now})
	late := routing.HealthEvent{Operator: opA, Bind: routing.Bound, Version: 7, Position: routing.Position{Sequence: 2, At: routingtest.Now.Add(time.Second)}, ObservedAt: routingtest.Now.Add(time.Second)}
	require.False(t, v.Apply(late))
	require.True(t, v.Stale(late), "nor is it worth keeping")
	require.False(t, v.Fill(opA, routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, ObservedAt: late.ObservedAt}, Version: 7}), "nor does it come back through the shared cache")
	require.True(t, v.Fill(opA, routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, ObservedAt: late.ObservedAt}, Version: 11}))

	require.False(t, v.Stale(routing.HealthEvent{Operator: opB, Version: 1}), "nothing is known of it")
	v.Apply(routing.HealthEvent{Operator: opB, Bind: routing.Unbound, Position: routing.Position{Sequence: 5, At: routingtest.Now}, ObservedAt: routingtest.Now})
	require.True(t, v.Stale(routing.HealthEvent{Operator: opB, Bind: routing.Bound, Position: routing.Position{Sequence: 4, At: routingtest.Now}, ObservedAt: routingtest.Now}))
	require.False(t, v.Stale(routing.HealthEvent{Operator: opB, Bind: routing.Bound, Position: routing.Position{Sequence: 5, At: routingtest.Now}, ObservedAt: routingtest.Now}))
}

// TestAVersionThatNobodyRepeatsLosesItsHold: an enormous version that somebody made up silences an operator for a
// minute, not until the engine is restarted.
func TestAVersionThatNobodyRepeatsLosesItsHold(t *testing.T) {
	v := routing.NewHealthView()
	event := func(bind routing.BindState, version int64, seconds int) routing.HealthEvent {
		return routing.HealthEvent{Operator: opA, Bind: bind, Version: version, ObservedAt: routingtest.Now.Add(time.Duration(seconds) * time.Second)}
	}
	require.True(t, v.Apply(event(routing.Bound, 7, 0)))
	require.True(t, v.Apply(event(routing.Unbound, 1<<62, 5)))
	require.False(t, v.Apply(event(routing.Bound, 7, 10)))
	require.False(t, v.Apply(event(routing.Bound, 7, 65)), "60 s are not over")
	require.True(t, v.Stale(event(routing.Bound, 7, 65)))
	require.False(t, v.Stale(event(routing.Bound, 7, 66)))
	require.True(t, v.Apply(event(routing.Bound, 7, 66)))
	require.Equal(t, routing.Bound, v.Get(opA).Bind)
	require.True(t, v.Apply(event(routing.Unbound, 8, 70)), "versions count from there")
	require.False(t, v.Apply(event(routing.Bound, 7, 71)))

	require.False(t, v.Apply(event(routing.Unbound, 8, 120)), "a heartbeat")
	require.True(t, v.Apply(event(routing.Failback, 0, 125)), "a word by hand")
	require.False(t, v.Apply(event(routing.Bound, 7, 180)), "a version that is repeated keeps its hold")
	require.False(t, v.Fill(opA, routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, ObservedAt: routingtest.Now.Add(90 * time.Second)}, Version: 7}), "an old word of a store is old, whatever became of the version")
}

func TestAHeartbeatKeepsAStateFresh(t *testing.T) {
	v := routing.NewHealthView()
	say := func(bind routing.BindState, version int64, seconds int) bool {
		return v.Apply(routing.HealthEvent{Operator: opA, Bind: bind, Version: version, ObservedAt: routingtest.Now.Add(time.Duration(seconds) * time.Second)})
	}
	require.True(t, say(routing.Bound, 3, 0))
	require.False(t, say(routing.Bound, 3, 50), "the same version is nothing new")
	require.True(t, v.Get(opA).Known(routingtest.Now.Add(100*time.Second)), "but it says that the state still holds")
	require.False(t, say(routing.Unbound, 3, 60))
	require.Equal(t, routing.Bound, v.Get(opA).Bind, "a version cannot say two things")
	require.False(t, say(routing.Bound, 3, 10))
	require.True(t, v.Get(opA).Known(routingtest.Now.Add(100*time.Second)), "a late heartbeat does not make it older")
}

func TestAnEventOfTheInboxCountsOnce(t *testing.T) {
	v := routing.NewHealthView()
	place := func(n uint64) routing.Position {
		return routing.Position{Sequence: n, At: routingtest.Now.Add(time.Duration(n) * time.Second)}
	}
	event := func(bind routing.BindState, inbox, position routing.Position) routing.HealthEvent {
		return routing.HealthEvent{Operator: opA, Bind: bind, Inbox: inbox, Position: position, ObservedAt: routingtest.Now}
	}
	require.True(t, v.Apply(event(routing.Bound, place(1), routing.Position{})))
	require.True(t, v.Apply(event(routing.Unbound, place(2), routing.Position{})))
	require.False(t, v.Apply(event(routing.Bound, place(1), place(11))), "moved later, the older one does not come back")
	require.Equal(t, routing.Unbound, v.Get(opA).Bind)
	require.False(t, v.Apply(event(routing.Unbound, place(2), place(12))))
	require.True(t, v.Apply(event(routing.Bound, routing.Position{}, place(13))), "an event that came another way counts")
}

func TestAStoreAndTheStreamAgreeOnTheLaterWord(t *testing.T) {
	at := func(s int) time.Time { return routingtest.Now.Add(time.Duration(s) * time.Second) }
	stored := func(bind routing.BindState, version int64, s int) routing.StoredHealth {
		return routing.StoredHealth{Health: routing.Health{Bind: bind, ObservedAt: at(s)}, Version: version}
	}
	t.Run("a higher version counts although the writer's clock is behind", func(t *testing.T) {
		v := routing.NewHealthView()
		v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Bound, Version: 5, ObservedAt: at(10)})
		require.True(t, v.Fill(opA, stored(routing.Unbound, 7, 9)))
		require.Equal(t, routing.Unbound, v.Get(opA).Bind)
	})
	t.Run("a good word of the stream from before the stored one is late", func(t *testing.T) {
		v := routing.NewHealthView()
		require.True(t, v.Fill(opA, stored(routing.Unbound, 0, 10)))
		require.False(t, v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Bound, Position: routing.Position{Sequence: 9, At: at(1)}, ObservedAt: at(1)}))
		require.True(t, v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Bound, Position: routing.Position{Sequence: 10, At: at(11)}, ObservedAt: at(11)}))
	})
	t.Run("a bad word counts whatever the clocks say", func(t *testing.T) {
		v := routing.NewHealthView()
		require.True(t, v.Fill(opA, stored(routing.Bound, 0, 10)))
		require.True(t, v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Unbound, Position: routing.Position{Sequence: 9, At: at(1)}, ObservedAt: at(1)}))
	})
}

func TestMadeUpOperatorsCannotCrowdOutRealOnes(t *testing.T) {
	v := routing.NewHealthView()
	id := func(i int) uuid.UUID { return uuid.UUID{0: 7, 12: byte(i >> 16), 13: byte(i >> 8), 14: byte(i), 15: 1} }
	v.Know([]uuid.UUID{opA})
	taken := 0
	for i := range 20_000 {
		if v.Apply(routing.HealthEvent{Operator: id(i), Bind: routing.Unbound, ObservedAt: routingtest.Now}) {
			taken++
		}
	}
	require.Equal(t, 10_000, taken, "what is remembered of strangers is bounded")
	require.True(t, v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Unbound, ObservedAt: routingtest.Now}))
	require.False(t, v.Fill(opB, routing.StoredHealth{Health: bound}), "one stranger too many")
	v.Know([]uuid.UUID{opB, id(3)})
	require.True(t, v.Fill(opB, routing.StoredHealth{Health: bound}), "a store knows it now")
	require.True(t, v.Fill(opC, routing.StoredHealth{Health: bound}), "a stranger that turned out to exist made room")
}

func TestAStateWithoutATimeIsOld(t *testing.T) {
	v := routing.NewHealthView()
	require.True(t, v.Fill(opA, routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, Quality: routing.Healthy}}))
	require.False(t, v.Get(opA).Known(routingtest.Now))
	require.True(t, v.Fill(opA, routing.StoredHealth{Health: bound}), "anything with a time is newer")
}

func TestCountHealthyCountsFreshHealthyOperators(t *testing.T) {
	v := routing.NewHealthView()
	for id, h := range map[uuid.UUID]routing.Health{opA: bound, opB: degraded, opC: stale, routingtest.UID(4): unbound, routingtest.UID(5): failback} {
		v.Fill(id, routing.StoredHealth{Health: h})
	}
	all := []uuid.UUID{opA, opB, opC, routingtest.UID(4), routingtest.UID(5), routingtest.UID(6)}
	require.Equal(t, 2, v.CountHealthy(all, routingtest.Now), "BOUND and FAILBACK, both HEALTHY")
	require.Equal(t, 1, v.CountHealthy(all[1:], routingtest.Now), "only the operators asked for count")
}

func TestHealthIsReadWhileItIsWritten(t *testing.T) {
	v := routing.NewHealthView()
	rs := world(rule("44", routing.Failover, cand(opA, 1, 1, euro(1)), cand(opB, 2, 1, euro(1))))
	b := routing.NewTableBuilder(v)
	for _, o := range rs.Operators {
		b.AddOperator(o)
	}
	b.AddRule(rs.Rules[0])
	table := b.Build(routing.Versions{Config: 1})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var d routing.Decision
			q := ask()
			for i := range 500 {
				v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.BindState(1 + (i+g)%2), ObservedAt: routingtest.Now})
				v.Apply(routing.HealthEvent{Operator: routingtest.UID(uint64(100 + i*4 + g)), Bind: routing.Unbound, ObservedAt: routingtest.Now})
				if err := table.Decide(&q, &d, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	v.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Unbound, ObservedAt: routingtest.Now})
	var d routing.Decision
	q := ask()
	require.NoError(t, table.Decide(&q, &d, nil))
	require.Equal(t, opB, d.Choices[0].ID, "a table sees health that changes after it was built")
}

func TestAVersionIsHeardWhenAStreamTookItIn(t *testing.T) {
	view := routing.NewHealthView()
	at := func(seconds int) time.Time { return routingtest.Now.Add(time.Duration(seconds) * time.Second) }
	word := func(version int64, seconds int) routing.HealthEvent {
		return routing.HealthEvent{
			Operator: opA, Bind: routing.Bound, Version: version, ObservedAt: at(seconds),
			Position: routing.Position{Sequence: uint64(100 + seconds), At: at(seconds)},
		}
	}
	require.False(t, view.Heard(opA, 0, at(100)), "of an operator that nobody spoke of")
	view.Fill(opA, routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: at(0)}, Version: 5})
	require.False(t, view.Heard(opA, 5, at(100)), "a store's time is by another clock")
	view.Apply(word(5, 10))
	view.Apply(word(5, 20))
	require.True(t, view.Heard(opA, 5, at(11)))
	require.False(t, view.Heard(opA, 5, at(10)), "not before")
	require.False(t, view.Heard(opA, 4, at(100)))
	view.Apply(word(6, 30))
	require.False(t, view.Heard(opA, 6, at(30)))
	require.True(t, view.Heard(opA, 6, at(31)))
	require.False(t, view.Heard(opA, 5, at(31)), "that is over")
	view.Apply(routing.HealthEvent{Operator: opA, Bind: routing.Unbound, ObservedAt: at(40), Inbox: routing.Position{Sequence: 1, At: at(40)}})
	require.True(t, view.Heard(opA, 6, at(41)), "a word without a version has taken its place, and it was heard before all the same")
}
