package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

// script makes changes one after another, as a person with a list would: what was not acknowledged is sent again with
// the same request_id until it is.
type script struct {
	t   *testing.T
	rng *rand.Rand
	// parts has the control plane; recover brings it back after a kill.
	parts   *parts
	recover func()
	acked   []string // request ids

	operators map[string]*operatorsv1.Operator // as last acknowledged, by id
	rules     map[string]*operatorsv1.RoutingRule
	prefixes  int
}

// until repeats a call, always with the same request_id, until it is acknowledged.
func (s *script) until(call func(ctx context.Context, url, requestID string) error) {
	s.t.Helper()
	requestID := uuid.NewString()
	deadline := time.Now().Add(eventually)
	for {
		ctx, cancel := context.WithTimeout(s.t.Context(), eventually)
		err := call(ctx, s.parts.management, requestID)
		cancel()
		if err == nil {
			break
		}
		// An error that the server did not send is a connection that broke.
		again := !connect.IsWireError(err) || connect.CodeOf(err) == connect.CodeUnavailable
		require.True(s.t, again && time.Now().Before(deadline), "a change was refused: %v", err)
		s.recover()
	}
	s.acked = append(s.acked, requestID)
}

func (s *script) client(url string) operatorsv1connect.OperatorServiceClient {
	return operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, url)
}

func (s *script) ruleClient(url string) operatorsv1connect.RoutingRuleServiceClient {
	return operatorsv1connect.NewRoutingRuleServiceClient(http.DefaultClient, url)
}

func (s *script) create() {
	n := len(s.operators)
	o := &operatorsv1.Operator{
		Name: fmt.Sprintf("Carrier %03d", n), Host: fmt.Sprintf("smsc%03d.example.net", n), Port: 2775, SystemId: "tl",
		TpsLimit: &operatorsv1.TpsLimit{MaxTps: 100},
	}
	s.until(func(ctx context.Context, url, id string) error {
		res, err := s.client(url).CreateOperator(ctx, &operatorsv1.CreateOperatorRequest{Operator: o, Password: "pw" + o.GetName()[8:], RequestId: id})
		if err == nil {
			s.operators[res.GetOperator().GetOperatorId()] = res.GetOperator()
		}
		return err
	})
}

// any gives one of the operators with the status, or nil.
func (s *script) any(status operatorsv1.OperatorStatus) *operatorsv1.Operator {
	var ids []string
	for id, o := range s.operators {
		if o.GetStatus() == status {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return s.operators[ids[s.rng.IntN(len(ids))]]
}

func (s *script) activate(o *operatorsv1.Operator) {
	s.until(func(ctx context.Context, url, id string) error {
		res, err := s.client(url).ActivateOperator(ctx, &operatorsv1.ActivateOperatorRequest{OperatorId: o.GetOperatorId(), RequestId: id})
		if err == nil {
			s.operators[o.GetOperatorId()] = res.GetOperator()
		}
		return err
	})
}

func (s *script) suspend(o *operatorsv1.Operator) {
	s.until(func(ctx context.Context, url, id string) error {
		res, err := s.client(url).SuspendOperator(ctx, &operatorsv1.SuspendOperatorRequest{OperatorId: o.GetOperatorId(), RequestId: id})
		if err == nil {
			s.operators[o.GetOperatorId()] = res.GetOperator()
		}
		return err
	})
}

func (s *script) update(o *operatorsv1.Operator) {
	tps := 1 + s.rng.Int32N(1000)
	if tps == o.GetTpsLimit().GetMaxTps() {
		tps++
	}
	s.until(func(ctx context.Context, url, id string) error {
		res, err := s.client(url).UpdateOperator(ctx, &operatorsv1.UpdateOperatorRequest{
			Operator:   &operatorsv1.Operator{OperatorId: o.GetOperatorId(), TpsLimit: &operatorsv1.TpsLimit{MaxTps: tps}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"tps_limit.max_tps"}}, RequestId: id,
		})
		if err == nil {
			s.operators[o.GetOperatorId()] = res.GetOperator()
		}
		return err
	})
}

func (s *script) rotate(o *operatorsv1.Operator) {
	s.until(func(ctx context.Context, url, id string) error {
		res, err := s.client(url).RotateCredentials(ctx, &operatorsv1.RotateCredentialsRequest{OperatorId: o.GetOperatorId(), Password: "rotated", RequestId: id})
		if err == nil {
			s.operators[o.GetOperatorId()] = res.GetOperator()
		}
		return err
	})
}

func (s *script) rule(o *operatorsv1.Operator) {
	s.prefixes++
	r := &operatorsv1.RoutingRule{
		Prefix: fmt.Sprintf("+4479%03d", s.prefixes), Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY, Active: true,
		Candidates: []*operatorsv1.RuleCandidate{{OperatorId: o.GetOperatorId()}},
	}
	s.until(func(ctx context.Context, url, id string) error {
		res, err := s.ruleClient(url).CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: r, RequestId: id})
		if err == nil {
			s.rules[res.GetRule().GetRuleId()] = res.GetRule()
		}
		return err
	})
}

