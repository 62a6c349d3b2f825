package rpcclient

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/propagation"

	"trunkline/services/platform/telemetry"
)

const requestIDHeader = "X-Request-Id"

// outgoing is what every call has.
type outgoing struct{ timeout time.Duration }

// WrapUnary implements connect.Interceptor.
func (o *outgoing) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		passOn(ctx, req.Header())
		res, err := next(ctx, req)
		return res, lost(ctx, err)
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (o *outgoing) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		passOn(ctx, conn.RequestHeader())
		return &receiving{conn, ctx}
	}
}

// WrapStreamingHandler implements connect.Interceptor; a client handles nothing.
func (o *outgoing) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

type receiving struct {
	connect.StreamingClientConn
	ctx context.Context // the stream lives as long as it
}

// Receive implements connect.StreamingClientConn.
func (r *receiving) Receive(message any) error {
	return lost(r.ctx, r.StreamingClientConn.Receive(message))
}

func passOn(ctx context.Context, h http.Header) {
	if id := telemetry.RequestID(ctx); id != "" {
		h.Set(requestIDHeader, id)
	}
	telemetry.Propagator().Inject(ctx, propagation.HeaderCarrier(h))
}

// lost makes a broken connection UNAVAILABLE. The library says CANCELED, because
// for a server it means that the caller is gone; here nobody canceled anything.
func lost(ctx context.Context, err error) error {
	var ce *connect.Error
	if !errors.As(err, &ce) || ce.Code() != connect.CodeCanceled || ctx.Err() != nil {
		return err
	}
	return connect.NewError(connect.CodeUnavailable, ce.Unwrap())
}
