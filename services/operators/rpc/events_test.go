package rpc_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// endless tells of one change and then nothing more.
type endless struct{ left chan error }

func (e endless) Watch(ctx context.Context, stop <-chan struct{}, send func(*operatorsv1.WatchEventsResponse) error) error {
	err := send(&operatorsv1.WatchEventsResponse{Event: &operatorsv1.WatchEventsResponse_OperatorConfig{
		OperatorConfig: &eventsv1.OperatorConfigEvent{ConfigVersion: 7},
	}})
	if err == nil {
		select {
		case <-stop:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	e.left <- err
	return err
}

// watch begins to watch a server with these limits, and has been told of the change.
func watch(ctx context.Context, t *testing.T, feed rpc.Feed, limits rpcserver.Limits) (
	*rpcservertest.Running, operatorsv1connect.EventServiceClient, *connect.ServerStreamForClient[operatorsv1.WatchEventsResponse],
) {
	t.Helper()
	events := rpc.NewEvents(feed)
	running := rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		c.Drain.Timeout = 10 * time.Minute
		o.Limits = map[string]rpcserver.Limits{operatorsv1connect.EventServiceWatchEventsProcedure: limits}
	}, rpcserver.Mount{Name: operatorsv1connect.EventServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return operatorsv1connect.NewEventServiceHandler(events, opts...)
	}})
	client := operatorsv1connect.NewEventServiceClient(running.HTTP2, running.URL, connect.WithGRPCWeb())
	stream, err := client.WatchEvents(ctx, &operatorsv1.WatchEventsRequest{})
	require.NoError(t, err)
	require.True(t, stream.Receive())
	require.EqualValues(t, 7, stream.Msg().GetOperatorConfig().GetConfigVersion())
	return running, client, stream
}

func TestWatchingEndsInOrderWhenTheServerStops(t *testing.T) {
	feed := endless{make(chan error, 1)}
	running, _, stream := watch(t.Context(), t, feed, rpcserver.Limits{})
	stopped := make(chan error, 1)
	go func() { stopped <- running.Server.Shutdown(context.Background()) }()
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	require.NoError(t, <-feed.left)
	require.NoError(t, <-stopped)
}

func TestWatchingEndsInOrderAfterItsLongestTime(t *testing.T) {
	feed := endless{make(chan error, 1)}
	_, _, stream := watch(t.Context(), t, feed, rpcserver.Limits{Timeout: 2 * time.Second})
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	require.ErrorIs(t, <-feed.left, context.DeadlineExceeded)
}

func TestWatchingEndsWithItsCaller(t *testing.T) {
	feed := endless{make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	_, _, stream := watch(ctx, t, feed, rpcserver.Limits{})
	cancel()
	require.False(t, stream.Receive())
	_ = stream.Close()
	require.ErrorIs(t, <-feed.left, context.Canceled)
}

func TestWatchersAreBounded(t *testing.T) {
	feed := endless{make(chan error, 2)}
	_, client, stream := watch(t.Context(), t, feed, rpcserver.Limits{MaxCalls: 1})
	second, err := client.WatchEvents(t.Context(), &operatorsv1.WatchEventsRequest{})
	require.NoError(t, err)
	require.False(t, second.Receive())
	var retry errdetails.RetryInfo
	require.Equal(t, "resource_exhausted TOO_MANY_STREAMS", details(t, second.Err(), &retry))
	require.Positive(t, retry.GetRetryDelay().AsDuration())
	_ = second.Close()
	_ = stream.Close()
}
