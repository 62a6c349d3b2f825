package rpcserver

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/tlsfiles"
)

// Options are the collaborators of a server. Only Health is required.
type Options struct {
	// Name tells listeners of one process apart in metrics and logs. Default "public".
	Name   string
	Logger *slog.Logger
	// Health gives readiness. The server drains it when it stops, and never runs it.
	Health *Health
	// Audience is whose RPCs this listener serves. Default public. An internal
	// listener needs TLS that requires client certificates.
	Audience optionsv1.Audience
	// Authenticator tells who calls a public procedure. Nil refuses every one. Health and
	// reflection ask nobody; callers of an internal listener are known by certificate.
	Authenticator Authenticator
	// Denied hears of every refusal by policy. Strangers cause them at will and it is on
	// their way, so it must not block and has to bound what it keeps. Nil: nobody hears.
	Denied Denied
	// Admit limits calls after authentication and before the message is read. Health and
	// reflection are left out. Nil lets all run.
	Admit Admit
	// Enter gives an admitted call its place when its one message has been read and
	// understood, so that slow senders hold none. Streams of messages ask when they
	// begin. Nil lets all run.
	Enter Enter
	// Mounts are the RPC services of the process. The listener takes those of its
	// audience, which the access options of their methods tell, and leaves the rest.
	Mounts []Mount
	// Pages are plain HTTP handlers.
	Pages []Page
	// Identities says by procedure who may call it. Only internal procedures have
	// them, and one without is refused to everybody.
	Identities map[string][]Identity
	// Middleware wraps everything, the first one outermost. The request id is
	// known there, the procedure is not.
	Middleware []func(http.Handler) http.Handler
	// Interceptors run after the message was decoded and before validation, so
	// that a caller who may not call learns nothing about the schema. Their
	// errors are mapped like those of handlers.
	Interceptors []connect.Interceptor
	// Limits by procedure, such as /trunkline.operators.v1.RateService/ImportRates.
	Limits map[string]Limits
	// Metrics counts calls; health and reflection are left out.
	Metrics Metrics
	// Registerer gets the server's own metrics. Nil registers none.
	Registerer prometheus.Registerer
	// Gatherer feeds /metrics. Nil serves no such page.
	Gatherer prometheus.Gatherer
	// TracerProvider traces calls. Nil traces none.
	TracerProvider trace.TracerProvider
	// Propagator reads the trace context of callers. Nil takes W3C trace context.
	Propagator propagation.TextMapPropagator
}

// Server serves one listener. Create it with New, then Listen and Serve.
type Server struct {
	cfg  Config
	opts Options
	log  *slog.Logger

	health     *Health
	certs      *tlsfiles.Source // nil without TLS
	marks      *marks
	marked     connect.HandlerOption
	procedures map[string]*procedure
	services   map[string]bool
	known      map[string]optionsv1.Audience // procedures of all mounts
	validator  protovalidate.Validator
	trace      *tracing // nil traces nothing
	errors     *connect.ErrorWriter
	observer   *observer
	panics     prometheus.Counter
	auth       Authenticator
	denials    *prometheus.CounterVec
	browser    atomic.Pointer[browser]
	headers    []fixedHeader

	entry http.Handler // middleware around route
	pages *http.ServeMux
	http  *http.Server

	inflight inflight
	draining chan struct{} // closes when the listener closes

	mu       sync.Mutex
	listener *net.TCPListener
	served   bool
	closed   bool // Shutdown came before Serve

	stopOnce, forceOnce sync.Once
	stopping, forced    chan struct{}
	done                chan struct{} // closes when Serve returns
}

