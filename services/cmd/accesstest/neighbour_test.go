package accesstest

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// own is a request of an admin of A for every RPC that is limited to an account, with what A has. An RPC that is
// new and limited needs one here.
var own = map[string]func(t *testing.T, w *town) object{
	"access.v1.AccountService/GetAccount":   func(_ *testing.T, w *town) object { return object{"accountId": w.a.ID.String()} },
	"access.v1.AccountService/ListAccounts": func(*testing.T, *town) object { return object{} },
	"access.v1.ApiKeyService/CreateApiKey": func(_ *testing.T, w *town) object {
		return object{"name": "mine", "role": "ROLE_VIEWER", "accountId": w.a.ID.String()}
	},
	"access.v1.ApiKeyService/ListApiKeys":  func(_ *testing.T, w *town) object { return object{"accountId": w.a.ID.String()} },
	"access.v1.ApiKeyService/RevokeApiKey": func(t *testing.T, w *town) object { return object{"keyId": w.newKey(t)} },
	"access.v1.ApiKeyService/RotateApiKey": func(t *testing.T, w *town) object { return object{"keyId": w.newKey(t)} },
	"access.v1.CallerService/GetCaller":    func(*testing.T, *town) object { return object{} },
	"operators.v1.RoutingRuleService/CreateRoutingRule": func(_ *testing.T, w *town) object {
		return object{"rule": w.aRule(w.a.ID.String(), "mine")}
	},
	"operators.v1.RoutingRuleService/GetRoutingRule": func(t *testing.T, w *town) object {
		return object{"ruleId": w.rule(t, w.a.ID.String(), "mine")}
	},
	"operators.v1.RoutingRuleService/ListRoutingRules": func(_ *testing.T, w *town) object { return object{"accountId": w.a.ID.String()} },
	"operators.v1.RoutingRuleService/UpdateRoutingRule": func(t *testing.T, w *town) object {
		return object{
			"rule":       object{"ruleId": w.rule(t, w.a.ID.String(), "mine"), "accountId": w.a.ID.String(), "description": "changed"},
			"updateMask": "description",
		}
	},
	"operators.v1.RoutingRuleService/DeleteRoutingRule": func(t *testing.T, w *town) object {
		return object{"ruleId": w.rule(t, w.a.ID.String(), "mine")}
	},
	"routing.v1.RoutingService/SelectOperator": func(_ *testing.T, w *town) object { return question(w.a) },
	"routing.v1.RoutingService/BatchSelectOperators": func(_ *testing.T, w *town) object {
		return object{"requests": []any{question(w.a)}}
	},
	"routing.v1.RoutingService/ExplainRoute": func(_ *testing.T, w *town) object { return object{"query": question(w.a)} },
	"routing.v1.RoutingService/ReportOutcome": func(t *testing.T, w *town) object {
		return object{"decisionId": w.decision(t, w.ofA, w.a), "operatorId": w.operatorID, "outcome": "OUTCOME_DELIVERED"}
	},
}

// names tells of every field of a request that names something whether what it names belongs to an account. A field
// that is new needs a line here.
var names = map[string]bool{
	"account_id": true, "rule_id": true, "key_id": true, "decision_id": true,
	"operator_id": false, "exclude_operator_ids": false, // operators are everybody's
	"request_id": false, "message_id": false, // texts of the caller
	"system_id": false,
}

// exceptions are fields that may name something of another account and are answered with something else than a refusal.
var exceptions = map[string]string{
	// A report goes into a queue. What it is about is looked up later, with the account of whoever reported; see
	// reportsAreAboutOwnDecisions.
	"routing.v1.RoutingService/ReportOutcome decisionId": "ok",
	// The service gives ids to rules, and an update leaves alone what its mask does not name.
	"operators.v1.RoutingRuleService/CreateRoutingRule rule.ruleId":    ignored,
	"operators.v1.RoutingRuleService/UpdateRoutingRule rule.accountId": ignored,
}

