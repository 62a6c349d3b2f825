package control_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

func TestHealthIsTakenByVersionAndAge(t *testing.T) {
	at := func(age time.Duration) *timestamppb.Timestamp { return timestamppb.New(routingtest.Now.Add(-age)) }
	id := func(n uint64) string { return routingtest.UID(n).String() }
	m, c := serve(t)
	m.Answer(func(a *routingtest.Answers) {
		a.Health = func([]string) ([]*operatorsv1.OperatorHealth, error) {
			return []*operatorsv1.OperatorHealth{
				{OperatorId: id(1), BindState: eventsv1.BindState_BIND_STATE_UNBOUND, Quality: eventsv1.Quality_QUALITY_UNHEALTHY, Version: 9, ObserveTime: at(0)},
				{OperatorId: id(2), BindState: eventsv1.BindState_BIND_STATE_BOUND, Quality: eventsv1.Quality_QUALITY_HEALTHY, Version: 3, ObserveTime: at(0)},
				{OperatorId: id(3), BindState: eventsv1.BindState_BIND_STATE_FAILBACK, Quality: eventsv1.Quality_QUALITY_DEGRADED, Version: 1, ObserveTime: at(-time.Hour)},
				{OperatorId: id(4), BindState: eventsv1.BindState_BIND_STATE_BOUND, Quality: eventsv1.Quality_QUALITY_HEALTHY, Version: 1},
				{OperatorId: id(5), Version: 1, ObserveTime: at(0)},
				{OperatorId: "nonsense", BindState: eventsv1.BindState_BIND_STATE_BOUND},
				{OperatorId: id(99), BindState: eventsv1.BindState_BIND_STATE_BOUND, Version: 1, ObserveTime: at(0)},
				{OperatorId: id(6), BindState: eventsv1.BindState_BIND_STATE_BOUND, Version: -1, ObserveTime: at(0)},
			}, nil
		}
	})
	view := routing.NewHealthView()
	view.Apply(routing.HealthEvent{Operator: routingtest.UID(2), Bind: routing.Unbound, Version: 4, ObservedAt: routingtest.Now.Add(-time.Second)})
	ids := []uuid.UUID{}
	for n := range uint64(6) {
		ids = append(ids, routingtest.UID(n+1))
	}
	require.NoError(t, c.Fill(t.Context(), view, ids))
	require.Equal(t, routing.Health{Bind: routing.Unbound, Quality: routing.Unhealthy, ObservedAt: view.Get(ids[0]).ObservedAt}, view.Get(ids[0]))
	require.Equal(t, routing.Unbound, view.Get(ids[1]).Bind, "a higher version is known here")
	require.Equal(t, routing.Degraded, view.Get(ids[2]).Quality)
	require.Equal(t, routingtest.Now.UnixMicro(), view.Get(ids[2]).ObservedAt.UnixMicro(), "a clock that is ahead does not keep health fresh")
	require.False(t, view.Get(ids[3]).Known(routingtest.Now), "a word without a time is old")
	require.Equal(t, routing.Health{}, view.Get(ids[4]))
	require.Equal(t, routing.Health{}, view.Get(ids[5]))
	require.Equal(t, routing.Health{}, view.Get(routingtest.UID(99)), "nobody asked")
}

func TestManyOperatorsAreAskedForInBulk(t *testing.T) {
	m, c := serve(t)
	m.Answer(func(a *routingtest.Answers) {
		a.Health = func(ids []string) (list []*operatorsv1.OperatorHealth, err error) {
			for _, id := range ids {
				list = append(list, &operatorsv1.OperatorHealth{OperatorId: id, BindState: eventsv1.BindState_BIND_STATE_UNBOUND, Version: 1, ObserveTime: timestamppb.New(routingtest.Now)})
			}
			return list, nil
		}
	})
	var ids []uuid.UUID
	for n := range uint64(2500) {
		ids = append(ids, routingtest.UID(n))
	}
	view := routing.NewHealthView()
	require.NoError(t, c.Fill(t.Context(), view, ids))
	require.Len(t, m.Asked(), 3)
	for _, id := range ids {
		require.Equal(t, routing.Unbound, view.Get(id).Bind)
	}
	require.NoError(t, c.Fill(t.Context(), view, nil))
	require.Len(t, m.Asked(), 3, "about nobody nothing is asked, because that would mean all")
	require.NoError(t, c.Check(t.Context()))
	require.Equal(t, []string{uuid.Nil.String()}, m.Asked()[3])
}
