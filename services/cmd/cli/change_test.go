package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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
	"trunkline/services/cmd/cli"
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

func TestAnOperatorIsCreatedWithAPasswordFromAFileOrStandardInput(t *testing.T) {
	l := newLedger(t)
	args := []string{"operators", "create", "--name", "Nordlink Transit", "--host", "smpp.nordlink.example", "--system-id", "nl", "--max-tps", "100", "--types", "sms,wap", "--bind-type", "Transmitter"}
	got := run(t, nil, append(args, "--password-file", secretFile(t, "geheim \r\n"))...)
	require.Equal(t, outcome{cli.ExitOK, nordlink + "  Nordlink Transit  ACTIVE, version 4: created\n", ""}, got)
	require.Equal(t, "geheim ", l.created.GetPassword(), "only the line end is taken off")
	require.NotEmpty(t, l.created.GetRequestId())
	require.Equal(t, operatorsv1.BindType_BIND_TYPE_TRANSMITTER, l.created.GetOperator().GetBindType())
	require.EqualValues(t, 2775, l.created.GetOperator().GetPort())
	require.Len(t, l.created.GetOperator().GetMessageTypes(), 2)
	first := l.created.GetRequestId()

	got = run(t, strings.NewReader("geheim\n"), append(args, "--password-file", "-", "--dry-run", "-o", "json")...)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, "geheim", l.created.GetPassword())
	require.True(t, l.created.GetValidateOnly())
	require.NotEqual(t, first, l.created.GetRequestId(), "each run is a request of its own")
	require.Contains(t, got.stdout, `"operatorId": "`+nordlink+`"`)

	require.Equal(t, cli.ExitOK, run(t, nil, append(args, "--no-password")...).exit)
	require.Empty(t, l.created.GetPassword())
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"without a terminal":      {args, "--password-file"},
		"an empty file":           {append(args, "--password-file", secretFile(t, "\n")), "1 to 64 characters"},
		"a file that is too long": {append(args, "--password-file", secretFile(t, strings.Repeat("x", 65))), "1 to 64 characters"},
		"an unknown type":         {append(args, "--no-password", "--types", "fax"), "choose sms, flash or wap"},
		"an unknown bind type":    {append(args, "--no-password", "--bind-type", "both"), "choose transceiver, transmitter or receiver"},
		"an unknown mode":         {append(args, "--no-password", "--enforcement", "x"), "choose hard_reject or soft_throttle"},
	} {
		got := run(t, strings.NewReader("x"), c.args...)
		require.Equal(t, cli.ExitUsage, got.exit, name)
		require.Contains(t, got.stderr, c.says, name)
	}
	l.fail = serverError(t, connect.CodeAlreadyExists, "DUPLICATE_OPERATOR", "The operator exists.")
	got = run(t, nil, append(args, "--no-password")...)
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "DUPLICATE_OPERATOR")
}

func TestOnlyFlagsThatAreGivenChangeAnOperator(t *testing.T) {
	l := newLedger(t)
	l.warnings = []*operatorsv1.OperatorWarning{{Reason: "RULE_WITHOUT_OPERATOR", Message: "The rule +44 has nobody.", Witness: "+44123"}}
	got := run(t, nil, "operators", "update", "Nordlink Transit", "--max-tps", "7", "--backup", meridian)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.ElementsMatch(t, []string{"tps_limit.max_tps", "backup_operator_id"}, l.updated.GetUpdateMask().GetPaths())
	require.Equal(t, []string{nordlink, "e4", meridian}, []string{l.updated.GetOperator().GetOperatorId(), l.updated.GetOperator().GetEtag(), l.updated.GetOperator().GetBackupOperatorId()})
	require.Equal(t, "Nordlink Transit", l.listed.GetSearch())
	require.Contains(t, got.stderr, "warning: The rule +44 has nobody. (try: trunkline routes explain +44123)")
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "update", "Nordlink Transit").exit)
	got = run(t, nil, "operators", "update", "Nobody", "--max-tps", "7")
	require.Equal(t, cli.ExitNotFound, got.exit)
	require.Contains(t, got.stderr, "no live operator has this name")
}