// ignored is the outcome of a call that does what it would do without the field.
const ignored = "ignored"

// idFields lists the paths of all fields of a message that name something, as they are written in JSON.
func idFields(t *testing.T, d protoreflect.MessageDescriptor, at []protoreflect.FieldDescriptor) (found [][]protoreflect.FieldDescriptor) {
	t.Helper()
	require.Less(t, len(at), 10, "a message holds itself")
	for i := range d.Fields().Len() {
		field := d.Fields().Get(i)
		path := append(append([]protoreflect.FieldDescriptor{}, at...), field)
		name := string(field.Name())
		switch {
		case field.Message() != nil && !strings.HasPrefix(string(field.Message().FullName()), "google."):
			found = append(found, idFields(t, field.Message(), path)...)
		case strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids"):
			owned, classified := names[name]
			require.True(t, classified, "%s is new: say in names whether what it names belongs to an account", field.FullName())
			if owned {
				found = append(found, path)
			}
		}
	}
	return found
}

// with gives a deep copy of the request with the field at the path set.
func with(request any, path []protoreflect.FieldDescriptor, value string) any {
	if len(path) == 0 {
		return value
	}
	if list, ok := request.([]any); ok {
		return []any{with(list[0], path, value)}
	}
	copied := object{}
	if o, ok := request.(object); ok {
		maps.Copy(copied, o)
	}
	name := path[0].JSONName()
	copied[name] = with(copied[name], path[1:], value)
	return copied
}

// refused reports whether an answer is that to somebody who names what does not exist for the caller. Each question of
// a batch has an answer of its own.
func refused(a answer, field string) bool {
	// An account that is named as such is told to be another one.
	return a.code == "not_found" || field == "account_id" && a.outcome() == "permission_denied ACCOUNT_MISMATCH" ||
		a.code == "ok" && strings.Contains(string(a.body), `"code":"permission_denied"`) && strings.Contains(string(a.body), "ACCOUNT_MISMATCH")
}

// TestAccountsAreStrangersToEachOther lets two accounts live side by side.
func TestAccountsAreStrangersToEachOther(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	t.Run("nobody sees or changes what another account has", w.nobodySeesTheNeighbour)
	t.Run("lists of an account hold its rows only", w.listsHoldOwnRows)
	t.Run("a rule of everybody is changed by nobody of an account", w.nobodyChangesRulesOfEverybody)
	t.Run("a rule beside one of another account tells nothing", w.rulesBesideTellNothing)
	t.Run("a repeat of a request does not see more than its caller", w.repeatsSeeNoMore)
	t.Run("a report about a decision of another account changes nothing", w.reportsAreAboutOwnDecisions)
}

// nobodySeesTheNeighbour names what B has in every field of every RPC that an admin of A may
// call. The answer is the same as for a name that nobody has, so that A does not even learn that there is something.
func (w *town) nobodySeesTheNeighbour(t *testing.T) {
	fixed := w.ofA.Clone()
	fixed.Set("X-Request-Id", "the-same")
	tried := 0
	for _, m := range methods() {
		procedure := strings.TrimPrefix(m.procedure, "/trunkline.")
		if !m.access.GetAccountScoped() {
			require.NotContains(t, own, procedure)
			continue
		}
		mine, ok := own[procedure]
		require.True(t, ok, "%s is limited to an account and new: add a request to own", procedure)
		request := mine(t, w)
		for _, path := range idFields(t, m.schema.Input(), nil) {
			field, at := string(path[len(path)-1].Name()), ""
			for _, f := range path {
				at += "." + f.JSONName()
			}
			at = at[1:]
			t.Run(procedure+" with a foreign "+at, func(t *testing.T) {
				tried++
				if exceptions[procedure+" "+at] == ignored {
					w.requireIgnored(t, procedure, with(mine(t, w), path, w.foreign[field]), w.foreign[field])
					return
				}
				before := w.stored(t)
				foreign := w.call(t, fixed, procedure, with(request, path, w.foreign[field]))
				unknown := uuid.NewString()
				nobody := w.call(t, fixed, procedure, with(request, path, unknown))
				assert.Equal(t, before, w.stored(t), "something has changed")
				assert.NotContains(t, strings.ToLower(foreign.told), "neighbour", "a text of another account")
				assert.Equal(t, strings.ReplaceAll(string(nobody.body), unknown, "ID"), strings.ReplaceAll(string(foreign.body), w.foreign[field], "ID"),
					"the answer tells whether the name exists")
				if want, ok := exceptions[procedure+" "+at]; ok {
					assert.Equal(t, want, foreign.outcome())
				} else {
					assert.True(t, refused(foreign, field), "the answer is %s: %s", foreign.outcome(), foreign.body)
				}
			})
		}
		t.Run(procedure+" with what the account has", func(t *testing.T) {
			a := w.call(t, w.ofA, procedure, mine(t, w))
			assert.Equal(t, "ok", a.outcome(), "%s", a.told)
			assert.NotContains(t, strings.ToLower(a.told), "neighbour")
		})
	}
	require.Greater(t, tried, 10)
}

