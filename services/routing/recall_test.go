package routing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// memories is a source of health that writes down what it was asked.
type memories struct {
	known map[uuid.UUID]routing.StoredHealth
	err   error
	asked [][]uuid.UUID
}

func (m *memories) Fill(_ context.Context, view *routing.HealthView, operators []uuid.UUID) error {
	m.asked = append(m.asked, operators)
	for _, id := range operators {
		view.Fill(id, m.known[id])
	}
	return m.err
}

func TestHealthIsAskedOfOperatorManagementLast(t *testing.T) {
	all := []uuid.UUID{opA, opB, opC}
	at := func(h routing.Health, age time.Duration) routing.StoredHealth {
		h.ObservedAt = routingtest.Now.Add(-age)
		return routing.StoredHealth{Health: h, Version: 5}
	}
	down := errors.New("Redis is down")
	tests := []struct {
		name   string
		shared memories
		events []routing.HealthEvent
		asked  []uuid.UUID
	}{
		{name: "not about operators that the shared cache knows of", shared: memories{known: map[uuid.UUID]routing.StoredHealth{opA: at(bound, 0), opC: at(unbound, 0)}}, asked: []uuid.UUID{opB}},
		{name: "about all of which nothing is known while the shared cache is down", shared: memories{err: down}, asked: all},
		{name: "about all whose last word is old, good or bad", shared: memories{err: down},
			events: []routing.HealthEvent{
				{Operator: opA, Bind: routing.Bound, ObservedAt: routingtest.Now.Add(-61 * time.Second)},
				{Operator: opB, Bind: routing.Unbound, ObservedAt: routingtest.Now.Add(-61 * time.Second)},
				{Operator: opC, Bind: routing.Bound, ObservedAt: routingtest.Now.Add(-59 * time.Second)},
			}, asked: []uuid.UUID{opA, opB}},
		{name: "never when events tell of all", shared: memories{err: down},
			events: []routing.HealthEvent{
				{Operator: opA, Bind: routing.Bound, ObservedAt: routingtest.Now}, {Operator: opB, Bind: routing.Bound, ObservedAt: routingtest.Now},
				{Operator: opC, Bind: routing.Unbound, ObservedAt: routingtest.Now},
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			view := routing.NewHealthView()
			for _, e := range tt.events {
				view.Apply(e)
			}
			management := &memories{known: map[uuid.UUID]routing.StoredHealth{opA: at(unbound, 0)}}
			r := routing.NewRecall(view, &tt.shared, management, clock.NewFake(routingtest.Now).Now)
			require.ErrorIs(t, r.Poll(t.Context(), all), tt.shared.err)
			if tt.asked == nil {
				require.Empty(t, management.asked)
				return
			}
			require.Equal(t, [][]uuid.UUID{tt.asked}, management.asked)
			if tt.asked[0] == opA {
				require.Equal(t, routing.Unbound, view.Get(opA).Bind)
			}
		})
	}
}

func TestOperatorManagementIsAskedAtMostEvery5Seconds(t *testing.T) {
	clk := clock.NewFake(routingtest.Now)
	management := &memories{err: errors.New("down too")}
	r := routing.NewRecall(routing.NewHealthView(), &memories{}, management, clk.Now)
	require.ErrorIs(t, r.Poll(t.Context(), []uuid.UUID{opA}), management.err)
	clk.Advance(4 * time.Second)
	require.NoError(t, r.Poll(t.Context(), []uuid.UUID{opA}))
	require.Len(t, management.asked, 1)
	clk.Advance(time.Second)
	require.Error(t, r.Poll(t.Context(), []uuid.UUID{opA}))
	require.Len(t, management.asked, 2)
}

func TestWithoutOperatorManagementTheSharedCacheIsAll(t *testing.T) {
	down := errors.New("down")
	r := routing.NewRecall(routing.NewHealthView(), &memories{err: down}, nil, time.Now)
	require.Equal(t, down, r.Poll(t.Context(), []uuid.UUID{opA}))
}
