package rpc_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
	"trunkline/services/routing/rpc"
)

// reports keeps what was reported.
type reports struct{ all []routing.Report }

func (r *reports) Report(one routing.Report) error {
	r.all = append(r.all, one)
	return nil
}

func handler(t *testing.T, reporter rpc.Reporter) *rpc.Handler {
	t.Helper()
	return rpc.NewHandler(routing.NewSelector(table(t)), reporter, clock.NewFake(routingtest.Now), sdktrace.NewTracerProvider().Tracer("test"))
}

func TestAReportCarriesTheAccountOfItsCredential(t *testing.T) {
	decision, operator, account := uuid.New(), uuid.New(), uuid.New()
	req := &routingv1.ReportOutcomeRequest{
		DecisionId: decision.String(), OperatorId: operator.String(), Outcome: routingv1.Outcome_OUTCOME_UNDELIVERED, CommandStatus: 0x45, Segments: 3,
	}
	kept := &reports{}
	for _, of := range []uuid.UUID{account, uuid.Nil} {
		_, err := handler(t, kept).ReportOutcome(caller.With(t.Context(), caller.Caller{Name: "x", Account: of}), req)
		require.NoError(t, err)
	}
	want := routing.Report{Decision: decision, Operator: operator, Account: account, Outcome: routing.Undelivered, CommandStatus: 0x45, Segments: 3}
	require.Equal(t, want, kept.all[0])
	require.Equal(t, uuid.Nil, kept.all[1].Account)
	_, err := handler(t, nil).ReportOutcome(t.Context(), req)
	require.True(t, fault.Is(err, rpc.ReasonNoLog))
}

func TestABoundCallerAsksForItsOwnAccount(t *testing.T) {
	own, foreign := uuid.New(), uuid.New()
	ctx := caller.With(t.Context(), caller.Caller{Name: "x", Role: caller.Viewer, Account: own})
	ask := func(account uuid.UUID) *routingv1.SelectOperatorRequest {
		return &routingv1.SelectOperatorRequest{To: "+447911123456", AccountId: account.String(), MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS}
	}
	h := handler(t, nil)
	_, err := h.SelectOperator(ctx, ask(own))
	require.NoError(t, err)
	_, err = h.SelectOperator(ctx, ask(foreign))
	require.True(t, fault.Is(err, rpc.ReasonAccountMismatch))
	_, err = h.ExplainRoute(ctx, &routingv1.ExplainRouteRequest{Query: ask(foreign)})
	require.True(t, fault.Is(err, rpc.ReasonAccountMismatch))
	batch, err := h.BatchSelectOperators(ctx, &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{ask(own), ask(foreign)}})
	require.NoError(t, err)
	require.NotNil(t, batch.GetResults()[0].GetResponse())
	require.Equal(t, rpc.ReasonAccountMismatch, batch.GetResults()[1].GetError().GetReason())
	_, err = h.SelectOperator(caller.With(t.Context(), caller.Caller{Name: "y", Role: caller.Viewer}), ask(foreign))
	require.NoError(t, err, "who is bound to none asks for any")
}
