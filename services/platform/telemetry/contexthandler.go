package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// contextHandler adds the identifiers found in the context to every record.
//
// A slog handler puts record attributes into the innermost open group. To keep
// the identifiers at the top level, everything from the first WithGroup on is
// remembered and replayed after they were added.
type contextHandler struct {
	// top has no group open.
	top slog.Handler
	// current is top with replay applied.
	current slog.Handler
	replay  []func(slog.Handler) slog.Handler
}

func newContextHandler(next slog.Handler) *contextHandler {
	return &contextHandler{top: next, current: next}
}

func (h *contextHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.current.Enabled(ctx, level)
}

func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	var space [3]slog.Attr
	ids := space[:0]
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		ids = append(ids,
			slog.String(KeyTraceID, span.TraceID().String()),
			slog.String(KeySpanID, span.SpanID().String()))
	}
	if id := RequestID(ctx); id != "" {
		ids = append(ids, slog.String(KeyRequestID, id))
	}
	switch {
	case len(ids) == 0:
		return h.current.Handle(ctx, r)
	case len(h.replay) == 0:
		// Handlers share records, so only a clone may grow.
		r = r.Clone()
		r.AddAttrs(ids...)
		return h.current.Handle(ctx, r)
	}
	next := h.top.WithAttrs(ids)
	for _, step := range h.replay {
		next = step(next)
	}
	return next.Handle(ctx, r)
}

func (h *contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	if len(h.replay) == 0 {
		return newContextHandler(h.top.WithAttrs(attrs))
	}
	return h.then(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
}

func (h *contextHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.then(func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h *contextHandler) then(step func(slog.Handler) slog.Handler) *contextHandler {
	return &contextHandler{
		top:     h.top,
		current: step(h.current),
		replay:  append(h.replay[:len(h.replay):len(h.replay)], step),
	}
}
