package operatorsfx_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators/rpc"
)

// beating waits for a heartbeat that says whether NATS is there.
func beating(t *testing.T, stream *connect.ServerStreamForClient[operatorsv1.WatchEventsResponse], connected bool) {
	t.Helper()
	for stream.Receive() {
		if beat := stream.Msg().GetHeartbeat(); beat != nil && beat.GetConnected() == connected {
			return
		}
	}
	require.NoError(t, stream.Err())
	require.Fail(t, "the stream ended")
}

func TestTheModuleTellsOfChanges(t *testing.T) {
	a := newApp(t)
	// It is open while the module stops, and must not hold that up.
	stream, err := operatorsv1connect.NewEventServiceClient(http.DefaultClient, a.server.URL()).WatchEvents(context.Background(), &operatorsv1.WatchEventsRequest{})
	require.NoError(t, err)
	beating(t, stream, true)
	client := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, a.server.URL())
	created, err := client.CreateOperator(t.Context(), &operatorsv1.CreateOperatorRequest{Password: "secret", Operator: &operatorsv1.Operator{
		Name: "Nord", Host: "nord.example", Port: 2775, SystemId: "tl", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 10},
	}})
	require.NoError(t, err)
	for stream.Msg().GetOperatorConfig() == nil {
		require.True(t, stream.Receive(), "%v", stream.Err())
	}
	require.Equal(t, created.GetOperator().GetOperatorId(), stream.Msg().GetOperatorConfig().GetOperatorId())
}

func TestTheModuleBoundsWatchers(t *testing.T) {
	a := newApp(t)
	client := operatorsv1connect.NewEventServiceClient(http.DefaultClient, a.server.URL())
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for range rpc.MaxWatchers {
		stream, err := client.WatchEvents(ctx, &operatorsv1.WatchEventsRequest{})
		require.NoError(t, err)
		require.True(t, stream.Receive(), "%v", stream.Err())
	}
	stream, err := client.WatchEvents(ctx, &operatorsv1.WatchEventsRequest{})
	require.NoError(t, err)
	require.False(t, stream.Receive())
	require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(stream.Err()))
	var failure *connect.Error
	require.True(t, errors.As(stream.Err(), &failure))
	require.NotEmpty(t, failure.Details())
}
