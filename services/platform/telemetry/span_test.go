package telemetry_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"trunkline/services/platform/telemetry"
)

func TestASpanIsPartOfTheTraceOfItsContext(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	ctx, parent := provider.Tracer("test").Start(t.Context(), "call")
	_, part := telemetry.Span(ctx, "part")
	part.End()
	parent.End()
	require.Len(t, recorder.Ended(), 2)
	require.Equal(t, "part", recorder.Ended()[0].Name())
	require.Equal(t, parent.SpanContext().SpanID(), recorder.Ended()[0].Parent().SpanID())

	_, none := telemetry.Span(t.Context(), "part")
	require.False(t, none.IsRecording(), "there is no trace")
	none.End()
}
