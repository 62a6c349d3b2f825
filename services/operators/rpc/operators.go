package rpc

import (
	"context"

	"connectrpc.com/connect"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/pagetoken"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/telemetry"
)

// Operators serves OperatorService.
type Operators struct {
	admin    *operators.Admin
	health   HealthReader
	board    Board
	importer *operators.Importer
	one      *OneImport
	clock    clock.Clock
	observe  Observer
}

var _ operatorsv1connect.OperatorServiceHandler = (*Operators)(nil)

// NewOperators gives the handler of OperatorService. Handlers that share one run one import at a time.
func NewOperators(
	admin *operators.Admin, health HealthReader, board Board, importer *operators.Importer, one *OneImport, clk clock.Clock, observe Observer,
) *Operators {
	return &Operators{admin: admin, health: health, board: board, importer: importer, one: one, clock: clk, observe: observe}
}

// CreateOperator stores a new operator and its password.
func (h *Operators) CreateOperator(ctx context.Context, req *operatorsv1.CreateOperatorRequest) (*operatorsv1.CreateOperatorResponse, error) {
	ctx, span := telemetry.Span(ctx, "ops.admin.createOperator")
	defer span.End()
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	created, err := h.admin.CreateOperator(ctx, r, fromOperator(req.GetOperator()), secret.New(req.GetPassword()))
	if !req.GetValidateOnly() {
		h.observe.OperatorCreated(err)
	}
	if err != nil {
		return nil, err
	}
	return &operatorsv1.CreateOperatorResponse{Operator: toOperator(created)}, nil
}

// GetOperator gives one operator, also a deleted one.
func (h *Operators) GetOperator(ctx context.Context, req *operatorsv1.GetOperatorRequest) (*operatorsv1.GetOperatorResponse, error) {
	o, fresh, err := h.admin.GetOperator(ctx, idOf(req.GetOperatorId()))
	if err != nil {
		return nil, err
	}
	return &operatorsv1.GetOperatorResponse{Operator: toOperator(o), Freshness: toFreshness(fresh)}, nil
}

// ListOperators gives operators by name, in pages, with their health.
func (h *Operators) ListOperators(ctx context.Context, req *operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
	filter := operators.OperatorFilter{Search: req.GetSearch(), ShowDeleted: req.GetShowDeleted(), Limit: pagetoken.Size(req.GetPageSize())}
	for _, s := range req.GetStatuses() {
		filter.Statuses = append(filter.Statuses, operators.Status(s))
	}
	for _, s := range req.GetBindStates() {
		filter.BindStates = append(filter.BindStates, operators.BindState(s))
	}
	list, err := pagetoken.ListOf(operatorsv1connect.OperatorServiceListOperatorsProcedure, req)
	if err != nil {
		return nil, err
	}
	after, err := list.Read(req.GetPageToken(), 2)
	if err != nil {
		return nil, err
	}
	if after != nil {
		filter.AfterName, filter.AfterID = after[0], idOf(after[1])
	}
	page, more, fresh, err := h.admin.ListOperators(ctx, filter)
	if err != nil {
		return nil, err
	}
	health, freshHealth, err := h.healthOf(ctx, page)
	if err != nil {
		return nil, err
	}
	if freshHealth.Stale {
		fresh = freshHealth
	}
	response := &operatorsv1.ListOperatorsResponse{Health: health, Freshness: toFreshness(fresh)}
	for _, o := range page {
		response.Operators = append(response.Operators, toOperator(o))
	}
	if more {
		last := page[len(page)-1]
		response.NextPageToken = list.Write(last.Name, last.ID.String())
	}
	return response, nil
}

// UpdateOperator changes the fields named by update_mask.
func (h *Operators) UpdateOperator(ctx context.Context, req *operatorsv1.UpdateOperatorRequest) (*operatorsv1.UpdateOperatorResponse, error) {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	o, warnings, err := h.admin.UpdateOperator(ctx, r, fromOperator(req.GetOperator()), req.GetOperator().GetEtag(), req.GetUpdateMask().GetPaths())
	if !req.GetValidateOnly() {
		h.observe.OperatorUpdated(err)
	}
	if err != nil {
		return nil, err
	}
	return &operatorsv1.UpdateOperatorResponse{Operator: toOperator(o), Warnings: toOperatorWarnings(warnings)}, nil
}

