package control_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
	"trunkline/services/routing/control"
	"trunkline/services/routing/routingtest"
)

// TestASnapshotDecidesAsTheOracle: nothing that a decision needs is lost on the way from operator-management.
func TestASnapshotDecidesAsTheOracle(t *testing.T) {
	version := routing.Versions{Config: 7, Rules: 5}
	m, c := serve(t)
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		rs, accounts := routingtest.Generate(rng)
		m.Answer(func(a *routingtest.Answers) { a.Configs = rs.Configs(version, 1+rng.IntN(5)) })
		table, found, err := c.Snapshot(t.Context(), rs.View(), 1)
		require.NoError(t, err)
		require.EqualValues(t, 7, found)
		require.Equal(t, version, table.Versions())
		for range 40 {
			q := routingtest.RandomQuery(rng, accounts)
			var d routing.Decision
			err := routing.NewSelector(routingtest.Source(table)).Select(t.Context(), &q, &d)
			routingtest.RequireAnswer(t, rs.Oracle(q), routingtest.Describe(err, &d), d.Strategy == routing.Weighted)
		}
	}
}

func TestTheDefaultsOfTheSchemaAreRead(t *testing.T) {
	m, c := serve(t)
	m.Answer(func(a *routingtest.Answers) {
		a.Configs = []part{{
			ConfigVersion: 1, RulesVersion: 1, Complete: true,
			Operators: []*operatorsv1.Operator{
				{OperatorId: routingtest.UID(1).String(), Name: "A", Host: "a.example.net", Port: 2775, SystemId: "s", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 9}, Status: operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE},
				{OperatorId: routingtest.UID(2).String(), Status: operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE},
			},
			Rules: []*operatorsv1.RoutingRule{{
				RuleId: routingtest.UID(10).String(), Prefix: "+44", Active: true, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY,
				Candidates: []*operatorsv1.RuleCandidate{
					{OperatorId: routingtest.UID(2).String(), Priority: 1, Weight: proto.Int32(99)},
					{OperatorId: routingtest.UID(1).String()},
				},
			}},
		}}
	})
	table, _, err := c.Snapshot(t.Context(), routing.NewHealthView(), 0)
	require.NoError(t, err)
	var d routing.Decision
	q := routing.Query{To: "+447911123456", Account: routingtest.UID(1001), Type: routing.SMS, At: routingtest.Now}
	require.NoError(t, table.Decide(&q, &d, nil))
	require.Equal(t, routing.Operator{
		ID: routingtest.UID(1), Name: "A", Host: "a.example.net", Port: 2775, SystemID: "s", TPSLimit: 9,
		Types: routing.NewMessageTypes(routing.SMS), Status: routing.StatusActive,
	}, *d.Choices[0].Operator, "equal priority, and the default weight 100 beats 99")
	q.Type = routing.Flash
	require.Equal(t, routing.ErrNoUsableOperator, table.Decide(&q, &d, nil), "operators carry SMS unless they say otherwise")
}

