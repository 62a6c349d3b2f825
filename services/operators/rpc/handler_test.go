package rpc_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// fake answers from fields and remembers what it was asked.
type fake struct {
	operators []operators.Operator
	rules     []operators.Rule
	more      bool
	after     string
	key       *operators.RuleKey
	limit     int

	file    []byte
	dry     bool
	steps   int64
	result  operators.Result
	failure error
	// running tells that an import began; gate, when there is one, holds it.
	running chan struct{}
	gate    chan struct{}
}

func (f *fake) ListOperators(_ context.Context, after string, limit int) ([]operators.Operator, bool, error) {
	f.after, f.limit = after, limit
	return f.operators, f.more, f.failure
}

func (f *fake) ListRules(_ context.Context, after *operators.RuleKey, limit int) ([]operators.Rule, bool, error) {
	f.key, f.limit = after, limit
	return f.rules, f.more, f.failure
}

func (f *fake) ImportOperators(_ context.Context, file []byte, options operators.Options) (operators.Result, error) {
	f.file, f.dry = file, options.ValidateOnly
	if f.gate != nil {
		f.running <- struct{}{}
		<-f.gate
	}
	for i := range f.steps {
		options.Progress(i+1, f.steps)
	}
	return f.result, f.failure
}

func (f *fake) ImportRules(ctx context.Context, file []byte, options operators.Options) (operators.Result, error) {
	return f.ImportOperators(ctx, file, options)
}

func serve(t *testing.T, f *fake) (operatorsv1connect.OperatorServiceClient, operatorsv1connect.RoutingRuleServiceClient) {
	t.Helper()
	h := rpc.NewHandler(f, f)
	running := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{}
		for _, procedure := range rpc.ImportProcedures() {
			o.Limits[procedure] = rpcserver.Limits{MaxBytes: rpc.ImportBytes}
		}
	}, rpcserver.Mount{
		Name: operatorsv1connect.OperatorServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewOperatorServiceHandler(h, opts...)
		},
	}, rpcserver.Mount{
		Name: operatorsv1connect.RoutingRuleServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewRoutingRuleServiceHandler(h, opts...)
		},
	})
	return operatorsv1connect.NewOperatorServiceClient(running.HTTP2, running.URL, connect.WithGRPC()),
		operatorsv1connect.NewRoutingRuleServiceClient(running.HTTP1, running.URL)
}

func reason(t *testing.T, err error) string {
	t.Helper()
	var failure *connect.Error
	require.ErrorAs(t, err, &failure)
	for _, detail := range failure.Details() {
		value, err := detail.Value()
		require.NoError(t, err)
		if info, ok := value.(*errdetails.ErrorInfo); ok {
			return failure.Code().String() + " " + info.GetReason()
		}
	}
	return failure.Code().String()
}

var (
	alpha = operators.Operator{
		ID: uuid.MustParse("0190a8f0-0000-7000-8000-000000000001"), Name: "Alpha", Host: "a.example", Port: 2775, SystemID: "sys",
		BindType: operators.Transmitter, MaxTPS: 100, MessageTypes: operators.SMS | operators.WAP, Status: operators.Suspended, Version: 3,
	}
	account = uuid.MustParse("6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d")
)

func rule(t *testing.T) operators.Rule {
	t.Helper()
	price, err := money.Parse("0.0125", "EUR")
	require.NoError(t, err)
	return operators.Rule{
		ID: uuid.MustParse("0190a8f0-0000-7000-8000-000000000002"), Account: account, Prefix: "44", Country: "GB", MessageTypes: operators.Flash,
		Strategy: operators.Failover, OnExhausted: operators.FallThrough, Active: true, ValidFrom: time.Unix(1_800_000_000, 0),
		Candidates: []operators.Candidate{{OperatorID: alpha.ID, OperatorName: "Alpha", Priority: 1, Weight: 70, Price: price}, {OperatorID: account, Priority: 2}},
	}
}

func TestAnOperatorIsGivenInFull(t *testing.T) {
	client, _ := serve(t, &fake{operators: []operators.Operator{alpha}})
	list, err := client.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	require.Empty(t, list.GetNextPageToken())
	got := list.GetOperators()[0]
	require.Equal(t, alpha.ID.String(), got.GetOperatorId())
	require.Equal(t, "Alpha a.example sys", got.GetName()+" "+got.GetHost()+" "+got.GetSystemId())
	require.EqualValues(t, 2775, got.GetPort())
	require.EqualValues(t, 100, got.GetTpsLimit().GetMaxTps())
	require.EqualValues(t, 3, got.GetVersion())
	require.Equal(t, operatorsv1.BindType_BIND_TYPE_TRANSMITTER, got.GetBindType())
	require.Equal(t, operatorsv1.OperatorStatus_OPERATOR_STATUS_SUSPENDED, got.GetStatus())
	require.Equal(t, []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_SMS, routingv1.MessageType_MESSAGE_TYPE_WAP}, got.GetMessageTypes())
}

