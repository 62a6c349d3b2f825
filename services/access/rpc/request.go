package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	"trunkline/services/access"
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
func requestOf(ctx context.Context, m mutation) (access.Request, error) {
	r := access.Request{Caller: caller.From(ctx), ID: m.GetRequestId(), TraceID: telemetry.RequestID(ctx)}
	if r.ID == "" {
		return r, nil
	}
	var err error
	r.Fingerprint, err = fingerprint.OfCall(ctx, m)
	return r, err
}
