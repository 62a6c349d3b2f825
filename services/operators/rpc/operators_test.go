package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/caller"
)

func TestAnOperatorIsGivenInFull(t *testing.T) {
	s := serve(t)
	backup := s.named(t, "Backup")
	o := &operatorsv1.Operator{
		Name: "Alpha", Host: "A.example", Port: 2776, SystemId: "sys", SystemType: "smpp", BindType: operatorsv1.BindType_BIND_TYPE_TRANSMITTER,
		MessageTypes: []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_WAP, routingv1.MessageType_MESSAGE_TYPE_SMS},
		TpsLimit:     &operatorsv1.TpsLimit{MaxTps: 7, BurstMultiplier: 2, EnforcementMode: operatorsv1.EnforcementMode_ENFORCEMENT_MODE_SOFT_THROTTLE},
		Notes:        "call Bob first", BackupOperatorId: backup.GetOperatorId(),
	}
	got := s.create(t, o)
	require.NotEmpty(t, got.GetOperatorId())
	require.NotEmpty(t, got.GetEtag())
	require.NotNil(t, got.GetCreateTime())
	require.Equal(t, "test", got.GetCreatedBy())
	require.True(t, got.GetHasCredentials())
	require.Equal(t, operatorsv1.OperatorStatus_OPERATOR_STATUS_INACTIVE, got.GetStatus())
	require.Equal(t, "a.example", got.GetHost(), "host names have no case")
	require.Equal(t, []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_SMS, routingv1.MessageType_MESSAGE_TYPE_WAP}, got.GetMessageTypes())
	require.Equal(t, o.GetTpsLimit().GetBurstMultiplier(), got.GetTpsLimit().GetBurstMultiplier()) //nolint:testifylint // it is stored and read, not calculated
	require.Equal(t, o.GetTpsLimit().GetEnforcementMode(), got.GetTpsLimit().GetEnforcementMode())
	require.Equal(t, []string{"smpp", "call Bob first", backup.GetOperatorId()}, []string{got.GetSystemType(), got.GetNotes(), got.GetBackupOperatorId()})
	require.Equal(t, operatorsv1.BindType_BIND_TYPE_TRANSMITTER, got.GetBindType())

	read, err := s.operators.GetOperator(t.Context(), &operatorsv1.GetOperatorRequest{OperatorId: got.GetOperatorId()})
	require.NoError(t, err)
	require.Equal(t, got.String(), read.GetOperator().String())
	require.Nil(t, read.GetFreshness(), "the primary answered")
}

func TestDefaultsOfAnOperator(t *testing.T) {
	s := serve(t)
	got := s.create(t, alpha())
	require.Equal(t, operatorsv1.BindType_BIND_TYPE_TRANSCEIVER, got.GetBindType())
	require.Equal(t, []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_SMS}, got.GetMessageTypes())
	require.InDelta(t, 1.5, got.GetTpsLimit().GetBurstMultiplier(), 0)
	require.Equal(t, operatorsv1.EnforcementMode_ENFORCEMENT_MODE_HARD_REJECT, got.GetTpsLimit().GetEnforcementMode())
}

