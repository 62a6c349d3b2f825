package operators_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

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
