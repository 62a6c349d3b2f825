package rpc_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/encoding/protojson"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
	"trunkline/services/routing/rpc"
)

const account = "00000000-0000-0000-0000-000000000001"

// table has two operators for +44 and one, out of service, for +49.
func table(t *testing.T) routing.Source {
	t.Helper()
	view := routing.NewHealthView()
	b := routing.NewTableBuilder(view)
	for i, name := range []string{"First", "Second", "Third"} {
		id := routingtest.UID(uint64(i + 1))
		b.AddOperator(routing.Operator{ID: id, Name: name, Host: strings.ToLower(name) + ".example.net", Port: 2775, SystemID: "tl", TPSLimit: 50, Types: routing.AllMessageTypes, Status: routing.StatusActive})
		view.Fill(id, routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: routingtest.Now}})
	}
	view.Apply(routing.HealthEvent{Operator: routingtest.UID(3), Bind: routing.Unbound, ObservedAt: routingtest.Now})
	rule := func(n uint64, prefix e164.Prefix, strategy routing.Strategy, candidates ...routing.Candidate) {
		b.AddRule(routing.Rule{ID: routingtest.UID(n), Prefix: prefix, Strategy: strategy, Candidates: candidates})
	}
	one := routing.Candidate{Operator: routingtest.UID(1), Priority: 1, Weight: 10, Price: routingtest.Euro(20_000_000)}
	two := routing.Candidate{Operator: routingtest.UID(2), Priority: 2, Weight: 20}
	b.AddRate(routing.Rate{Operator: routingtest.UID(2), Prefix: "4", Type: routing.SMS, Price: routingtest.Euro(10_000_000)})
	rule(10, "44", routing.Cost, one, two)
	rule(11, "49", routing.Priority, routing.Candidate{Operator: routingtest.UID(3), Priority: 1})
	rule(12, "33", routing.Weighted, one, two)
	rule(13, "34", routing.Failover, one, two, routing.Candidate{Operator: routingtest.UID(99), Priority: 3, Price: money.Money{}})
	return routingtest.Source(b.Build(routing.Versions{Config: 12, Rules: 8}))
}

type served struct {
	routingv1connect.RoutingServiceClient
	spans *tracetest.SpanRecorder
}

// serve puts the handler behind the real server with all its interceptors.
func serve(t *testing.T, decider rpc.Decider, now clock.Clock) served {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	h := rpc.NewHandler(decider, nil, now, tracer)
	running := rpcservertest.Start(t, nil, rpcserver.Mount{
		Name: routingv1connect.RoutingServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return routingv1connect.NewRoutingServiceHandler(h, opts...)
		},
		Valid: rpc.Valid(),
	})
	return served{routingv1connect.NewRoutingServiceClient(running.HTTP2, running.URL, connect.WithGRPC()), spans}
}

func serveTable(t *testing.T) served {
	return serve(t, routing.NewSelector(table(t)), clock.NewFake(routingtest.Now))
}

func ask(to string, change ...func(*routingv1.SelectOperatorRequest)) *routingv1.SelectOperatorRequest {
	q := &routingv1.SelectOperatorRequest{To: to, AccountId: account, MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS}
	for _, c := range change {
		c(q)
	}
	return q
}

func TestSelectOperatorAnswersInFull(t *testing.T) {
	s := serveTable(t)
	got, err := s.SelectOperator(t.Context(), ask("+447911123456"))
	require.NoError(t, err)
	require.NotEmpty(t, got.GetMeta().GetDecisionId())
	got.GetMeta().DecisionId = ""
	want := `{"operatorId":"00000000-0000-0002-0000-000000000001","host":"second.example.net","port":2775,"systemId":"tl","tpsLimit":50,
		"strategy":"ROUTING_STRATEGY_COST","operatorName":"Second","matchedPrefix":"+44","unitPrice":{"currencyCode":"EUR","nanos":"10000000"},
		"alternates":[{"operatorId":"00000000-0000-0001-0000-000000000001","host":"first.example.net","port":2775,"systemId":"tl","tpsLimit":50,
			"operatorName":"First","unitPrice":{"currencyCode":"EUR","nanos":"20000000"}}],
		"meta":{"configVersion":"12","rulesVersion":"8","algoVersion":1,"cache":"CACHE_RESULT_BYPASS"}}`
	text, err := protojson.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, want, string(text))

	var names []string
	for _, span := range s.spans.Ended() {
		names = append(names, span.Name())
		require.Contains(t, span.Attributes(), attribute.String("routing.strategy", "ROUTING_STRATEGY_COST"))
	}
	require.Equal(t, []string{"routing-engine.select_operator"}, names)
}

