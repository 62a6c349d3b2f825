package telemetry

import "context"

type requestIDKey struct{}

// WithRequestID returns a context whose log lines carry id as request_id. An
// empty id returns ctx unchanged. The caller bounds the length and alphabet of
// ids that come from outside.
func WithRequestID(ctx context.Context, id string) context.Context {
	if id == "" {
		return ctx
	}
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id that WithRequestID stored, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
