package operators_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// bench is an ingest over what is here kept in memory. The work on real stores is tested in package sessions.
type bench struct {
	t      *testing.T
	ingest *operators.Ingest
	now    time.Time
	id     uuid.UUID

	// The store: health by live operator, and what was asked of it.
	live        map[uuid.UUID]operators.Health
	transitions []operators.Transition
	observed    [][]operators.Health
	storeFails  error
	// lost makes a change take place and its answer get lost.
	lost bool
	// intruder runs before a change, once.
	intruder func()

	// The board.
	word       operators.Word
	said       []operators.Health
	boardFails error
	neighbour  func() // runs before a word is replaced, once

	cached []operators.Health
	told   []operators.Transition
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: ingestStart, id: uuid.New()}
	b.live = map[uuid.UUID]operators.Health{b.id: {OperatorID: b.id}}
	b.takeOver()
	return b
}

var ingestStart = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// takeOver gives the bench a new process.
func (b *bench) takeOver() {
	b.ingest = operators.NewIngest(b, b, b, b, func() time.Time { return b.now }, slog.New(slog.DiscardHandler))
	require.NoError(b.t, b.ingest.Load(b.t.Context()))
}

func (b *bench) LiveHealth(_ context.Context, ids ...uuid.UUID) (all []operators.Health, err error) {
	if len(ids) == 0 {
		for id := range b.live {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		if h, ok := b.live[id]; ok {
			all = append(all, h)
		}
	}
	return all, b.storeFails
}

func (b *bench) ChangeHealth(_ context.Context, next operators.Health, from int64, t *operators.Transition) error {
	if intrude := b.intruder; intrude != nil {
		b.intruder = nil
		intrude()
	}
	if b.storeFails != nil {
		return b.storeFails
	}
	if h, ok := b.live[next.OperatorID]; !ok || h.Version != from {
		return fault.New(fault.Aborted, operators.ReasonStaleHealth, "stale")
	}
	b.live[next.OperatorID] = next
	if t != nil {
		b.transitions = append(b.transitions, *t)
	}
	if b.lost {
		b.lost = false
		return errDown
	}
	return nil
}

func (b *bench) ObserveHealth(_ context.Context, all []operators.Health) (same []uuid.UUID, err error) {
	if b.storeFails != nil {
		return nil, b.storeFails
	}
	b.observed = append(b.observed, all)
	for _, h := range all {
		if stored, ok := b.live[h.OperatorID]; ok && stored.Version == h.Version {
			stored.ObservedAt, stored.Throttled = h.ObservedAt, h.Throttled
			b.live[h.OperatorID] = stored
			same = append(same, h.OperatorID)
		}
	}
	return same, nil
}

func (b *bench) Standing(context.Context, uuid.UUID) (operators.Word, error) {
	return b.word, b.boardFails
}

func (b *bench) Replace(_ context.Context, h operators.Health, standing operators.Word) error {
	if interfere := b.neighbour; interfere != nil {
		b.neighbour = nil
		interfere()
	}
	if standing.Place != b.word.Place {
		return fault.New(fault.Aborted, operators.ReasonNewWord, "new word")
	}
	b.said = append(b.said, h)
	b.word = operators.Word{Place: b.word.Place + 1, Bind: h.Bind, Quality: h.Quality, Version: h.Version, At: b.now}
	return nil
}

// byHand puts a neighbour's word on the board.
func (b *bench) byHand(w operators.Word) {
	w.Place, w.At = b.word.Place+1, b.now
	b.word = w
}

func (b *bench) KeepHealth(_ context.Context, h operators.Health) { b.cached = append(b.cached, h) }

func (b *bench) HealthChanged(t operators.Transition) { b.told = append(b.told, t) }

var errDown = fault.New(fault.Unavailable, "DOWN", "down")

// at moves time to a second of the test.
func (b *bench) at(second float64) *bench {
	b.now = ingestStart.Add(time.Duration(second * float64(time.Second)))
	return b
}

// try reports from connector a; the sequence is the time.
func (b *bench) try(bind operators.BindState, change ...func(*operators.SessionReport)) error {
	p := operators.SessionReport{
		OperatorID: b.id, ConnectorID: "a", Sequence: b.now.Sub(ingestStart).Milliseconds() + 1, Bind: bind, ReceivedAt: b.now,
	}
	for _, c := range change {
		c(&p)
	}
	_, err := b.ingest.Report(b.t.Context(), p)
	return err
}

func (b *bench) hears(bind operators.BindState, change ...func(*operators.SessionReport)) {
	b.t.Helper()
	require.NoError(b.t, b.try(bind, change...))
}

// received sets when the stream took a report in.
func received(second float64) func(*operators.SessionReport) {
	return func(p *operators.SessionReport) {
		p.ReceivedAt = ingestStart.Add(time.Duration(second * float64(time.Second)))
		p.Sequence = p.ReceivedAt.Sub(ingestStart).Milliseconds() + 1
	}
}

// lastSaid is what engines were told last.
func (b *bench) lastSaid() (bind operators.BindState, quality operators.Quality, version int64) {
	b.t.Helper()
	require.NotEmpty(b.t, b.said)
	h := b.said[len(b.said)-1]
	return h.Bind, h.Quality, h.Version
}

func (b *bench) saidLast(bind operators.BindState, quality operators.Quality, version int64) {
	b.t.Helper()
	gotBind, gotQuality, gotVersion := b.lastSaid()
	require.Equal(b.t, []any{bind, quality, version}, []any{gotBind, gotQuality, gotVersion})
}

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

func TestAProcessThatTakesOverGoesOn(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(10).hears(operators.Failback)
	b.at(20).takeOver()
	b.hears(operators.Failback)
	require.Len(t, b.transitions, 2)
	b.saidLast(operators.Failback, operators.Healthy, 2)
	b.at(21).hears(operators.Unbound)
	b.saidLast(operators.Unbound, operators.Unhealthy, 3)
}

func TestAProcessThatTakesOverKnowsTheOtherConnectors(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(5).takeOver()
	b.ingest.Recall(operators.SessionReport{OperatorID: b.id, ConnectorID: "a", Sequence: 1, Bind: operators.Bound, ReceivedAt: ingestStart})
	b.ingest.Recall(operators.SessionReport{OperatorID: uuid.New(), ConnectorID: "a", Sequence: 1, Bind: operators.Bound, ReceivedAt: ingestStart})
	b.hears(operators.Unbound, func(p *operators.SessionReport) { p.ConnectorID = "b" })
	require.Len(t, b.transitions, 1)
}

// The former process died between the commit and the publication. The report comes again when it is old.
func TestACommittedChangeIsPublishedByWhoeverComesNext(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.boardFails = errDown
	b.at(1)
	require.Error(t, b.try(operators.Unbound))
	b.boardFails = nil
	b.at(200).takeOver()
	b.hears(operators.Unbound, received(1))
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
	require.Len(t, b.transitions, 2)
}

func TestALateReportIsNoHeartbeat(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(200).takeOver()
	b.hears(operators.Bound, received(20))
	b.hears(operators.Bound, received(30))
	require.Len(t, b.said, 1, "engines would take it for news")
	b.hears(operators.Unbound, received(40))
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
	require.Equal(t, ingestStart.Add(40*time.Second), b.transitions[1].OccurredAt)
	b.hears(operators.Unbound, received(195))
	require.Len(t, b.said, 3)
}

// A former leader that was paused believes in a version that is gone.
func TestAFormerLeaderDoesNotOverwriteWhatANewOneStored(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	former := b.ingest
	b.takeOver()
	b.at(1).hears(operators.Unbound)
	b.at(2).hears(operators.Bound)
	leader := b.ingest
	b.ingest = former
	b.at(3)

	b.hears(operators.Failback)
	require.EqualValues(t, 4, b.live[b.id].Version, "it has read what is stored and goes on from there")
	b.saidLast(operators.Failback, operators.Healthy, 4)

	b.ingest = leader
	b.at(12).hears(operators.Bound)
	b.saidLast(operators.Bound, operators.Healthy, 5)
	versions := int64(0)
	for _, h := range b.said {
		require.GreaterOrEqual(t, h.Version, versions)
		versions = h.Version
	}
}

func TestAFormerLeaderThatOnlyBeatsFindsTheNewWord(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	former := b.ingest
	b.takeOver()
	b.at(1).hears(operators.Unbound)
	b.ingest = former
	b.at(11).hears(operators.Bound)
	b.saidLast(operators.Bound, operators.Healthy, 3)
}

// It was paused with a report in hand, and that report is older than what decided since.
func TestAFormerLeaderDoesNotJudgeByOldReports(t *testing.T) {
	for name, bind := range map[string]operators.BindState{"a heartbeat": operators.Bound, "a change": operators.Failback} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.hears(operators.Bound)
			former := b.ingest
			b.takeOver()
			b.at(12).hears(operators.Unbound)
			b.ingest = former
			b.at(13).hears(bind, received(11))
			b.saidLast(operators.Unbound, operators.Unhealthy, 2)
			require.Len(t, b.transitions, 2)
			b.at(20).hears(operators.Bound)
			b.saidLast(operators.Bound, operators.Healthy, 3)
		})
	}
}

