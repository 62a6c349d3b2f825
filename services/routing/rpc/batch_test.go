package rpc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/proto"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
	"trunkline/services/routing/rpc"
)

// TestABatchAnswersAsSingleQuestionsDo compares each result with the answer of SelectOperator, more of them than share
// memory. Questions differ in what they set, so that none takes over something of the one before.
func TestABatchAnswersAsSingleQuestionsDo(t *testing.T) {
	h := rpc.NewHandler(routing.NewSelector(table(t)), nil, clock.NewFake(routingtest.Now), sdktrace.NewTracerProvider().Tracer("test"))
	change := []func(*routingv1.SelectOperatorRequest){
		func(*routingv1.SelectOperatorRequest) {},
		func(q *routingv1.SelectOperatorRequest) { q.ExcludeOperatorIds = []string{routingtest.UID(1).String()} },
		func(q *routingv1.SelectOperatorRequest) { q.MessageType = routingv1.MessageType_MESSAGE_TYPE_WAP },
		func(q *routingv1.SelectOperatorRequest) { q.AccountId = routingtest.UID(9).String() },
		func(q *routingv1.SelectOperatorRequest) { q.MessageId = "m" },
		func(q *routingv1.SelectOperatorRequest) { q.MessageId = string(make([]byte, 200)) },
		func(q *routingv1.SelectOperatorRequest) { q.AccountId = "" },
		func(q *routingv1.SelectOperatorRequest) { q.MessageType = 9 },
		func(q *routingv1.SelectOperatorRequest) { q.To = "bad" },
	}
	numbers := []string{"+447911123456", "+34911123456", "+4915112345678", "+15550001111"}
	req := &routingv1.BatchSelectOperatorsRequest{}
	for i := range 2000 {
		req.Requests = append(req.Requests, ask(numbers[i%len(numbers)], change[i/len(numbers)%len(change)]))
	}
	res, err := h.BatchSelectOperators(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, res.GetResults(), len(req.GetRequests()))
	ids, answers := map[string]bool{}, 0
	for i, r := range res.GetResults() {
		want, err := h.SelectOperator(t.Context(), req.GetRequests()[i])
		if err != nil {
			require.NotEmpty(t, r.GetError().GetReason(), req.GetRequests()[i])
			require.ErrorContains(t, err, r.GetError().GetMessage())
			continue
		}
		answers++
		ids[r.GetResponse().GetMeta().GetDecisionId()] = true
		want.Meta.DecisionId = r.GetResponse().GetMeta().GetDecisionId()
		require.True(t, proto.Equal(want, r.GetResponse()), "%s\n%s", want, r.GetResponse())
	}
	require.Greater(t, answers, 500)
	require.Len(t, ids, answers, "every decision has an id of its own")
}

func TestABoundCallerAsksForItsOwnAccountInABatchToo(t *testing.T) {
	h := rpc.NewHandler(routing.NewSelector(table(t)), nil, clock.NewFake(routingtest.Now), sdktrace.NewTracerProvider().Tracer("test"))
	ctx := caller.With(t.Context(), caller.Caller{Name: "key:1", Account: routingtest.UID(9)})
	own := func(q *routingv1.SelectOperatorRequest) { q.AccountId = routingtest.UID(9).String() }
	res, err := h.BatchSelectOperators(ctx, &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{
		ask("+447911123456", own), ask("+447911123456"), ask("+447911123456", own), ask("+447911123456"),
	}})
	require.NoError(t, err)
	for i, r := range res.GetResults() {
		if i%2 == 0 {
			require.NotNil(t, r.GetResponse())
		} else {
			require.Equal(t, rpc.ReasonAccountMismatch, r.GetError().GetReason())
		}
	}
}

// moments keeps the moment of every question.
type moments struct{ at chan routing.Query }

func (m moments) Explain(_ context.Context, q *routing.Query, _ *routing.Decision, _ *routing.Trace) error {
	m.at <- *q
	return routing.ErrNoRoute
}

func TestABatchIsForOneMoment(t *testing.T) {
	const n = 100
	m := moments{make(chan routing.Query, n)}
	h := rpc.NewHandler(m, nil, clock.System(), sdktrace.NewTracerProvider().Tracer("test"))
	req := &routingv1.BatchSelectOperatorsRequest{}
	for range n {
		req.Requests = append(req.Requests, ask("+447911123456"))
	}
	_, err := h.BatchSelectOperators(t.Context(), req)
	require.NoError(t, err)
	first := <-m.at
	require.NotNil(t, first.Batch)
	for range n - 1 {
		q := <-m.at
		require.True(t, first.At.Equal(q.At))
		require.Same(t, first.Batch, q.Batch)
	}
}
