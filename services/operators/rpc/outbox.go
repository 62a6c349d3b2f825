package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
)

// OutboxStatus counts events that wait.
type OutboxStatus interface {
	Status(ctx context.Context) (operators.OutboxStatus, error)
}

// Outbox serves OutboxService.
type Outbox struct {
	status OutboxStatus
}

var _ operatorsv1connect.OutboxServiceHandler = (*Outbox)(nil)

// NewOutbox gives the handler of OutboxService.
func NewOutbox(status OutboxStatus) *Outbox { return &Outbox{status: status} }

// GetOutboxStatus counts the events that wait, and tells the oldest.
func (h *Outbox) GetOutboxStatus(ctx context.Context, _ *operatorsv1.GetOutboxStatusRequest) (*operatorsv1.GetOutboxStatusResponse, error) {
	s, err := h.status.Status(ctx)
	if err != nil {
		return nil, err
	}
	out := &operatorsv1.GetOutboxStatusResponse{
		Pending: s.Pending, PendingPublish: s.PendingPublish, Published: s.Published, LastError: s.LastError,
	}
	if s.Pending+s.PendingPublish > 0 {
		out.Oldest = durationpb.New(s.Oldest)
	}
	return out, nil
}
