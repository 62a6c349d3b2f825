package rpcserver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// procedure is one RPC method with everything that is known before a call.
type procedure struct {
	name     string // /package.Service/Method
	stream   connect.StreamType
	get      bool // may be called with HTTP GET
	infra    bool // health and reflection: no metrics, no log line unless it fails
	audience optionsv1.Audience
	role     caller.Role       // the least that may call; None for infra only
	scoped   bool              // the answer is limited to the caller's account
	callers  map[Identity]bool // who may call an internal procedure
	maxBytes int
	timeout  time.Duration // 0 for infra streams: there are few, and watches last
	meter    *meter
	input    protoreflect.MessageDescriptor // nil when the handler has no schema
	valid    func(message any) bool         // see Mount.Valid; nil for most
	handler  http.Handler
	maxCalls int64        // 0 is any number
	open     atomic.Int64 // calls in flight of a procedure with maxCalls
}

const (
	// streamTime is the longest a stream lives that has no limit of its own.
	streamTime = 30 * time.Minute
	// openStreams bounds the streams of each infra procedure, which ask for no credential.
	openStreams = 200
	// streamRetry is when a caller of one too many should come back.
	streamRetry = 5 * time.Second
)

// occupy counts a call of a procedure with maxCalls while it is in flight.
func (p *procedure) occupy() (leave func(), f *fault.Fault) {
	if p.maxCalls == 0 {
		return nil, nil
	}
	if p.open.Add(1) > p.maxCalls {
		p.open.Add(-1)
		return nil, fault.New(fault.ResourceExhausted, ReasonTooManyStreams,
			"Too many calls of this method are in flight. End some, or wait for the delay given and try again.").WithRetry(streamRetry)
	}
	return func() { p.open.Add(-1) }, nil
}

// takesOne reports whether callers send exactly one message.
func (p *procedure) takesOne() bool {
	return p.stream&connect.StreamTypeClient == 0
}

// mountAll builds every handler. The procedures of a service are not known from
// its http.Handler, so an option that the library evaluates per procedure
// collects them.
func (s *Server) mountAll(mounts []Mount, infra bool) error {
	for _, m := range mounts {
		if m.Name == "" || m.Handler == nil {
			return fmt.Errorf("a mount needs a name and a handler (name %q)", m.Name)
		}
		if s.services[m.Name] {
			return fmt.Errorf("the service %s is mounted twice", m.Name)
		}
		var found []*procedure
		path, handler := m.Handler(s.marked, connect.WithConditionalHandlerOptions(
			func(spec connect.Spec) []connect.HandlerOption {
				p := s.newProcedure(spec, infra)
				found = append(found, p)
				return s.handlerOptions(p)
			}))
		if path != "/"+m.Name+"/" {
			return fmt.Errorf("the mount %s serves the path %s; its name must be the full service name", m.Name, path)
		}
		if len(found) == 0 {
			return fmt.Errorf("the mount %s does not pass the handler options on", m.Name)
		}
		if !infra {
			audience, err := audienceOfService(m.Name, found)
			if err != nil {
				return err
			}
			for _, p := range found {
				s.known[p.name] = audience
			}
			if audience != s.opts.Audience {
				continue
			}
		}
		s.services[m.Name] = true
		for _, p := range found {
			p.handler, p.valid = handler, m.Valid[p.name]
			if !infra {
				p.meter = newMeter(s.opts.Metrics, p.name)
			}
			s.procedures[p.name] = p
		}
	}
	return nil
}

func (s *Server) newProcedure(spec connect.Spec, infra bool) *procedure {
	access := accessOf(spec)
	role, _ := roleOf(access.GetRole()) // None stops the start, see audienceOfService
	p := &procedure{
		name:     spec.Procedure,
		stream:   spec.StreamType,
		get:      spec.StreamType == connect.StreamTypeUnary && spec.IdempotencyLevel == connect.IdempotencyNoSideEffects,
		infra:    infra,
		audience: access.GetAudience(),
		role:     role,
		scoped:   access.GetAccountScoped(),
		callers:  map[Identity]bool{},
		maxBytes: s.cfg.MaxMessageBytes,
		timeout:  s.cfg.RequestTimeout,
	}
	if method, ok := spec.Schema.(protoreflect.MethodDescriptor); ok {
		p.input = method.Input()
	}
	switch {
	case spec.StreamType == connect.StreamTypeUnary:
	case infra:
		p.timeout, p.maxCalls = 0, openStreams
	default:
		p.timeout = streamTime
	}
	if l, ok := s.opts.Limits[spec.Procedure]; ok {
		if l.MaxBytes > 0 {
			p.maxBytes = l.MaxBytes
		}
		if l.Timeout > 0 {
			p.timeout = l.Timeout
		}
		if l.MaxCalls > 0 {
			p.maxCalls = int64(l.MaxCalls)
		}
	}
	for _, id := range s.opts.Identities[spec.Procedure] {
		p.callers[id] = true
	}
	return p
}

// slack lets a poison through the library's own size check, which stays on as a
// second fence behind the body guard.
const slack = nonceBytes + 1

func (s *Server) handlerOptions(p *procedure) []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithReadMaxBytes(p.maxBytes + slack),
		compression(s.marks, p.maxBytes),
		connect.WithInterceptors(s.stack(p)...),
	}
}

// Procedure returns the procedure of the current call, such as
// /trunkline.routing.v1.RoutingService/SelectOperator, or "" outside of a call.
func Procedure(ctx context.Context) string {
	if c := callFrom(ctx); c != nil && c.procedure != nil {
		return c.procedure.name
	}
	return ""
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
