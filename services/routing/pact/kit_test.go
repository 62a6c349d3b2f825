//go:build pact

package pact_test

import (
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/pacttest"
)

type object = pacttest.Object

// interaction is one call that the orchestrator makes and the answer it can live with.
type interaction struct {
	name      string // unique in the pact
	states    []models.ProviderState
	procedure string
	request   object
	status    int
	response  object
}

// run puts the interaction into the pact once use has made the call and checked what the client decoded.
func (i interaction) run(t *testing.T, use func(t *testing.T, client routingv1connect.RoutingServiceClient)) {
	t.Helper()
	pacttest.Call{
		Consumer: "sms-orchestrator", Provider: "routing-engine", Name: i.name, States: i.states,
		Procedure: i.procedure, Request: i.request, Status: i.status, Response: i.response,
	}.Run(t, func(url string) {
		use(t, routingv1connect.NewRoutingServiceClient(http.DefaultClient, url, connect.WithProtoJSON()))
	})
}

const uuidPattern = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`

// meta is what every decision tells about itself.
func meta() object {
	return object{
		"decisionId":    matchers.Term("0190a8f0-0000-7000-8000-0000000000dd", uuidPattern),
		"configVersion": matchers.Term("2", pacttest.Int64),
		"rulesVersion":  matchers.Term("2", pacttest.Int64),
		"algoVersion":   matchers.Integer(1),
		"cache":         matchers.Term("CACHE_RESULT_MISS", "^CACHE_RESULT_(HIT|MISS|BYPASS)$"),
	}
}

func money(nanos int64) object { return object{"currencyCode": "EUR", "nanos": text(nanos)} }

// decision is the answer that names first, then the others in this order. Who is chosen, how and at which
// price is exact; how to reach an operator counts by its type.
func decision(strategy string, first operator, nanos int64, then ...operator) object {
	d := object{
		"operatorId":    first.id,
		"operatorName":  matchers.Like(first.name),
		"host":          matchers.Like(first.host),
		"port":          matchers.Integer(first.port),
		"systemId":      matchers.Like(first.systemID),
		"tpsLimit":      matchers.Integer(first.maxTPS),
		"strategy":      "ROUTING_STRATEGY_" + strategy,
		"matchedPrefix": prefix,
		"unitPrice":     money(nanos),
		"meta":          meta(),
	}
	if len(then) > 0 {
		alternates := make([]any, len(then))
		for i, o := range then {
			alternates[i] = object{
				"operatorId":   o.id,
				"operatorName": matchers.Like(o.name),
				"host":         matchers.Like(o.host),
				"port":         matchers.Integer(o.port),
				"systemId":     matchers.Like(o.systemID),
				"tpsLimit":     matchers.Integer(o.maxTPS),
				"unitPrice":    object{"currencyCode": "EUR", "nanos": matchers.Term("12500000", pacttest.Int64)},
			}
		}
		d["alternates"] = alternates
	}
	return d
}

func requireDecision(t *testing.T, got *routingv1.SelectOperatorResponse, strategy string, first operator, nanos int64, then ...operator) {
	t.Helper()
	require.Equal(t, first, operator{got.GetOperatorId(), got.GetOperatorName(), got.GetHost(), got.GetSystemId(), int(got.GetPort()), int(got.GetTpsLimit()), first.messageTypes})
	require.Equal(t, "ROUTING_STRATEGY_"+strategy, got.GetStrategy().String())
	require.Equal(t, prefix, got.GetMatchedPrefix())
	require.Equal(t, "EUR "+text(nanos), got.GetUnitPrice().GetCurrencyCode()+" "+text(got.GetUnitPrice().GetNanos()))
	require.Len(t, got.GetAlternates(), len(then))
	for i, o := range then {
		a := got.GetAlternates()[i]
		require.Equal(t, o, operator{a.GetOperatorId(), a.GetOperatorName(), a.GetHost(), a.GetSystemId(), int(a.GetPort()), int(a.GetTpsLimit()), o.messageTypes})
		require.Equal(t, "EUR 12500000", a.GetUnitPrice().GetCurrencyCode()+" "+text(a.GetUnitPrice().GetNanos()))
	}
	m := got.GetMeta()
	require.Regexp(t, uuidPattern, m.GetDecisionId())
	require.EqualValues(t, 2, m.GetConfigVersion())
	require.EqualValues(t, 2, m.GetRulesVersion())
	require.EqualValues(t, 1, m.GetAlgoVersion())
	require.Equal(t, routingv1.CacheResult_CACHE_RESULT_MISS, m.GetCache())
	require.False(t, m.GetHealthUnknown(), "proto JSON omits false")
}
