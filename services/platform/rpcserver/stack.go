package rpcserver

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"trunkline/services/platform/caller"
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
// explains the order. Each one costs every call two allocations, so what belongs
// together is one.
func (s *Server) stack(p *procedure) []connect.Interceptor {
	out := []connect.Interceptor{s.outermost(p)}
	if s.trace != nil && !p.infra {
		out = append(out, s.trace.layer(p))
	}
	intake := s.intake(p)
	inner := &layer{around: s.serving(p), receive: intake}
	out = append(out, inner)
	switch {
	case p.infra:
	case len(s.opts.Interceptors) == 0:
		inner.receive = func(ctx context.Context, message any) error {
			if err := intake(ctx, message); err != nil {
				return err
			}
			return s.validate(ctx, message)
		}
	default:
		out = append(out, s.opts.Interceptors...)
		out = append(out, &layer{receive: s.validate})
	}
	return out
}

// outermost gives a call an id that came in without one, which happens only when a
// handler is served without the server's root, and catches panics of the layers inside.
func (s *Server) outermost(p *procedure) *layer {
	return &layer{around: func(ctx context.Context, h http.Header, next func(context.Context) error) (err error) {
		if callFrom(ctx) == nil {
			c := &call{id: requestID(h), start: time.Now(), procedure: p}
			ctx = c.within(ctx)
		}
		defer s.caught(ctx, p.name, &err)
		return next(ctx)
	}}
}

// caught turns a panic into an INTERNAL error. It is deferred twice for each call:
// inside, so that the layers around it see the error, and outside, for a defect of
// those layers.
func (s *Server) caught(ctx context.Context, where string, err *error) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it this way too
		panic(v)
	}
	s.panicked(ctx, where, v)
	*err = fromFault(fault.New(fault.Internal, fault.ReasonInternal, hiddenText), requestIDOf(ctx))
}

func (s *Server) panicked(ctx context.Context, where string, value any) {
	s.panics.Inc()
	s.log.ErrorContext(ctx, "panic in a handler", "procedure", where, "panic", value, "stack", string(debug.Stack()))
}

// serving counts a call, bounds its time, makes errors of handlers into errors of
// the wire, and lets only permitted calls through, in this order from the outside.
func (s *Server) serving(p *procedure) func(context.Context, http.Header, func(context.Context) error) error {
	return func(ctx context.Context, _ http.Header, next func(context.Context) error) error {
		c := callFrom(ctx)
		c.observed = true
		err := s.bounded(ctx, c, p, next)
		var ce *connect.Error
		if err != nil && !errors.As(err, &ce) {
			ce = fromFault(fault.From(err), c.id)
			err = ce
		}
		s.observer.observe(ctx, c, ce)
		return err
	}
}

// bounded gives a call or stream its deadline, counted from its first header. It is the
// one place where errors of handlers become errors of the wire.
func (s *Server) bounded(ctx context.Context, c *call, p *procedure, next func(context.Context) error) error {
	if p.timeout > 0 {
		end := c.start.Add(p.timeout)
		if sooner, ok := ctx.Deadline(); !ok || !sooner.Before(end) {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end)
			defer cancel()
		}
	}
	if err := s.permitted(ctx, c, p, next); err != nil {
		return translate(ctx, err, c.id)
	}
	return nil
}

// permitted names the caller to the handler. A call that did not pass permit came
// around the root of the server, and is refused.
func (s *Server) permitted(ctx context.Context, c *call, p *procedure, next func(context.Context) error) (err error) {
	defer s.caught(ctx, p.name, &err)
	if p.infra {
		return next(ctx)
	}
	if !c.permitted {
		return credentialRequired()
	}
	if !p.takesOne() {
		if err := s.enter(ctx, p, nil); err != nil {
			return err
		}
	}
	return next(caller.With(ctx, c.who))
}

// enter asks for the place of a call, and may wait for it.
func (s *Server) enter(ctx context.Context, p *procedure, message any) (err error) {
	if s.opts.Enter == nil || p.infra {
		return nil
	}
	c := callFrom(ctx)
	c.leave, err = s.opts.Enter(ctx, c.who, p.name, message)
	return err
}

// intake fails calls whose message the codec could not decode, and lets the others enter.
func (s *Server) intake(p *procedure) func(context.Context, any) error {
	return func(ctx context.Context, message any) error {
		if m, ok := message.(proto.Message); ok {
			if f := s.marks.take(m, p.maxBytes); f != nil {
				return f
			}
		}
		if p.takesOne() {
			return s.enter(ctx, p, message)
		}
		return nil
	}
}
