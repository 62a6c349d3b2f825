package rpcserver_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func TestOnePortServesEveryProtocolAndShape(t *testing.T) {
	r := rpcservertest.Start(t, nil, (&echo{}).mount())
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			ctx := within(t)
			m, err := call(ctx, newClient(r.HTTP2, r.URL, check, p.options...), to(number))
			require.NoError(t, err)
			require.Equal(t, number, get(m, "to").String())

			up := newClient(r.HTTP2, r.URL, collect, p.options...).CallClientStream(ctx)
			require.NoError(t, up.Send(to("+491")))
			_, err = up.CloseAndReceive()
			requireInvalid(t, err)

			both := newClient(r.HTTP2, r.URL, chat, p.options...).CallBidiStream(ctx)
			for range 3 {
				require.NoError(t, both.Send(to(number)))
				m, err := both.Receive()
				require.NoError(t, err)
				require.Equal(t, number, get(m, "to").String())
			}
			require.NoError(t, both.CloseRequest())
			_, err = both.Receive()
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, both.CloseResponse())
		})
	}
}

func TestReflectionCanBeSwitched(t *testing.T) {
	for _, on := range []bool{true, false} {
		r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Reflection = on }, (&echo{}).mount())
		stream := grpcreflect.NewClient(r.HTTP2, r.URL, connect.WithGRPC()).NewStream(within(t))
		names, err := stream.ListServices()
		if on {
			require.NoError(t, err)
			require.Len(t, names, 2)
		} else {
			require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(err))
		}
		_, _ = stream.Close()
	}
}

func TestMetricsCountEveryCallOnceAndNoProbes(t *testing.T) {
	failing := false
	e := &echo{do: func(context.Context, *dynamicpb.Message) error {
		if failing {
			return fault.New(fault.NotFound, "NO_ROUTE", "No rule.")
		}
		return nil
	}}
	r, reg := startCounting(t, e, nil)
	for _, p := range protocols() {
		_, err := call(within(t), newClient(r.HTTP2, r.URL, check, p.options...), to(number))
		require.NoError(t, err)
	}
	failing = true
	_, err := call(within(t), newClient(r.HTTP2, r.URL, check), to(number))
	require.Equal(t, connect.CodeNotFound, connect.CodeOf(err))
	send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.EqualValues(t, 4, requests(t, reg, "Check", "OK"))
	require.EqualValues(t, 1, requests(t, reg, "Check", "NOT_FOUND"))
	require.EqualValues(t, 5, sample(t, reg, "test_request_duration_seconds", map[string]string{"method": "Check"}))

	a := send(t, r.HTTP1, http.MethodGet, r.URL+"/metrics", "", nil, nil)
	require.Equal(t, 200, a.status)
	require.Contains(t, a.text, `test_requests_total{method="Check",status_code="OK"} 4`)
	require.Contains(t, a.text, `test_request_duration_seconds_bucket{method="Check",le="0.04"}`)
	require.NotContains(t, a.text, `test_requests_total{method="health`)
}

func TestTheAccessLogNamesTheCallAndNeverItsBody(t *testing.T) {
	var logs safeBuffer
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, (&echo{}).mount())
	logs.Reset()
	_, err := call(within(t), newClient(r.HTTP2, r.URL, check, connect.WithGRPC()), to(number))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(logs.String(), "\n"), logs.String())
	for _, part := range []string{`"msg":"rpc"`, `"procedure":"` + check + `"`, `"code":"OK"`, `"protocol":"grpc"`, `"duration_ms":`, `"level":"DEBUG"`} {
		require.Contains(t, logs.String(), part)
	}
	logs.Reset()
	send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", nil, strings.NewReader(`{"to":`+wrongData+`}`))
	require.Equal(t, 1, strings.Count(logs.String(), "\n"), logs.String())
	require.Contains(t, logs.String(), "MALFORMED_MESSAGE")
	require.NotContains(t, logs.String(), wrongData)
	logs.Reset()
	send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.Empty(t, logs.String(), "probes leave no line")
}

func TestInterceptorsOfTheProcessRunBeforeValidation(t *testing.T) {
	denied := fault.New(fault.Unauthenticated, "NO_TOKEN", "Sign in first.")
	var procedure string
	gate := connect.UnaryInterceptorFunc(func(connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, _ connect.AnyRequest) (connect.AnyResponse, error) {
			procedure = rpcserver.Procedure(ctx)
			return nil, denied
		}
	})
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Interceptors = []connect.Interceptor{gate} }, (&echo{}).mount())
	_, err := call(within(t), newClient(r.HTTP2, r.URL, check, connect.WithGRPC()), to("nonsense"))
	require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err))
	require.Equal(t, check, procedure)
	a := send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.Equal(t, 200, a.status, "health needs no sign-in")
}