func TestTheLifeOfAnOperator(t *testing.T) {
	s, ctx := serve(t), t.Context()
	o := s.create(t, alpha())
	id := o.GetOperatorId()

	activated, err := s.operators.ActivateOperator(ctx, &operatorsv1.ActivateOperatorRequest{OperatorId: id, Etag: o.GetEtag()})
	require.NoError(t, err)
	require.Equal(t, operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE, activated.GetOperator().GetStatus())
	_, err = s.operators.SuspendOperator(ctx, &operatorsv1.SuspendOperatorRequest{OperatorId: id, Etag: o.GetEtag()})
	require.Equal(t, "aborted ETAG_MISMATCH", reason(t, err))

	rule, err := s.rules.CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: &operatorsv1.RoutingRule{
		Prefix: "+44", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY, Active: true,
		Candidates: []*operatorsv1.RuleCandidate{{OperatorId: id}},
	}})
	require.NoError(t, err)
	preview, err := s.operators.SuspendOperator(ctx, &operatorsv1.SuspendOperatorRequest{OperatorId: id, ValidateOnly: true})
	require.NoError(t, err)
	require.Len(t, preview.GetWarnings(), 1)
	require.Equal(t, []string{"RULE_WITHOUT_OPERATOR", rule.GetRule().GetRuleId()}, []string{preview.GetWarnings()[0].GetReason(), preview.GetWarnings()[0].GetRuleId()})
	require.True(t, strings.HasPrefix(preview.GetWarnings()[0].GetWitness(), "+44"))
	suspended, err := s.operators.SuspendOperator(ctx, &operatorsv1.SuspendOperatorRequest{OperatorId: id, Etag: activated.GetOperator().GetEtag()})
	require.NoError(t, err, "the preview changed nothing")
	require.Len(t, suspended.GetWarnings(), 1)

	deactivated, err := s.operators.DeactivateOperator(ctx, &operatorsv1.DeactivateOperatorRequest{OperatorId: id})
	require.NoError(t, err)
	require.Equal(t, operatorsv1.OperatorStatus_OPERATOR_STATUS_INACTIVE, deactivated.GetOperator().GetStatus())
	_, err = s.operators.SuspendOperator(ctx, &operatorsv1.SuspendOperatorRequest{OperatorId: id})
	require.Equal(t, "failed_precondition ILLEGAL_STATUS", reason(t, err))

	rotated, err := s.operators.RotateCredentials(ctx, &operatorsv1.RotateCredentialsRequest{OperatorId: id, Password: "another"})
	require.NoError(t, err)
	require.Greater(t, rotated.GetOperator().GetVersion(), deactivated.GetOperator().GetVersion())

	updated, err := s.operators.UpdateOperator(ctx, &operatorsv1.UpdateOperatorRequest{
		Operator:   &operatorsv1.Operator{OperatorId: id, TpsLimit: &operatorsv1.TpsLimit{MaxTps: 9}, Host: "ignored.example"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"tps_limit.max_tps"}},
	})
	require.NoError(t, err)
	require.EqualValues(t, 9, updated.GetOperator().GetTpsLimit().GetMaxTps())
	require.Equal(t, "a.example", updated.GetOperator().GetHost(), "only what the mask names changes")
	_, err = s.operators.UpdateOperator(ctx, &operatorsv1.UpdateOperatorRequest{
		Operator: &operatorsv1.Operator{OperatorId: id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"status"}},
	})
	require.Equal(t, "invalid_argument INVALID_UPDATE_MASK", reason(t, err))

	deleted, err := s.operators.DeleteOperator(ctx, &operatorsv1.DeleteOperatorRequest{OperatorId: id})
	require.NoError(t, err)
	require.NotNil(t, deleted.GetOperator().GetDeleteTime())
	_, err = s.operators.ActivateOperator(ctx, &operatorsv1.ActivateOperatorRequest{OperatorId: id})
	require.Equal(t, "not_found NO_SUCH_OPERATOR", reason(t, err))
}

func TestARepeatIsKnownByWhatWasAsked(t *testing.T) {
	s, ctx := serve(t), t.Context()
	ask := func(name, password string) (*operatorsv1.CreateOperatorResponse, error) {
		o := alpha()
		o.Name = name
		return s.operators.CreateOperator(ctx, &operatorsv1.CreateOperatorRequest{Operator: o, Password: password, RequestId: "r-1"})
	}
	first, err := ask("Alpha", "one")
	require.NoError(t, err)
	again, err := ask("Alpha", "one")
	require.NoError(t, err)
	require.Equal(t, first.GetOperator().GetOperatorId(), again.GetOperator().GetOperatorId())
	_, err = ask("Beta", "one")
	require.Equal(t, "invalid_argument REQUEST_ID_REUSED", reason(t, err))
	_, err = s.operators.DeleteOperator(ctx, &operatorsv1.DeleteOperatorRequest{OperatorId: first.GetOperator().GetOperatorId(), RequestId: "r-1"})
	require.Equal(t, "invalid_argument REQUEST_ID_REUSED", reason(t, err), "another procedure")
	require.Len(t, s.counted.created, 3)
	require.Error(t, s.counted.created[2])
}