// step makes one change.
func (s *script) step() {
	active, waiting := s.any(operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE), s.any(operatorsv1.OperatorStatus_OPERATOR_STATUS_INACTIVE)
	if waiting == nil {
		waiting = s.any(operatorsv1.OperatorStatus_OPERATOR_STATUS_SUSPENDED)
	}
	switch n := s.rng.IntN(6); {
	case n == 0 || active == nil && waiting == nil:
		s.create()
	case active == nil || n == 1 && waiting != nil:
		s.activate(waiting)
	case n == 2:
		s.rule(active)
	case n == 3:
		s.suspend(active)
	case n == 4:
		s.rotate(active)
	default:
		s.update(active)
	}
}

// TestNothingAcknowledgedIsLostWhenTheControlPlaneIsKilled kills operator-management without warning at random points
// of 200 changes. In the end every acknowledged change is in the database, in the audit log exactly once, and in the
// engine's view.
func TestNothingAcknowledgedIsLostWhenTheControlPlaneIsKilled(t *testing.T) {
	const changes, kills = 200, 15
	p := deploy(t, "memory")
	s := &script{
		t: t, rng: rand.New(rand.NewPCG(9, 2026)), parts: p,
		operators: map[string]*operatorsv1.Operator{}, rules: map[string]*operatorsv1.RoutingRule{},
	}
	before := map[int]bool{} // the change during which a kill falls
	for len(before) < kills {
		before[1+s.rng.IntN(changes-1)] = true
	}
	for i := range changes {
		var died <-chan struct{}
		if before[i] {
			// The delay spreads the kills over the life of a change, which takes some milliseconds.
			died = p.killManagement(time.Duration(s.rng.IntN(8000)) * time.Microsecond)
		}
		s.recover = func() {
			if died != nil {
				<-died
				died = nil
				p.startManagement(t)
			}
		}
		s.step()
		s.recover() // the change may have been faster than the kill
	}

	db := openDatabase(t, p.database)
	t.Run("every acknowledged change is in the audit log once", func(t *testing.T) {
		counts := map[string]int{}
		rows, err := db.QueryContext(t.Context(), "SELECT request_id, count(*) FROM ops_routing.audit_log GROUP BY request_id")
		require.NoError(t, err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id string
			var n int
			require.NoError(t, rows.Scan(&id, &n))
			counts[id] = n
		}
		require.NoError(t, rows.Err())
		require.Len(t, s.acked, changes)
		for _, id := range s.acked {
			require.Equal(t, 1, counts[id], "request %s", id)
		}
		require.Len(t, counts, changes, "and no other change")
	})
	t.Run("the database holds what was acknowledged last", func(t *testing.T) {
		for id, want := range s.operators {
			res, err := s.client(p.management).GetOperator(t.Context(), &operatorsv1.GetOperatorRequest{OperatorId: id})
			require.NoError(t, err)
			require.Equal(t, want.GetVersion(), res.GetOperator().GetVersion())
			require.Equal(t, want.GetStatus(), res.GetOperator().GetStatus())
			require.Equal(t, want.GetTpsLimit().GetMaxTps(), res.GetOperator().GetTpsLimit().GetMaxTps())
		}
		for id := range s.rules {
			_, err := s.ruleClient(p.management).GetRoutingRule(t.Context(), &operatorsv1.GetRoutingRuleRequest{RuleId: id})
			require.NoError(t, err)
		}
	})
	t.Run("every event was published", func(t *testing.T) {
		var waiting, all int
		require.Eventually(t, func() bool {
			err := db.QueryRowContext(t.Context(), "SELECT count(*) FILTER (WHERE state <> 'PUBLISHED'), count(*) FROM ops_routing.outbox").Scan(&waiting, &all)
			return err == nil && waiting == 0
		}, eventually, tick)
		require.Equal(t, changes, all)
	})
	t.Run("the engine serves it", func(t *testing.T) {
		var version int64
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT config_version FROM ops_routing.config_state").Scan(&version))
		require.EqualValues(t, 1+changes, version, "each change took effect once")
		engine := routingv1connect.NewRoutingServiceClient(http.DefaultClient, p.engines["memory"])
		for _, r := range s.rules {
			owner := s.operators[r.GetCandidates()[0].GetOperatorId()]
			ask := &routingv1.ExplainRouteRequest{Query: question(func(q *routingv1.SelectOperatorRequest) { q.To = r.GetPrefix() + "123456" })}
			var got *routingv1.ExplainRouteResponse
			require.Eventually(t, func() bool {
				var err error
				got, err = engine.ExplainRoute(t.Context(), ask)
				return err == nil && got.GetMeta().GetConfigVersion() == version
			}, eventually, tick)
			require.Equal(t, owner.GetStatus() == operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE, got.GetDecision() != nil, "%s by %s", r.GetPrefix(), owner.GetName())
		}
	})
}

func openDatabase(t *testing.T, url string) *sql.DB {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	db := stdlib.OpenDB(*cfg)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
