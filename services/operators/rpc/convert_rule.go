package rpc

import (
	"strconv"

	"google.golang.org/protobuf/proto"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

func toRule(r operators.Rule) *operatorsv1.RoutingRule {
	out := &operatorsv1.RoutingRule{
		RuleId: idText(r.ID), AccountId: idText(r.Account), Prefix: r.Prefix.String(), Country: r.Country, Description: r.Description,
		MessageTypes: toMessageTypes(r.MessageTypes), Strategy: routingv1.RoutingStrategy(r.Strategy), OnExhausted: routingv1.OnExhausted(r.OnExhausted),
		Active: r.Active, ValidFrom: toTime(r.ValidFrom), ValidTo: toTime(r.ValidTo), Version: r.Version, Etag: r.ETag(),
		CreateTime: toTime(r.CreatedAt), UpdateTime: toTime(r.UpdatedAt), CreatedBy: r.CreatedBy, UpdatedBy: r.UpdatedBy,
	}
	for _, c := range r.Candidates {
		out.Candidates = append(out.Candidates, &operatorsv1.RuleCandidate{
			OperatorId: c.OperatorID.String(), OperatorName: c.OperatorName,
			Priority: int32(c.Priority), Weight: proto.Int32(int32(c.Weight)), Price: toMoney(c.Price),
		})
	}
	return out
}

// fromRule reads what a caller may set; defaults stand for what is not given.
func fromRule(r *operatorsv1.RoutingRule) (out operators.Rule, err error) {
	out = operators.Rule{
		ID: idOf(r.GetRuleId()), Account: idOf(r.GetAccountId()), Country: r.GetCountry(), Description: r.GetDescription(),
		MessageTypes: fromMessageTypes(r.GetMessageTypes()), Strategy: operators.Strategy(r.GetStrategy()),
		OnExhausted: operators.OnExhausted(r.GetOnExhausted()), Active: r.GetActive(),
	}
	if out.OnExhausted == 0 {
		out.OnExhausted = operators.Fail
	}
	if r.GetPrefix() != "" {
		if out.Prefix, err = e164.ParsePrefix(r.GetPrefix()); err != nil {
			return out, fault.Invalid(operators.ReasonInvalid, fault.Violation{Field: "rule.prefix", Description: err.Error()})
		}
	}
	if out.ValidFrom, err = fromTime("rule.valid_from", r.GetValidFrom()); err != nil {
		return out, err
	}
	if out.ValidTo, err = fromTime("rule.valid_to", r.GetValidTo()); err != nil {
		return out, err
	}
	for i, c := range r.GetCandidates() {
		candidate := operators.Candidate{OperatorID: idOf(c.GetOperatorId()), Priority: int(c.GetPriority()), Weight: operators.DefaultWeight}
		if candidate.Priority == 0 {
			candidate.Priority = operators.DefaultPriority
		}
		if c.Weight != nil {
			candidate.Weight = int(c.GetWeight())
		}
		if candidate.Price, err = fromMoney("rule.candidates["+strconv.Itoa(i)+"].price", c.GetPrice()); err != nil {
			return out, err
		}
		out.Candidates = append(out.Candidates, candidate)
	}
	return out, nil
}

func toFindings(all []operators.Finding) []*operatorsv1.RuleFinding {
	out := make([]*operatorsv1.RuleFinding, len(all))
	for i, f := range all {
		out[i] = &operatorsv1.RuleFinding{
			Severity: operatorsv1.FindingSeverity(f.Severity), Reason: f.Reason, Message: f.Message,
			Witness: f.Witness.Raw(), OperatorId: idText(f.Operator), Line: f.Line,
		}
		for _, id := range f.Rules {
			out[i].RuleIds = append(out[i].RuleIds, idText(id))
		}
	}
	return out
}

func toReport(r operators.Report) *operatorsv1.CheckRoutingRulesResponse {
	return &operatorsv1.CheckRoutingRulesResponse{
		Findings: toFindings(r.Findings), ErrorCount: int64(r.Errors), WarningCount: int64(r.Warnings), RuleCount: int64(r.Rules),
	}
}