func TestOperatorsAreListedInPagesThatBelongToTheirFilter(t *testing.T) {
	s, ctx := serve(t), t.Context()
	for _, name := range []string{"Gamma", "Alpha", "Beta", "Other"} {
		s.named(t, name)
	}
	var names []string
	req := &operatorsv1.ListOperatorsRequest{PageSize: 1, Search: "A"}
	for {
		page, err := s.operators.ListOperators(ctx, req)
		require.NoError(t, err)
		for _, o := range page.GetOperators() {
			names = append(names, o.GetName())
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
		req.PageSize = 2 // the size may change from page to page
	}
	require.Equal(t, []string{"Alpha", "Beta", "Gamma", "Other"}, names, "every host contains an a")

	page, err := s.operators.ListOperators(ctx, &operatorsv1.ListOperatorsRequest{PageSize: 1})
	require.NoError(t, err)
	for name, req := range map[string]*operatorsv1.ListOperatorsRequest{
		"another filter": {PageToken: page.GetNextPageToken(), Search: "x"},
		"made up":        {PageToken: "AAAA"},
		"a changed one":  {PageToken: page.GetNextPageToken() + "A"},
	} {
		_, err := s.operators.ListOperators(ctx, req)
		require.Equal(t, "invalid_argument INVALID_PAGE_TOKEN", reason(t, err), name)
	}
	none, err := s.operators.ListOperators(ctx, &operatorsv1.ListOperatorsRequest{Statuses: []operatorsv1.OperatorStatus{operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE}})
	require.NoError(t, err)
	require.Empty(t, none.GetOperators())
}

func TestFieldsPastTheirBoundsAreRefusedBySchemaOrDomain(t *testing.T) {
	s := serve(t)
	for name, change := range map[string]func(*operatorsv1.CreateOperatorRequest){
		"name is empty":            func(r *operatorsv1.CreateOperatorRequest) { r.Operator.Name = "" },
		"name of 101 characters":   func(r *operatorsv1.CreateOperatorRequest) { r.Operator.Name = strings.Repeat("ä", 101) },
		"host with a scheme":       func(r *operatorsv1.CreateOperatorRequest) { r.Operator.Host = "smpp://a.example" },
		"port 0":                   func(r *operatorsv1.CreateOperatorRequest) { r.Operator.Port = 0 },
		"port 65536":               func(r *operatorsv1.CreateOperatorRequest) { r.Operator.Port = 65536 },
		"system_id of 16":          func(r *operatorsv1.CreateOperatorRequest) { r.Operator.SystemId = strings.Repeat("s", 16) },
		"system_type of 13":        func(r *operatorsv1.CreateOperatorRequest) { r.Operator.SystemType = strings.Repeat("s", 13) },
		"no limit":                 func(r *operatorsv1.CreateOperatorRequest) { r.Operator.TpsLimit = nil },
		"max_tps 0":                func(r *operatorsv1.CreateOperatorRequest) { r.Operator.TpsLimit.MaxTps = 0 },
		"burst below 1":            func(r *operatorsv1.CreateOperatorRequest) { r.Operator.TpsLimit.BurstMultiplier = 0.5 },
		"burst above 100":          func(r *operatorsv1.CreateOperatorRequest) { r.Operator.TpsLimit.BurstMultiplier = 101 },
		"an unknown bind type":     func(r *operatorsv1.CreateOperatorRequest) { r.Operator.BindType = 9 },
		"a message type twice":     func(r *operatorsv1.CreateOperatorRequest) { r.Operator.MessageTypes = []routingv1.MessageType{1, 1} },
		"a backup that is no UUID": func(r *operatorsv1.CreateOperatorRequest) { r.Operator.BackupOperatorId = "x" },
		"a backup that is nobody": func(r *operatorsv1.CreateOperatorRequest) {
			r.Operator.BackupOperatorId = "0190a8f0-0000-7000-8000-00000000ffff"
		},
		"notes of 2001 characters":  func(r *operatorsv1.CreateOperatorRequest) { r.Operator.Notes = strings.Repeat("n", 2001) },
		"a password of 65":          func(r *operatorsv1.CreateOperatorRequest) { r.Password = strings.Repeat("p", 65) },
		"a password with a newline": func(r *operatorsv1.CreateOperatorRequest) { r.Password = "a\nb" },
		"a request_id of 129":       func(r *operatorsv1.CreateOperatorRequest) { r.RequestId = strings.Repeat("r", 129) },
	} {
		t.Run(name, func(t *testing.T) {
			req := &operatorsv1.CreateOperatorRequest{Operator: alpha(), Password: "secret"}
			change(req)
			_, err := s.operators.CreateOperator(t.Context(), req)
			var bad errdetails.BadRequest
			require.Equal(t, "invalid_argument VALIDATION_FAILED", details(t, err, &bad))
			require.NotEmpty(t, bad.GetFieldViolations())
		})
	}
	list, err := s.operators.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	require.Empty(t, list.GetOperators())
}

func TestHealthIsGivenAsItIsStored(t *testing.T) {
	s, ctx := serve(t), t.Context()
	o := s.create(t, alpha())
	unknown, err := s.operators.GetOperatorHealth(ctx, &operatorsv1.GetOperatorHealthRequest{OperatorId: o.GetOperatorId()})
	require.NoError(t, err)
	require.Zero(t, unknown.GetHealth().GetVersion())
	require.Equal(t, eventsv1.BindState_BIND_STATE_UNSPECIFIED, unknown.GetHealth().GetBindState())
	_, err = s.operators.GetOperatorHealth(ctx, &operatorsv1.GetOperatorHealthRequest{OperatorId: "0190a8f0-0000-7000-8000-00000000ffff"})
	require.Equal(t, "not_found NO_SUCH_OPERATOR", reason(t, err))

	id := mustID(t, o.GetOperatorId())
	at := o.GetCreateTime().AsTime()
	for version := int64(1); version <= 3; version++ {
		next := operators.Health{OperatorID: id, Bind: operators.Bound, Quality: operators.Healthy, Version: version, ChangedAt: at, ObservedAt: at}
		transition := &operators.Transition{
			ID: newID(t), OperatorID: id, OccurredAt: at, ToBind: operators.Bound, ToQuality: operators.Healthy, Cause: "bound", Submits: 30, Errors: 2, Version: version,
		}
		require.NoError(t, s.health.ChangeHealth(ctx, next, version-1, transition))
	}
	known, err := s.operators.GetOperatorHealth(ctx, &operatorsv1.GetOperatorHealthRequest{OperatorId: o.GetOperatorId()})
	require.NoError(t, err)
	require.Equal(t, eventsv1.BindState_BIND_STATE_BOUND, known.GetHealth().GetBindState())
	require.Equal(t, eventsv1.Quality_QUALITY_HEALTHY, known.GetHealth().GetQuality())
	require.EqualValues(t, 3, known.GetHealth().GetVersion())

	s.board.say(operators.Word{Bind: operators.Unbound, At: at.Add(time.Second)}, nil)
	out, err := s.operators.GetOperatorHealth(ctx, &operatorsv1.GetOperatorHealthRequest{OperatorId: o.GetOperatorId()})
	require.NoError(t, err)
	require.Equal(t, eventsv1.BindState_BIND_STATE_UNBOUND, out.GetHealth().GetBindState(), "a word by hand is what engines act on")
	require.Equal(t, at.Add(time.Second), out.GetHealth().GetChangeTime().AsTime())
	require.True(t, out.GetHealth().GetByHand())
	s.board.say(operators.Word{Bind: operators.Unbound, At: at.Add(time.Second)}, errors.New("no NATS"))
	known, err = s.operators.GetOperatorHealth(ctx, &operatorsv1.GetOperatorHealthRequest{OperatorId: o.GetOperatorId()})
	require.NoError(t, err)
	require.Equal(t, eventsv1.BindState_BIND_STATE_BOUND, known.GetHealth().GetBindState())
	require.False(t, known.GetHealth().GetByHand())

	seen := map[int64]bool{}
	req := &operatorsv1.ListHealthTransitionsRequest{OperatorId: o.GetOperatorId(), PageSize: 2}
	for {
		page, err := s.operators.ListHealthTransitions(ctx, req)
		require.NoError(t, err)
		for _, one := range page.GetTransitions() {
			seen[one.GetVersion()] = true
			require.Equal(t, []int64{30, 2}, []int64{one.GetSubmits(), one.GetErrors()})
			require.Equal(t, "bound", one.GetCause())
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	require.Equal(t, map[int64]bool{1: true, 2: true, 3: true}, seen)
	_, err = s.operators.ListHealthTransitions(ctx, &operatorsv1.ListHealthTransitionsRequest{StartTime: o.GetCreateTime(), EndTime: o.GetCreateTime()})
	require.Equal(t, "invalid_argument VALIDATION_FAILED", reason(t, err))
}

func TestAListShowsTheHealthOfEachOperator(t *testing.T) {
	s, ctx := serve(t), t.Context()
	states := []operators.BindState{operators.Bound, operators.Unbound, operators.BindUnknown, operators.Bound}
	for i, name := range []string{"Bound", "Lost", "Never", "Past"} {
		id := mustID(t, s.named(t, name).GetOperatorId())
		if states[i] == operators.BindUnknown {
			continue
		}
		at := time.Now().UTC().Truncate(time.Microsecond)
		next := operators.Health{OperatorID: id, Bind: states[i], Quality: operators.Degraded, Version: 1, ChangedAt: at, ObservedAt: at}
		require.NoError(t, s.health.ChangeHealth(ctx, next, 0, nil))
		if name == "Past" {
			_, err := s.operators.DeleteOperator(ctx, &operatorsv1.DeleteOperatorRequest{OperatorId: id.String()})
			require.NoError(t, err)
		}
	}
	shown := func(req *operatorsv1.ListOperatorsRequest) (all []string) {
		req.PageSize = 1
		for {
			page, err := s.operators.ListOperators(ctx, req)
			require.NoError(t, err)
			require.Len(t, page.GetHealth(), len(page.GetOperators()))
			for i, o := range page.GetOperators() {
				one := page.GetHealth()[i]
				require.Equal(t, o.GetOperatorId(), one.GetOperatorId())
				all = append(all, fmt.Sprint(o.GetName(), " ", one.GetBindState(), " ", one.GetByHand()))
			}
			if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
				return all
			}
		}
	}
	require.Equal(t, []string{
		"Bound BIND_STATE_BOUND false", "Lost BIND_STATE_UNBOUND false", "Never BIND_STATE_UNSPECIFIED false", "Past BIND_STATE_UNSPECIFIED false",
	}, shown(&operatorsv1.ListOperatorsRequest{ShowDeleted: true}))
	require.Equal(t, []string{"Lost BIND_STATE_UNBOUND false", "Never BIND_STATE_UNSPECIFIED false"}, shown(&operatorsv1.ListOperatorsRequest{
		BindStates: []eventsv1.BindState{eventsv1.BindState_BIND_STATE_UNBOUND, eventsv1.BindState_BIND_STATE_UNSPECIFIED},
	}))

	s.board.say(operators.Word{Bind: operators.Unbound, At: time.Now()}, nil)
	require.Equal(t, []string{
		"Bound BIND_STATE_UNBOUND true", "Lost BIND_STATE_UNBOUND true", "Never BIND_STATE_UNBOUND true", "Past BIND_STATE_UNSPECIFIED false",
	}, shown(&operatorsv1.ListOperatorsRequest{ShowDeleted: true}), "a word by hand is what engines act on")
}

func TestCredentialsAreGivenInsideAndAuditedFirst(t *testing.T) {
	s := serve(t)
	o := s.create(t, alpha())
	ctx := caller.With(t.Context(), caller.Caller{Name: "spiffe://example.org/smpp-connector"})
	got, err := s.internal.GetOperatorCredentials(ctx, &operatorsv1.GetOperatorCredentialsRequest{OperatorId: o.GetOperatorId()})
	require.NoError(t, err)
	require.Equal(t, "secret", got.GetPassword())
	require.Equal(t, []string{"a.example", "sys"}, []string{got.GetHost(), got.GetSystemId()})
	require.Equal(t, o.GetVersion(), got.GetVersion())

	health, err := s.internal.GetOperatorHealth(ctx, &operatorsv1.InternalOperatorServiceGetOperatorHealthRequest{})
	require.NoError(t, err)
	require.Empty(t, health.GetHealth(), "nothing was reported yet")
	_, err = s.internal.GetOperatorCredentials(context.WithoutCancel(ctx), &operatorsv1.GetOperatorCredentialsRequest{OperatorId: "0190a8f0-0000-7000-8000-00000000ffff"})
	require.ErrorContains(t, err, "NO_SUCH_OPERATOR")
}

func TestTheEnumsOfSchemaAndDomainAgree(t *testing.T) {
	for number, name := range operatorsv1.OperatorStatus_name {
		require.Equal(t, strings.TrimPrefix(name, "OPERATOR_STATUS_"), or(operators.Status(number).String()))
	}
	for number, name := range operatorsv1.BindType_name {
		require.Equal(t, strings.TrimPrefix(name, "BIND_TYPE_"), or(operators.BindType(number).String()))
	}
	for number, name := range operatorsv1.EnforcementMode_name {
		require.Equal(t, strings.TrimPrefix(name, "ENFORCEMENT_MODE_"), or(operators.EnforcementMode(number).String()))
	}
	for number, name := range routingv1.RoutingStrategy_name {
		require.Equal(t, strings.TrimPrefix(name, "ROUTING_STRATEGY_"), or(operators.Strategy(number).String()))
	}
	for number, name := range routingv1.OnExhausted_name {
		require.Equal(t, strings.TrimPrefix(name, "ON_EXHAUSTED_"), or(operators.OnExhausted(number).String()))
	}
	for number, name := range operatorsv1.FindingSeverity_name {
		require.Equal(t, strings.TrimPrefix(name, "FINDING_SEVERITY_"), or(operators.Severity(number).String()))
	}
	for number, name := range operatorsv1.DeckScope_name {
		require.Equal(t, strings.TrimPrefix(name, "DECK_SCOPE_"), or(operators.DeckScope(number).String()))
	}
	for number, name := range eventsv1.BindState_name {
		require.Equal(t, strings.Replace(strings.TrimPrefix(name, "BIND_STATE_"), "UNSPECIFIED", "UNKNOWN", 1), operators.BindState(number).String())
	}
	for number, name := range eventsv1.Quality_name {
		require.Equal(t, strings.Replace(strings.TrimPrefix(name, "QUALITY_"), "UNSPECIFIED", "UNKNOWN", 1), operators.Quality(number).String())
	}
	require.NotEmpty(t, rpc.ImportProcedures())
}

func or(text string) string {
	if text == "" {
		return "UNSPECIFIED"
	}
	return text
}

func TestEachFieldIsUpdatedAlone(t *testing.T) {
	s := serve(t)
	o := s.create(t, alpha())
	backup := s.named(t, "Backup")
	full := &operatorsv1.Operator{
		OperatorId: o.GetOperatorId(), Name: "Alpha 2", Host: "b.example", Port: 2776, SystemId: "sys2", SystemType: "smpp", Notes: "hello",
		BindType: operatorsv1.BindType_BIND_TYPE_TRANSMITTER, BackupOperatorId: backup.GetOperatorId(),
		MessageTypes: []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_FLASH},
		// As the command line sends it when --max-tps is not given.
		TpsLimit: &operatorsv1.TpsLimit{BurstMultiplier: 3, EnforcementMode: operatorsv1.EnforcementMode_ENFORCEMENT_MODE_SOFT_THROTTLE},
	}
	for i, path := range []string{
		"name", "host", "port", "system_id", "system_type", "notes", "bind_type", "backup_operator_id", "message_types",
		"tps_limit.burst_multiplier", "tps_limit.enforcement_mode",
	} {
		got, err := s.operators.UpdateOperator(t.Context(), &operatorsv1.UpdateOperatorRequest{Operator: full, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}}})
		require.NoError(t, err, path)
		require.EqualValues(t, i+2, got.GetOperator().GetVersion(), "%s changed", path)
		require.EqualValues(t, 100, got.GetOperator().GetTpsLimit().GetMaxTps(), path)
	}
	_, err := s.operators.UpdateOperator(t.Context(), &operatorsv1.UpdateOperatorRequest{Operator: full, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"tps_limit.max_tps"}}})
	require.Equal(t, "invalid_argument VALIDATION_FAILED", reason(t, err), "0 is no limit")
}

