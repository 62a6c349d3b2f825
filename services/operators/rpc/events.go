package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/rpcserver"
)

// MaxWatchers is how many streams of WatchEvents one process has. One more is refused by the limits of the server, which whoever
// mounts Events sets to this.
const MaxWatchers = 200

// Feed tells what happens.
type Feed interface {
	// Watch sends until ctx ends, stop closes or send fails, and returns the error of ctx or send.
	Watch(ctx context.Context, stop <-chan struct{}, send func(*operatorsv1.WatchEventsResponse) error) error
}

// Events serves EventService.
type Events struct {
	feed Feed
}

var _ operatorsv1connect.EventServiceHandler = (*Events)(nil)

// NewEvents gives the handler of EventService.
func NewEvents(feed Feed) *Events { return &Events{feed: feed} }

// WatchEvents streams events. A stop of the server and the longest time of a stream end it in order: the caller begins anew,
// and its credential is looked at again.
func (h *Events) WatchEvents(
	ctx context.Context, _ *operatorsv1.WatchEventsRequest, stream *connect.ServerStream[operatorsv1.WatchEventsResponse],
) error {
	err := h.feed.Watch(ctx, rpcserver.Draining(ctx), stream.Send)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
