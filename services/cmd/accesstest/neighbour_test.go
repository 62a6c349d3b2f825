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

// exceptions are fields that name something of another account and are answered with something else than a refusal.
var exceptions = map[string]string{
	// A report goes into a queue. What it is about is looked up later, with the account of whoever reported; see
	// TestAReportAboutADecisionOfAnotherAccountChangesNothing.
	"routing.v1.RoutingService/ReportOutcome decisionId": "ok",
	// Each question of a batch has an answer of its own, see refusedInside.
	"routing.v1.RoutingService/BatchSelectOperators requests.accountId": "ok",
}

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

// refused reports whether an answer is that to somebody who names what does not exist for the caller.
func refused(a answer, field string) bool {
	// Only an account named as such is told to be another one.
	return a.code == "not_found" || field == "account_id" && a.outcome() == "permission_denied ACCOUNT_MISMATCH" ||
		a.code == "ok" && strings.Contains(string(a.body), `"code":"permission_denied"`) && strings.Contains(string(a.body), "ACCOUNT_MISMATCH")
}

// TestNobodySeesOrChangesWhatAnotherAccountHas names what B has in every field of every RPC that an admin of A may
// call. The answer is the same as for a name that nobody has, so that A does not even learn that there is something.
func TestNobodySeesOrChangesWhatAnotherAccountHas(t *testing.T) {
	w := newTown(t)
	fixed := w.ofA.Clone()
	fixed.Set("X-Request-Id", "the-same")
	tried := 0
	for _, m := range methods() {
		procedure := strings.TrimPrefix(m.procedure, "/trunkline.")
		if !m.access.GetAccountScoped() {
			require.NotContains(t, own, procedure)
			continue
		}
		make, ok := own[procedure]
		require.True(t, ok, "%s is limited to an account and new: add a request to own", procedure)
		request := make(t, w)
		for _, path := range idFields(t, m.schema.Input(), nil) {
			field, at := string(path[len(path)-1].Name()), ""
			for _, f := range path {
				at += "." + f.JSONName()
			}
			at = at[1:]
			t.Run(procedure+" with a foreign "+at, func(t *testing.T) {
				tried++
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
			a := w.call(t, w.ofA, procedure, request)
			assert.Equal(t, "ok", a.outcome(), "%s", a.told)
			assert.NotContains(t, strings.ToLower(a.told), "neighbour")
		})
	}
	require.Greater(t, tried, 10)
}

// TestListsOfAnAccountHoldItsRowsOnly reads every list without a filter.
func TestListsOfAnAccountHoldItsRowsOnly(t *testing.T) {
	w := newTown(t)
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

// TestARuleOfEverybodyIsChangedByNobodyOfAnAccount: rules of no account are read by all, and changed by callers that
// are bound to none.
func TestARuleOfEverybodyIsChangedByNobodyOfAnAccount(t *testing.T) {
	w := newTown(t)
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

// TestAReportAboutADecisionOfAnotherAccountChangesNothing has A and then B report about a decision of B. Reports are
// kept in order, so when that of B is there, that of A has been judged.
func TestAReportAboutADecisionOfAnotherAccountChangesNothing(t *testing.T) {
	w := newTown(t)
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
