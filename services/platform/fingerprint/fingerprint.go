// Package fingerprint tells requests with the same request_id apart.
package fingerprint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// OfCall is Of for the call that the context is of, and for the account that its caller is bound to: a token of the same
// name that is bound to another account gets no answer that was given to the first.
func OfCall(ctx context.Context, m proto.Message) (string, error) {
	procedure := ""
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		procedure = info.Spec().Procedure
	}
	return Of(procedure+"\x00"+caller.From(ctx).Account.String(), m)
}

// Of is a hash of the procedure and of what is asked. Fields marked
// debug_redact stay out: a hash of a short password is as good as the password.
func Of(procedure string, m proto.Message) (string, error) {
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
	hash.Write([]byte(procedure))
	hash.Write([]byte{0})
	hash.Write(body)
	return hex.EncodeToString(hash.Sum(nil)), nil
}
