package operators_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func TestAChangeIsStoredThenPublishedThenCached(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	want := operators.Health{OperatorID: b.id, Bind: operators.Bound, Quality: operators.Healthy, Version: 1, ChangedAt: ingestStart, ObservedAt: ingestStart}
	require.Equal(t, want, b.live[b.id])
	require.Equal(t, []operators.Health{want}, b.said)
	require.Equal(t, []operators.Health{want}, b.cached)
	require.Len(t, b.transitions, 1)
	require.Equal(t, b.transitions, b.told)
	require.Equal(t, "first bind", b.transitions[0].Cause)

	b.at(3).hears(operators.Unbound)
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
	require.Equal(t, "bind lost", b.transitions[1].Cause)
	require.Equal(t, ingestStart.Add(3*time.Second), b.transitions[1].OccurredAt)
}

func TestHeartbeatsRepeatTheVersionAtMostOnceInTenSeconds(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(5).hears(operators.Bound)
	b.at(8.9).hears(operators.Bound)
	require.Len(t, b.said, 1)
	b.at(9.5).hears(operators.Bound)
	b.at(10).hears(operators.Bound, func(p *operators.SessionReport) { p.ConnectorID = "b" })
	require.Len(t, b.said, 2)
	b.saidLast(operators.Bound, operators.Healthy, 1)
	require.Equal(t, b.now.Add(-500*time.Millisecond), b.said[1].ObservedAt)
	require.Equal(t, b.said, b.cached)
	require.Len(t, b.transitions, 1)
	require.Equal(t, ingestStart, b.live[b.id].ObservedAt, "the store is not written for that")
}

func TestWhatWasObservedIsStoredForAllOperatorsAtOnceEvery30s(t *testing.T) {
	b := newBench(t)
	first, second := b.id, uuid.New()
	b.live[second] = operators.Health{OperatorID: second}
	b.takeOver()
	for s := 0; s <= 60; s += 10 {
		for _, id := range []uuid.UUID{first, second} {
			b.id = id
			b.at(float64(s)).hears(operators.Bound)
		}
	}
	require.Len(t, b.observed, 2)
	require.Len(t, b.observed[0], 2)
	require.Equal(t, ingestStart.Add(30*time.Second), b.live[first].ObservedAt.Add(-30*time.Second))
	require.EqualValues(t, 1, b.live[first].Version)

	b.storeFails = errDown
	b.at(90).hears(operators.Bound)
	b.at(100).hears(operators.Bound)
	b.saidLast(operators.Bound, operators.Healthy, 1)
	require.Equal(t, b.now, b.said[len(b.said)-1].ObservedAt, "heartbeats do not wait for the store")
}

func TestThrottlingIsStoredSoonAndWithoutAVersion(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(2).hears(operators.Bound, func(p *operators.SessionReport) { p.Submits, p.Throttled = 10, 1 })
	require.True(t, b.live[b.id].Throttled)
	b.takeOver()
	for s := 10; s <= 80; s += 10 {
		b.at(float64(s)).hears(operators.Bound)
		require.Equal(t, s < 60, b.live[b.id].Throttled, "another process knows about since when, and ends it")
	}
	require.EqualValues(t, 1, b.live[b.id].Version)
	require.Len(t, b.transitions, 1)
}

func TestEachRateIsWatchedForItsOwnMinute(t *testing.T) {
	b := newBench(t)
	for s := 0; s <= 130; s += 10 {
		b.at(float64(s)).hears(operators.Bound, func(p *operators.SessionReport) { p.Submits, p.Errors = 100, 90 })
	}
	var got []string
	for _, c := range b.told {
		got = append(got, fmt.Sprint(c.OccurredAt.Sub(ingestStart), " ", c.ToQuality))
	}
	require.Equal(t, []string{"0s HEALTHY", "1m0s DEGRADED", "2m0s UNHEALTHY"}, got)
	require.EqualValues(t, []int64{600, 540}, []int64{b.told[1].Submits, b.told[1].Errors})
	b.saidLast(operators.Bound, operators.Unhealthy, 3)
}

func TestAReportThatComesAgainChangesNothing(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(1).hears(operators.Unbound)
	b.at(2).hears(operators.Bound, received(0))
	b.at(3).hears(operators.Unbound, received(1))
	require.Len(t, b.transitions, 2)
	require.Len(t, b.said, 2)
}