// After a clock that was ahead, stored changes seem to be yet to come.
func TestAClockThatWasAheadDoesNotHoldReportsUp(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	h := b.live[b.id]
	h.ChangedAt = ingestStart.Add(time.Hour)
	b.live[b.id] = h
	b.at(5).takeOver()
	b.hears(operators.Unbound)
	b.saidLast(operators.Unbound, operators.Unhealthy, 2)
}

func TestAProcessThatIsRacedEndlesslyGivesUp(t *testing.T) {
	b := newBench(t)
	var again func()
	again = func() {
		h := b.live[b.id]
		h.Version++
		b.live[b.id] = h
		b.intruder = again
	}
	b.intruder = again
	require.True(t, fault.Is(b.try(operators.Bound), operators.ReasonStaleHealth))
}

func TestAHealthThatChangesWhileItIsRestatedIsJudgedAgain(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(10).byHand(operators.Word{Bind: operators.Bound})
	b.intruder = func() {
		h := b.live[b.id]
		h.Version, h.Bind, h.Quality, h.ChangedAt = 2, operators.Unbound, operators.Unhealthy, b.now.Add(-time.Second)
		b.live[b.id] = h
	}
	b.at(20).hears(operators.Bound)
	b.saidLast(operators.Bound, operators.Healthy, 3)
	require.Equal(t, "bind restored", b.transitions[1].Cause)
}

