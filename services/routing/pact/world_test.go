//go:build pact

package pact_test

import (
	"fmt"
	"maps"

	"github.com/pact-foundation/pact-go/v2/models"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

// The numbers belong to a range that no subscriber has.
const (
	number          = "+447700900123"
	numberElsewhere = "+4930900000001"
	prefix          = "+44770"
	account         = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d"
	ruleID          = "0190a8f0-0000-7000-8000-0000000000aa"
)

type operator struct {
	id, name, host, systemID string
	port, maxTPS             int
	messageTypes             []string
}

// north carries FLASH as well, south only SMS.
var (
	north = operator{"0190a8f0-0000-7000-8000-000000000001", "North", "smsc.north.example", "north", 2775, 100, []string{"SMS", "FLASH"}}
	south = operator{"0190a8f0-0000-7000-8000-000000000002", "South", "smsc.south.example", "south", 2776, 50, []string{"SMS"}}
)

// sessions is the state in which these operators exist, ACTIVE and BOUND.
func sessions(list ...operator) models.ProviderState {
	rows := make([]any, len(list))
	for i, o := range list {
		rows[i] = map[string]any{
			"operatorId": o.id, "name": o.name, "host": o.host, "port": o.port, "systemId": o.systemID, "maxTps": o.maxTPS, "messageTypes": o.messageTypes,
		}
	}
	return models.ProviderState{Name: "operators with sessions", Parameters: map[string]any{"operators": rows}}
}

// rule is the state in which a global rule for the prefix is in force.
func rule(strategy string, candidates ...map[string]any) models.ProviderState {
	return models.ProviderState{Name: "a rule in force", Parameters: map[string]any{
		"ruleId": ruleID, "prefix": prefix, "strategy": strategy, "candidates": candidates,
	}}
}

// candidate is an operator of a rule; the price is in billionths of a euro, as text.
func candidate(o operator, priority, weight int, nanos string) map[string]any {
	return map[string]any{"operatorId": o.id, "priority": priority, "weight": weight, "priceNanos": nanos, "currency": "EUR"}
}

// lost is the state in which the operator's last session ended.
func lost(o operator) models.ProviderState {
	return models.ProviderState{Name: "the sessions of an operator are lost", Parameters: map[string]any{"operatorId": o.id}}
}

func question(change func(*routingv1.SelectOperatorRequest)) *routingv1.SelectOperatorRequest {
	q := &routingv1.SelectOperatorRequest{To: number, AccountId: account, MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS}
	if change != nil {
		change(q)
	}
	return q
}

// ask is question as proto JSON writes it, written by hand so that the pact pins the names.
func ask(change object) object {
	q := object{"to": number, "accountId": account, "messageType": "MESSAGE_TYPE_SMS"}
	maps.Copy(q, change)
	return q
}

func text(n int64) string { return fmt.Sprint(n) }