// requireIgnored makes a call that succeeds and touches nothing of B.
func (w *town) requireIgnored(t *testing.T, procedure string, request any, foreign string) {
	t.Helper()
	rows := func() (found []string) {
		for row := range strings.Lines(w.stored(t)) {
			for _, id := range w.foreign {
				if strings.Contains(row, id) {
					found = append(found, row)
				}
			}
		}
		return found
	}
	before := rows()
	a := w.call(t, w.ofA, procedure, request)
	assert.Equal(t, "ok", a.outcome(), "%s", a.told)
	assert.NotContains(t, a.told, foreign)
	assert.NotContains(t, strings.ToLower(a.told), "neighbour")
	assert.Equal(t, before, rows())
}

// listsHoldOwnRows reads every list without a filter.
func (w *town) listsHoldOwnRows(t *testing.T) {
	w.rule(t, w.a.ID.String(), "mine")
	for _, procedure := range []string{
		"access.v1.AccountService/ListAccounts", "access.v1.ApiKeyService/ListApiKeys", "operators.v1.RoutingRuleService/ListRoutingRules",
	} {
		for name, body := range map[string]object{"everything": {}, "searched": {"search": "neighbour"}, "ended too": {"showEnded": true}} {
			a := w.call(t, w.ofA, procedure, body)
			assert.Equal(t, "ok", a.outcome(), "%s %s: %s", procedure, name, a.told)
			assert.NotContains(t, strings.ToLower(a.told), "neighbour", "%s %s", procedure, name)
			assert.NotContains(t, a.told, w.b.ID.String(), "%s %s", procedure, name)
			a = w.call(t, w.ofB, procedure, object{})
			assert.Contains(t, strings.ToLower(a.told), "neighbour", "%s, by the neighbour", procedure)
		}
	}
}

// nobodyChangesRulesOfEverybody: rules of no account are read by all, and changed by callers that
// are bound to none.
func (w *town) nobodyChangesRulesOfEverybody(t *testing.T) {
	before := w.stored(t)
	for procedure, body := range map[string]object{
		"DeleteRoutingRule": {"ruleId": w.globalRule},
		"UpdateRoutingRule": {"rule": object{"ruleId": w.globalRule, "description": "mine now"}, "updateMask": "description"},
	} {
		a := w.call(t, w.ofA, "operators.v1.RoutingRuleService/"+procedure, body)
		assert.Contains(t, []string{"not_found", "permission_denied"}, a.code, "%s: %s", procedure, a.told)
	}
	assert.Equal(t, before, w.stored(t))
	assert.Equal(t, "ok", w.call(t, w.ofA, "operators.v1.RoutingRuleService/GetRoutingRule", object{"ruleId": w.globalRule}).outcome())
}

