package rpc

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing"
)

// defaultPast is how much of the past a watcher gets who does not say.
const defaultPast = 5 * time.Minute

// errDraining ends a stream because the process stops.
var errDraining = errors.New("the server is draining")

// WatchTraffic tells how many decisions the engines make, second by second. It ends without an error when its time is over or the
// process stops: callers begin again.
func (d *Decisions) WatchTraffic(
	ctx context.Context, req *routingv1.WatchTrafficRequest, stream *connect.ServerStream[routingv1.WatchTrafficResponse],
) error {
	past := defaultPast
	if req.GetHistory() != nil {
		past = req.GetHistory().AsDuration()
	}
	ctx, end := untilDraining(ctx)
	defer end()
	err := d.traffic.Watch(ctx, past, func(points []routing.TrafficPoint) error {
		return stream.Send(&routingv1.WatchTrafficResponse{Points: toPoints(points)})
	})
	if errors.Is(context.Cause(ctx), errDraining) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return err
}

// untilDraining gives a context that ends when the server drains, too.
func untilDraining(ctx context.Context) (context.Context, context.CancelFunc) {
	draining := rpcserver.Draining(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-draining:
			cancel(errDraining)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func toPoints(points []routing.TrafficPoint) []*routingv1.TrafficPoint {
	out := make([]*routingv1.TrafficPoint, len(points))
	for i, p := range points {
		out[i] = &routingv1.TrafficPoint{
			StartTime: timestamppb.New(p.Start), Seconds: int32(p.Span / time.Second), DecisionCount: p.Count, FailedCount: p.Failed,
		}
		if p.Count > 0 {
			out[i].LatencyP95 = durationpb.New(p.P95)
		}
	}
	return out
}
