package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pagetoken"
)

// Rules serves RoutingRuleService.
type Rules struct {
	admin    *operators.RuleAdmin
	importer *operators.Importer
	one      *OneImport
	observe  Observer
}

var _ operatorsv1connect.RoutingRuleServiceHandler = (*Rules)(nil)

// NewRules gives the handler of RoutingRuleService.
func NewRules(admin *operators.RuleAdmin, importer *operators.Importer, one *OneImport, observe Observer) *Rules {
	return &Rules{admin: admin, importer: importer, one: one, observe: observe}
}

// CreateRoutingRule stores a new rule.
func (h *Rules) CreateRoutingRule(
	ctx context.Context, req *operatorsv1.CreateRoutingRuleRequest,
) (*operatorsv1.CreateRoutingRuleResponse, error) {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	rule, err := fromRule(req.GetRule())
	if err != nil {
		return nil, err
	}
	stored, warnings, err := h.admin.CreateRule(ctx, r, rule)
	if !req.GetValidateOnly() {
		h.observe.RuleCreated(err)
	}
	if err != nil {
		return nil, withConflict(err)
	}
	response := &operatorsv1.CreateRoutingRuleResponse{Rule: toRule(stored), Warnings: toFindings(warnings)}
	if !stored.Active {
		id := stored.ID
		if req.GetValidateOnly() {
			id = uuid.Nil
		}
		response.Warnings = append(response.Warnings, &operatorsv1.RuleFinding{
			Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: reasonInactive, RuleIds: []string{idText(id)},
			Message: "The rule is not active: it counts for nothing, and its prices and overlaps were not checked. Set active to true when it should.",
		})
	}
	return response, nil
}

// reasonInactive warns of a new rule that counts for nothing.
const reasonInactive = "RULE_INACTIVE"

// maxConflict bounds the findings of one error: gRPC sends details in a header.
const maxConflict = 20

// withConflict attaches the findings of a refused rule.
func withConflict(err error) error {
	var conflict *operators.Conflict
	if !errors.As(err, &conflict) {
		return err
	}
	shown := conflict.Findings[:min(len(conflict.Findings), maxConflict)]
	return fault.From(err).Attach(&operatorsv1.RuleConflict{Findings: toFindings(shown)})
}

// GetRoutingRule gives one live rule.
func (h *Rules) GetRoutingRule(ctx context.Context, req *operatorsv1.GetRoutingRuleRequest) (*operatorsv1.GetRoutingRuleResponse, error) {
	rule, fresh, err := h.admin.GetRule(ctx, idOf(req.GetRuleId()))
	if err != nil {
		return nil, err
	}
	return &operatorsv1.GetRoutingRuleResponse{Rule: toRule(rule), Freshness: toFreshness(fresh)}, nil
}

// ListRoutingRules gives live rules by prefix, in pages.
func (h *Rules) ListRoutingRules(
	ctx context.Context, req *operatorsv1.ListRoutingRulesRequest,
) (*operatorsv1.ListRoutingRulesResponse, error) {
	filter := operators.RuleFilter{
		Operator: idOf(req.GetOperatorId()), Country: req.GetCountry(), Account: idOf(req.GetAccountId()),
		Search: req.GetSearch(), Limit: pagetoken.Size(req.GetPageSize()),
	}
	var err error
	if filter.Prefix, err = fromPrefix("prefix", req.GetPrefix()); err != nil {
		return nil, err
	}
	list, err := pagetoken.ListOf(operatorsv1connect.RoutingRuleServiceListRoutingRulesProcedure, req)
	if err != nil {
		return nil, err
	}
	if filter.After, err = readRulePosition(list, req.GetPageToken()); err != nil {
		return nil, err
	}
	page, more, fresh, err := h.admin.ListRules(ctx, filter)
	if err != nil {
		return nil, err
	}
	response := &operatorsv1.ListRoutingRulesResponse{Freshness: toFreshness(fresh)}
	for _, r := range page {
		response.Rules = append(response.Rules, toRule(r))
	}
	if more {
		last := page[len(page)-1]
		response.NextPageToken = list.Write(last.Prefix.String(), idText(last.Account), last.MessageTypes.String())
	}
	return response, nil
}

func readRulePosition(list pagetoken.List, token string) (*operators.RuleKey, error) {
	position, err := list.Read(token, 3)
	if err != nil || position == nil {
		return nil, err
	}
	key := new(operators.RuleKey)
	if key.Prefix, err = e164.ParsePrefix(position[0]); err != nil {
		return nil, pagetoken.Invalid()
	}
	if position[1] != "" {
		if key.Account, err = uuid.Parse(position[1]); err != nil {
			return nil, pagetoken.Invalid()
		}
	}
	if key.MessageTypes, err = operators.ParseMessageTypes(position[2]); err != nil {
		return nil, pagetoken.Invalid()
	}
	return key, nil
}

// UpdateRoutingRule changes the fields named by update_mask.
func (h *Rules) UpdateRoutingRule(
	ctx context.Context, req *operatorsv1.UpdateRoutingRuleRequest,
) (*operatorsv1.UpdateRoutingRuleResponse, error) {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	rule, err := fromRule(req.GetRule())
	if err != nil {
		return nil, err
	}
	stored, warnings, err := h.admin.UpdateRule(ctx, r, rule, req.GetRule().GetEtag(), req.GetUpdateMask().GetPaths())
	if err != nil {
		return nil, withConflict(err)
	}
	return &operatorsv1.UpdateRoutingRuleResponse{Rule: toRule(stored), Warnings: toFindings(warnings)}, nil
}

// DeleteRoutingRule takes one rule away.
func (h *Rules) DeleteRoutingRule(
	ctx context.Context, req *operatorsv1.DeleteRoutingRuleRequest,
) (*operatorsv1.DeleteRoutingRuleResponse, error) {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	warnings, err := h.admin.DeleteRule(ctx, r, operators.Target{ID: idOf(req.GetRuleId()), ETag: req.GetEtag()})
	if err != nil {
		return nil, err
	}
	return &operatorsv1.DeleteRoutingRuleResponse{Warnings: toFindings(warnings)}, nil
}

// CheckRoutingRules looks for conflicts in all stored rules, or in a file on top of them.
func (h *Rules) CheckRoutingRules(
	ctx context.Context, req *operatorsv1.CheckRoutingRulesRequest,
) (*operatorsv1.CheckRoutingRulesResponse, error) {
	result, err := h.admin.CheckRules(ctx, req.GetCsv())
	if err != nil {
		return nil, err
	}
	out := toReport(result.Report)
	out.BadLines, out.BadLineCount = toBadLines(result.BadLines), result.BadLineCount
	return out, nil
}

// ImportRoutingRules stores a file of rules and streams progress and the result.
func (h *Rules) ImportRoutingRules(
	ctx context.Context, req *operatorsv1.ImportRoutingRulesRequest, stream *connect.ServerStream[operatorsv1.ImportRoutingRulesResponse],
) error {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return err
	}
	result, err := runImport(ctx, h.one,
		func(p *operatorsv1.ImportProgress) error {
			return stream.Send(&operatorsv1.ImportRoutingRulesResponse{Step: &operatorsv1.ImportRoutingRulesResponse_Progress{Progress: p}})
		},
		func(ctx context.Context, progress func(done, total int64)) (operators.Result, error) {
			return h.importer.ImportRules(ctx, r, req.GetCsv(), progress)
		})
	if err != nil {
		return err
	}
	return stream.Send(&operatorsv1.ImportRoutingRulesResponse{Step: &operatorsv1.ImportRoutingRulesResponse_Result{Result: toResult(result)}})
}
