package rpc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

const account = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d"

func priced(o *operatorsv1.Operator, nanos int64, priority int32) *operatorsv1.RuleCandidate {
	return &operatorsv1.RuleCandidate{OperatorId: o.GetOperatorId(), Priority: priority, Price: &routingv1.Money{CurrencyCode: "EUR", Nanos: nanos}}
}

func TestARuleIsGivenInFull(t *testing.T) {
	s, ctx := serve(t), t.Context()
	a, b := s.named(t, "Alpha"), s.named(t, "Beta")
	second := priced(b, 0, 0)
	second.Priority, second.Weight = 2, proto.Int32(0)
	rule := &operatorsv1.RoutingRule{
		AccountId: account, Prefix: "+447", Country: "GB", Description: "mobile", MessageTypes: []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_SMS},
		Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER, OnExhausted: routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH, Active: true,
		ValidFrom:  timestamppb.New(a.GetCreateTime().AsTime()),
		Candidates: []*operatorsv1.RuleCandidate{{OperatorId: a.GetOperatorId()}, second},
	}
	created, err := s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: rule})
	require.NoError(t, err)
	got := created.GetRule()
	require.NotEmpty(t, got.GetRuleId())
	require.EqualValues(t, 1, got.GetVersion())
	require.Equal(t, "Alpha", got.GetCandidates()[0].GetOperatorName())
	require.EqualValues(t, 1, got.GetCandidates()[0].GetPriority())
	require.EqualValues(t, 100, got.GetCandidates()[0].GetWeight(), "the default")
	require.Nil(t, got.GetCandidates()[0].GetPrice(), "no price is not a price of 0")
	require.Zero(t, got.GetCandidates()[1].GetWeight(), "a weight of 0 is one")
	require.NotNil(t, got.GetCandidates()[1].GetPrice())
	require.NotEmpty(t, created.GetWarnings(), "no operator is active")
	rule.Active, rule.Prefix = false, "+448"
	idle, err := s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: rule})
	require.NoError(t, err)
	warning := idle.GetWarnings()[len(idle.GetWarnings())-1]
	require.Equal(t, "RULE_INACTIVE", warning.GetReason())
	require.Equal(t, []string{idle.GetRule().GetRuleId()}, warning.GetRuleIds())
	rule.Prefix = "+449"
	idle, err = s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: rule, ValidateOnly: true})
	require.NoError(t, err)
	for _, warning := range idle.GetWarnings() {
		require.Equal(t, []string{""}, warning.GetRuleIds(), "a rule that is not stored has no id")
	}

	read, err := s.rules.GetRoutingRule(ctx, &operatorsv1.GetRoutingRuleRequest{RuleId: got.GetRuleId()})
	require.NoError(t, err)
	require.Equal(t, got.String(), read.GetRule().String())
	for _, want := range []struct{ got, want string }{
		{read.GetRule().GetAccountId(), account}, {read.GetRule().GetPrefix(), "+447"}, {read.GetRule().GetCountry(), "GB"},
		{read.GetRule().GetDescription(), "mobile"}, {read.GetRule().GetOnExhausted().String(), "ON_EXHAUSTED_FALL_THROUGH"},
	} {
		require.Equal(t, want.want, want.got)
	}
}

func TestARuleIsChangedAndTakenAway(t *testing.T) {
	s, ctx := serve(t), t.Context()
	a, b := s.named(t, "Alpha"), s.named(t, "Beta")
	created, err := s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: &operatorsv1.RoutingRule{
		Prefix: "+447", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Active: true, Candidates: []*operatorsv1.RuleCandidate{priced(a, 5, 0)},
	}})
	require.NoError(t, err)
	rule := created.GetRule()
	change := &operatorsv1.RoutingRule{RuleId: rule.GetRuleId(), Etag: rule.GetEtag(), Candidates: []*operatorsv1.RuleCandidate{priced(b, 7, 0)}}
	mask := &fieldmaskpb.FieldMask{Paths: []string{"candidates"}}
	updated, err := s.rules.UpdateRoutingRule(ctx, &operatorsv1.UpdateRoutingRuleRequest{Rule: change, UpdateMask: mask})
	require.NoError(t, err)
	require.Equal(t, b.GetOperatorId(), updated.GetRule().GetCandidates()[0].GetOperatorId())
	require.True(t, updated.GetRule().GetActive(), "what the mask does not name stays")
	_, err = s.rules.UpdateRoutingRule(ctx, &operatorsv1.UpdateRoutingRuleRequest{Rule: change, UpdateMask: mask})
	require.Equal(t, "aborted ETAG_MISMATCH", reason(t, err))
	_, err = s.rules.UpdateRoutingRule(ctx, &operatorsv1.UpdateRoutingRuleRequest{Rule: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"prefix"}}})
	require.Equal(t, "invalid_argument INVALID_UPDATE_MASK", reason(t, err))
	_, err = s.rules.DeleteRoutingRule(ctx, &operatorsv1.DeleteRoutingRuleRequest{RuleId: rule.GetRuleId(), ValidateOnly: true})
	require.NoError(t, err)
	_, err = s.rules.DeleteRoutingRule(ctx, &operatorsv1.DeleteRoutingRuleRequest{RuleId: rule.GetRuleId(), Etag: updated.GetRule().GetEtag()})
	require.NoError(t, err, "the rehearsal took nothing away")
	_, err = s.rules.GetRoutingRule(ctx, &operatorsv1.GetRoutingRuleRequest{RuleId: rule.GetRuleId()})
	require.Equal(t, "not_found NO_SUCH_RULE", reason(t, err))
}

