package rpc

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/protobuf/proto"

	"trunkline/services/operators"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fingerprint"
	"trunkline/services/platform/telemetry"
)

// mutation is what every request for a change has.
type mutation interface {
	proto.Message
	GetRequestId() string
}

// requestOf tells who asks for a change, and how a repeat of it is known.
func requestOf(ctx context.Context, m mutation, validateOnly bool) (operators.Request, error) {
	r := operators.Request{
		Actor: caller.From(ctx).Name, ID: m.GetRequestId(), TraceID: telemetry.RequestID(ctx),
		Traceparent: traceparent(ctx), ValidateOnly: validateOnly,
	}
	if r.ID == "" {
		return r, nil
	}
	var err error
	r.Fingerprint, err = fingerprint.OfCall(ctx, m)
	return r, err
}

func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