func TestANewWordIsReadBeforeItIsReplaced(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.neighbour = func() { b.byHand(operators.Word{Bind: operators.Unbound}) }
	b.at(10).hears(operators.Bound)
	require.Len(t, b.said, 1, "an UNBOUND that comes at the same moment stands")

	var again func()
	again = func() {
		b.byHand(operators.Word{Bind: operators.Bound, Version: 1})
		b.neighbour = again
	}
	b.neighbour = again
	require.True(t, fault.Is(b.at(20).try(operators.Unbound), operators.ReasonNewWord))
}

func TestWordsByHand(t *testing.T) {
	unbound := operators.Word{Bind: operators.Unbound}
	for _, tt := range []struct {
		name string
		word operators.Word
		// play goes on 10 s after the word.
		play func(b *bench)
		want func(t *testing.T, b *bench)
	}{
		{"an UNBOUND stands, and is refreshed nowhere", unbound, func(b *bench) {
			for s := 20; s <= 300; s += 10 {
				b.at(float64(s)).hears(operators.Bound)
			}
		}, func(t *testing.T, b *bench) {
			require.Len(t, b.said, 1)
			require.Len(t, b.cached, 1)
			require.Equal(t, ingestStart, b.live[b.id].ObservedAt)
		}},
		{"also for a process that takes over", unbound, func(b *bench) {
			b.at(20).takeOver()
			b.hears(operators.Bound)
		}, func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
		{"until the health changes", unbound, func(b *bench) { b.at(20).hears(operators.Failback) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Failback, operators.Healthy, 2) }},
		{"a change that was reported before the word does not undo it", unbound, func(b *bench) { b.at(20).hears(operators.Failback, received(5)) },
			func(t *testing.T, b *bench) {
				require.Len(t, b.transitions, 2)
				require.Len(t, b.said, 1)
			}},
		{"a word that agrees is said again with a version", operators.Word{Bind: operators.Bound}, func(b *bench) { b.at(20).hears(operators.Bound); b.at(30).hears(operators.Bound) },
			func(t *testing.T, b *bench) {
				b.saidLast(operators.Bound, operators.Healthy, 2)
				require.Len(t, b.said, 3)
				require.Len(t, b.transitions, 1)
				require.EqualValues(t, 2, b.live[b.id].Version)
			}},
		{"another quality stands too", operators.Word{Quality: operators.Unhealthy}, func(b *bench) { b.at(100).hears(operators.Bound) },
			func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
		{"a good word that differs stands for 60 s", operators.Word{Quality: operators.Degraded}, func(b *bench) { b.at(70).hears(operators.Bound) },
			func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
		{"and not longer", operators.Word{Quality: operators.Degraded}, func(b *bench) { b.at(71).hears(operators.Bound) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Bound, operators.Healthy, 2) }},
		{"an UNBOUND of our own, said while the store was down, ends with the next report", operators.Word{Bind: operators.Unbound, Provisional: true},
			func(b *bench) { b.at(20).hears(operators.Bound) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Bound, operators.Healthy, 2) }},
		{"what cannot be read is replaced", operators.Word{}, func(b *bench) { b.at(20).hears(operators.Bound) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Bound, operators.Healthy, 1) }},
		{"a higher version is overtaken", operators.Word{Bind: operators.Unbound, Version: 900}, func(b *bench) { b.at(20).hears(operators.Bound) },
			func(t *testing.T, b *bench) {
				b.saidLast(operators.Bound, operators.Healthy, 901)
				require.EqualValues(t, 901, b.live[b.id].Version)
			}},
		{"a version that nothing is above stands", operators.Word{Bind: operators.Unbound, Version: math.MaxInt64}, func(b *bench) { b.at(20).hears(operators.Bound) },
			func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.hears(operators.Bound)
			b.at(10).byHand(tt.word)
			tt.play(b)
			tt.want(t, b)
		})
	}
}

