//go:build pact

package pact_test

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/pacttest"
	"trunkline/services/routing"
)

// ListOperatorConfigs answers with a stream. Its envelopes are binary, and the pact of a binary body is its bytes: times
// and versions differ from one configuration to the next. So each part of the answer is a message of the pact, and the
// engine reads it out of a stream in which the other parts are those of this test.
func TestConsumerReadsTheConfiguration(t *testing.T) {
	parts := configuration()
	for i, name := range []string{
		"the operators of a configuration", "the rules of a configuration", "the rates of a configuration",
		"the exchange rates of a configuration", "the end of a configuration",
	} {
		t.Run(name, func(t *testing.T) {
			parts[i].Name = name
			var got []byte
			parts[i].Run(t, func(data []byte) error {
				got = data
				return nil
			})
			stream := make([][]byte, len(parts))
			for j, part := range parts {
				stream[j] = example(t, part.Content)
			}
			stream[i] = got
			requireDecisions(t, stream)
		})
	}
}

// west is out of service.
var west = operator{"0190a8f0-0000-7000-8000-000000000003", "West", "smsc.west.example", "west", 2777, 10, []string{"SMS"}}

const (
	accountRuleID = "0190a8f0-0000-7000-8000-0000000000ab"
	accountPrefix = "+447700"
)

// configuration is a global rule by cost, for which rates and exchange rates matter, and before it a rule of an account
// whose operator is suspended.
func configuration() []pacttest.Event {
	const since = "2026-01-01T00:00:00Z"
	operators := []any{row(north, "ACTIVE"), row(south, "ACTIVE"), row(west, "SUSPENDED")}
	rules := []any{
		map[string]any{
			"ruleId": ruleID, "prefix": prefix, "strategy": "ROUTING_STRATEGY_COST", "onExhausted": "ON_EXHAUSTED_FAIL", "active": true,
			"candidates": []any{
				map[string]any{"operatorId": north.id, "priority": 1, "weight": 100, "price": map[string]any{"currencyCode": "EUR", "nanos": "12500000"}},
				map[string]any{"operatorId": south.id, "priority": 2, "weight": 100},
			},
		},
		map[string]any{
			"ruleId": accountRuleID, "accountId": account, "prefix": accountPrefix, "messageTypes": []any{"MESSAGE_TYPE_SMS"},
			"strategy": "ROUTING_STRATEGY_PRIORITY", "onExhausted": "ON_EXHAUSTED_FALL_THROUGH", "active": true,
			"candidates": []any{map[string]any{"operatorId": west.id, "priority": 1, "weight": 100}},
		},
	}
	rates := []any{map[string]any{
		"rateId": "0190a8f0-0000-7000-8000-0000000000ba", "operatorId": south.id, "prefix": "+447", "messageType": "MESSAGE_TYPE_SMS",
		"price": map[string]any{"currencyCode": "USD", "nanos": "10000000"}, "effectiveFrom": since,
	}}
	fxRates := []any{
		map[string]any{"currencyCode": "EUR", "rateNanos": "1000000000"},
		map[string]any{"currencyCode": "USD", "rateNanos": "900000000"},
	}
	// Names and numbers are arranged by the states, so they are exact.
	var parts []pacttest.Event
	for _, content := range []object{{"operators": operators}, {"rules": rules}, {"rates": rates}, {"fxRates": fxRates}, {"complete": true}} {
		content["configVersion"], content["rulesVersion"] = matchers.Term("7", pacttest.Int64), matchers.Term("5", pacttest.Int64)
		parts = append(parts, pacttest.Event{
			Consumer: "routing-engine", Provider: "operator-management",
			States: []models.ProviderState{
				{Name: "operators exist", Parameters: map[string]any{"operators": []any{
					map[string]any{"operator": operators[0]}, map[string]any{"operator": operators[1]}, map[string]any{"operator": operators[2]},
				}}},
				{Name: "routing rules exist", Parameters: map[string]any{"rules": rules}},
				{Name: "rates exist", Parameters: map[string]any{"rates": rates}},
				{Name: "exchange rates exist", Parameters: map[string]any{"fxRates": fxRates}},
			},
			Metadata: map[string]string{"procedure": operatorsv1connect.InternalOperatorServiceListOperatorConfigsProcedure},
			Content:  content,
		})
	}
	return parts
}

// example is the content without its matchers.
func example(t *testing.T, content object) []byte {
	t.Helper()
	plain := map[string]any{}
	for name, value := range content {
		if m, ok := value.(matchers.Matcher); ok {
			value = m.GetValue()
		}
		plain[name] = value
	}
	data, err := json.Marshal(plain)
	require.NoError(t, err)
	return data
}

// requireDecisions lets the engine read a stream and decide by it: every part matters for the answer.
func requireDecisions(t *testing.T, parts [][]byte) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != operatorsv1connect.InternalOperatorServiceListOperatorConfigsProcedure {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/connect+json")
		for _, part := range parts {
			_, _ = w.Write(envelope(0, part))
		}
		_, _ = w.Write(envelope(endStream, []byte("{}")))
	}))
	defer server.Close()
	view := routing.NewHealthView()
	for _, o := range []operator{north, south, west} {
		view.Apply(routing.HealthEvent{Operator: uuid.MustParse(o.id), Bind: routing.Bound, Quality: routing.Healthy, Version: 1, ObservedAt: noon})
	}
	table, version, err := management(server.URL).Snapshot(t.Context(), view, 1)
	require.NoError(t, err)
	require.EqualValues(t, 7, version)
	require.Equal(t, routing.Versions{Config: 7, Rules: 5}, table.Versions())
	require.Equal(t, 2, table.Rules())

	// The rule of the account comes first and falls through. South is cheaper by its rate, once that is in euros.
	var d routing.Decision
	q := routing.Query{To: number, Account: uuid.MustParse(account), Type: routing.SMS, At: noon}
	require.NoError(t, table.Decide(&q, &d, nil))
	require.Equal(t, ruleID, d.Rule.String())
	require.Equal(t, routing.Cost, d.Strategy)
	require.Equal(t, prefix, d.Prefix.String())
	require.Len(t, d.Choices, 2)
	requireOperator(t, south, *d.Choices[0].Operator)
	require.Equal(t, "USD "+text(10_000_000), d.Choices[0].Price.Currency.String()+" "+text(d.Choices[0].Price.Nanos))
	requireOperator(t, north, *d.Choices[1].Operator)
	require.Equal(t, "EUR "+text(12_500_000), d.Choices[1].Price.Currency.String()+" "+text(d.Choices[1].Price.Nanos))

	// Only North carries FLASH.
	q.Type = routing.Flash
	require.NoError(t, table.Decide(&q, &d, nil))
	require.Len(t, d.Choices, 1)
	requireOperator(t, north, *d.Choices[0].Operator)
	require.Len(t, table.UsableOperators(), 2)
}

func requireOperator(t *testing.T, want operator, got routing.Operator) {
	t.Helper()
	require.Equal(t, want, operator{got.ID.String(), got.Name, got.Host, got.SystemID, int(got.Port), int(got.TPSLimit), want.messageTypes})
}

// endStream marks the last envelope.
const endStream = 0b10

// envelope wraps a message as the Connect protocol does: flags, length, message.
func envelope(flags byte, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(data))), data...)
}
