package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/telemetry"
)

// SnapshotReader reads everything that engines route by, part by part, in one state.
type SnapshotReader interface {
	Snapshot(ctx context.Context, operatorsOnly bool, now time.Time, give func(operators.Snapshot) error) error
}

// Internal serves InternalOperatorService. Who may call which method is decided by the listener.
type Internal struct {
	admin    *operators.Admin
	health   HealthReader
	snapshot SnapshotReader
	clock    clock.Clock
	observe  Observer
}

var _ operatorsv1connect.InternalOperatorServiceHandler = (*Internal)(nil)

// NewInternal gives the handler of InternalOperatorService.
func NewInternal(admin *operators.Admin, health HealthReader, snapshot SnapshotReader, clk clock.Clock, observe Observer) *Internal {
	return &Internal{admin: admin, health: health, snapshot: snapshot, clock: clk, observe: observe}
}

// GetOperatorCredentials gives what a connector needs to bind. The read is in the audit log before it is answered.
func (h *Internal) GetOperatorCredentials(
	ctx context.Context, req *operatorsv1.GetOperatorCredentialsRequest,
) (*operatorsv1.GetOperatorCredentialsResponse, error) {
	r := operators.Request{Actor: caller.From(ctx).Name, TraceID: telemetry.RequestID(ctx)}
	o, password, err := h.admin.Credentials(ctx, r, idOf(req.GetOperatorId()))
	h.observe.CredentialsRead(err)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.GetOperatorCredentialsResponse{
		OperatorId: o.ID.String(), Host: o.Host, Port: int32(o.Port), SystemId: o.SystemID, SystemType: o.SystemType,
		BindType: operatorsv1.BindType(o.BindType), Password: password.Reveal(), Version: o.Version,
	}, nil
}

// configsLimit bounds one stream of the configuration: an engine that stalls must not hold the transaction for ever.
const configsLimit = time.Minute

// ListOperatorConfigs gives everything an engine routes by, in one consistent state.
func (h *Internal) ListOperatorConfigs(
	ctx context.Context, req *operatorsv1.ListOperatorConfigsRequest, stream *connect.ServerStream[operatorsv1.ListOperatorConfigsResponse],
) error {
	ctx, cancel := context.WithTimeout(ctx, configsLimit)
	defer cancel()
	last := &operatorsv1.ListOperatorConfigsResponse{Complete: true}
	err := h.snapshot.Snapshot(ctx, req.GetOperatorsOnly(), h.clock.Now(), func(part operators.Snapshot) error {
		last.ConfigVersion, last.RulesVersion = part.ConfigVersion, part.RulesVersion
		return stream.Send(toSnapshot(part))
	})
	if err != nil {
		return err
	}
	return stream.Send(last)
}

func toSnapshot(part operators.Snapshot) *operatorsv1.ListOperatorConfigsResponse {
	out := &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: part.ConfigVersion, RulesVersion: part.RulesVersion, FxRates: toFX(part.FX)}
	for _, o := range part.Operators {
		out.Operators = append(out.Operators, toOperator(o))
	}
	for _, r := range part.Rules {
		out.Rules = append(out.Rules, toRule(r))
	}
	for _, r := range part.Rates {
		out.Rates = append(out.Rates, toRate(r))
	}
	return out
}

// GetOperatorHealth gives the reduced health of many operators at once.
func (h *Internal) GetOperatorHealth(
	ctx context.Context, req *operatorsv1.InternalOperatorServiceGetOperatorHealthRequest,
) (*operatorsv1.InternalOperatorServiceGetOperatorHealthResponse, error) {
	ids := make([]uuid.UUID, len(req.GetOperatorIds()))
	for i, id := range req.GetOperatorIds() {
		ids[i] = idOf(id)
	}
	all, _, err := h.health.HealthOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	response := &operatorsv1.InternalOperatorServiceGetOperatorHealthResponse{}
	for _, one := range all {
		response.Health = append(response.Health, toHealth(one))
	}
	return response, nil
}
