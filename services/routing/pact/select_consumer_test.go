//go:build pact

package pact_test

import (
	"testing"

	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

func TestConsumerSelectsByEachStrategy(t *testing.T) {
	for _, c := range []struct {
		name     string
		states   []models.ProviderState
		body     object
		strategy string
		request  *routingv1.SelectOperatorRequest
		first    operator
		price    int64
		then     []operator
	}{
		{
			name: "a message by COST goes to the cheapest operator",
			states: []models.ProviderState{
				sessions(north, south),
				rule("COST", candidate(north, 1, 100, "12500000"), candidate(south, 2, 100, "9000000")),
			},
			body: ask(nil), request: question(nil), strategy: "COST",
			first: south, price: 9_000_000, then: []operator{north},
		},
		{
			name: "a message by PRIORITY goes to the smallest priority number",
			states: []models.ProviderState{
				sessions(north, south),
				rule("PRIORITY", candidate(north, 2, 100, "9000000"), candidate(south, 1, 100, "12500000")),
			},
			body: ask(nil), request: question(nil), strategy: "PRIORITY",
			first: south, price: 12_500_000, then: []operator{north},
		},
		{
			name: "a message by FAILOVER goes to the second operator when the first has no session",
			states: []models.ProviderState{
				sessions(north, south),
				rule("FAILOVER", candidate(north, 1, 100, "9000000"), candidate(south, 2, 100, "12500000")),
				lost(north),
			},
			body: ask(nil), request: question(nil), strategy: "FAILOVER",
			first: south, price: 12_500_000,
		},
		{
			name: "a message by WEIGHTED, drawn by its id, never goes to weight 0 first",
			states: []models.ProviderState{
				sessions(north, south),
				rule("WEIGHTED", candidate(north, 1, 0, "9000000"), candidate(south, 2, 100, "12500000")),
			},
			body:     ask(object{"messageId": "message-1"}),
			request:  question(func(r *routingv1.SelectOperatorRequest) { r.MessageId = "message-1" }),
			strategy: "WEIGHTED", first: south, price: 12_500_000, then: []operator{north},
		},
		{
			name: "a message whose first attempt failed goes to another operator",
			states: []models.ProviderState{
				sessions(north, south),
				rule("COST", candidate(north, 1, 100, "12500000"), candidate(south, 2, 100, "9000000")),
			},
			body:     ask(object{"excludeOperatorIds": []string{south.id}}),
			request:  question(func(r *routingv1.SelectOperatorRequest) { r.ExcludeOperatorIds = []string{south.id} }),
			strategy: "COST", first: north, price: 12_500_000,
		},
		{
			name: "a FLASH message goes to an operator that carries FLASH",
			states: []models.ProviderState{
				sessions(north, south),
				rule("COST", candidate(north, 1, 100, "12500000"), candidate(south, 2, 100, "9000000")),
			},
			body:     ask(object{"messageType": "MESSAGE_TYPE_FLASH"}),
			request:  question(func(r *routingv1.SelectOperatorRequest) { r.MessageType = routingv1.MessageType_MESSAGE_TYPE_FLASH }),
			strategy: "COST", first: north, price: 12_500_000,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			interaction{
				name: c.name, states: c.states, procedure: routingv1connect.RoutingServiceSelectOperatorProcedure, request: c.body,
				status: 200, response: decision(c.strategy, c.first, c.price, c.then...),
			}.run(t, func(t *testing.T, client routingv1connect.RoutingServiceClient) {
				got, err := client.SelectOperator(t.Context(), c.request)
				require.NoError(t, err)
				requireDecision(t, got, c.strategy, c.first, c.price, c.then...)
			})
		})
	}
}

func TestConsumerAsksForManyNumbersAtOnce(t *testing.T) {
	const name = "a batch with a number that has a route and one that has none"
	interaction{
		name: name,
		states: []models.ProviderState{
			sessions(north, south),
			rule("COST", candidate(north, 1, 100, "12500000"), candidate(south, 2, 100, "9000000")),
		},
		procedure: routingv1connect.RoutingServiceBatchSelectOperatorsProcedure,
		request:   object{"requests": []any{ask(nil), ask(object{"to": numberElsewhere})}},
		status:    200,
		response: object{"results": []any{
			object{"response": decision("COST", south, 9_000_000, north)},
			object{"error": object{"code": "not_found", "reason": "NO_ROUTE", "message": matchers.Like("no rule matches the number")}},
		}},
	}.run(t, func(t *testing.T, client routingv1connect.RoutingServiceClient) {
		got, err := client.BatchSelectOperators(t.Context(), &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{
			question(nil), question(func(r *routingv1.SelectOperatorRequest) { r.To = numberElsewhere }),
		}})
		require.NoError(t, err)
		require.Len(t, got.GetResults(), 2)
		require.Nil(t, got.GetResults()[0].GetError())
		requireDecision(t, got.GetResults()[0].GetResponse(), "COST", south, 9_000_000, north)
		require.Nil(t, got.GetResults()[1].GetResponse())
		failure := got.GetResults()[1].GetError()
		require.Equal(t, "not_found NO_ROUTE", failure.GetCode()+" "+failure.GetReason())
		require.NotEmpty(t, failure.GetMessage())
	})
}