func TestTakingTrafficAwayIsAskedForFirst(t *testing.T) {
	l := newLedger(t)
	l.warnings = []*operatorsv1.OperatorWarning{{Message: "The rule +44 has nobody."}}
	got := run(t, strings.NewReader("y\n"), "operators", "suspend", nordlink)
	require.Equal(t, cli.ExitUsage, got.exit, "standard input is no terminal")
	require.Contains(t, got.stderr, "--yes")
	require.Contains(t, got.stderr, "The rule +44 has nobody.", "what it would leave behind is shown all the same")
	require.Equal(t, []string{"suspend " + nordlink + " e4 dry"}, l.calls)

	l.calls = nil
	for _, c := range [][]string{
		{"suspend", nordlink, "--yes"}, {"suspend", nordlink, "--dry-run"}, {"activate", nordlink}, {"deactivate", "Nordlink Transit", "-y"}, {"delete", nordlink, "--yes"},
	} {
		got := run(t, nil, append([]string{"operators"}, c...)...)
		require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	}
	require.Equal(t, []string{"suspend " + nordlink + " e4", "suspend " + nordlink + " e4 dry", "activate", "deactivate", "delete"}, l.calls)
}

func TestAPasswordIsRotatedAndNeverShown(t *testing.T) {
	l := newLedger(t)
	got := run(t, nil, "operators", "rotate-credentials", "Nordlink Transit", "--password-file", secretFile(t, "neu"))
	require.Equal(t, outcome{cli.ExitOK, nordlink + "  Nordlink Transit  ACTIVE, version 4: new password in force\n", ""}, got)
	require.Equal(t, []string{"neu", "e4"}, []string{l.rotated.GetPassword(), l.rotated.GetEtag()})
}

func TestAnOperatorAndItsHealthAreShown(t *testing.T) {
	l := newLedger(t)
	l.fresh = &operatorsv1.Freshness{Stale: true, Age: durationpb.New(5 * time.Second)}
	got := run(t, nil, "operators", "get", nordlink)
	require.Equal(t, cli.ExitOK, got.exit)
	golden(t, "operator.txt", got.stdout)
	require.Contains(t, got.stderr, "may be 5s old")
	got = run(t, nil, "operators", "health", "Nordlink Transit")
	golden(t, "operator-health.txt", got.stdout)
	got = run(t, nil, "operators", "transitions", nordlink, "-o", "csv")
	golden(t, "transitions.csv", got.stdout)
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "transitions", "--limit", "-1").exit)
	got = run(t, nil, "operators", "list", "--status", "active,suspended", "--search", "nord", "--deleted")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Len(t, l.listed.GetStatuses(), 2)
	require.Empty(t, l.listed.GetBindStates())
	require.True(t, l.listed.GetShowDeleted())
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "list", "--status", "asleep").exit)
	got = run(t, nil, "operators", "list", "--bind-state", "unbound,Unknown")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, []eventsv1.BindState{eventsv1.BindState_BIND_STATE_UNBOUND, eventsv1.BindState_BIND_STATE_UNSPECIFIED}, l.listed.GetBindStates())
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "list", "--bind-state", "asleep").exit)
	l.byHand = true
	require.Contains(t, run(t, nil, "operators", "health", nordlink).stdout, " by hand\n")
}

