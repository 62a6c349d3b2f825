package rpcserver

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// layer is an interceptor made of two functions: around wraps a whole call of
// either shape, receive wraps each message a stream receives. Both may be nil.
type layer struct {
	around  func(ctx context.Context, header http.Header, inner inner) error
	receive func(ctx context.Context, message any) error
}

// inner is the part of a call inside of a layer. It is an interface because a
// function would be one more allocation for every call.
type inner interface {
	run(ctx context.Context) error
}

type innerUnary struct {
	layer *layer
	next  connect.UnaryFunc
	req   connect.AnyRequest
	res   connect.AnyResponse
}

func (u *innerUnary) run(ctx context.Context) (err error) {
	if u.layer.receive != nil {
		if err := u.layer.receive(ctx, u.req.Any()); err != nil {
			return err
		}
	}
	u.res, err = u.next(ctx, u.req)
	return err
}

// WrapUnary implements connect.Interceptor.
func (l *layer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		u := &innerUnary{layer: l, next: next, req: req}
		var err error
		if l.around == nil {
			err = u.run(ctx)
		} else {
			err = l.around(ctx, req.Header(), u)
		}
		if err != nil {
			return nil, err
		}
		return u.res, nil
	}
}

type innerStream struct {
	layer *layer
	next  connect.StreamingHandlerFunc
	conn  connect.StreamingHandlerConn
}

func (s *innerStream) run(ctx context.Context) error {
	conn := s.conn
	if s.layer.receive != nil {
		conn = &receiving{StreamingHandlerConn: conn, ctx: ctx, each: s.layer.receive}
	}
	return s.next(ctx, conn)
}

// WrapStreamingHandler implements connect.Interceptor.
func (l *layer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		s := &innerStream{layer: l, next: next, conn: conn}
		if l.around == nil {
			return s.run(ctx)
		}
		return l.around(ctx, conn.RequestHeader(), s)
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
// explains the order. Each one costs every call an allocation and stack, so
// those of the server are one.
func (s *Server) stack(p *procedure) []connect.Interceptor {
	intake := s.intake(p)
	server := &layer{around: s.around(p), receive: intake}
	out := []connect.Interceptor{server}
	switch {
	case p.infra:
	case len(s.opts.Interceptors) == 0:
		server.receive = func(ctx context.Context, message any) error {
			if err := intake(ctx, message); err != nil {
				return err
			}
			return s.validate(p, message)
		}
	default:
		out = append(out, s.opts.Interceptors...)
		out = append(out, &layer{receive: func(_ context.Context, message any) error { return s.validate(p, message) }})
	}
	return out
}

// around gives a call an id that came in without one, which happens only when a
// handler is served without the server's root, catches panics of what is inside, and
// traces the call.
func (s *Server) around(p *procedure) func(context.Context, http.Header, inner) error {
	name := strings.TrimPrefix(p.name, "/")
	return func(ctx context.Context, h http.Header, in inner) (err error) {
		c := callFrom(ctx)
		if c == nil {
			c = &call{id: requestID(h), start: time.Now(), procedure: p}
			ctx = c.within(ctx)
		}
		defer s.caught(ctx, p.name, &err)
		if s.trace == nil || p.infra {
			return s.serve(ctx, c, p, in)
		}
		ctx, span := s.trace.begin(ctx, name, h)
		defer span.End()
		err = s.serve(ctx, c, p, in)
		if span.IsRecording() {
			describe(c, span, name, err)
		}
		return err
	}
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

// serve counts a call, bounds its time, makes errors of handlers into errors of
// the wire, and lets only permitted calls through, in this order from the outside.
func (s *Server) serve(ctx context.Context, c *call, p *procedure, in inner) error {
	c.observed = true
	err := s.bounded(ctx, c, p, in)
	var ce *connect.Error
	if err != nil && !errors.As(err, &ce) {
		ce = fromFault(fault.From(err), c.id)
		err = ce
	}
	s.observer.observe(ctx, c, ce)
	return err
}

// bounded gives a call or stream its deadline, counted from its first header. It is the
// one place where errors of handlers become errors of the wire.
func (s *Server) bounded(ctx context.Context, c *call, p *procedure, in inner) error {
	if p.timeout > 0 {
		end := c.start.Add(p.timeout)
		if sooner, ok := ctx.Deadline(); !ok || !sooner.Before(end) {
			bound := withDeadline(ctx, end)
			defer bound.cancel()
			ctx = bound
		}
	}
	if err := s.permitted(ctx, c, p, in); err != nil {
		return translate(ctx, err, c.id)
	}
	return nil
}

// permitted names the caller to the handler. A call that did not pass permit came
// around the root of the server, and is refused.
func (s *Server) permitted(ctx context.Context, c *call, p *procedure, in inner) (err error) {
	defer s.caught(ctx, p.name, &err)
	if p.infra {
		return in.run(ctx)
	}
	if !c.permitted {
		return credentialRequired()
	}
	if !p.takesOne() {
		if err := s.enter(ctx, p, nil); err != nil {
			return err
		}
	}
	return in.run(caller.With(ctx, c.who))
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
