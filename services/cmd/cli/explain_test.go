package cli_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
)

func explanation() *routingv1.ExplainRouteResponse {
	return &routingv1.ExplainRouteResponse{
		Result: &routingv1.ExplainRouteResponse_Decision{Decision: decision()},
		Rules: []*routingv1.RuleTrace{
			{
				Prefix: "+447911", AccountId: account, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER,
				OnExhausted: routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH, Outcome: routingv1.RuleOutcome_RULE_OUTCOME_FELL_THROUGH,
				Candidates: []*routingv1.CandidateTrace{
					{OperatorName: "Kestrel Receipts", Rejection: routingv1.Rejection_REJECTION_RECEIVES_ONLY, Priority: 1, Weight: 100},
				},
			},
			{
				Prefix: "+447911", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Outcome: routingv1.RuleOutcome_RULE_OUTCOME_SELECTED,
				Candidates: []*routingv1.CandidateTrace{
					{OperatorName: "Nordlink Transit", Rank: 1, Priority: 1, Weight: 100, UnitPrice: eur(62_500_000),
						BindState: eventsv1.BindState_BIND_STATE_BOUND, Quality: eventsv1.Quality_QUALITY_HEALTHY},
					{OperatorName: "Meridian Carrier", Rank: 2, Priority: 2, Weight: 100, UnitPrice: eur(68_300_000), RatePrefix: "+447"},
					{OperatorName: "Atlantica Hub", Priority: 3, Weight: 100, Rejection: routingv1.Rejection_REJECTION_UNBOUND,
						BindState: eventsv1.BindState_BIND_STATE_UNBOUND, Quality: eventsv1.Quality_QUALITY_UNHEALTHY},
					{OperatorName: "Bosphorus Exchange", Priority: 4, Weight: 100, Rejection: routingv1.Rejection_REJECTION_OPERATOR_NOT_ACTIVE},
				},
			},
			{Prefix: "+44", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED, Outcome: routingv1.RuleOutcome_RULE_OUTCOME_NOT_REACHED},
		},
	}
}

func TestExplainTellsEveryRuleAndCandidate(t *testing.T) {
	answer := explanation()
	f := &fake{explain: func(_ context.Context, req *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error) {
		require.Equal(t, number, req.GetQuery().GetTo())
		return answer, nil
	}}
	f.start(t)
	got := run(t, nil, "routes", "explain", number)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "explain.txt", got.stdout)
	got = run(t, nil, "routes", "explain", number, "-o", "json")
	golden(t, "explain.json", got.stdout)

	answer = &routingv1.ExplainRouteResponse{Result: &routingv1.ExplainRouteResponse_Failure{Failure: &routingv1.Failure{
		Code: "not_found", Reason: "NO_ROUTE", Message: "No rule matches the number.",
	}}}
	got = run(t, nil, "routes", "explain", number)
	require.Equal(t, cli.ExitOK, got.exit, "a number without a route is explained too")
	golden(t, "explain-no-route.txt", got.stdout)

	got = run(t, nil, "routes", "explain", "07911123456")
	require.Equal(t, cli.ExitInvalid, got.exit)
	require.Contains(t, got.stderr, "plus sign")
}

func TestEveryOutcomeAndRejectionHasWords(t *testing.T) {
	for value := range routingv1.RuleOutcome_name {
		if value == 0 {
			continue
		}
		answer := &routingv1.ExplainRouteResponse{Rules: []*routingv1.RuleTrace{{Outcome: routingv1.RuleOutcome(value)}}}
		require.NotContains(t, explainText(t, answer), "RULE_OUTCOME_")
	}
	for value := range routingv1.Rejection_name {
		answer := &routingv1.ExplainRouteResponse{Rules: []*routingv1.RuleTrace{{
			Candidates: []*routingv1.CandidateTrace{{Rejection: routingv1.Rejection(value)}},
		}}}
		require.NotContains(t, explainText(t, answer), "REJECTION_")
	}
}

func explainText(t *testing.T, answer *routingv1.ExplainRouteResponse) string {
	t.Helper()
	f := &fake{explain: func(context.Context, *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error) {
		return answer, nil
	}}
	f.start(t)
	got := run(t, nil, "routes", "explain", number)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	return got.stdout
}
