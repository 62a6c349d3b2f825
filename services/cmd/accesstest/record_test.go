package accesstest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mutations are calls of an admin, each of which has a row in the audit log.
var mutations = map[string]func(t *testing.T, w *town) object{
	createAccount: func(*testing.T, *town) object { return object{"account": object{"name": "Late"}} },
	"access.v1.AccountService/UpdateAccount": func(_ *testing.T, w *town) object {
		return object{"account": object{"accountId": w.b.ID.String(), "notes": "late"}, "updateMask": "notes"}
	},
	"access.v1.AccountService/DeleteAccount": func(_ *testing.T, w *town) object { return object{"accountId": w.b.ID.String()} },
	createKey:                                func(*testing.T, *town) object { return object{"name": "late", "role": "ROLE_VIEWER"} },
	"access.v1.ApiKeyService/RevokeApiKey":   func(t *testing.T, w *town) object { return object{"keyId": w.newKey(t)} },
	"access.v1.ApiKeyService/RotateApiKey":   func(_ *testing.T, w *town) object { return object{"keyId": w.foreign["key_id"]} },
	createOperator:                           func(_ *testing.T, w *town) object { return newOperator("late", nil)(w) },
	"operators.v1.OperatorService/UpdateOperator": func(_ *testing.T, w *town) object {
		return object{"operator": object{"operatorId": w.operatorID, "notes": "late"}, "updateMask": "notes"}
	},
	"operators.v1.OperatorService/SuspendOperator":    ofTheOperator,
	"operators.v1.OperatorService/DeactivateOperator": ofTheOperator,
	"operators.v1.OperatorService/RotateCredentials": func(_ *testing.T, w *town) object {
		return object{"operatorId": w.operatorID, "password": "neu"}
	},
	createRule: func(_ *testing.T, w *town) object { return newRule(nil)(w) },
	"operators.v1.RoutingRuleService/UpdateRoutingRule": func(_ *testing.T, w *town) object {
		return object{"rule": object{"ruleId": w.globalRule, "description": "late"}, "updateMask": "description"}
	},
	"operators.v1.RoutingRuleService/DeleteRoutingRule": func(_ *testing.T, w *town) object { return object{"ruleId": w.globalRule} },
	"operators.v1.RateService/SetFxRates": func(*testing.T, *town) object {
		return object{"fxRates": []object{{"currencyCode": "EUR", "rateNanos": "1000000000"}, {"currencyCode": "USD", "rateNanos": "1100000000"}}}
	},
	"routing.v1.DecisionService/EraseDecisions": func(*testing.T, *town) object { return object{"number": "+4915112345678"} },
	createRelease:  func(*testing.T, *town) object { return object{"description": "late"} },
	approveRelease: func(t *testing.T, w *town) object { return object{"releaseId": w.release(t, w.operator)} },
	publishRelease: func(t *testing.T, w *town) object { return object{"releaseId": w.release(t, w.operator)} },
	rollbackRelease: func(t *testing.T, w *town) object {
		first := w.published(t)
		w.published(t)
		return object{"releaseId": first}
	},
}

func ofTheOperator(_ *testing.T, w *town) object { return object{"operatorId": w.operatorID} }

// TestWhatCannotBeWrittenDownDoesNotHappen makes the audit log refuse rows. Then every mutation is refused and changes
// nothing, and no password is given out.
func TestWhatCannotBeWrittenDownDoesNotHappen(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	connector := w.ca.Client(t, w.ca.Issue(t, connectorID))
	read := methodOf(t, "/trunkline.operators.v1.InternalOperatorService/GetOperatorCredentials")
	ask := marshal(object{"operatorId": w.operatorID})

	given := call(t, connector, w.inner, read, connectJSON, nil, ask)
	require.Equal(t, "ok", given.outcome(), given.told)
	require.Contains(t, string(given.body), "geheim")
	require.Contains(t, w.dump(t), `"action": "credentials.read"`)

	requests := map[string]object{}
	for procedure, request := range mutations {
		requests[procedure] = request(t, w)
	}
	w.exec(t, `CREATE FUNCTION ops_routing.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the log is full'; END $$`)
	w.exec(t, `CREATE TRIGGER refuse BEFORE INSERT ON ops_routing.audit_log FOR EACH ROW EXECUTE FUNCTION ops_routing.refuse()`)
	refused := call(t, connector, w.inner, read, connectJSON, nil, ask)
	assert.NotEqual(t, "ok", refused.outcome())
	assert.NotContains(t, refused.told, "geheim", "a password is given out although nobody will know of it")

	before := w.stored(t)
	for procedure, request := range requests {
		a := w.call(t, w.admin, procedure, request)
		assert.NotEqual(t, "ok", a.outcome(), procedure)
		assert.NotContains(t, a.told, "the log is full", "the database is not quoted")
		assert.Equal(t, before, w.stored(t), procedure)
	}

	// The same calls succeed when the log takes rows again: it was the log that stopped them.
	w.exec(t, `DROP TRIGGER refuse ON ops_routing.audit_log`)
	for _, procedure := range []string{
		createRelease, approveRelease, publishRelease, rollbackRelease,
		createAccount, createKey, createOperator, createRule, "operators.v1.RateService/SetFxRates", "routing.v1.DecisionService/EraseDecisions",
		"operators.v1.OperatorService/UpdateOperator", "operators.v1.OperatorService/RotateCredentials", "access.v1.AccountService/UpdateAccount",
		"operators.v1.RoutingRuleService/UpdateRoutingRule", "operators.v1.RoutingRuleService/DeleteRoutingRule",
		"access.v1.ApiKeyService/RotateApiKey", "access.v1.ApiKeyService/RevokeApiKey", "access.v1.AccountService/DeleteAccount",
		"operators.v1.OperatorService/SuspendOperator", "operators.v1.OperatorService/DeactivateOperator",
	} {
		rows := strings.Count(w.dump(t), `"action": "`)
		a := w.call(t, w.admin, procedure, requests[procedure])
		assert.Equal(t, "ok", a.outcome(), "%s: %s", procedure, a.told)
		assert.Greater(t, strings.Count(w.dump(t), `"action": "`), rows, "%s has no row", procedure)
		delete(requests, procedure)
	}
	require.Empty(t, requests)
}

// exec runs a statement on the database.
func (d *database) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := d.conn.Exec(t.Context(), statement)
	require.NoError(t, err)
}
