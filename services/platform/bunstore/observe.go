package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"trunkline/services/platform/fault"
)

type queryNameKey struct{}

// unnamed is the label of statements whose context has no name.
const unnamed = "other"

// WithQueryName names the statements that run under the returned context, for
// metrics and traces. The name is a constant such as "rules_by_prefix": it
// becomes a label, so it never holds data.
func WithQueryName(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, queryNameKey{}, name)
}

func queryName(ctx context.Context) string {
	if name, ok := ctx.Value(queryNameKey{}).(string); ok && name != "" {
		return name
	}
	return unnamed
}

// Observer measures statements. Add it with bun.DB.WithQueryHook. Nil fields
// measure nothing. The text of statements holds data and is never recorded.
type Observer struct {
	// Duration has one label, the query name, and takes seconds until the first row is there.
	Duration *prometheus.HistogramVec
	// Errors has one label, the query name. No row and an ended context are no errors.
	Errors *prometheus.CounterVec
	// Tracer starts one client span per statement.
	Tracer trace.Tracer
}

var _ bun.QueryHook = (*Observer)(nil)

// BeforeQuery starts the span.
func (o *Observer) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if o.Tracer == nil {
		return ctx
	}
	ctx, _ = o.Tracer.Start(ctx, "db "+queryName(ctx), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", DialectOf(event.DB).String()),
			attribute.String("db.operation.name", event.Operation())))
	return ctx
}

// AfterQuery observes the duration and ends the span.
func (o *Observer) AfterQuery(ctx context.Context, event *bun.QueryEvent) {
	name := queryName(ctx)
	if o.Duration != nil {
		o.Duration.WithLabelValues(name).Observe(time.Since(event.StartTime).Seconds())
	}
	failed := isFailure(event.Err)
	if failed && o.Errors != nil {
		o.Errors.WithLabelValues(name).Inc()
	}
	if o.Tracer == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	if failed {
		span.SetStatus(codes.Error, fault.From(Fault(event.Err)).Reason)
	}
	span.End()
}

func isFailure(err error) bool {
	return err != nil && !errors.Is(err, sql.ErrNoRows) && !errors.Is(err, context.Canceled)
}
