package rpcserver_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func TestASpanTellsHowACallCameAndHowItEnded(t *testing.T) {
	for name, c := range map[string]struct {
		fails  error
		media  string
		system string
		code   string // "" is a good call
		status codes.Code
	}{
		"a good call by Connect":            {media: "application/json", system: "connectrpc"},
		"a good call by gRPC-Web":           {media: "application/grpc-web+json", system: "grpc"},
		"a mistake of the caller":           {fails: fault.New(fault.NotFound, "GONE", "There is none."), media: "application/json", system: "connectrpc", code: "NOT_FOUND"},
		"a fault of the server":             {fails: fault.New(fault.Unavailable, "DOWN", "Try again."), media: "application/json", system: "connectrpc", code: "UNAVAILABLE", status: codes.Error},
		"a fault of the server by gRPC-Web": {fails: fault.New(fault.Unavailable, "DOWN", "Try again."), media: "application/grpc-web+json", system: "grpc", code: "UNAVAILABLE", status: codes.Error},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := tracetest.NewSpanRecorder()
			e := &echo{do: func(context.Context, *dynamicpb.Message) error { return c.fails }}
			r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
				o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
			}, e.mount())
			body := "{}"
			if strings.HasPrefix(c.media, "application/grpc") {
				body = "\x00\x00\x00\x00\x02{}"
			}
			send(t, r.HTTP1, http.MethodPost, r.URL+check, c.media, nil, strings.NewReader(body))

			require.Len(t, recorder.Ended(), 1)
			span := recorder.Ended()[0]
			require.Equal(t, strings.TrimPrefix(check, "/"), span.Name())
			require.Equal(t, trace.SpanKindServer, span.SpanKind())
			told := map[string]string{}
			for _, a := range span.Attributes() {
				told[string(a.Key)] = a.Value.AsString()
			}
			want := map[string]string{"rpc.method": span.Name(), "rpc.system.name": c.system, "rpc.response.status_code": "OK"}
			if c.code != "" {
				want["rpc.response.status_code"], want["error.type"] = c.code, c.code
			}
			require.Equal(t, want, told)
			require.Equal(t, c.status, span.Status().Code)
		})
	}
}

func TestACallWithoutATraceBeginsOneThatTheHandlerKnows(t *testing.T) {
	var seen trace.SpanContext
	var said string
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		seen = trace.SpanContextFromContext(ctx)
		carrier := propagation.MapCarrier{}
		propagation.Baggage{}.Inject(ctx, carrier)
		said = carrier.Get("baggage")
		return nil
	}}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
		o.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	}, e.mount())
	send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", nil, strings.NewReader("{}"))
	require.True(t, seen.IsValid(), "logs carry its id, sampled or not")
	require.False(t, seen.IsSampled())
	send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", http.Header{"Baggage": {"tenant=1"}}, strings.NewReader("{}"))
	require.Equal(t, "tenant=1", said, "every header of the propagator counts")
}
