package accesstest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// chosen is a value that no caller may choose, in every form that a field can have.
const (
	chosenID   = "deadbeef-dead-4ead-8ead-deadbeefdead"
	chosenTime = "2001-02-03T04:05:06Z"
	chosenName = "chosen-by-caller"
)

// creates sends an object with fields that callers do not set. They must not be in the answer.
func creates(procedure string, body func(w *town) object) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		a := w.call(t, w.admin, procedure, body(w))
		if a.code == "ok" {
			for _, chosen := range []string{chosenID, "2001-02-03", chosenName, `"version":"99"`, "OPERATOR_STATUS_ACTIVE"} {
				assert.NotContains(t, string(a.body), chosen)
			}
		}
		return a.outcome()
	}
}

func newOperator(name string, change object) func(*town) object {
	return func(*town) object {
		o := object{"name": name, "host": strings.ReplaceAll(name, " ", "-") + ".example", "port": 2775, "systemId": "tl", "tpsLimit": object{"maxTps": 10}}
		for key, value := range change {
			o[key] = value
		}
		return object{"operator": o, "password": "geheim"}
	}
}

func newRule(change object) func(*town) object {
	return func(w *town) object {
		r := w.aRule(w.a.ID.String(), "made")
		for key, value := range change {
			r[key] = value
		}
		return object{"rule": r}
	}
}

func newAccount(name string, change object) func(*town) object {
	return func(*town) object {
		a := object{"name": name}
		for key, value := range change {
			a[key] = value
		}
		return object{"account": a}
	}
}

const (
	createOperator = "operators.v1.OperatorService/CreateOperator"
	createRule     = "operators.v1.RoutingRuleService/CreateRoutingRule"
	createKey      = "access.v1.ApiKeyService/CreateApiKey"
)

// masks sends an update whose mask names a field that callers do not set.
func masks(procedure string, request func(w *town, mask *fieldmaskpb.FieldMask) proto.Message, paths ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		before := w.stored(t)
		message := encode(t, grpc, request(w, &fieldmaskpb.FieldMask{Paths: paths}))
		a := call(t, w.plain, w.url, methodOf(t, path(procedure)), grpc, w.admin, message)
		assert.Equal(t, before, w.stored(t))
		return a.outcome()
	}
}

func ofOperator(w *town, mask *fieldmaskpb.FieldMask) proto.Message {
	return &operatorsv1.UpdateOperatorRequest{UpdateMask: mask, Operator: &operatorsv1.Operator{
		OperatorId: w.operatorID, Name: "Mine", Version: 99, Status: operatorsv1.OperatorStatus_OPERATOR_STATUS_SUSPENDED, CreatedBy: chosenName, UpdatedBy: chosenName,
	}}
}

func ofAccount(w *town, mask *fieldmaskpb.FieldMask) proto.Message {
	return &accessv1.UpdateAccountRequest{UpdateMask: mask, Account: &accessv1.Account{AccountId: w.a.ID.String(), Name: "Mine"}}
}

func ofRule(w *town, mask *fieldmaskpb.FieldMask) proto.Message {
	return &operatorsv1.UpdateRoutingRuleRequest{UpdateMask: mask, Rule: &operatorsv1.RoutingRule{
		RuleId: w.globalRule, AccountId: w.b.ID.String(), Prefix: "+1", Version: 99, CreatedBy: chosenName, UpdatedBy: chosenName,
	}}
}

const badMask = "invalid_argument INVALID_UPDATE_MASK"

// masked makes one attack for each path.
func masked(what, procedure string, request func(*town, *fieldmaskpb.FieldMask) proto.Message, paths ...string) (all []attack) {
	for _, p := range paths {
		all = append(all, attack{fmt.Sprintf("an update mask of %s that names %s", what, p), masks(procedure, request, p), badMask})
	}
	return all
}

