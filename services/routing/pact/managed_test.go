//go:build pact

package pact_test

import "github.com/pact-foundation/pact-go/v2/models"

// Parameters of the states of operator-management are messages of the schema in JSON.

// managed is the state in which operator-management keeps these operators, ACTIVE and with a password.
func managed(list ...operator) models.ProviderState {
	rows := make([]any, len(list))
	for i, o := range list {
		rows[i] = map[string]any{"operator": row(o, "ACTIVE"), "password": "secret"}
	}
	return models.ProviderState{Name: "operators exist", Parameters: map[string]any{"operators": rows}}
}

// row is an operator as the schema writes it.
func row(o operator, status string) map[string]any {
	types := make([]any, len(o.messageTypes))
	for i, name := range o.messageTypes {
		types[i] = "MESSAGE_TYPE_" + name
	}
	return map[string]any{
		"operatorId": o.id, "name": o.name, "host": o.host, "port": o.port, "systemId": o.systemID, "bindType": "BIND_TYPE_TRANSCEIVER",
		"tpsLimit":     map[string]any{"maxTps": o.maxTPS, "burstMultiplier": 1.5, "enforcementMode": "ENFORCEMENT_MODE_HARD_REJECT"},
		"messageTypes": types, "status": "OPERATOR_STATUS_" + status,
	}
}

// report is what a connector says of an operator.
func report(o operator, sequence int, bindState string) map[string]any {
	return map[string]any{"operatorId": o.id, "connectorId": "connector-1", "sequence": sequence, "bindState": "BIND_STATE_" + bindState}
}

// reported is the state in which these reports have come, one after the other.
func reported(reports ...map[string]any) models.ProviderState {
	return models.ProviderState{Name: "connectors reported", Parameters: map[string]any{"reports": reports}}
}

// known is the state in which former reports made the operator BOUND, with this quality.
func known(o operator, quality string, version int) models.ProviderState {
	return models.ProviderState{Name: "the health of an operator is known", Parameters: map[string]any{
		"operatorId": o.id, "bindState": "BOUND", "quality": quality, "version": version,
	}}
}
