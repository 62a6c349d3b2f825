package rpcserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"trunkline/services/platform/fault"
)

// ServeHTTP is the first code every request meets.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inflight.enter()
	defer s.inflight.leave()
	limitWrite(w, time.Now().Add(s.writeTime(s.procedures[r.URL.Path])))
	if r.ProtoMajor == 1 {
		s.limitLeftover(w, r)
	}
	if s.outdated(r) {
		w.Header().Set("Connection", "close") // on HTTP/2 calls in flight go on and new ones take a new connection
	}
	s.harden(w.Header())
	r = r.WithContext(begin(w, r))
	defer s.rescue(r.Context())
	s.entry.ServeHTTP(w, r)
}

// rescue answers panics of code outside of the interceptors. A response that
// has begun cannot be repaired, so net/http cuts the connection then.
func (s *Server) rescue(ctx context.Context) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it this way too
		panic(v)
	}
	c := callFrom(ctx)
	s.panicked(ctx, "http", v)
	if c.procedure != nil && !c.observed {
		c.observed = true
		s.observer.observe(ctx, c, fromFault(fault.New(fault.Internal, fault.ReasonInternal, hiddenText), c.id))
	}
	panic(http.ErrAbortHandler)
}

// route sends a request to its procedure, or to the pages.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	c := callFrom(r.Context())
	p := s.procedures[r.URL.Path]
	c.procedure = p
	if s.guardBrowser(w, r, c) {
		return
	}
	if p != nil {
		s.serveCall(w, r, c, p)
		return
	}
	if f := s.misspelled(r); f != nil {
		c.protocol = protocolOf(r)
		s.refuse(w, r, c, f, http.StatusNotFound)
		s.settle(r, c)
		return
	}
	if h, pattern := s.pages.Handler(r); pattern == "" {
		s.noPage(w, h, r)
		return
	}
	s.pages.ServeHTTP(w, r)
}

// serveCall inspects the headers, then lets the RPC library work on a guarded body.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request, c *call, p *procedure) {
	guard, f, status := s.inspect(w, r, c, p)
	if f == nil {
		var leave func()
		if leave, f = s.permit(r, c, p); leave != nil {
			defer leave()
		}
	}
	if f != nil {
		if f.Kind == fault.Unauthenticated && !s.internal() && !framedAnswer(r) {
			w.Header().Set("Www-Authenticate", "Bearer")
		}
		if status == http.StatusUnsupportedMediaType {
			s.refuseType(w, c, p, f)
		} else {
			s.refuse(w, r, c, f, status)
		}
		s.settle(r, c)
		return
	}
	if r.ProtoMajor == 1 {
		limitRead(w, time.Time{})
		leftover := func() { s.limitLeftover(w, r) }
		if guard != nil {
			guard.unwanted = leftover
			leftover = guard.leftover
		}
		defer leftover()
	}
	if guard != nil {
		r.Body = guard // r is this server's own shallow copy
		if limit := s.readTime(p); limit > 0 {
			guard.watch.start(w, limit)
		}
		defer guard.watch.stop()
	}
	defer c.done()
	if p.stream == connect.StreamTypeUnary {
		p.handler.ServeHTTP(w, r)
	} else {
		limitWrite(w, time.Time{}) // a stream may write as long as it lives
		p.handler.ServeHTTP(streamWriter{w}, r)
		limitWrite(w, time.Now().Add(writeStalled))
	}
	s.settle(r, c)
}

// readTime bounds the arrival of the messages; 0 is no limit.
func (s *Server) readTime(p *procedure) time.Duration {
	if p.stream == connect.StreamTypeServer {
		return s.cfg.RequestTimeout
	}
	return p.timeout
}

// limitLeftover bounds the wait for the rest of a body that nobody wants: on
// HTTP/1 net/http reads it before it sends the answer. A running call has limits
// of its own, and a deadline that passes then would end it.
func (s *Server) limitLeftover(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		limitRead(w, time.Now().Add(s.cfg.RequestTimeout))
	}
}

func limitRead(w http.ResponseWriter, end time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(end)
}

// inspect returns the guarded body, or the fault and HTTP status (0: the
// protocol's own) of a call that must not go on. The guard is nil for GET.
func (s *Server) inspect(w http.ResponseWriter, r *http.Request, c *call, p *procedure) (*bodyGuard, *fault.Fault, int) {
	if r.Method == http.MethodGet && p.get {
		c.protocol = connect.ProtocolConnect
		if r.ContentLength > 0 {
			return nil, unsupportedType(), http.StatusUnsupportedMediaType
		}
		return nil, checkQuery(r, p.maxBytes), 0
	}
	if r.Method != http.MethodPost {
		c.protocol = connect.ProtocolConnect
		w.Header().Set("Allow", allowed(p))
		return nil, fault.New(fault.Unimplemented, ReasonMethodNotAllowed,
			"This method is called with HTTP %s.", allowed(p)), http.StatusMethodNotAllowed
	}
	d := dialectOf(typesOf(p.stream), r.Header.Get("Content-Type"))
	if d == nil {
		return nil, unsupportedType(), http.StatusUnsupportedMediaType
	}
	c.protocol = d.protocol
	if p.stream == connect.StreamTypeBidi && r.ProtoMajor < 2 {
		// Such a client may wait for ever for a full-duplex answer on this connection.
		w.Header().Set("Connection", "close")
		return nil, fault.New(fault.Unimplemented, ReasonHTTP2Required,
			"This method streams both ways and needs HTTP/2."), http.StatusHTTPVersionNotSupported
	}
	if f := d.checkHeaders(r.Header); f != nil {
		return nil, f, 0
	}
	if !d.framed && r.ContentLength > int64(p.maxBytes) {
		return nil, tooLarge(int64(p.maxBytes)), 0
	}
	encoding := r.Header.Get(d.encoding)
	return &bodyGuard{
		body:       r.Body,
		call:       c,
		ctx:        r.Context(),
		max:        int64(p.maxBytes),
		framed:     d.framed,
		single:     p.takesOne(),
		compressed: encoding != "" && encoding != "identity",
	}, nil, 0
}