func TestARuleIsGivenInFull(t *testing.T) {
	_, client := serve(t, &fake{rules: []operators.Rule{rule(t), {Prefix: "7"}}})
	list, err := client.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{})
	require.NoError(t, err)
	got := list.GetRules()[0]
	require.Equal(t, "0190a8f0-0000-7000-8000-000000000002 "+account.String()+" +44 GB",
		got.GetRuleId()+" "+got.GetAccountId()+" "+got.GetPrefix()+" "+got.GetCountry())
	require.Equal(t, []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_FLASH}, got.GetMessageTypes())
	require.Equal(t, routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER, got.GetStrategy())
	require.Equal(t, routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH, got.GetOnExhausted())
	require.True(t, got.GetActive())
	require.EqualValues(t, 1_800_000_000, got.GetValidFrom().GetSeconds())
	require.Nil(t, got.GetValidTo())
	require.Equal(t, "EUR", got.GetCandidates()[0].GetPrice().GetCurrencyCode())
	require.EqualValues(t, 12_500_000, got.GetCandidates()[0].GetPrice().GetNanos())
	require.EqualValues(t, 70, got.GetCandidates()[0].GetWeight())
	require.Equal(t, "Alpha", got.GetCandidates()[0].GetOperatorName())
	require.EqualValues(t, 2, got.GetCandidates()[1].GetPriority())
	require.Nil(t, got.GetCandidates()[1].GetPrice(), "no price is not a price of 0")
	require.Empty(t, list.GetRules()[1].GetAccountId(), "a global rule has no account")
	require.Empty(t, list.GetRules()[1].GetMessageTypes())
}

func TestPagesGoOnWhereTheTokenSays(t *testing.T) {
	f := &fake{operators: []operators.Operator{alpha}, rules: []operators.Rule{rule(t)}, more: true}
	operatorClient, ruleClient := serve(t, f)

	first, err := operatorClient.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	require.Equal(t, 100, f.limit, "the default page")
	_, err = operatorClient.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{PageSize: 7, PageToken: first.GetNextPageToken()})
	require.NoError(t, err)
	require.Equal(t, "Alpha", f.after)
	require.Equal(t, 7, f.limit)

	rules, err := ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{})
	require.NoError(t, err)
	require.Nil(t, f.key)
	_, err = ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{PageToken: rules.GetNextPageToken()})
	require.NoError(t, err)
	require.Equal(t, &operators.RuleKey{Account: account, Prefix: e164.Prefix("44"), MessageTypes: operators.Flash}, f.key)

	f.rules = []operators.Rule{{Prefix: "7"}}
	rules, err = ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{})
	require.NoError(t, err)
	_, err = ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{PageToken: rules.GetNextPageToken()})
	require.NoError(t, err)
	require.Equal(t, &operators.RuleKey{Prefix: "7"}, f.key)
}

func TestATokenThatThisListDidNotGiveIsRefused(t *testing.T) {
	f := &fake{operators: []operators.Operator{alpha}, rules: []operators.Rule{rule(t)}, more: true}
	operatorClient, ruleClient := serve(t, f)
	list, err := operatorClient.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	good := list.GetNextPageToken()
	rules, err := ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{})
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	raw[len(raw)-3] ^= 1

	for name, token := range map[string]string{
		"not base64":       "***",
		"too short":        "AAAA",
		"one bit changed":  base64.RawURLEncoding.EncodeToString(raw),
		"cut short":        good[:len(good)-4],
		"longer":           good + "AAAA",
		"of another list":  rules.GetNextPageToken(),
		"loose last digit": good[:len(good)-1] + "_",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := operatorClient.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{PageToken: token})
			require.Equal(t, "invalid_argument INVALID_PAGE_TOKEN", reason(t, err))
		})
	}
	_, err = ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{PageToken: good})
	require.Equal(t, "invalid_argument INVALID_PAGE_TOKEN", reason(t, err))
}