func TestOnlyATraceThatIsRecordedHasParts(t *testing.T) {
	for name, c := range map[string]struct {
		sampler sdktrace.Sampler
		whole   bool // the call has a span of its own
		parts   int
	}{
		"recorded":             {sdktrace.AlwaysSample(), true, 1},
		"not recorded":         {sdktrace.NeverSample(), true, 0},
		"begun by the handler": {sdktrace.AlwaysSample(), false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var started int
			tracer := sdktrace.NewTracerProvider(sdktrace.WithSampler(c.sampler)).Tracer("test")
			ctx := t.Context()
			if c.whole {
				ctx, _ = tracer.Start(ctx, "call")
			}
			h := rpc.NewHandler(routing.NewSelector(table(t)), nil, clock.NewFake(routingtest.Now), countingTracer{tracer, &started})
			_, err := h.SelectOperator(ctx, ask("+447911123456"))
			require.NoError(t, err)
			require.Equal(t, c.parts, started)
		})
	}
}

type countingTracer struct {
	trace.Tracer
	started *int
}

func (c countingTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	*c.started++
	return c.Tracer.Start(ctx, name, options...)
}

func TestErrorsCarryCodeReasonAndDetails(t *testing.T) {
	s := serveTable(t)
	tests := []struct {
		name    string
		request *routingv1.SelectOperatorRequest
		code    connect.Code
		reason  string
		fields  []string
		retry   bool
	}{
		{"no rule", ask("+15550001111"), connect.CodeNotFound, "NO_ROUTE", nil, false},
		{"no usable operator", ask("+4915112345678"), connect.CodeUnavailable, "NO_USABLE_OPERATOR", nil, true},
		{"everybody excluded", ask("+447911123456", func(q *routingv1.SelectOperatorRequest) {
			q.ExcludeOperatorIds = []string{routingtest.UID(1).String(), routingtest.UID(2).String()}
		}), connect.CodeUnavailable, "NO_USABLE_OPERATOR", nil, true},
		{"no question", &routingv1.SelectOperatorRequest{}, connect.CodeInvalidArgument, "VALIDATION_FAILED", []string{"to", "accountId", "messageType"}, false},
		{"an account of zeros", ask("+447911123456", func(q *routingv1.SelectOperatorRequest) { q.AccountId = strings.ReplaceAll(account, "1", "0") }), connect.CodeInvalidArgument, "VALIDATION_FAILED", []string{"accountId"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.SelectOperator(t.Context(), tt.request)
			require.Equal(t, tt.code, connect.CodeOf(err))
			var failed *connect.Error
			require.ErrorAs(t, err, &failed)
			var reason string
			var fields []string
			retry := false
			for _, d := range failed.Details() {
				value, err := d.Value()
				require.NoError(t, err)
				switch v := value.(type) {
				case *errdetails.ErrorInfo:
					reason = v.GetReason()
				case *errdetails.BadRequest:
					for _, f := range v.GetFieldViolations() {
						fields = append(fields, f.GetField())
					}
				case *errdetails.RetryInfo:
					retry = v.GetRetryDelay().AsDuration() == routing.RetryNoUsable
				}
			}
			require.Equal(t, tt.reason, reason)
			require.Equal(t, tt.fields, fields)
			require.Equal(t, tt.retry, retry)
		})
	}
}

func TestBatchKeepsTheOrderAndItsErrorsApart(t *testing.T) {
	s := serveTable(t)
	rng := rand.New(rand.NewPCG(1, 1))
	kinds := []struct{ to, want string }{
		{"+447911123456", "Second"}, {"+34911123456", "First"}, {"+4915112345678", "unavailable/NO_USABLE_OPERATOR"},
		{"+15550001111", "not_found/NO_ROUTE"}, {"bad", "invalid_argument/VALIDATION_FAILED"},
	}
	var want []string
	req := &routingv1.BatchSelectOperatorsRequest{}
	for range 5000 {
		k := kinds[rng.IntN(len(kinds))]
		want = append(want, k.want)
		req.Requests = append(req.Requests, ask(k.to))
	}
	res, err := s.BatchSelectOperators(t.Context(), req)
	require.NoError(t, err)
	var got []string
	for _, r := range res.GetResults() {
		if e := r.GetError(); e != nil {
			got = append(got, e.GetCode()+"/"+e.GetReason())
		} else {
			got = append(got, r.GetResponse().GetOperatorName())
		}
	}
	require.Equal(t, want, got)

	_, err = s.BatchSelectOperators(t.Context(), &routingv1.BatchSelectOperatorsRequest{Requests: make([]*routingv1.SelectOperatorRequest, 10_001)})
	require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), "10,000 at most")
}