// New builds the server and checks everything that can be checked before
// listening: configuration, mounts, limits, validation rules and TLS files.
func New(cfg Config, opts Options) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.Health == nil {
		return nil, errors.New("rpcserver needs a Health")
	}
	if opts.Name == "" {
		opts.Name = "public"
	}
	if opts.Audience == optionsv1.Audience_AUDIENCE_UNSPECIFIED {
		opts.Audience = publicAudience
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg:        cfg,
		opts:       opts,
		log:        opts.Logger.With("listener", opts.Name),
		health:     opts.Health,
		marks:      newMarks(),
		procedures: map[string]*procedure{},
		services:   map[string]bool{},
		known:      map[string]optionsv1.Audience{},
		errors:     connect.NewErrorWriter(),
		draining:   make(chan struct{}),
		stopping:   make(chan struct{}),
		forced:     make(chan struct{}),
		done:       make(chan struct{}),
	}
	s.inflight.idle = make(chan struct{}, 1)
	s.marked = connect.WithHandlerOptions(codecs(s.marks)...)
	s.observer = &observer{log: s.log, unknown: newMeter(opts.Metrics, "")}
	for _, step := range []func() error{
		s.checkAudience, s.addMetrics, s.loadCertificates, s.addTrace, s.addServices, s.addPolicy, s.prepareValidation, s.addBrowser, s.addPages,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	s.http = s.httpServer()
	return s, nil
}

func (s *Server) addMetrics() error {
	panics := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "trunkline_rpc_panics_total",
		Help: "Panics that were caught while serving a request.",
	}, []string{"listener"})
	var err error
	if panics, err = register(s.opts.Registerer, panics); err != nil {
		return err
	}
	s.panics = panics.WithLabelValues(s.opts.Name)
	return nil
}

// register lets several listeners of a process share a collector.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) (C, error) {
	if reg == nil {
		return c, nil
	}
	err := reg.Register(c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if same, ok := already.ExistingCollector.(C); ok {
			return same, nil
		}
	}
	return c, err
}

func (s *Server) addServices() error {
	if err := s.mountAll(s.opts.Mounts, false); err != nil {
		return err
	}
	if err := s.checkNames(); err != nil {
		return err
	}
	checker := &grpcHealth{health: s.health, services: map[string]bool{}}
	var names []string
	for name := range s.services {
		checker.services[name] = true
		names = append(names, name)
	}
	infra := []Mount{{
		Name: grpchealth.HealthV1ServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return grpchealth.NewHandler(checker, opts...)
		},
	}}
	if s.cfg.Reflection {
		reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
		infra = append(infra, Mount{
			Name: grpcreflect.ReflectV1ServiceName,
			Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
				return grpcreflect.NewHandlerV1(reflector, opts...)
			},
		}, Mount{
			Name: grpcreflect.ReflectV1AlphaServiceName,
			Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
				return grpcreflect.NewHandlerV1Alpha(reflector, opts...)
			},
		})
	}
	return s.mountAll(infra, true)
}

func (s *Server) addPages() (err error) {
	s.pages = http.NewServeMux()
	// The mux reports bad and conflicting patterns by panicking.
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("mount a page: %v", v)
		}
	}()
	pages := append(healthPages(s.health), s.opts.Pages...)
	if s.opts.Gatherer != nil {
		pages = append(pages, metricsPage(s.opts.Gatherer))
	}
	for _, p := range pages {
		s.pages.Handle(p.Pattern, p.within())
	}
	s.entry = http.HandlerFunc(s.route)
	for i := len(s.opts.Middleware) - 1; i >= 0; i-- {
		s.entry = s.opts.Middleware[i](s.entry)
	}
	return nil
}

const (
	pingAfter   = 30 * time.Second // a silent HTTP/2 peer is asked for a sign of life
	pingTimeout = 15 * time.Second
)

func (s *Server) httpServer() *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{
		Handler:           s,
		Protocols:         &protocols,
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: s.cfg.MaxConcurrentStreams,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingTimeout,
			WriteByteTimeout:     writeStalled,
		},
		ErrorLog: log.New(httpLog{s.log}, "", 0),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), drainKey{}, s.draining)
		},
	}
	if s.certs != nil {
		srv.TLSConfig = s.listenerTLS()
		srv.ConnContext = s.trusting
	}
	return srv
}

// httpLog keeps what strangers can cause at will, such as failed handshakes,
// below the default level.
type httpLog struct{ log *slog.Logger }

// Write implements io.Writer for the log of net/http.
func (h httpLog) Write(p []byte) (int, error) {
	level := slog.LevelWarn
	text := strings.TrimSpace(string(p))
	if strings.Contains(text, "TLS handshake error") || strings.HasPrefix(text, "http2:") {
		level = slog.LevelDebug
	}
	h.log.Log(context.Background(), level, "http server", "detail", text)
	return len(p), nil
}
