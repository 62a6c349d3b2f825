package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Span starts a part of the trace that ctx belongs to; without one it measures nothing. End it.
func Span(ctx context.Context, name string) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer("trunkline").Start(ctx, name)
}