// reportsAreAboutOwnDecisions has A and then B report about a decision of B. Reports are
// kept in order, so when that of B is there, that of A has been judged.
func (w *town) reportsAreAboutOwnDecisions(t *testing.T) {
	report := func(header http.Header, outcome string) {
		w.must(t, header, "routing.v1.RoutingService/ReportOutcome",
			object{"decisionId": w.foreign["decision_id"], "operatorId": w.operatorID, "outcome": outcome})
	}
	report(w.ofA, "OUTCOME_UNDELIVERED")
	report(w.ofB, "OUTCOME_DELIVERED")
	export := func() string {
		a := w.call(t, w.admin, "routing.v1.DecisionService/ExportDecisions", object{"decisionId": w.foreign["decision_id"]})
		require.Equal(t, "ok", a.outcome(), a.told)
		return string(a.body)
	}
	require.Eventually(t, func() bool { return strings.Contains(export(), "OUTCOME_DELIVERED") }, eventually, 5*tick)
	require.NotContains(t, export(), "OUTCOME_UNDELIVERED")
}

// rulesBesideTellNothing makes a rule of A for the very numbers for which B has one, and asks about them.
func (w *town) rulesBesideTellNothing(t *testing.T) {
	prefix := w.must(t, w.ofB, "operators.v1.RoutingRuleService/GetRoutingRule", object{"ruleId": w.foreign["rule_id"]})["rule"].(object)["prefix"].(string)
	rule := w.aRule(w.a.ID.String(), "mine")
	rule["prefix"] = prefix
	ask := question(w.a)
	ask["to"] = (prefix + repeat("0", 12))[:13]
	for _, c := range []struct {
		procedure string
		body      object
	}{
		{"operators.v1.RoutingRuleService/CreateRoutingRule", object{"rule": rule, "validateOnly": true}},
		{"routing.v1.RoutingService/ExplainRoute", object{"query": ask}},
		{"operators.v1.RoutingRuleService/CreateRoutingRule", object{"rule": rule}},
		{"operators.v1.RoutingRuleService/ListRoutingRules", object{"prefix": prefix}},
	} {
		a := w.call(t, w.ofA, c.procedure, c.body)
		assert.Equal(t, "ok", a.outcome(), "%s: %s", c.procedure, a.told)
		assert.NotContains(t, strings.ToLower(a.told), "neighbour", c.procedure)
		assert.NotContains(t, a.told, w.foreign["rule_id"], c.procedure)
		assert.NotContains(t, a.told, w.b.ID.String(), c.procedure)
	}
}

// repeatsSeeNoMore has alice, who may see everything, change what B has, and then repeat the request with a token that
// is bound to A. What the first was answered is not for the second.
func (w *town) repeatsSeeNoMore(t *testing.T) {
	all := bearer(w.issuer.token(object{"sub": "alice", "roles": []string{"admin"}}))
	ofA := bearer(w.issuer.token(object{"sub": "alice", "roles": []string{"admin"}, "account_id": w.a.ID.String()}))
	for procedure, body := range map[string]object{
		"access.v1.ApiKeyService/RevokeApiKey": {"keyId": w.foreign["key_id"], "requestId": "r-1"},
		"operators.v1.RoutingRuleService/UpdateRoutingRule": {
			"rule": object{"ruleId": w.foreign["rule_id"], "country": "FR"}, "updateMask": "country", "requestId": "r-2",
		},
	} {
		w.must(t, all, procedure, body)
		a := w.call(t, ofA, procedure, body)
		assert.NotEqual(t, "ok", a.outcome(), procedure)
		assert.NotContains(t, strings.ToLower(a.told), "neighbour", procedure)
	}
	// To make something is no repeat by somebody else.
	body := object{"name": "mine", "role": "ROLE_VIEWER", "requestId": "r-3"}
	first := w.must(t, all, createKey, body)["apiKey"].(object)
	second := w.must(t, ofA, createKey, body)["apiKey"].(object)
	assert.NotEqual(t, first["keyId"], second["keyId"])
	assert.Equal(t, w.a.ID.String(), second["accountId"])
}
