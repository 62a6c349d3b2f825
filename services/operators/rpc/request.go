package rpc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"trunkline/services/operators"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
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
	r.Fingerprint, err = fingerprint(ctx, m)
	return r, err
}

func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// fingerprint hashes the procedure and what is asked. Redacted fields stay out: a hash of a short password is as
// good as the password.
func fingerprint(ctx context.Context, m proto.Message) (string, error) {
	shown := m.ProtoReflect().New()
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if options, ok := field.Options().(*descriptorpb.FieldOptions); !ok || !options.GetDebugRedact() {
			shown.Set(field, value)
		}
		return true
	})
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(shown.Interface())
	if err != nil {
		return "", fault.From(err)
	}
	hash := sha256.New()
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		hash.Write([]byte(info.Spec().Procedure))
	}
	hash.Write([]byte{0})
	hash.Write(body)
	return hex.EncodeToString(hash.Sum(nil)), nil
}