func TestARuleIsCreatedFromItsFlags(t *testing.T) {
	l := newLedger(t)
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "SHADOWED_RULE", Message: "Look.", Witness: "+4479123"}}
	got := run(t, nil, "rules", "create", "+4479", "--strategy", "weighted", "--candidate", "Nordlink Transit,weight=70,price=0.0125EUR",
		"--candidate", meridian+", priority=5", "--valid-from", "2027-01-01T00:00:00Z", "--types", "sms", "--owner", account, "--on-exhausted", "fall_through")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, ruleID+"  +4479  global: created\n", got.stdout)
	require.Contains(t, got.stderr, "warning: SHADOWED_RULE: Look. (for example +4479123)")
	r := l.newRule.GetRule()
	require.Equal(t, "+4479", r.GetPrefix())
	require.Equal(t, account, r.GetAccountId())
	require.EqualValues(t, 70, r.GetCandidates()[0].GetWeight())
	require.EqualValues(t, 12_500_000, r.GetCandidates()[0].GetPrice().GetNanos())
	require.EqualValues(t, 1, r.GetCandidates()[0].GetPriority())
	require.EqualValues(t, 5, r.GetCandidates()[1].GetPriority())
	require.Nil(t, r.GetCandidates()[1].Weight, "not given means the default")
	require.NotNil(t, r.GetValidFrom())
	for _, wrong := range []string{"", ",weight=1", nordlink + ",weight=x", nordlink + ",price=EUR", nordlink + ",price=0.1eux", nordlink + ",colour=red"} {
		require.Equal(t, cli.ExitUsage, run(t, nil, "rules", "create", "+44", "--candidate", wrong).exit, wrong)
	}
	require.Equal(t, cli.ExitUsage, run(t, nil, "rules", "create", "+44", "--candidate", nordlink, "--valid-to", "tomorrow").exit)
}

func TestAConflictIsToldWithItsWitness(t *testing.T) {
	l := newLedger(t)
	l.fail = serverError(t, connect.CodeFailedPrecondition, "RULE_CONFLICT", "The rule conflicts.", &operatorsv1.RuleConflict{Findings: []*operatorsv1.RuleFinding{{
		Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR, Reason: "NO_RATE", Message: "Meridian has no price.", Witness: "+4479000",
	}}})
	got := run(t, nil, "rules", "create", "+4479", "--candidate", nordlink)
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "RULE_CONFLICT")
	require.Contains(t, got.stderr, "\n  error: NO_RATE: Meridian has no price. (for example +4479000)\n")
}

func TestARuleIsShownChangedAndTakenAway(t *testing.T) {
	l := newLedger(t)
	golden(t, "rule.txt", run(t, nil, "rules", "get", ruleID).stdout)
	got := run(t, nil, "rules", "update", ruleID, "--active=false", "--description", "")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.ElementsMatch(t, []string{"active", "description"}, l.oldRule.GetUpdateMask().GetPaths())
	require.Equal(t, "r2", l.oldRule.GetRule().GetEtag())
	require.Equal(t, cli.ExitUsage, run(t, nil, "rules", "update", ruleID).exit)
	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "rules", "delete", ruleID).exit)
	require.Nil(t, l.gone)
	require.Equal(t, outcome{cli.ExitOK, ruleID + "  +4479  global: deleted\n", ""}, run(t, nil, "rules", "delete", ruleID, "--yes"))
	require.Equal(t, "r2", l.gone.GetEtag())
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "NOTHING_TO_FALL_TO", Message: "Look.", Witness: "+4479123"}}
	require.Equal(t, outcome{cli.ExitOK, ruleID + "  +4479  global: dry run, nothing was stored: would be deleted\n",
		"warning: NOTHING_TO_FALL_TO: Look. (for example +4479123)\n"}, run(t, nil, "rules", "delete", ruleID, "--dry-run"))
	got = run(t, nil, "rules", "list", "--operator", nordlink, "--prefix", "+44", "--country", "GB", "--owner", account, "--search", "x")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, []string{nordlink, "+44", "GB", account, "x"},
		[]string{l.listRule.GetOperatorId(), l.listRule.GetPrefix(), l.listRule.GetCountry(), l.listRule.GetAccountId(), l.listRule.GetSearch()})
}