func TestAStoreThatFailsShowsAsItsFault(t *testing.T) {
	f := &fake{failure: fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down").Wrap(errors.New("secret"))}
	operatorClient, ruleClient := serve(t, f)
	_, err := operatorClient.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.Equal(t, "unavailable DATABASE_UNAVAILABLE", reason(t, err))
	_, err = ruleClient.ListRoutingRules(t.Context(), &operatorsv1.ListRoutingRulesRequest{})
	require.Equal(t, "unavailable DATABASE_UNAVAILABLE", reason(t, err))
	stream, err := operatorClient.ImportOperators(t.Context(), &operatorsv1.ImportOperatorsRequest{Csv: []byte("x")})
	require.NoError(t, err)
	require.False(t, stream.Receive())
	require.Equal(t, "unavailable DATABASE_UNAVAILABLE", reason(t, stream.Err()))
}

func TestAnImportStreamsProgressAndThenTheResult(t *testing.T) {
	f := &fake{steps: 3, result: operators.Result{Created: 1, Updated: 2, Unchanged: 3, Applied: true, ConfigVersion: 9}}
	operatorClient, ruleClient := serve(t, f)

	stream, err := operatorClient.ImportOperators(t.Context(), &operatorsv1.ImportOperatorsRequest{Csv: []byte("a"), ValidateOnly: true})
	require.NoError(t, err)
	var done []int64
	for range 3 {
		require.True(t, stream.Receive())
		require.EqualValues(t, 3, stream.Msg().GetProgress().GetTotal())
		done = append(done, stream.Msg().GetProgress().GetDone())
	}
	require.Equal(t, []int64{1, 2, 3}, done)
	require.True(t, stream.Receive())
	result := stream.Msg().GetResult()
	require.Equal(t, []int64{1, 2, 3, 9}, []int64{result.GetCreated(), result.GetUpdated(), result.GetUnchanged(), result.GetConfigVersion()})
	require.True(t, result.GetApplied())
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
	require.Equal(t, "a", string(f.file))
	require.True(t, f.dry)

	rules, err := ruleClient.ImportRoutingRules(t.Context(), &operatorsv1.ImportRoutingRulesRequest{Csv: []byte("b")})
	require.NoError(t, err)
	for range 3 {
		require.True(t, rules.Receive())
		require.NotNil(t, rules.Msg().GetProgress())
	}
	require.True(t, rules.Receive())
	require.True(t, rules.Msg().GetResult().GetApplied())
	require.False(t, rules.Receive())
	require.NoError(t, rules.Err())
	require.False(t, f.dry)
}

func TestASecondImportIsShed(t *testing.T) {
	f := &fake{running: make(chan struct{}, 1), gate: make(chan struct{})}
	operatorsClient, rules := serve(t, f)
	first := make(chan error, 1)
	go func() {
		stream, err := operatorsClient.ImportOperators(t.Context(), &operatorsv1.ImportOperatorsRequest{Csv: []byte("x")})
		if err == nil {
			for stream.Receive() {
			}
			err = stream.Err()
		}
		first <- err
	}()
	<-f.running
	stream, err := rules.ImportRoutingRules(t.Context(), &operatorsv1.ImportRoutingRulesRequest{Csv: []byte("x")})
	if err == nil {
		require.False(t, stream.Receive())
		err = stream.Err()
	}
	require.Equal(t, "resource_exhausted IMPORT_RUNNING", reason(t, err))
	close(f.gate)
	require.NoError(t, <-first)
}

func TestBadLinesAreAResultAndNoError(t *testing.T) {
	f := &fake{result: operators.Result{BadLineCount: 2, BadLines: []operators.BadLine{{Line: 5, Column: "port", Message: "m"}}}}
	client, _ := serve(t, f)
	stream, err := client.ImportOperators(t.Context(), &operatorsv1.ImportOperatorsRequest{Csv: []byte("x")})
	require.NoError(t, err)
	require.True(t, stream.Receive())
	result := stream.Msg().GetResult()
	require.False(t, result.GetApplied())
	require.EqualValues(t, 2, result.GetBadLineCount())
	require.EqualValues(t, 5, result.GetBadLines()[0].GetLine())
	require.Equal(t, "port m", result.GetBadLines()[0].GetColumn()+" "+result.GetBadLines()[0].GetMessage())
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
}

func TestAFileAboveTheOrdinaryMessageLimitIsTaken(t *testing.T) {
	f := &fake{}
	client, _ := serve(t, f)
	file := []byte(strings.Repeat("x", 3<<20))
	stream, err := client.ImportOperators(t.Context(), &operatorsv1.ImportOperatorsRequest{Csv: file})
	require.NoError(t, err)
	for stream.Receive() {
	}
	require.NoError(t, stream.Err())
	require.Len(t, f.file, len(file))
}
