package bus

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// Stream stores a message and returns when that is acknowledged. Equal message
// ids are stored once. The trace context of ctx travels with the message.
type Stream interface {
	Publish(ctx context.Context, subject string, data []byte, msgID string) error
}

// Publisher brings events from the outbox into their stream. It is safe for concurrent use.
type Publisher struct {
	stream Stream
	tracer trace.Tracer
}

var _ operators.OutboxPublisher = (*Publisher)(nil)

// NewPublisher returns a publisher. Each publication is a span of the trace that the change belongs to.
func NewPublisher(stream Stream, tracer trace.Tracer) *Publisher {
	return &Publisher{stream: stream, tracer: tracer}
}

// Publish stores the event under its id.
func (p *Publisher) Publish(ctx context.Context, e operators.Outgoing) error {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": e.Traceparent})
	ctx, span := p.tracer.Start(ctx, "ops.nats.publish", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("messaging.destination.name", e.Subject)))
	defer span.End()
	err := p.stream.Publish(ctx, e.Subject, e.Payload, e.ID.String())
	if err != nil {
		span.SetStatus(codes.Error, fault.From(err).Reason)
	}
	return err
}