func TestWhatIsNotWholeIsNoSnapshot(t *testing.T) {
	id := routingtest.UID(1).String()
	operator := func(change func(*operatorsv1.Operator)) *operatorsv1.ListOperatorConfigsResponse {
		o := &operatorsv1.Operator{OperatorId: id, Status: operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE}
		change(o)
		return &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: 7, Complete: true, Operators: []*operatorsv1.Operator{o}}
	}
	rule := func(change func(*operatorsv1.RoutingRule)) *operatorsv1.ListOperatorConfigsResponse {
		r := &operatorsv1.RoutingRule{RuleId: id, Prefix: "+44", Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Candidates: []*operatorsv1.RuleCandidate{{OperatorId: id}}}
		change(r)
		return &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: 7, Complete: true, Rules: []*operatorsv1.RoutingRule{r}}
	}
	rate := func(change func(*operatorsv1.Rate)) *operatorsv1.ListOperatorConfigsResponse {
		r := &operatorsv1.Rate{RateId: id, OperatorId: id, Prefix: "+44", MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: &routingv1.Money{CurrencyCode: "EUR"}}
		change(r)
		return &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: 7, Complete: true, Rates: []*operatorsv1.Rate{r}}
	}
	fx := func(code string, nanos int64) *operatorsv1.ListOperatorConfigsResponse {
		return &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: 7, Complete: true, FxRates: []*operatorsv1.FxRate{{CurrencyCode: code, RateNanos: nanos}}}
	}
	version := func(config, rules int64, complete bool) *operatorsv1.ListOperatorConfigsResponse {
		return &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: config, RulesVersion: rules, Complete: complete}
	}
	never := &timestamppb.Timestamp{Nanos: -1}
	tests := []struct {
		name  string
		parts []part
		want  string
	}{
		{"nothing at all", nil, "before it was complete"},
		{"the end is missing", []part{version(7, 5, false), version(7, 5, false)}, "before it was complete"},
		{"no version", []part{version(0, 0, true)}, "names no version"},
		{"two versions of the configuration", []part{version(7, 5, false), version(8, 5, true)}, "different versions"},
		{"two versions of the rules", []part{version(7, 5, false), version(7, 6, true)}, "different versions"},
		{"more after the end", []part{version(7, 5, true), version(7, 5, true)}, "after its end"},
		{"an operator without id", []part{operator(func(o *operatorsv1.Operator) { o.OperatorId = "" })}, `operator ""`},
		{"an operator without status", []part{operator(func(o *operatorsv1.Operator) { o.Status = 0 })}, "operator " + fmt.Sprintf("%q", id)},
		{"an operator of a later bind type", []part{operator(func(o *operatorsv1.Operator) { o.BindType = 9 })}, "operator"},
		{"an operator for a later message type", []part{operator(func(o *operatorsv1.Operator) { o.MessageTypes = []routingv1.MessageType{1, 9} })}, "operator"},
		{"a deleted operator", []part{operator(func(o *operatorsv1.Operator) { o.DeleteTime = timestamppb.New(routingtest.Now) })}, "operator"},
		{"a rule without id", []part{rule(func(r *operatorsv1.RoutingRule) { r.RuleId = "x" })}, `rule "x"`},
		{"a rule of a broken account", []part{rule(func(r *operatorsv1.RoutingRule) { r.AccountId = "x" })}, "rule"},
		{"a rule without prefix", []part{rule(func(r *operatorsv1.RoutingRule) { r.Prefix = "" })}, "rule"},
		{"a rule without strategy", []part{rule(func(r *operatorsv1.RoutingRule) { r.Strategy = 0 })}, "rule"},
		{"a rule with a later way to go on", []part{rule(func(r *operatorsv1.RoutingRule) { r.OnExhausted = 9 })}, "rule"},
		{"a rule for a later message type", []part{rule(func(r *operatorsv1.RoutingRule) { r.MessageTypes = []routingv1.MessageType{9} })}, "rule"},
		{"a rule with a broken time", []part{rule(func(r *operatorsv1.RoutingRule) { r.ValidTo = never })}, "rule"},
		{"a candidate without operator", []part{rule(func(r *operatorsv1.RoutingRule) { r.Candidates[0].OperatorId = "" })}, "rule"},
		{"a candidate with a price in no currency", []part{rule(func(r *operatorsv1.RoutingRule) { r.Candidates[0].Price = &routingv1.Money{Nanos: 1} })}, "rule"},
		{"a rate without id", []part{rate(func(r *operatorsv1.Rate) { r.RateId = "" })}, "rate"},
		{"a rate of nobody", []part{rate(func(r *operatorsv1.Rate) { r.OperatorId = "" })}, "rate"},
		{"a rate without prefix", []part{rate(func(r *operatorsv1.Rate) { r.Prefix = "44" })}, "rate"},
		{"a rate for no message type", []part{rate(func(r *operatorsv1.Rate) { r.MessageType = 0 })}, "rate"},
		{"a rate without price", []part{rate(func(r *operatorsv1.Rate) { r.Price = nil })}, "rate"},
		{"a rate below nothing", []part{rate(func(r *operatorsv1.Rate) { r.Price.Nanos = -1 })}, "rate"},
		{"a rate with a broken time", []part{rate(func(r *operatorsv1.Rate) { r.EffectiveFrom = never })}, "rate"},
		{"an FX rate of no currency", []part{fx("XXX", 1)}, `FX rate "XXX"`},
		{"an FX rate of nothing", []part{fx("EUR", 0)}, `FX rate "EUR"`},
	}
	m, c := serve(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m.Answer(func(a *routingtest.Answers) { a.Configs = tt.parts })
			table, _, err := c.Snapshot(t.Context(), routing.NewHealthView(), 0)
			require.Nil(t, table)
			require.Equal(t, control.ReasonSnapshot, fault.From(err).Reason)
			require.Equal(t, fault.Unavailable, fault.From(err).Kind)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestASnapshotIsBounded(t *testing.T) {
	m, c := serve(t)
	rs, _ := routingtest.Generate(rand.New(rand.NewPCG(1, 9)))
	rows := len(rs.Operators) + len(rs.Rules) + len(rs.Rates) + len(rs.FX)
	m.Answer(func(a *routingtest.Answers) { a.Configs = rs.Configs(routing.Versions{Config: 7}, 3) })
	c.Limit(time.Minute, rows)
	_, _, err := c.Snapshot(t.Context(), rs.View(), 0)
	require.NoError(t, err)
	c.Limit(time.Minute, rows-1)
	_, _, err = c.Snapshot(t.Context(), rs.View(), 0)
	require.ErrorContains(t, err, "too many rows")

	hang := make(chan struct{})
	defer close(hang)
	m.Answer(func(a *routingtest.Answers) { a.Hang = hang })
	c.Limit(50*time.Millisecond, rows)
	_, _, err = c.Snapshot(t.Context(), rs.View(), 0)
	require.True(t, fault.Is(err, control.ReasonUnavailable), "a stream that stalls is given up")
}

func TestAnOlderSnapshotIsNotReadToItsEnd(t *testing.T) {
	m, c := serve(t)
	hang := make(chan struct{})
	defer close(hang)
	m.Answer(func(a *routingtest.Answers) { a.Configs, a.Hang = []part{{ConfigVersion: 7}}, hang })
	table, version, err := c.Snapshot(t.Context(), routing.NewHealthView(), 8)
	require.NoError(t, err)
	require.Nil(t, table)
	require.EqualValues(t, 7, version)
}

func TestAStreamThatEndsEarlyGivesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		end    error
		reason string
	}{
		"down":    {connect.NewError(connect.CodeUnavailable, errors.New("the password is x")), control.ReasonUnavailable},
		"refused": {connect.NewError(connect.CodePermissionDenied, errors.New("no")), control.ReasonRefused},
		"unknown": {connect.NewError(connect.CodeUnauthenticated, errors.New("no")), control.ReasonRefused},
	} {
		t.Run(name, func(t *testing.T) {
			m, c := serve(t)
			m.Answer(func(a *routingtest.Answers) {
				a.Configs, a.End = []part{{ConfigVersion: 7, Complete: true}}, tt.end
				a.Health = func([]string) ([]*operatorsv1.OperatorHealth, error) { return nil, tt.end }
			})
			table, _, err := c.Snapshot(t.Context(), routing.NewHealthView(), 0)
			require.Nil(t, table, "even when it looked complete")
			for _, err := range []error{err, c.Check(t.Context())} {
				f := fault.From(err)
				require.Equal(t, fault.Unavailable, f.Kind)
				require.Equal(t, tt.reason, f.Reason)
				require.NotZero(t, f.RetryAfter)
				require.NotContains(t, f.Error(), "password")
			}
		})
	}
}

func TestACallerMayLeave(t *testing.T) {
	m, c := serve(t)
	hang := make(chan struct{})
	defer close(hang)
	m.Answer(func(a *routingtest.Answers) { a.Configs, a.Hang = []part{{ConfigVersion: 7}}, hang })
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, _, err := c.Snapshot(ctx, routing.NewHealthView(), 0)
		left <- err
	}()
	require.Eventually(t, func() bool { return m.Sent() == 1 }, eventually, tick)
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
}

func TestAServerThatIsGoneIsUnavailable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	client := operatorsv1connect.NewInternalOperatorServiceClient(server.Client(), server.URL)
	server.Close()
	c := control.New(client, clock.System())
	_, _, err := c.Snapshot(t.Context(), routing.NewHealthView(), 0)
	require.True(t, fault.Is(err, control.ReasonUnavailable))
	require.True(t, fault.Is(c.Check(t.Context()), control.ReasonUnavailable))
	require.True(t, fault.Is(c.Fill(t.Context(), routing.NewHealthView(), []uuid.UUID{routingtest.UID(1)}), control.ReasonUnavailable))
}
