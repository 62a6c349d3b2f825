package rpcserver

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"trunkline/services/platform/fault"
)

// layer is an interceptor made of two functions: around wraps a whole call of
// either shape, receive wraps each message a stream receives. Both may be nil.
type layer struct {
	around  func(ctx context.Context, header http.Header, next func(context.Context) error) error
	receive func(ctx context.Context, message any) error
}

// WrapUnary implements connect.Interceptor.
func (l *layer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		call := func(ctx context.Context) error {
			if l.receive != nil {
				if err := l.receive(ctx, req.Any()); err != nil {
					return err
				}
			}
			var err error
			res, err = next(ctx, req)
			return err
		}
		if l.around == nil {
			err = call(ctx)
		} else {
			err = l.around(ctx, req.Header(), call)
		}
		if err != nil {
			return nil, err
		}
		return res, nil
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (l *layer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		call := func(ctx context.Context) error {
			if l.receive != nil {
				conn = &receiving{StreamingHandlerConn: conn, ctx: ctx, each: l.receive}
			}
			return next(ctx, conn)
		}
		if l.around == nil {
			return call(ctx)
		}
		return l.around(ctx, conn.RequestHeader(), call)
	}
}

// WrapStreamingClient implements connect.Interceptor; the server makes no calls.
func (l *layer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

type receiving struct {
	connect.StreamingHandlerConn
	ctx  context.Context // the stream lives as long as it
	each func(context.Context, any) error
}

// Receive implements connect.StreamingHandlerConn.
func (r *receiving) Receive(message any) error {
	if err := r.StreamingHandlerConn.Receive(message); err != nil {
		return err
	}
	return r.each(r.ctx, message)
}

// stack returns the interceptors of one procedure, outermost first. doc.go
// explains the order.
func (s *Server) stack(p *procedure) []connect.Interceptor {
	recoverer := s.recovering(p)
	out := []connect.Interceptor{recoverer}
	if s.trace != nil && !p.infra {
		out = append(out, s.trace.layer(p))
	}
	out = append(out, identify(p), s.observing(p))
	if p.stream == connect.StreamTypeUnary {
		out = append(out, deadline(p.timeout))
	}
	out = append(out, faults(), recoverer)
	if !p.infra {
		out = append(out, permitted())
	}
	out = append(out, s.intake(p))
	if p.infra {
		return out
	}
	out = append(out, s.opts.Interceptors...)
	return append(out, &layer{receive: s.validate})
}

// recovering turns a panic into an INTERNAL error. It stands twice in the
// stack: inside, so that the layers around it see the error, and outside, for
// a defect of those layers.
func (s *Server) recovering(p *procedure) *layer {
	return &layer{around: func(ctx context.Context, _ http.Header, next func(context.Context) error) (err error) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it this way too
				panic(v)
			}
			s.panicked(ctx, p.name, v)
			err = fromFault(fault.New(fault.Internal, fault.ReasonInternal, hiddenText), requestIDOf(ctx))
		}()
		return next(ctx)
	}}
}

func (s *Server) panicked(ctx context.Context, where string, value any) {
	s.panics.Inc()
	s.log.ErrorContext(ctx, "panic in a handler", "procedure", where, "panic", value, "stack", string(debug.Stack()))
}

// identify gives a call an id that came in without one, which happens only when
// a handler is served without the server's root.
func identify(p *procedure) *layer {
	return &layer{around: func(ctx context.Context, h http.Header, next func(context.Context) error) error {
		if callFrom(ctx) != nil {
			return next(ctx)
		}
		c := &call{id: requestID(h), start: time.Now(), procedure: p}
		return next(c.within(ctx))
	}}
}

func (s *Server) observing(p *procedure) *layer {
	return &layer{around: func(ctx context.Context, _ http.Header, next func(context.Context) error) error {
		c := callFrom(ctx)
		c.observed = true
		err := next(ctx)
		var ce *connect.Error
		if err != nil && !errors.As(err, &ce) {
			ce = fromFault(fault.From(err), c.id)
			err = ce
		}
		s.observer.observe(ctx, c, ce)
		return err
	}}
}

// deadline bounds a unary call, counted from its first header.
func deadline(limit time.Duration) *layer {
	return &layer{around: func(ctx context.Context, _ http.Header, next func(context.Context) error) error {
		end := callFrom(ctx).start.Add(limit)
		if sooner, ok := ctx.Deadline(); ok && sooner.Before(end) {
			return next(ctx)
		}
		ctx, cancel := context.WithDeadline(ctx, end)
		defer cancel()
		return next(ctx)
	}}
}

// faults is the one place where errors of handlers become errors of the wire.
func faults() *layer {
	return &layer{around: func(ctx context.Context, _ http.Header, next func(context.Context) error) error {
		if err := next(ctx); err != nil {
			return translate(ctx, err, requestIDOf(ctx))
		}
		return nil
	}}
}

// intake fails calls whose message the codec could not decode.
func (s *Server) intake(p *procedure) *layer {
	return &layer{receive: func(_ context.Context, message any) error {
		if m, ok := message.(proto.Message); ok {
			if f := s.marks.take(m, p.maxBytes); f != nil {
				return f
			}
		}
		return nil
	}}
}