// settle counts and logs a call that never reached the interceptors.
func (s *Server) settle(r *http.Request, c *call) {
	if c.observed {
		return
	}
	f := c.refused.Load()
	if f == nil {
		// The library refused something the inspection let through.
		f = fault.New(fault.InvalidArgument, ReasonMalformedMessage, "The request was refused by the protocol.")
		if err := r.Context().Err(); err != nil {
			f = fault.From(err)
		}
	}
	s.observer.observe(r.Context(), c, fromFault(f, c.id))
}

// refuse answers in the protocol of the request. Connect and plain callers get
// the given HTTP status, if any; gRPC carries its status in the trailers.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, c *call, f *fault.Fault, status int) {
	c.refused.Store(f)
	if status != 0 && !framedAnswer(r) {
		w = &statusWriter{ResponseWriter: w, status: status}
	}
	// A failed write means that the caller is gone.
	_ = s.errors.Write(w, r, fromFault(f, c.id))
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader sends the chosen status instead of the one of the RPC code.
func (w *statusWriter) WriteHeader(int) { w.ResponseWriter.WriteHeader(w.status) }

// refuseType answers 415 in JSON, because no protocol was agreed on.
func (s *Server) refuseType(w http.ResponseWriter, c *call, p *procedure, f *fault.Fault) {
	c.refused.Store(f)
	types := acceptedTypes(p.stream)
	w.Header().Set("Accept-Post", strings.Join(types, ", "))
	writeJSON(w, http.StatusUnsupportedMediaType, struct {
		Code     string   `json:"code"`
		Reason   string   `json:"reason"`
		Message  string   `json:"message"`
		Accepted []string `json:"accepted"`
	}{connect.CodeInvalidArgument.String(), f.Reason, f.Message, types})
}

func unsupportedType() *fault.Fault {
	return fault.New(fault.InvalidArgument, ReasonUnsupportedContentType,
		"The Content-Type fits no protocol of this method.")
}

// misspelled returns the fault for a request that means to be a call of a
// procedure that is not here, or nil for any other request.
func (s *Server) misspelled(r *http.Request) *fault.Fault {
	service, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case s.services[service]:
		return fault.New(fault.Unimplemented, ReasonUnknownMethod, "The service %s has no such method.", service)
	case dialectProtocol(r) != "" && (framedAnswer(r) || procedureShaped(r.URL.Path)):
		return fault.New(fault.Unimplemented, ReasonUnknownMethod, "This server has no such service.")
	}
	return nil
}

func dialectProtocol(r *http.Request) string {
	if r.Method != http.MethodPost {
		return ""
	}
	for _, types := range []map[string]*dialect{unaryTypes, streamTypes} {
		if d := dialectOf(types, r.Header.Get("Content-Type")); d != nil {
			return d.protocol
		}
	}
	return ""
}

func protocolOf(r *http.Request) string {
	if p := dialectProtocol(r); p != "" {
		return p
	}
	return connect.ProtocolConnect
}

// framedAnswer reports whether the answer carries its status outside of HTTP's.
func framedAnswer(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	ct := r.Header.Get("Content-Type")
	return strings.HasPrefix(ct, "application/grpc") || strings.HasPrefix(ct, "application/connect+")
}

func (s *Server) noPage(w http.ResponseWriter, h http.Handler, r *http.Request) {
	// The mux answers a wrong method for a known page itself, with Allow.
	probe := &statusProbe{header: w.Header()}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		writeJSON(w, probe.status, problem{Code: "unimplemented", Message: "This page does not take the HTTP method."})
		return
	}
	w.Header().Del("Location") // of a path that it would have cleaned
	writeJSON(w, http.StatusNotFound, problem{Code: "not_found", Message: "There is nothing at this address."})
}

type problem struct {
	Code    string `json:"code"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message"`
}

// statusProbe learns what a handler would answer; only headers reach the caller.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }

func allowed(p *procedure) string {
	if p.get {
		return "GET, POST"
	}
	return "POST"
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The types encoded here cannot fail; a failed write means that the caller is gone.
	_ = json.NewEncoder(w).Encode(body)
}