func TestRulesAreCheckedWithAnExitCode(t *testing.T) {
	l := newLedger(t)
	require.Equal(t, outcome{cli.ExitOK, "0 errors, 0 warnings in 2 rules\n", ""}, run(t, nil, "rules", "check"))
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR, Reason: "OVERLAPPING_RULES", Message: "Two.", Line: 3}}
	got := run(t, strings.NewReader("file"), "rules", "check", "-")
	require.Equal(t, outcome{cli.ExitInvalid, "line 3: error: OVERLAPPING_RULES: Two.\n", "trunkline: check: 1 error, 0 warnings in 2 rules\n"}, got)
	require.Equal(t, "file", string(l.checked.GetCsv()))
}

func TestADeckIsImportedAndItsChangesShown(t *testing.T) {
	l := newLedger(t)
	l.diff = &operatorsv1.RateDiff{
		NewCount: 1, RaisedCount: 1, UnchangedCount: 3, CurrencyCount: 1, ConfigVersion: 9, Applied: true,
		Changes: []*operatorsv1.RateChange{{
			Kind: operatorsv1.RateChangeKind_RATE_CHANGE_KIND_RAISED, Prefix: "+44", MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS,
			Before: eur(10_000_000), After: eur(12_500_000), EffectiveFrom: timestamppb.New(time.Unix(1_800_000_000, 0)),
		}},
	}
	deck := filepath.Join(t.TempDir(), "deck.csv")
	require.NoError(t, os.WriteFile(deck, []byte("prices"), 0o600))
	args := []string{"rates", "import", deck, "--operator", "Nordlink Transit", "--scope", "full"}
	got := run(t, nil, append(args, "--column", "prefix=Dial code", "--column", "country_code=", "--currency", "eur", "--effective", "2027-01-01T00:00:00Z")...)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "rates-import.txt", got.stdout)
	require.Equal(t, "prices", string(l.deck.GetDeck()))
	require.Equal(t, map[string]string{"prefix": "Dial code", "country_code": ""}, l.deck.GetColumns())
	require.Equal(t, []string{nordlink, "EUR"}, []string{l.deck.GetOperatorId(), l.deck.GetDefaultCurrency()})

	l.diff = &operatorsv1.RateDiff{BadLineCount: 1, BadLines: []*operatorsv1.BadLine{{Line: 4, Column: "price", Message: "must be a price"}}, Headers: []string{"Code", "Rate"}}
	got = run(t, nil, append(args, "--dry-run")...)
	require.Equal(t, cli.ExitInvalid, got.exit)
	require.Contains(t, got.stderr, ":4: price: must be a price\n")
	require.Contains(t, got.stderr, "the deck's columns are Code, Rate")
	l.diff = nil
	l.fail = serverError(t, connect.CodeNotFound, "NO_SUCH_OPERATOR", "No.")
	require.Equal(t, cli.ExitNotFound, run(t, nil, args...).exit)
	for _, wrong := range [][]string{
		{"rates", "import", deck, "--scope", "full"}, {"rates", "import", deck, "--operator", nordlink}, append(args, "--column", "x"), append(args, "--column", "=x"),
		append(args, "--column", "prefix=A", "--column", "prefix=B"), append(args, "--type", "fax"), append(args, "--effective", "now"),
	} {
		require.Equal(t, cli.ExitUsage, run(t, nil, wrong...).exit, wrong)
	}
}