var massAssignment = append(append(append([]attack{
	{"an operator created with an id", creates(createOperator, newOperator("with id", object{"operatorId": chosenID})), "ok"},
	{"an operator created active", creates(createOperator, newOperator("active", object{"status": "OPERATOR_STATUS_ACTIVE"})), "ok"},
	{"an operator created with a version", creates(createOperator, newOperator("with version", object{"version": "99"})), "ok"},
	{"an operator created with an etag", creates(createOperator, newOperator("with etag", object{"etag": chosenName})), "ok"},
	{"an operator created with authors", creates(createOperator, newOperator("with authors", object{"createdBy": chosenName, "updatedBy": chosenName})), "ok"},
	{"an operator created with times", creates(createOperator, newOperator("with times", object{"createTime": chosenTime, "updateTime": chosenTime})), "ok"},
	{"an operator created as deleted", creates(createOperator, newOperator("deleted", object{"deleteTime": chosenTime})), "ok"},
	{"an operator created with a field of the database", creates(createOperator, newOperator("column", object{"credentialsVersion": 99, "credentials_version": 99, "config_version": chosenName})), "ok"},
	{"a rule created with an id", creates(createRule, newRule(object{"ruleId": chosenID})), "ok"},
	{"a rule created with a version", creates(createRule, newRule(object{"version": "99"})), "ok"},
	{"a rule created with an etag", creates(createRule, newRule(object{"etag": chosenName})), "ok"},
	{"a rule created with authors", creates(createRule, newRule(object{"createdBy": chosenName, "updatedBy": chosenName})), "ok"},
	{"a rule created with times", creates(createRule, newRule(object{"createTime": chosenTime, "updateTime": chosenTime})), "ok"},
	{"a rule whose candidate has the name of another operator", creates(createRule, func(w *town) object {
		r := w.aRule(w.a.ID.String(), "made")
		r["candidates"] = []object{{"operatorId": w.operatorID, "operatorName": chosenName, "priority": 1}}
		return object{"rule": r}
	}), "ok"},
	{"an account created with an etag", creates(createAccount, newAccount("with etag", object{"etag": chosenName})), "ok"},
	{"an account created with times", creates(createAccount, newAccount("with times", object{"createTime": chosenTime, "updateTime": chosenTime})), "ok"},
	{"an account created as deleted", creates(createAccount, newAccount("deleted", object{"deleteTime": chosenTime})), "ok"},
	{"a key created with an id, a hint and an author", creates(createKey, func(*town) object {
		return object{
			"name": "made", "role": "ROLE_VIEWER", "keyId": chosenID, "hint": chosenName, "createdBy": chosenName, "createTime": chosenTime, "text": chosenName,
			"apiKey": object{"keyId": chosenID, "createdBy": chosenName},
		}
	}), "ok"},
	{"a key with a role above that of who makes it", func(t *testing.T, w *town) string {
		return w.call(t, w.operator, createKey, object{"name": "up", "role": "ROLE_ADMIN"}).outcome()
	}, "permission_denied ROLE_TOO_LOW"},
	{"a key with a role that does not exist", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, createKey, object{"name": "up", "role": 99}).outcome()
	}, "invalid_argument VALIDATION_FAILED"},
	{"a key of no account, made by an admin of an account", func(t *testing.T, w *town) string {
		a := w.call(t, w.ofA, createKey, object{"name": "up", "role": "ROLE_ADMIN", "accountId": ""})
		if a.code == "ok" && strings.Contains(string(a.body), `"accountId":"`+w.a.ID.String()) {
			return "bound to the account"
		}
		return a.outcome()
	}, "bound to the account"},
	{"a key that never ends within the bounds of time", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, createKey, object{"name": "up", "role": "ROLE_ADMIN", "lifetime": "315576000001s"}).outcome()
	}, "invalid_argument MALFORMED_MESSAGE"},
	{"a key that ended before it was made", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, createKey, object{"name": "up", "role": "ROLE_ADMIN", "lifetime": "-60s"}).outcome()
	}, "invalid_argument VALIDATION_FAILED"},
	{"an update mask that names nothing", masks("operators.v1.OperatorService/UpdateOperator", ofOperator), badMask},
	{"an update mask that names a good field and a bad one", masks("operators.v1.OperatorService/UpdateOperator", ofOperator, "name", "version"), badMask},
	{"an update mask of a thousand names", masks("operators.v1.OperatorService/UpdateOperator", ofOperator, strings.Split(without(repeat("name,", 1000), 1), ",")...), badMask},
	{"an update mask that is not there", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, "operators.v1.OperatorService/UpdateOperator", object{"operator": object{"operatorId": w.operatorID, "name": "Mine"}}).outcome()
	}, "invalid_argument VALIDATION_FAILED"},
}, masked("an operator", "operators.v1.OperatorService/UpdateOperator", ofOperator,
	"operator_id", "status", "version", "etag", "has_credentials", "credentials_version", "password", "create_time", "update_time", "delete_time",
	"created_by", "updated_by", "*", "operator.name", "name.first", "Name", " name", "name,version", "../name", "tps_limit.max_tps.x", "")...),
	masked("an account", "access.v1.AccountService/UpdateAccount", ofAccount,
		"account_id", "etag", "version", "create_time", "update_time", "delete_time", "deleted_at", "*", "account.name")...),
	masked("a rule", "operators.v1.RoutingRuleService/UpdateRoutingRule", ofRule,
		"rule_id", "account_id", "prefix", "message_types", "version", "etag", "created_by", "updated_by", "create_time", "update_time", "candidates.operator_id", "*")...)