func TestAConflictIsToldWithItsWitness(t *testing.T) {
	s, ctx := serve(t), t.Context()
	a, b := s.named(t, "Alpha"), s.named(t, "Beta")
	create := func(candidates ...*operatorsv1.RuleCandidate) error {
		_, err := s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: &operatorsv1.RoutingRule{
			Prefix: "+447", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Active: true, Candidates: candidates,
		}})
		return err
	}
	var conflict operatorsv1.RuleConflict
	err := create(priced(a, 5, 0), &operatorsv1.RuleCandidate{OperatorId: b.GetOperatorId()})
	require.Equal(t, "failed_precondition RULE_CONFLICT", details(t, err, &conflict))
	require.NotEmpty(t, conflict.GetFindings())
	finding := conflict.GetFindings()[0]
	require.Equal(t, "NO_RATE", finding.GetReason())
	require.Equal(t, operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR, finding.GetSeverity())
	require.Equal(t, b.GetOperatorId(), finding.GetOperatorId())
	require.True(t, strings.HasPrefix(finding.GetWitness(), "+447"), finding.GetWitness())

	require.NoError(t, create(priced(a, 5, 0)))
	require.Equal(t, "already_exists DUPLICATE_RULE", reason(t, create(priced(b, 5, 0))))
	_, err = s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: &operatorsv1.RoutingRule{
		Prefix: "+33", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY,
		Candidates: []*operatorsv1.RuleCandidate{{OperatorId: "0190a8f0-0000-7000-8000-00000000ffff"}},
	}})
	require.Contains(t, reason(t, err), "NO_SUCH_OPERATOR")
	_, err = s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: &operatorsv1.RoutingRule{
		Prefix: "+33", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY,
		Candidates: []*operatorsv1.RuleCandidate{{OperatorId: a.GetOperatorId(), Price: &routingv1.Money{CurrencyCode: "XXX"}}},
	}})
	require.Equal(t, "invalid_argument VALIDATION_FAILED", reason(t, err))
}

func TestRulesAreListedByFilterAndChecked(t *testing.T) {
	s, ctx := serve(t), t.Context()
	a, b := s.named(t, "Alpha"), s.named(t, "Beta")
	for _, r := range []*operatorsv1.RoutingRule{
		{Prefix: "+44", Country: "GB", Candidates: []*operatorsv1.RuleCandidate{priced(a, 5, 0)}},
		{Prefix: "+447", Country: "GB", Candidates: []*operatorsv1.RuleCandidate{priced(b, 5, 0)}},
		{Prefix: "+447", AccountId: account, Country: "GB", Description: "Special deal", Candidates: []*operatorsv1.RuleCandidate{priced(b, 5, 0)}},
		{Prefix: "+33", Country: "FR", Candidates: []*operatorsv1.RuleCandidate{priced(a, 5, 1), priced(b, 5, 2)}},
	} {
		r.Strategy, r.Active = routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, true
		_, err := s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: r})
		require.NoError(t, err)
	}
	for _, tt := range []struct {
		name string
		req  *operatorsv1.ListRoutingRulesRequest
		want []string
	}{
		{"all, in pages", &operatorsv1.ListRoutingRulesRequest{}, []string{"+33", "+44", "+447", "+447 " + account}},
		{"of an operator", &operatorsv1.ListRoutingRulesRequest{OperatorId: a.GetOperatorId()}, []string{"+33", "+44"}},
		{"by prefix", &operatorsv1.ListRoutingRulesRequest{Prefix: "+447"}, []string{"+447", "+447 " + account}},
		{"by country", &operatorsv1.ListRoutingRulesRequest{Country: "FR"}, []string{"+33"}},
		{"of an account", &operatorsv1.ListRoutingRulesRequest{AccountId: account}, []string{"+447 " + account}},
		{"by text", &operatorsv1.ListRoutingRulesRequest{Search: "DEAL"}, []string{"+447 " + account}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for tt.req.PageSize = 1; ; {
				page, err := s.rules.ListRoutingRules(ctx, tt.req)
				require.NoError(t, err)
				for _, r := range page.GetRules() {
					got = append(got, strings.TrimSpace(r.GetPrefix()+" "+r.GetAccountId()))
				}
				if tt.req.PageToken = page.GetNextPageToken(); tt.req.GetPageToken() == "" {
					break
				}
			}
			require.Equal(t, tt.want, got)
		})
	}

	stored, err := s.rules.CheckRoutingRules(ctx, &operatorsv1.CheckRoutingRulesRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 4, stored.GetRuleCount())
	require.Zero(t, stored.GetErrorCount())
	require.NotZero(t, stored.GetWarningCount(), "no operator is active")
	const header = "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"
	file, err := s.rules.CheckRoutingRules(ctx, &operatorsv1.CheckRoutingRulesRequest{Csv: []byte(header + ",+49,DE,,COST,,Alpha,1,,,\n")})
	require.NoError(t, err)
	require.NotZero(t, file.GetErrorCount())
	require.EqualValues(t, 2, file.GetFindings()[0].GetLine())
	unreadable, err := s.rules.CheckRoutingRules(ctx, &operatorsv1.CheckRoutingRulesRequest{Csv: []byte(header + ",+49,DE,,COST,,Nobody,1,,,\n")})
	require.NoError(t, err)
	require.EqualValues(t, 1, unreadable.GetBadLineCount())
}
