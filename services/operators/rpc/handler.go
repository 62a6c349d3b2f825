package rpc

import (
	"context"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

// ImportBytes is the limit of one message to an import: a file of the largest
// size and room for the other fields. A JSON message holds the file as base64,
// so there three quarters of it fit.
const ImportBytes = operators.MaxFileBytes + 4<<10

// ImportProcedures returns the procedures that take messages up to ImportBytes.
func ImportProcedures() []string {
	return []string{
		operatorsv1connect.OperatorServiceImportOperatorsProcedure,
		operatorsv1connect.RoutingRuleServiceImportRoutingRulesProcedure,
	}
}

// Lister reads pages of live rows. The bool says whether there are more.
type Lister interface {
	// ListOperators gives operators by name, after the name given.
	ListOperators(ctx context.Context, after string, limit int) ([]operators.Operator, bool, error)
	// ListRules gives rules in the order of their keys, after the key given.
	ListRules(ctx context.Context, after *operators.RuleKey, limit int) ([]operators.Rule, bool, error)
}

// Importer stores files.
type Importer interface {
	ImportOperators(ctx context.Context, file []byte, options operators.Options) (operators.Result, error)
	ImportRules(ctx context.Context, file []byte, options operators.Options) (operators.Result, error)
}

// Handler serves both services. It is safe for concurrent use.
type Handler struct {
	operatorsv1connect.UnimplementedOperatorServiceHandler
	operatorsv1connect.UnimplementedRoutingRuleServiceHandler

	list      Lister
	importer  Importer
	importing sync.Mutex
}

var (
	_ operatorsv1connect.OperatorServiceHandler    = (*Handler)(nil)
	_ operatorsv1connect.RoutingRuleServiceHandler = (*Handler)(nil)
)

// NewHandler returns a handler.
func NewHandler(list Lister, importer Importer) *Handler {
	return &Handler{list: list, importer: importer}
}

// ListOperators gives live operators by name, in pages.
func (h *Handler) ListOperators(
	ctx context.Context, req *operatorsv1.ListOperatorsRequest,
) (*operatorsv1.ListOperatorsResponse, error) {
	const list = operatorsv1connect.OperatorServiceListOperatorsProcedure
	position, err := readToken(list, req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	after := ""
	if position != nil {
		after = position[0]
	}
	page, more, err := h.list.ListOperators(ctx, after, pageSize(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &operatorsv1.ListOperatorsResponse{Operators: make([]*operatorsv1.Operator, len(page))}
	for i, o := range page {
		response.Operators[i] = toOperator(o)
	}
	if more {
		response.NextPageToken = writeToken(list, page[len(page)-1].Name)
	}
	return response, nil
}

// ListRoutingRules gives live rules by prefix, in pages.
func (h *Handler) ListRoutingRules(
	ctx context.Context, req *operatorsv1.ListRoutingRulesRequest,
) (*operatorsv1.ListRoutingRulesResponse, error) {
	const list = operatorsv1connect.RoutingRuleServiceListRoutingRulesProcedure
	after, err := readRulePosition(list, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, more, err := h.list.ListRules(ctx, after, pageSize(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &operatorsv1.ListRoutingRulesResponse{Rules: make([]*operatorsv1.RoutingRule, len(page))}
	for i, r := range page {
		response.Rules[i] = toRule(r)
	}
	if more {
		last := page[len(page)-1]
		response.NextPageToken = writeToken(list, last.Prefix.String(), idText(last.Account), last.MessageTypes.String())
	}
	return response, nil
}

func readRulePosition(list, token string) (*operators.RuleKey, error) {
	position, err := readToken(list, token, 3)
	if err != nil || position == nil {
		return nil, err
	}
	key := new(operators.RuleKey)
	if key.Prefix, err = e164.ParsePrefix(position[0]); err != nil {
		return nil, invalidToken()
	}
	if position[1] != "" {
		if key.Account, err = uuid.Parse(position[1]); err != nil {
			return nil, invalidToken()
		}
	}
	if key.MessageTypes, err = operators.ParseMessageTypes(position[2]); err != nil {
		return nil, invalidToken()
	}
	return key, nil
}

// ImportOperators stores a file of operators and streams progress and the result.
func (h *Handler) ImportOperators(
	ctx context.Context, req *operatorsv1.ImportOperatorsRequest, stream *connect.ServerStream[operatorsv1.ImportOperatorsResponse],
) error {
	return h.runImport(ctx, h.importer.ImportOperators, req.GetCsv(), req.GetValidateOnly(),
		func(p *operatorsv1.ImportProgress) error {
			return stream.Send(&operatorsv1.ImportOperatorsResponse{Step: &operatorsv1.ImportOperatorsResponse_Progress{Progress: p}})
		},
		func(r *operatorsv1.ImportResult) error {
			return stream.Send(&operatorsv1.ImportOperatorsResponse{Step: &operatorsv1.ImportOperatorsResponse_Result{Result: r}})
		})
}

// ImportRoutingRules stores a file of rules and streams progress and the result.
func (h *Handler) ImportRoutingRules(
	ctx context.Context, req *operatorsv1.ImportRoutingRulesRequest, stream *connect.ServerStream[operatorsv1.ImportRoutingRulesResponse],
) error {
	return h.runImport(ctx, h.importer.ImportRules, req.GetCsv(), req.GetValidateOnly(),
		func(p *operatorsv1.ImportProgress) error {
			return stream.Send(&operatorsv1.ImportRoutingRulesResponse{Step: &operatorsv1.ImportRoutingRulesResponse_Progress{Progress: p}})
		},
		func(r *operatorsv1.ImportResult) error {
			return stream.Send(&operatorsv1.ImportRoutingRulesResponse{Step: &operatorsv1.ImportRoutingRulesResponse_Result{Result: r}})
		})
}

type importFunc func(ctx context.Context, file []byte, options operators.Options) (operators.Result, error)

// ReasonImportRunning refuses an import while another one runs.
const ReasonImportRunning = "IMPORT_RUNNING"

// errImportRunning sheds a second import: one may take a gigabyte, and the store
// takes only one at a time anyway.
var errImportRunning = fault.New(fault.ResourceExhausted, ReasonImportRunning,
	"another import is running").WithRetry(10 * time.Second)

// runImport runs an import, one at a time. A caller who no longer reads ends it,
// unless it is committed by then.
func (h *Handler) runImport(
	ctx context.Context, run importFunc, file []byte, validateOnly bool,
	progress func(*operatorsv1.ImportProgress) error, finish func(*operatorsv1.ImportResult) error,
) error {
	if !h.importing.TryLock() {
		return errImportRunning
	}
	defer h.importing.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result, err := run(ctx, file, operators.Options{
		ValidateOnly: validateOnly,
		Progress: func(done, total int64) {
			if err := progress(&operatorsv1.ImportProgress{Done: done, Total: total}); err != nil {
				cancel(err)
			}
		},
	})
	if err != nil {
		return err
	}
	return finish(toResult(result))
}