func TestAChangeThatCannotBeStoredIsNotPublished(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.storeFails = errDown
	b.at(20)
	for range 2 {
		require.ErrorIs(t, b.try(operators.Unbound), errDown)
		require.Len(t, b.said, 1, "nor is the state that the reports have left repeated")
	}
	b.storeFails = nil
	b.hears(operators.Unbound)
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
	require.Len(t, b.transitions, 2)
}

func TestACommitWhoseAnswerIsLostIsOneTransition(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.lost = true
	b.at(1)
	require.ErrorIs(t, b.try(operators.Unbound), errDown)
	require.Len(t, b.said, 1)
	b.hears(operators.Unbound)
	require.Len(t, b.transitions, 2)
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
}

func TestAChangeThatCannotBePublishedIsPublishedWhenItsReportComesAgain(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.boardFails = errDown
	b.at(1)
	require.ErrorIs(t, b.try(operators.Unbound), errDown)
	require.Len(t, b.cached, 2, "the cache is told all the same")
	b.boardFails = nil
	b.at(2).hears(operators.Unbound, received(1))
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
	require.Len(t, b.transitions, 2)
}

func TestAHeartbeatThatCannotBePublishedIsNoError(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.boardFails = errDown
	b.at(10).hears(operators.Bound)
	b.boardFails = nil
	b.at(12).hears(operators.Bound)
	require.Len(t, b.said, 2, "the next report repeats it")
}

func TestAReportAboutNoLiveOperatorIsDropped(t *testing.T) {
	b := newBench(t)
	report := func(id uuid.UUID) bool {
		live, err := b.ingest.Report(t.Context(), operators.SessionReport{OperatorID: id, ConnectorID: "a", Sequence: 1, Bind: operators.Bound, ReceivedAt: b.now})
		require.NoError(t, err)
		return live
	}
	created := uuid.New()
	require.False(t, report(created))
	require.Empty(t, b.said)
	b.live[created] = operators.Health{OperatorID: created}
	require.True(t, report(created), "an operator that came since is known")

	t.Run("one that is deleted before its change is stored", func(t *testing.T) {
		b.hears(operators.Bound)
		b.intruder = func() { delete(b.live, b.id) }
		b.at(1)
		live, err := b.ingest.Report(t.Context(), operators.SessionReport{OperatorID: b.id, ConnectorID: "a", Sequence: 5000, Bind: operators.Unbound, ReceivedAt: b.now})
		require.NoError(t, err)
		require.False(t, live)
	})
	t.Run("one whose deletion shows when its time is stored", func(t *testing.T) {
		b.id = created
		delete(b.live, created)
		b.at(60).hears(operators.Bound)
		said := len(b.said)
		b.at(70).hears(operators.Bound)
		require.Len(t, b.said, said)
	})
	t.Run("the store fails", func(t *testing.T) {
		b.storeFails = errDown
		b.id = uuid.New()
		require.ErrorIs(t, b.try(operators.Bound), errDown)
	})
}

func TestLoadFailsWithTheStore(t *testing.T) {
	b := newBench(t)
	b.storeFails = errDown
	require.True(t, errors.Is(b.ingest.Load(t.Context()), errDown))
}

func TestStatesAreReadAsTheyAreWritten(t *testing.T) {
	for _, b := range []operators.BindState{operators.BindUnknown, operators.Bound, operators.Unbound, operators.Failback} {
		got, err := operators.ParseBindState(b.String())
		require.NoError(t, err)
		require.Equal(t, b, got)
	}
	for _, q := range []operators.Quality{operators.QualityUnknown, operators.Healthy, operators.Degraded, operators.Unhealthy} {
		got, err := operators.ParseQuality(q.String())
		require.NoError(t, err)
		require.Equal(t, q, got)
	}
	_, err := operators.ParseBindState("SLEEPY")
	require.ErrorContains(t, err, "UNKNOWN, BOUND, UNBOUND or FAILBACK")
	_, err = operators.ParseQuality("")
	require.Error(t, err)
}

func TestAFilterOfTransitionsIsChecked(t *testing.T) {
	at := ingestStart
	for _, tt := range []struct {
		name   string
		filter operators.TransitionFilter
		ok     bool
	}{
		{"a whole filter", operators.TransitionFilter{From: at, To: at.Add(1), Limit: 1000}, true},
		{"no page", operators.TransitionFilter{}, false},
		{"a page that is too long", operators.TransitionFilter{Limit: 1001}, false},
		{"an end that is no later than the start", operators.TransitionFilter{From: at, To: at, Limit: 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.filter.Validate()
			require.Equal(t, tt.ok, err == nil)
			if !tt.ok {
				require.Equal(t, fault.InvalidArgument, fault.From(err).Kind)
			}
		})
	}
}
