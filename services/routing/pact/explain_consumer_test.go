//go:build pact

package pact_test

import (
	"testing"

	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

func TestConsumerAsksWhyAnOperatorIsChosen(t *testing.T) {
	const name = "the reasons for an answer"
	interaction{
		name: name,
		states: []models.ProviderState{
			sessions(north, south),
			rule("COST", candidate(north, 1, 100, "12500000"), candidate(south, 2, 100, "9000000")),
			lost(south),
		},
		procedure: routingv1connect.RoutingServiceExplainRouteProcedure,
		request:   object{"query": ask(nil)},
		status:    200,
		response: object{
			"decision": decision("COST", north, 12_500_000),
			"rules": []any{ruleTrace("RULE_OUTCOME_SELECTED",
				object{
					"operatorId": north.id, "operatorName": matchers.Like(north.name), "rank": 1, "priority": 1, "weight": 100,
					"unitPrice": money(12_500_000), "bindState": "BIND_STATE_BOUND", "quality": "QUALITY_HEALTHY",
				}, object{
					"operatorId": south.id, "operatorName": matchers.Like(south.name), "rejection": "REJECTION_UNBOUND", "priority": 2, "weight": 100,
					"unitPrice": money(9_000_000), "bindState": "BIND_STATE_UNBOUND", "quality": "QUALITY_UNHEALTHY",
				})},
			"meta": meta(),
		},
	}.run(t, func(t *testing.T, client routingv1connect.RoutingServiceClient) {
		got, err := client.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: question(nil)})
		require.NoError(t, err)
		requireDecision(t, got.GetDecision(), "COST", north, 12_500_000)
		require.NotEmpty(t, got.GetMeta().GetDecisionId())
		winner, loser := requireRule(t, got, routingv1.RuleOutcome_RULE_OUTCOME_SELECTED, 2)[0], got.GetRules()[0].GetCandidates()[1]
		require.Equal(t, north.id+" "+north.name, winner.GetOperatorId()+" "+winner.GetOperatorName())
		require.EqualValues(t, 1, winner.GetRank())
		require.EqualValues(t, 12_500_000, winner.GetUnitPrice().GetNanos())
		require.Equal(t, eventsv1.BindState_BIND_STATE_BOUND, winner.GetBindState())
		require.Equal(t, eventsv1.Quality_QUALITY_HEALTHY, winner.GetQuality())
		require.Equal(t, routingv1.Rejection_REJECTION_UNBOUND, loser.GetRejection())
		require.Zero(t, loser.GetRank())
		require.EqualValues(t, 2, loser.GetPriority())
		require.EqualValues(t, 100, loser.GetWeight())
	})
}

func TestConsumerAsksWhyThereIsNoOperator(t *testing.T) {
	const name = "the reasons for having no answer"
	interaction{
		name:      name,
		states:    []models.ProviderState{sessions(north), rule("COST", candidate(north, 1, 100, "12500000")), lost(north)},
		procedure: routingv1connect.RoutingServiceExplainRouteProcedure,
		request:   object{"query": ask(nil)},
		status:    200,
		response: object{
			"failure": object{"code": "unavailable", "reason": "NO_USABLE_OPERATOR", "message": matchers.Like("a sentence for people")},
			"rules": []any{ruleTrace("RULE_OUTCOME_EXHAUSTED", object{
				"operatorId": north.id, "operatorName": matchers.Like(north.name), "rejection": "REJECTION_UNBOUND", "priority": 1, "weight": 100,
				"unitPrice": money(12_500_000), "bindState": "BIND_STATE_UNBOUND", "quality": "QUALITY_UNHEALTHY",
			})},
			"meta": meta(),
		},
	}.run(t, func(t *testing.T, client routingv1connect.RoutingServiceClient) {
		got, err := client.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: question(nil)})
		require.NoError(t, err, "a number without an operator is an answer here")
		require.Nil(t, got.GetDecision())
		require.Equal(t, "unavailable NO_USABLE_OPERATOR", got.GetFailure().GetCode()+" "+got.GetFailure().GetReason())
		require.NotEmpty(t, got.GetFailure().GetMessage())
		only := requireRule(t, got, routingv1.RuleOutcome_RULE_OUTCOME_EXHAUSTED, 1)[0]
		require.Equal(t, routingv1.Rejection_REJECTION_UNBOUND, only.GetRejection())
	})
}

func ruleTrace(outcome string, candidates ...any) object {
	return object{
		"ruleId": ruleID, "prefix": prefix, "strategy": "ROUTING_STRATEGY_COST", "onExhausted": "ON_EXHAUSTED_FAIL",
		"outcome": outcome, "candidates": candidates,
	}
}

// requireRule checks the one rule of an explanation and gives its candidates.
func requireRule(t *testing.T, got *routingv1.ExplainRouteResponse, outcome routingv1.RuleOutcome, candidates int) []*routingv1.CandidateTrace {
	t.Helper()
	require.Len(t, got.GetRules(), 1)
	r := got.GetRules()[0]
	require.Equal(t, ruleID, r.GetRuleId())
	require.Empty(t, r.GetAccountId(), "a global rule")
	require.Equal(t, prefix, r.GetPrefix())
	require.Equal(t, routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, r.GetStrategy())
	require.Equal(t, routingv1.OnExhausted_ON_EXHAUSTED_FAIL, r.GetOnExhausted())
	require.Equal(t, outcome, r.GetOutcome())
	require.Len(t, r.GetCandidates(), candidates)
	return r.GetCandidates()
}
