package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

// ledger is a server that remembers what it was asked to change.
type ledger struct {
	operatorsv1connect.UnimplementedOperatorServiceHandler
	operatorsv1connect.UnimplementedRoutingRuleServiceHandler
	operatorsv1connect.UnimplementedRateServiceHandler
	operatorsv1connect.UnimplementedOutboxServiceHandler

	t        *testing.T
	one      *operatorsv1.Operator
	rule     *operatorsv1.RoutingRule
	warnings []*operatorsv1.OperatorWarning
	findings []*operatorsv1.RuleFinding
	diff     *operatorsv1.RateDiff
	fresh    *operatorsv1.Freshness
	fail     error
	same     bool // updates make no difference

	created  *operatorsv1.CreateOperatorRequest
	updated  *operatorsv1.UpdateOperatorRequest
	rotated  *operatorsv1.RotateCredentialsRequest
	listed   *operatorsv1.ListOperatorsRequest
	calls    []string // of status changes: name, and "dry" for rehearsals
	newRule  *operatorsv1.CreateRoutingRuleRequest
	oldRule  *operatorsv1.UpdateRoutingRuleRequest
	gone     *operatorsv1.DeleteRoutingRuleRequest
	byHand   bool
	checked  *operatorsv1.CheckRoutingRulesRequest
	listRule *operatorsv1.ListRoutingRulesRequest
	deck     *operatorsv1.ImportRatesRequest
	fx       *operatorsv1.SetFxRatesRequest
	rates    *operatorsv1.ListRatesRequest
	outbox   *operatorsv1.GetOutboxStatusResponse
}

func (l *ledger) CreateOperator(_ context.Context, req *operatorsv1.CreateOperatorRequest) (*operatorsv1.CreateOperatorResponse, error) {
	l.created = req
	return &operatorsv1.CreateOperatorResponse{Operator: l.one}, l.fail
}

func (l *ledger) GetOperator(context.Context, *operatorsv1.GetOperatorRequest) (*operatorsv1.GetOperatorResponse, error) {
	return &operatorsv1.GetOperatorResponse{Operator: l.one, Freshness: l.fresh}, l.fail
}

func (l *ledger) ListOperators(_ context.Context, req *operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
	l.listed = req
	other := &operatorsv1.Operator{OperatorId: meridian, Name: "Nordlink Transit East"}
	if req.GetShowDeleted() {
		other = proto.CloneOf(l.one)
		other.Name, other.DeleteTime = "Former Transit", timestamppb.New(time.Unix(1_800_000_000, 0))
	}
	return &operatorsv1.ListOperatorsResponse{Operators: []*operatorsv1.Operator{other, l.one}, Freshness: l.fresh}, nil
}

func (l *ledger) UpdateOperator(_ context.Context, req *operatorsv1.UpdateOperatorRequest) (*operatorsv1.UpdateOperatorResponse, error) {
	l.updated = req
	next := proto.CloneOf(l.one)
	if !l.same {
		next.Version++
	}
	return &operatorsv1.UpdateOperatorResponse{Operator: next, Warnings: l.warnings}, l.fail
}

func (l *ledger) became(name string, dry bool) {
	if dry {
		name += " dry"
	}
	l.calls = append(l.calls, name)
}

func (l *ledger) SuspendOperator(_ context.Context, req *operatorsv1.SuspendOperatorRequest) (*operatorsv1.SuspendOperatorResponse, error) {
	l.became("suspend "+req.GetOperatorId()+" "+req.GetEtag(), req.GetValidateOnly())
	return &operatorsv1.SuspendOperatorResponse{Operator: l.one, Warnings: l.warnings}, l.fail
}

func (l *ledger) ActivateOperator(_ context.Context, req *operatorsv1.ActivateOperatorRequest) (*operatorsv1.ActivateOperatorResponse, error) {
	l.became("activate", req.GetValidateOnly())
	return &operatorsv1.ActivateOperatorResponse{Operator: l.one}, l.fail
}

func (l *ledger) DeactivateOperator(_ context.Context, req *operatorsv1.DeactivateOperatorRequest) (*operatorsv1.DeactivateOperatorResponse, error) {
	l.became("deactivate", req.GetValidateOnly())
	return &operatorsv1.DeactivateOperatorResponse{Operator: l.one}, l.fail
}