// spans remembers which parent the server's spans got.
type spans struct {
	noop.TracerProvider
	parents chan trace.SpanContext
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return &tracer{spans: s} }

type tracer struct {
	noop.Tracer
	spans *spans
}

func (t *tracer) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	t.spans.parents <- trace.SpanContextFromContext(ctx)
	return t.Tracer.Start(ctx, name, o...)
}

func TestCallsContinueTheTraceOfTheCaller(t *testing.T) {
	s := &spans{parents: make(chan trace.SpanContext, 10)}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.TracerProvider = s }, (&echo{}).mount())
	h := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	a := send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", h, strings.NewReader("{}"))
	require.Equal(t, 200, a.status)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", await(t, s.parents, "a span starts").TraceID().String())
	send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", h, strings.NewReader("{}"))
	require.Empty(t, s.parents, "probes are not traced")
}

func TestMistakesInTheWiringPreventTheStart(t *testing.T) {
	good := (&echo{}).mount()
	cases := []struct {
		name   string
		change func(*rpcserver.Options)
		text   string
	}{
		{"no health", func(o *rpcserver.Options) { o.Health = nil }, "Health"},
		{"a service mounted twice", func(o *rpcserver.Options) { o.Mounts = append(o.Mounts, good) }, "twice"},
		{"a name that is not the path", func(o *rpcserver.Options) { o.Mounts[0].Name = "Echo" }, "full service name"},
		{"a mount without handler", func(o *rpcserver.Options) { o.Mounts[0].Handler = nil }, "handler"},
		{"a mount that drops the options", func(o *rpcserver.Options) {
			o.Mounts[0].Handler = func(...connect.HandlerOption) (string, http.Handler) {
				return "/" + service + "/", http.NotFoundHandler()
			}
		}, "pass the handler options"},
		{"limits of a missing procedure", func(o *rpcserver.Options) { o.Limits = map[string]rpcserver.Limits{unruled: {MaxBytes: 1}} }, unruled},
		{"a page that hides a built-in one", func(o *rpcserver.Options) {
			o.Pages = []rpcserver.Page{{Pattern: "GET /ready", Handler: http.NotFoundHandler()}}
		}, "mount a page"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
			require.NoError(t, err)
			opts := rpcserver.Options{Health: health, Mounts: []rpcserver.Mount{good}}
			c.change(&opts)
			_, err = rpcserver.New(rpcserver.Default(), opts)
			require.ErrorContains(t, err, c.text)
		})
	}
}

func TestTwoListenersShareTheMetricsOfTheProcess(t *testing.T) {
	reg := prometheus.NewRegistry()
	for _, name := range []string{"public", "internal"} {
		rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Name, o.Registerer = name, reg })
	}
}

func TestConfigNamesEveryProblem(t *testing.T) {
	require.NoError(t, rpcserver.Default().Validate())
	cases := []struct {
		name   string
		change func(*rpcserver.Config)
		text   string
	}{
		{"an address without port", func(c *rpcserver.Config) { c.Addr = "localhost" }, "addr"},
		{"a port out of range", func(c *rpcserver.Config) { c.Addr = ":70000" }, "port"},
		{"no message limit", func(c *rpcserver.Config) { c.MaxMessageBytes = 0 }, "max_message_bytes"},
		{"no request timeout", func(c *rpcserver.Config) { c.RequestTimeout = 0 }, "request_timeout"},
		{"no idle timeout", func(c *rpcserver.Config) { c.IdleTimeout = 0 }, "idle_timeout"},
		{"no header timeout", func(c *rpcserver.Config) { c.ReadHeaderTimeout = 0 }, "read_header_timeout"},
		{"tiny headers", func(c *rpcserver.Config) { c.MaxHeaderBytes = 10 }, "max_header_bytes"},
		{"no streams", func(c *rpcserver.Config) { c.MaxConcurrentStreams = 0 }, "max_concurrent_streams"},
		{"a negative notice", func(c *rpcserver.Config) { c.Drain.Notice = -time.Second }, "drain.notice"},
		{"no drain timeout", func(c *rpcserver.Config) { c.Drain.Timeout = 0 }, "drain.timeout"},
		{"a certificate without key", func(c *rpcserver.Config) { c.TLS.CertFile = "x" }, "tls.key_file"},
		{"an authority without certificate", func(c *rpcserver.Config) { c.TLS.ClientCAFile = "x" }, "tls.client_ca_file"},
		{"required client certificates without authority", func(c *rpcserver.Config) { c.TLS.RequireClientCert = true }, "tls.require_client_cert"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := rpcserver.Default()
			c.change(&cfg)
			require.ErrorContains(t, cfg.Validate(), c.text)
		})
	}
}
