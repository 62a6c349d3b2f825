package releases_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/metrics"
	"trunkline/services/operators/releases"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

func say(t *testing.T, conn *jetstream.Conn, id string, e *eventsv1.ReleaseEvent) {
	t.Helper()
	data, err := protojson.Marshal(e)
	require.NoError(t, err)
	require.NoError(t, conn.Publish(t.Context(), release.EngineSubject(id), data, ""))
}

func TestWhatEnginesSayIsHeardAndForgotten(t *testing.T) {
	w := onSQLite(t)
	conn := w.connected(t)
	now := clock.NewFake(time.Now())
	board := releases.NewEngines(conn, now, quiet)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		board.Listen(ctx)
	}()
	defer func() {
		stop()
		<-done
	}()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, metrics.RegisterReleases(reg, board.Count, func() int64 { return 2 }))

	one, two := uuid.NewString(), uuid.NewString()
	since := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	serving := &eventsv1.ReleaseEvent{
		EngineId: one, Host: "b", State: eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING, ReleaseId: two, Activation: 7,
		ServingReleaseId: two, ServingActivation: 7, ServingSince: timestamppb.New(since), OccurredAt: timestamppb.Now(),
	}
	// What cannot be read is left out.
	require.NoError(t, conn.Publish(t.Context(), release.EngineSubject("broken"), []byte("{"), ""))
	say(t, conn, "nobody", &eventsv1.ReleaseEvent{EngineId: "nobody"})
	say(t, conn, uuid.NewString(), serving)
	say(t, conn, one, serving)
	say(t, conn, two, &eventsv1.ReleaseEvent{
		EngineId: two, Host: "a", State: eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED, ReleaseId: two, Activation: 7, Reason: "ARTIFACT_DIGEST",
	})
	require.Eventually(t, func() bool { return len(board.Heard()) == 2 }, limit, tick)
	heard := board.Heard()
	require.Equal(t, []string{"a", "b"}, []string{heard[0].Host, heard[1].Host})
	require.Equal(t, "ARTIFACT_DIGEST", heard[0].Reason)
	require.WithinDuration(t, time.Now(), heard[1].At, limit)
	heard[1].At = time.Time{}
	require.Equal(t, operators.EngineWord{
		EngineID: uuid.MustParse(one), Host: "b", State: operators.EngineServing, ReleaseID: uuid.MustParse(two), Activation: 7,
		ServingID: uuid.MustParse(two), ServingActivation: 7, ServingSince: since,
	}, heard[1])
	inForce := operators.Force{InForce: &operators.Activation{Number: 7, ReleaseID: uuid.MustParse(two)}}
	require.True(t, heard[1].Serves(inForce))
	require.False(t, heard[0].Serves(inForce))
	require.False(t, heard[1].Serves(operators.Force{InForce: &operators.Activation{Number: 7, ReleaseID: uuid.MustParse(one)}}),
		"the number again, for another release: the database was put back")
	require.False(t, heard[1].Serves(operators.Force{}))
	require.Equal(t, 1, board.Count(operators.EngineRefused))
	got, err := testutil.GatherAndCount(reg, "ops_release_engines", "ops_release_announce_pending")
	require.NoError(t, err)
	require.Equal(t, 4, got)

	now.Advance(operators.EngineLife + limit)
	require.Empty(t, board.Heard())
}

func TestTheStatesOfEnginesHaveTheNumbersOfTheSchema(t *testing.T) {
	require.Len(t, eventsv1.ReleaseEngineState_name, len(operators.EngineStates())+1)
	for number, name := range map[operators.EngineState]eventsv1.ReleaseEngineState{
		operators.EngineServing:  eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING,
		operators.EngineRefused:  eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED,
		operators.EnginePrepared: eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED,
	} {
		require.EqualValues(t, name, number)
		require.NotEmpty(t, number.String())
	}
}