func (l *ledger) DeleteOperator(_ context.Context, req *operatorsv1.DeleteOperatorRequest) (*operatorsv1.DeleteOperatorResponse, error) {
	l.became("delete", req.GetValidateOnly())
	return &operatorsv1.DeleteOperatorResponse{Operator: l.one}, l.fail
}

func (l *ledger) RotateCredentials(_ context.Context, req *operatorsv1.RotateCredentialsRequest) (*operatorsv1.RotateCredentialsResponse, error) {
	l.rotated = req
	return &operatorsv1.RotateCredentialsResponse{Operator: l.one}, l.fail
}

func (l *ledger) GetOperatorHealth(context.Context, *operatorsv1.GetOperatorHealthRequest) (*operatorsv1.GetOperatorHealthResponse, error) {
	return &operatorsv1.GetOperatorHealthResponse{Freshness: l.fresh, Health: &operatorsv1.OperatorHealth{
		BindState: eventsv1.BindState_BIND_STATE_BOUND, Quality: eventsv1.Quality_QUALITY_DEGRADED, Throttled: true, Version: 7, ByHand: l.byHand,
		ChangeTime: timestamppb.New(time.Unix(1_800_000_000, 0)), ObserveTime: timestamppb.New(time.Unix(1_800_000_060, 0)),
	}}, l.fail
}

func (l *ledger) ListHealthTransitions(context.Context, *operatorsv1.ListHealthTransitionsRequest) (*operatorsv1.ListHealthTransitionsResponse, error) {
	return &operatorsv1.ListHealthTransitionsResponse{Transitions: []*operatorsv1.HealthTransition{{
		OperatorId: nordlink, OccurTime: timestamppb.New(time.Unix(1_800_000_000, 0)), FromBindState: eventsv1.BindState_BIND_STATE_BOUND,
		ToBindState: eventsv1.BindState_BIND_STATE_UNBOUND, FromQuality: eventsv1.Quality_QUALITY_HEALTHY, ToQuality: eventsv1.Quality_QUALITY_UNHEALTHY,
		Cause: "bind lost", Submits: 100, Errors: 7, Version: 3,
	}}}, l.fail
}

func (l *ledger) CreateRoutingRule(_ context.Context, req *operatorsv1.CreateRoutingRuleRequest) (*operatorsv1.CreateRoutingRuleResponse, error) {
	l.newRule = req
	return &operatorsv1.CreateRoutingRuleResponse{Rule: l.rule, Warnings: l.findings}, l.fail
}

func (l *ledger) GetRoutingRule(context.Context, *operatorsv1.GetRoutingRuleRequest) (*operatorsv1.GetRoutingRuleResponse, error) {
	return &operatorsv1.GetRoutingRuleResponse{Rule: l.rule, Freshness: l.fresh}, nil
}

func (l *ledger) ListRoutingRules(_ context.Context, req *operatorsv1.ListRoutingRulesRequest) (*operatorsv1.ListRoutingRulesResponse, error) {
	l.listRule = req
	return &operatorsv1.ListRoutingRulesResponse{Rules: []*operatorsv1.RoutingRule{l.rule}}, nil
}

func (l *ledger) UpdateRoutingRule(_ context.Context, req *operatorsv1.UpdateRoutingRuleRequest) (*operatorsv1.UpdateRoutingRuleResponse, error) {
	l.oldRule = req
	next := proto.CloneOf(l.rule)
	if !l.same {
		next.Version++
	}
	return &operatorsv1.UpdateRoutingRuleResponse{Rule: next}, l.fail
}

func (l *ledger) DeleteRoutingRule(_ context.Context, req *operatorsv1.DeleteRoutingRuleRequest) (*operatorsv1.DeleteRoutingRuleResponse, error) {
	l.gone = req
	return &operatorsv1.DeleteRoutingRuleResponse{Warnings: l.findings}, l.fail
}