// statusChange is what the requests for a status have in common.
type statusChange interface {
	mutation
	GetOperatorId() string
	GetEtag() string
	GetValidateOnly() bool
}

func (h *Operators) become(
	ctx context.Context, req statusChange, observe func(error),
	do func(context.Context, operators.Request, operators.Target) (operators.Operator, []operators.Warning, error),
) (*operatorsv1.Operator, []*operatorsv1.OperatorWarning, error) {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, nil, err
	}
	o, warnings, err := do(ctx, r, operators.Target{ID: idOf(req.GetOperatorId()), ETag: req.GetEtag()})
	if !req.GetValidateOnly() {
		observe(err)
	}
	if err != nil {
		return nil, nil, err
	}
	return toOperator(o), toOperatorWarnings(warnings), nil
}

// DeleteOperator takes an operator away.
func (h *Operators) DeleteOperator(ctx context.Context, req *operatorsv1.DeleteOperatorRequest) (*operatorsv1.DeleteOperatorResponse, error) {
	o, warnings, err := h.become(ctx, req, h.observe.OperatorDeleted, h.admin.DeleteOperator)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.DeleteOperatorResponse{Operator: o, Warnings: warnings}, nil
}

// ActivateOperator makes an operator ACTIVE.
func (h *Operators) ActivateOperator(ctx context.Context, req *operatorsv1.ActivateOperatorRequest) (*operatorsv1.ActivateOperatorResponse, error) {
	o, warnings, err := h.become(ctx, req, h.observe.OperatorUpdated, h.admin.ActivateOperator)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.ActivateOperatorResponse{Operator: o, Warnings: warnings}, nil
}

// SuspendOperator makes an operator SUSPENDED.
func (h *Operators) SuspendOperator(ctx context.Context, req *operatorsv1.SuspendOperatorRequest) (*operatorsv1.SuspendOperatorResponse, error) {
	o, warnings, err := h.become(ctx, req, h.observe.OperatorUpdated, h.admin.SuspendOperator)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.SuspendOperatorResponse{Operator: o, Warnings: warnings}, nil
}

// DeactivateOperator makes an operator INACTIVE.
func (h *Operators) DeactivateOperator(ctx context.Context, req *operatorsv1.DeactivateOperatorRequest) (*operatorsv1.DeactivateOperatorResponse, error) {
	o, warnings, err := h.become(ctx, req, h.observe.OperatorUpdated, h.admin.DeactivateOperator)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.DeactivateOperatorResponse{Operator: o, Warnings: warnings}, nil
}

// RotateCredentials puts a new password in force.
func (h *Operators) RotateCredentials(ctx context.Context, req *operatorsv1.RotateCredentialsRequest) (*operatorsv1.RotateCredentialsResponse, error) {
	r, err := requestOf(ctx, req, false)
	if err != nil {
		return nil, err
	}
	o, err := h.admin.RotateCredentials(ctx, r, operators.Target{ID: idOf(req.GetOperatorId()), ETag: req.GetEtag()}, secret.New(req.GetPassword()))
	h.observe.OperatorUpdated(err)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.RotateCredentialsResponse{Operator: toOperator(o)}, nil
}

// ImportOperators stores a file of operators and streams progress and the result.
func (h *Operators) ImportOperators(
	ctx context.Context, req *operatorsv1.ImportOperatorsRequest, stream *connect.ServerStream[operatorsv1.ImportOperatorsResponse],
) error {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return err
	}
	result, err := runImport(ctx, h.one,
		func(p *operatorsv1.ImportProgress) error {
			return stream.Send(&operatorsv1.ImportOperatorsResponse{Step: &operatorsv1.ImportOperatorsResponse_Progress{Progress: p}})
		},
		func(ctx context.Context, progress func(done, total int64)) (operators.Result, error) {
			return h.importer.ImportOperators(ctx, r, req.GetCsv(), progress)
		})
	if err != nil {
		return err
	}
	return stream.Send(&operatorsv1.ImportOperatorsResponse{Step: &operatorsv1.ImportOperatorsResponse_Result{Result: toResult(result)}})
}