func TestAHealthIsShownAsEnginesHoldItUnderAWordByHand(t *testing.T) {
	at := func(second int) time.Time { return checkTime.Add(time.Duration(second) * time.Second) }
	bound := operators.Health{Bind: operators.Bound, Quality: operators.Healthy, Version: 7, ChangedAt: at(0), ObservedAt: at(100)}
	lost := operators.Health{Bind: operators.Unbound, Quality: operators.Unhealthy, Version: 8, ChangedAt: at(0), ObservedAt: at(100)}
	for _, c := range []struct {
		name     string
		reported operators.Health
		word     operators.Word
		want     string
	}{
		{"no word", bound, operators.Word{}, "BOUND HEALTHY 7 0 100"},
		{"a word that cannot be read", bound, operators.Word{Place: 1, At: at(50)}, "BOUND HEALTHY 7 0 100"},
		{"the word of the health", bound, operators.Word{Bind: operators.Bound, Quality: operators.Healthy, Version: 7, At: at(90)}, "BOUND HEALTHY 7 0 100"},
		{"an older word with a version", bound, operators.Word{Bind: operators.Unbound, Quality: operators.Unhealthy, Version: 6, At: at(90)}, "BOUND HEALTHY 7 0 100"},
		{"UNBOUND by hand", bound, operators.Word{Bind: operators.Unbound, At: at(10)}, "UNBOUND UNHEALTHY 7 10 10 by hand"},
		{"UNHEALTHY by hand", bound, operators.Word{Quality: operators.Unhealthy, At: at(10)}, "BOUND UNHEALTHY 7 10 10 by hand"},
		{"UNBOUND of our own, said while the store was down", bound, operators.Word{Bind: operators.Unbound, At: at(10), Provisional: true}, "UNBOUND UNHEALTHY 7 10 10"},
		{"a version that nothing is above", bound, operators.Word{Bind: operators.Unbound, Version: math.MaxInt64, At: at(10)}, "UNBOUND UNHEALTHY 9223372036854775807 10 10 by hand"},
		{"UNBOUND before the health changed", bound, operators.Word{Bind: operators.Unbound, At: at(0)}, "BOUND HEALTHY 7 0 100"},
		{"BOUND by hand", lost, operators.Word{Bind: operators.Bound, At: at(90)}, "BOUND HEALTHY 8 90 90 by hand"},
		{"BOUND by hand that is too old", lost, operators.Word{Bind: operators.Bound, At: at(39)}, "UNBOUND UNHEALTHY 8 0 100"},
		{"DEGRADED by hand", bound, operators.Word{Quality: operators.Degraded, At: at(90)}, "BOUND DEGRADED 7 90 90 by hand"},
		{"FAILBACK leaves the quality", bound, operators.Word{Bind: operators.Failback, At: at(90)}, "FAILBACK HEALTHY 7 90 90 by hand"},
		{"the same by hand", bound, operators.Word{Bind: operators.Bound, At: at(90)}, "BOUND HEALTHY 7 0 90 by hand"},
		{"BOUND where nothing is reported", operators.Health{}, operators.Word{Bind: operators.Bound, At: at(90)}, "BOUND HEALTHY 0 90 90 by hand"},
		{"a newer version than the one that was read", bound, operators.Word{Bind: operators.Unbound, Quality: operators.Unhealthy, Version: 8, At: at(90)}, "UNBOUND UNHEALTHY 8 90 90"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.reported.Under(c.word, at(100))
			shown := fmt.Sprintf("%s %s %d %.0f %.0f", got.Bind, got.Quality, got.Version,
				got.ChangedAt.Sub(at(0)).Seconds(), got.ObservedAt.Sub(at(0)).Seconds())
			if got.ByHand {
				shown += " by hand"
			}
			require.Equal(t, c.want, shown)
		})
	}
}

func TestAHigherVersionThatCannotBeOvertakenIsTriedAgain(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(10).byHand(operators.Word{Bind: operators.Unbound, Version: 900})
	b.at(20).storeFails = errDown
	b.hears(operators.Bound)
	require.Len(t, b.said, 1)
	b.storeFails = nil
	delete(b.live, b.id)
	b.at(22).hears(operators.Bound)
	require.Len(t, b.said, 1, "the operator was deleted")
	b.live[b.id] = operators.Health{OperatorID: b.id}
	b.at(40).takeOver()
	b.hears(operators.Bound)
	b.saidLast(operators.Bound, operators.Healthy, 901)
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