func (l *ledger) CheckRoutingRules(_ context.Context, req *operatorsv1.CheckRoutingRulesRequest) (*operatorsv1.CheckRoutingRulesResponse, error) {
	l.checked = req
	out := &operatorsv1.CheckRoutingRulesResponse{Findings: l.findings, RuleCount: 2}
	for _, f := range l.findings {
		if f.GetSeverity() == operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR {
			out.ErrorCount++
		} else {
			out.WarningCount++
		}
	}
	return out, l.fail
}

func (l *ledger) ImportRates(_ context.Context, req *operatorsv1.ImportRatesRequest, s *connect.ServerStream[operatorsv1.ImportRatesResponse]) error {
	l.deck = req
	if err := s.Send(&operatorsv1.ImportRatesResponse{Step: &operatorsv1.ImportRatesResponse_Progress{Progress: &operatorsv1.ImportProgress{Done: 1, Total: 2}}}); err != nil || l.fail != nil {
		return l.fail
	}
	return s.Send(&operatorsv1.ImportRatesResponse{Step: &operatorsv1.ImportRatesResponse_Result{Result: l.diff}})
}

func (l *ledger) ListRates(_ context.Context, req *operatorsv1.ListRatesRequest) (*operatorsv1.ListRatesResponse, error) {
	l.rates = req
	return &operatorsv1.ListRatesResponse{Rates: []*operatorsv1.Rate{{
		OperatorId: nordlink, Prefix: "+44", Mcc: "234", Mnc: "01", MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: eur(12_500_000),
		EffectiveFrom: timestamppb.New(time.Unix(1_800_000_000, 0)),
	}}}, nil
}

func (l *ledger) ListFxRates(context.Context, *operatorsv1.ListFxRatesRequest) (*operatorsv1.ListFxRatesResponse, error) {
	return &operatorsv1.ListFxRatesResponse{FxRates: []*operatorsv1.FxRate{{CurrencyCode: "EUR", RateNanos: 1_000_000_000}, {CurrencyCode: "USD", RateNanos: 920_000_000}}}, nil
}

func (l *ledger) SetFxRates(_ context.Context, req *operatorsv1.SetFxRatesRequest) (*operatorsv1.SetFxRatesResponse, error) {
	l.fx = req
	all := int64(len(l.findings))
	if all > 0 {
		all++ // more than are given
	}
	return &operatorsv1.SetFxRatesResponse{FxRates: req.GetFxRates(), Warnings: l.findings, WarningCount: all}, l.fail
}

func (l *ledger) GetOutboxStatus(context.Context, *operatorsv1.GetOutboxStatusRequest) (*operatorsv1.GetOutboxStatusResponse, error) {
	if l.outbox != nil {
		return l.outbox, nil
	}
	return &operatorsv1.GetOutboxStatusResponse{Pending: 1, PendingPublish: 2, Published: 3, Oldest: durationpb.New(90 * time.Second), LastError: "NATS_UNAVAILABLE"}, l.fail
}

const ruleID = "01890a5d-ac96-774b-bcce-b302099a8a01"

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{t: t, one: &operatorsv1.Operator{
		OperatorId: nordlink, Name: "Nordlink Transit", Host: "smpp.nordlink.example", Port: 2775, SystemId: "nl", Version: 4, Etag: "e4",
		Status: operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE, BindType: operatorsv1.BindType_BIND_TYPE_TRANSCEIVER, HasCredentials: true,
		MessageTypes: []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_SMS},
		TpsLimit:     &operatorsv1.TpsLimit{MaxTps: 100, BurstMultiplier: 1.5, EnforcementMode: operatorsv1.EnforcementMode_ENFORCEMENT_MODE_HARD_REJECT},
		CreatedBy:    "ann", CreateTime: timestamppb.New(time.Unix(1_800_000_000, 0)),
	}, rule: &operatorsv1.RoutingRule{
		RuleId: ruleID, Prefix: "+4479", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Version: 2, Etag: "r2", Active: true,
		Candidates: []*operatorsv1.RuleCandidate{{OperatorId: nordlink, OperatorName: "Nordlink Transit", Priority: 1, Price: eur(12_500_000)}},
	}}
	startLedger(t, l)
	return l
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func moment(t *testing.T, text string) *timestamppb.Timestamp {
	t.Helper()
	if text == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return timestamppb.New(at)
}