func TestExplainTellsEveryRuleAndCandidate(t *testing.T) {
	s := serveTable(t)
	got, err := s.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: ask("+34911123456")})
	require.NoError(t, err)
	require.Equal(t, "First", got.GetDecision().GetOperatorName())
	require.Len(t, got.GetRules(), 1)
	rule := got.GetRules()[0]
	require.Equal(t, routingv1.RuleOutcome_RULE_OUTCOME_SELECTED, rule.GetOutcome())
	require.Equal(t, routingv1.OnExhausted_ON_EXHAUSTED_FAIL, rule.GetOnExhausted())
	require.Empty(t, rule.GetAccountId())
	var told []string
	for _, c := range rule.GetCandidates() {
		told = append(told, strings.Join([]string{c.GetOperatorName(), strconv.Itoa(int(c.GetRank())), c.GetRejection().String(), c.GetRatePrefix(), c.GetBindState().String()}, " "))
	}
	require.Equal(t, []string{
		"First 1 REJECTION_UNSPECIFIED  BIND_STATE_BOUND",
		"Second 2 REJECTION_UNSPECIFIED  BIND_STATE_BOUND",
		" 0 REJECTION_OPERATOR_UNKNOWN  BIND_STATE_UNSPECIFIED",
	}, told)

	got, err = s.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: ask("+447911123456")})
	require.NoError(t, err)
	require.Equal(t, "+4", got.GetRules()[0].GetCandidates()[0].GetRatePrefix(), "the price came from a rate")

	got, err = s.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: ask("+4915112345678")})
	require.NoError(t, err, "no operator is an answer")
	require.Equal(t, "unavailable", got.GetFailure().GetCode())
	require.Equal(t, routingv1.Rejection_REJECTION_UNBOUND, got.GetRules()[0].GetCandidates()[0].GetRejection())
	require.EqualValues(t, 12, got.GetMeta().GetConfigVersion())

	_, err = s.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: ask("nonsense")})
	require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), "a question that cannot be read is an error")
}

// deciderFunc stands in where the engine itself cannot be made to fail.
type deciderFunc func(ctx context.Context) error

func (f deciderFunc) Explain(ctx context.Context, _ *routing.Query, _ *routing.Decision, _ *routing.Trace) error {
	return f(ctx)
}

func TestAStoreOutOfReachIsAnErrorOfEveryCall(t *testing.T) {
	down := fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down")
	s := serve(t, deciderFunc(func(context.Context) error { return down }), clock.System())
	_, err := s.SelectOperator(t.Context(), ask("+447911123456"))
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err))
	_, err = s.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: ask("+447911123456")})
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err))
	res, err := s.BatchSelectOperators(t.Context(), &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{ask("+447911123456")}})
	require.NoError(t, err)
	require.Equal(t, "DATABASE_UNAVAILABLE", res.GetResults()[0].GetError().GetReason())
}

func TestAPanicInABatchIsAnAnswer(t *testing.T) {
	s := serve(t, deciderFunc(func(context.Context) error { panic("boom") }), clock.System())
	_, err := s.BatchSelectOperators(t.Context(), &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{ask("+447911123456")}})
	require.Equal(t, connect.CodeInternal, connect.CodeOf(err))
	require.NotContains(t, err.Error(), "boom")
}

func TestABatchEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := rpc.NewHandler(deciderFunc(func(context.Context) error { cancel(); return nil }), nil, clock.System(), sdktrace.NewTracerProvider().Tracer("test"))
	_, err := h.BatchSelectOperators(ctx, &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{ask("bad"), ask("bad")}})
	require.NoError(t, err, "nobody asked the decider, so nobody cancelled")
	cancel()
	_, err = h.BatchSelectOperators(ctx, &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{ask("bad")}})
	require.ErrorIs(t, err, context.Canceled)
}

// FuzzSelectOperator: whatever comes, the answer is an operator or a precise error, never INTERNAL.
func FuzzSelectOperator(f *testing.F) {
	rs, _ := routingtest.Generate(rand.New(rand.NewPCG(5, 5)))
	h := rpc.NewHandler(routing.NewSelector(routingtest.Source(rs.Table())), nil, clock.NewFake(routingtest.Now), sdktrace.NewTracerProvider().Tracer("fuzz"))
	f.Add("+1200000", account, int32(1), "m", "")
	f.Add("+0", "", int32(-1), strings.Repeat("x", 200), "x")
	f.Fuzz(func(t *testing.T, to, accountID string, kind int32, messageID, exclude string) {
		res, err := h.SelectOperator(t.Context(), &routingv1.SelectOperatorRequest{
			To: to, AccountId: accountID, MessageType: routingv1.MessageType(kind), MessageId: messageID, ExcludeOperatorIds: strings.Fields(exclude),
		})
		if err == nil {
			require.NotEmpty(t, res.GetOperatorId())
			return
		}
		require.NotEqual(t, fault.Internal, fault.From(err).Kind)
		if len(to) > 4 {
			require.NotContains(t, err.Error(), to)
		}
	})
}