func TestARepeatWithAnotherPasswordIsNotAcknowledged(t *testing.T) {
	s, ctx := serve(t), t.Context()
	create := func(password string) error {
		_, err := s.operators.CreateOperator(ctx, &operatorsv1.CreateOperatorRequest{Operator: alpha(), Password: password, RequestId: "c-1"})
		return err
	}
	require.NoError(t, create("one"))
	require.NoError(t, create("one"))
	require.Equal(t, "invalid_argument REQUEST_ID_REUSED", reason(t, create("two")))
	require.Equal(t, "invalid_argument REQUEST_ID_REUSED", reason(t, create("")))
	list, err := s.operators.ListOperators(ctx, &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	id := list.GetOperators()[0].GetOperatorId()
	rotate := func(password string) error {
		_, err := s.operators.RotateCredentials(ctx, &operatorsv1.RotateCredentialsRequest{OperatorId: id, Password: password, RequestId: "r-1"})
		return err
	}
	require.NoError(t, rotate("three"))
	require.Equal(t, "invalid_argument REQUEST_ID_REUSED", reason(t, rotate("four")))
	require.NoError(t, rotate("three"))
	got, err := s.internal.GetOperatorCredentials(ctx, &operatorsv1.GetOperatorCredentialsRequest{OperatorId: id})
	require.NoError(t, err)
	require.Equal(t, "three", got.GetPassword())
}
