package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"trunkline/services/platform/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// standIn is a collector that hands over what it receives, or hangs.
type standIn struct {
	collector.UnimplementedTraceServiceServer
	received chan *collector.ExportTraceServiceRequest
	hang     bool
}

func (s *standIn) Export(ctx context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	if s.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	s.received <- r
	return &collector.ExportTraceServiceResponse{}, nil
}

func startCollector(t *testing.T, hang bool) (*standIn, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &standIn{received: make(chan *collector.ExportTraceServiceRequest, 10), hang: hang}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, s)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return s, listener.Addr().String()
}

func traceConfig(endpoint string) telemetry.TraceConfig {
	cfg := telemetry.DefaultTraceConfig()
	cfg.Endpoint, cfg.Insecure, cfg.SampleRatio = endpoint, true, 1
	cfg.Service, cfg.Version, cfg.Instance = "routing-engine", "1.2.3", "pod-7"
	return cfg
}

func TestSpansReachTheCollectorWithTheirResource(t *testing.T) {
	s, endpoint := startCollector(t, false)
	provider, shutdown, err := telemetry.NewTracing(t.Context(), traceConfig(endpoint))
	require.NoError(t, err)
	_, span := provider.Tracer("test").Start(t.Context(), "routing-engine.select_operator")
	require.True(t, span.IsRecording())
	span.End()
	require.NoError(t, shutdown(t.Context()))

	require.Len(t, s.received, 1)
	spans := (<-s.received).ResourceSpans[0]
	require.Equal(t, "routing-engine.select_operator", spans.ScopeSpans[0].Spans[0].Name)
	got := map[string]string{}
	for _, attr := range spans.Resource.Attributes {
		got[attr.Key] = attr.Value.GetStringValue()
	}
	require.Equal(t, map[string]string{
		"service.name": "routing-engine", "service.version": "1.2.3", "service.instance.id": "pod-7",
	}, got)
}

func TestSampling(t *testing.T) {
	_, endpoint := startCollector(t, false)
	for _, c := range []struct {
		name    string
		ratio   float64
		parent  string
		sampled bool
	}{
		{"ratio 1 records new traces", 1, "", true},
		{"ratio 0 records no new trace", 0, "", false},
		{"a sampled parent wins over ratio 0", 0, "00-" + traceID + "-" + spanID + "-01", true},
		{"an unsampled parent wins over ratio 1", 1, "00-" + traceID + "-" + spanID + "-00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := traceConfig(endpoint)
			cfg.SampleRatio = c.ratio
			provider, shutdown, err := telemetry.NewTracing(t.Context(), cfg)
			require.NoError(t, err)
			ctx := telemetry.Propagator().Extract(t.Context(), propagation.MapCarrier{"traceparent": c.parent})
			_, span := provider.Tracer("test").Start(ctx, "x")
			require.Equal(t, c.sampled, span.SpanContext().IsSampled())
			require.NoError(t, shutdown(t.Context()))
		})
	}
}

func TestWithoutAnEndpointNothingIsRecordedButTheTraceGoesOn(t *testing.T) {
	provider, shutdown, err := telemetry.NewTracing(t.Context(), telemetry.DefaultTraceConfig())
	require.NoError(t, err)
	propagator := telemetry.Propagator()
	in := http.Header{}
	in.Set("traceparent", "00-"+traceID+"-"+spanID+"-01")
	in.Set("baggage", "tenant=a")
	ctx := propagator.Extract(t.Context(), propagation.HeaderCarrier(in))
	ctx, span := provider.Tracer("test").Start(ctx, "x")
	require.False(t, span.IsRecording())

	out := http.Header{}
	propagator.Inject(ctx, propagation.HeaderCarrier(out))
	require.Contains(t, out.Get("traceparent"), traceID)
	require.Equal(t, "tenant=a", out.Get("baggage"))

	_, root := provider.Tracer("test").Start(t.Context(), "x")
	require.True(t, root.SpanContext().IsValid())
	require.False(t, root.IsRecording())
	require.NotEqual(t, trace.TraceID{}, root.SpanContext().TraceID())
	require.NoError(t, shutdown(t.Context()))
}

func TestShutdownGivesUpOnACollectorThatHangs(t *testing.T) {
	_, endpoint := startCollector(t, true)
	cfg := traceConfig(endpoint)
	cfg.ExportTimeout = 50 * time.Millisecond
	provider, shutdown, err := telemetry.NewTracing(t.Context(), cfg)
	require.NoError(t, err)
	_, span := provider.Tracer("test").Start(t.Context(), "x")
	span.End()
	// The test would hang without the limit: its context has no deadline. Whether the library returns the lost
	// span or hands it to the error handler depends on who notices first, the exporter or its caller.
	_ = shutdown(context.WithoutCancel(t.Context()))
}

func TestSettingsThatAreNotValidAreRefused(t *testing.T) {
	cfg := traceConfig("http://collector:4317")
	_, _, err := telemetry.NewTracing(t.Context(), cfg)
	require.ErrorContains(t, err, "without a scheme")
}

func TestErrorHandlerLogs(t *testing.T) {
	var out bytes.Buffer
	telemetry.ErrorHandler(telemetry.NewLogger(&out, telemetry.DefaultLogConfig())).Handle(errors.New("export refused"))
	line := parse(t, out.Bytes())
	require.Equal(t, "WARN", line["level"])
	require.Equal(t, "export refused", line["error"])
}