func TestRatesAreListedAndExported(t *testing.T) {
	l := newLedger(t)
	golden(t, "rates.txt", run(t, nil, "rates", "list", "--operator", nordlink, "--prefix", "+4", "--at", "2027-01-01T00:00:00Z").stdout)
	require.Equal(t, []string{nordlink, "+4"}, []string{l.rates.GetOperatorId(), l.rates.GetPrefix()})
	require.NotNil(t, l.rates.GetInForceAt())
	golden(t, "rates.csv", run(t, nil, "rates", "export", "--operator", nordlink).stdout)
	require.Equal(t, cli.ExitUsage, run(t, nil, "rates", "export").exit)
	require.Equal(t, "CURRENCY  WORTH\nEUR       1\nUSD       0.92\n", run(t, nil, "rates", "fx", "list").stdout)
	require.Equal(t, "currency,worth\nEUR,1\nUSD,0.92\n", run(t, nil, "rates", "fx", "list", "-o", "csv").stdout)
	require.Equal(t, outcome{cli.ExitOK, "2 currencies: stored\n", ""}, run(t, nil, "rates", "fx", "set", "eur=1", "USD=0.92", "--yes"))
	require.EqualValues(t, 920_000_000, l.fx.GetFxRates()[1].GetRateNanos())
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "MIXED_CURRENCIES", Message: "Look."}}
	require.Equal(t, outcome{cli.ExitOK, "1 currency: dry run, nothing was stored: would be stored\n",
		"warning: MIXED_CURRENCIES: Look.\nwarning: 2 warnings in all: `trunkline rules check` tells of every rule\n"}, run(t, nil, "rates", "fx", "set", "EUR=1", "--dry-run"))
	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "rates", "fx", "set", "EUR=1").exit, "nobody said yes")
	require.Equal(t, cli.ExitUsage, run(t, nil, "rates", "fx", "set", "EUR=one", "-y").exit)
}

func TestTheOutboxIsTold(t *testing.T) {
	l := newLedger(t)
	golden(t, "outbox.txt", run(t, nil, "outbox", "status").stdout)
	require.Contains(t, run(t, nil, "outbox", "status", "-o", "json").stdout, `"pendingPublish": "2"`)
	l.outbox = &operatorsv1.GetOutboxStatusResponse{}
	require.JSONEq(t, `{"pending": "0", "pendingPublish": "0", "published": "0", "lastError": ""}`, run(t, nil, "outbox", "status", "-o", "json").stdout)
}

func TestAnUpdateWithoutADifferenceSaysSo(t *testing.T) {
	l := newLedger(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"operators", "update", nordlink, "--max-tps", "300"}, nordlink + "  Nordlink Transit  ACTIVE, version 5: updated\n"},
		{[]string{"rules", "update", ruleID, "--country", "GB"}, ruleID + "  +4479  global: updated\n"},
	} {
		l.same = false
		require.Equal(t, outcome{cli.ExitOK, c.want, ""}, run(t, nil, c.args...))
		l.same = true
		got := run(t, nil, c.args...)
		require.Equal(t, cli.ExitOK, got.exit, got.stderr)
		require.Contains(t, got.stdout, ": unchanged\n")
		require.Contains(t, run(t, nil, append(c.args, "--dry-run")...).stdout, "would be unchanged\n")
	}
}

func TestAListTellsWhatIsOldAndWhatIsDeleted(t *testing.T) {
	l := newLedger(t)
	l.fresh = &operatorsv1.Freshness{Stale: true, Age: durationpb.New(5 * time.Second)}
	got := run(t, nil, "operators", "list", "--deleted")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stderr, "may be 5s old")
	require.Regexp(t, `(?m)^Former Transit +DELETED `, got.stdout)
	require.Regexp(t, `(?m)^Nordlink Transit +ACTIVE `, got.stdout)
	got = run(t, nil, "operators", "list", "--deleted", "-o", "csv")
	require.Contains(t, got.stderr, "1 of the operators is deleted, which the file cannot say")
}

func TestRulesAreListedWithTheirValidity(t *testing.T) {
	for _, c := range []struct {
		name, from, to, want string
	}{
		{"without bounds", "", "", "always"},
		{"from a day on", "2027-01-01T00:00:00Z", "", "2027-01-01.."},
		{"to a moment", "", "2027-02-01T12:30:00Z", "..2027-02-01T12:30:00Z"},
		{"between days", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-01-01..2027-02-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			l.rule.ValidFrom, l.rule.ValidTo = moment(t, c.from), moment(t, c.to)
			require.Contains(t, run(t, nil, "rules", "list").stdout, "  "+c.want+"  ")
		})
	}
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
