package accesstest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/caller"
)

// town is a platform with two accounts, A and B, that must not know of each other. What belongs to B has the word
// neighbour in its texts.
type town struct {
	*platform
	a, b access.Account
	// Headers with keys: of people who are bound to no account, and of an admin of A and of B.
	admin, operator, viewer http.Header
	ofA, ofB                http.Header
	adminText               string
	// operatorID is an operator that everybody may use; foreign what B has, by the name of the field that names it.
	operatorID string
	foreign    map[string]string
	// globalRule belongs to no account.
	globalRule string
	prefixes   int
}

func newTown(t *testing.T, change ...func(*settings)) *town {
	t.Helper()
	w := &town{platform: start(t, newDatabase(t), change...)}
	w.a, w.b = w.account(t, "Account A"), w.account(t, "The neighbour")
	key := func(role caller.Role, account uuid.UUID) (http.Header, string) {
		_, text := w.key(t, access.NewAPIKey{Name: "a key", Role: role, Account: account})
		return bearer(text), text
	}
	w.admin, w.adminText = key(caller.Admin, uuid.Nil)
	w.operator, _ = key(caller.Operator, uuid.Nil)
	w.viewer, _ = key(caller.Viewer, uuid.Nil)
	w.ofA, _ = key(caller.Admin, w.a.ID)
	w.ofB, _ = key(caller.Admin, w.b.ID)
	w.newKey(t) // beside the one of its admin
	foreignKey, last := w.key(t, access.NewAPIKey{Name: "the neighbour's key", Role: caller.Viewer, Account: w.b.ID})
	w.known(t, bearer(last))

	created := w.must(t, w.operator, "operators.v1.OperatorService/CreateOperator", object{"operator": object{
		"name": "Nord", "host": "smsc.example", "port": 2775, "systemId": "tl", "tpsLimit": object{"maxTps": 10}, "messageTypes": []string{"MESSAGE_TYPE_SMS"},
	}, "password": "geheim"})
	w.operatorID = created["operator"].(object)["operatorId"].(string)
	w.must(t, w.operator, "operators.v1.OperatorService/ActivateOperator", object{"operatorId": w.operatorID})
	w.globalRule = w.rule(t, "", "a rule of everybody")
	foreignRule := w.rule(t, w.b.ID.String(), "a rule of the neighbour")
	w.foreign = map[string]string{
		"account_id": w.b.ID.String(), "rule_id": foreignRule, "key_id": foreignKey.KeyID.String(), "decision_id": w.decision(t, w.ofB, w.b),
	}
	return w
}

// known waits until the process knows a key.
func (w *town) known(t *testing.T, header http.Header) {
	t.Helper()
	m := methodOf(t, "/trunkline.access.v1.AccountService/ListAccounts")
	require.Eventually(t, func() bool {
		a, err := try(t.Context(), w.plain, w.url, m, connectJSON, header, []byte("{}"))
		return err == nil && a.code == "ok"
	}, eventually, tick)
}

// call makes a call in Connect JSON.
func (w *town) call(t *testing.T, header http.Header, procedure string, body any) answer {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		text = string(marshal(body))
	}
	return call(t, w.plain, w.url, methodOf(t, "/trunkline."+procedure), connectJSON, header, []byte(text))
}

// must makes a call that succeeds.
func (w *town) must(t *testing.T, header http.Header, procedure string, body any) object {
	t.Helper()
	a := w.call(t, header, procedure, body)
	require.Equal(t, "ok", a.outcome(), "%s: %s", procedure, a.told)
	var decoded object
	require.NoError(t, json.Unmarshal(a.body, &decoded))
	return decoded
}

// aRule is a rule of a prefix that no other has. One of no account stands for the numbers of the town.
func (w *town) aRule(account, description string) object {
	prefix := "+49"
	if account != "" {
		w.prefixes++
		prefix = "+33" + strings.Repeat("1", w.prefixes)
	}
	return object{
		"accountId": account, "prefix": prefix, "strategy": "ROUTING_STRATEGY_PRIORITY", "onExhausted": "ON_EXHAUSTED_FAIL",
		"active": true, "description": description, "messageTypes": []string{"MESSAGE_TYPE_SMS"},
		"candidates": []object{{"operatorId": w.operatorID, "priority": 1}},
	}
}

func (w *town) rule(t *testing.T, account, description string) string {
	t.Helper()
	created := w.must(t, w.operator, "operators.v1.RoutingRuleService/CreateRoutingRule", object{"rule": w.aRule(account, description)})
	return created["rule"].(object)["ruleId"].(string)
}

func question(account access.Account) object {
	return object{"to": "+4915112345678", "accountId": account.ID.String(), "messageType": "MESSAGE_TYPE_SMS"}
}

// decision asks for a route until there is one, and gives its id.
func (w *town) decision(t *testing.T, header http.Header, account access.Account) (id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		a := w.call(t, header, "routing.v1.RoutingService/SelectOperator", question(account))
		var decoded struct{ Meta struct{ DecisionID string } }
		if a.code != "ok" || json.Unmarshal(a.body, &decoded) != nil {
			return false
		}
		id = decoded.Meta.DecisionID
		return true
	}, eventually, 5*tick)
	return id
}

// newKey makes a key of A.
func (w *town) newKey(t *testing.T) string {
	t.Helper()
	k, _ := w.key(t, access.NewAPIKey{Name: "mine", Role: caller.Viewer, Account: w.a.ID, Lifetime: time.Hour})
	return k.KeyID.String()
}
