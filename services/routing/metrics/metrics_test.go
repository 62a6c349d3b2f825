package metrics_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/routing"
	"trunkline/services/routing/metrics"
	"trunkline/services/routing/routingtest"
)

type decider struct{ err error }

func (d decider) Explain(context.Context, *routing.Query, *routing.Decision, *routing.Trace) error {
	return d.err
}

func TestDecisionsWithoutAnOperatorAreCounted(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m, err := metrics.New(reg)
	require.NoError(t, err)
	q := routing.Query{To: "+447911123456"}
	var d routing.Decision
	for _, err := range []error{routing.ErrNoRoute, routing.ErrNoRoute, routing.ErrNoUsableOperator, routing.ErrNotReady, nil} {
		require.Equal(t, err, m.Count(decider{err}).Explain(t.Context(), &q, &d, nil))
	}
	require.Equal(t, routing.ErrNoRoute, m.Count(decider{routing.ErrNoRoute}).Explain(t.Context(), &q, &d, &routing.Trace{}), "explanations are not counted")
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP routing_engine_no_route_by_calling_code_total Decisions without a matching rule, by E.164 country code.
# TYPE routing_engine_no_route_by_calling_code_total counter
routing_engine_no_route_by_calling_code_total{calling_code="44"} 2
# HELP routing_engine_no_route_total Decisions without an operator.
# TYPE routing_engine_no_route_total counter
routing_engine_no_route_total{reason="NO_ROUTE"} 2
routing_engine_no_route_total{reason="NO_USABLE_OPERATOR"} 1
`), "routing_engine_no_route_total", "routing_engine_no_route_by_calling_code_total"))

	_, err = metrics.New(reg)
	require.Error(t, err, "names are registered once")
}

func TestEventsAndGauges(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m, err := metrics.New(reg)
	require.NoError(t, err)
	m.HealthApplied("UNBOUND", true)
	m.HealthApplied("BOUND", false)
	m.ConfigApplied()
	require.Equal(t, 1.0, testutil.ToFloat64(m.CacheInvalidations.WithLabelValues("health")))
	require.Equal(t, 1.0, testutil.ToFloat64(m.CacheInvalidations.WithLabelValues("config")))
	require.Equal(t, 1.0, testutil.ToFloat64(m.HealthEvents.WithLabelValues("BOUND")))

	view := routing.NewHealthView()
	view.Fill(routingtest.UID(1), routing.StoredHealth{Health: routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: routingtest.Now}})
	g := metrics.Gauges{Health: view, Usable: func() []uuid.UUID { return []uuid.UUID{routingtest.UID(1)} }, Prefixes: func() int { return 28 }, Failures: func() int64 { return 3 },
		Origin: func() routing.Origin { return routing.FromManagement }, Clock: clock.NewFake(routingtest.Now)}
	require.NoError(t, g.Register(reg))
	require.Error(t, g.Register(reg))
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP routing_engine_config_source 1 for where the rules in force came from, else 0.
# TYPE routing_engine_config_source gauge
routing_engine_config_source{source="database"} 0
routing_engine_config_source{source="operator_management"} 1
routing_engine_config_source{source="release"} 0
# HELP routing_engine_operators_healthy_total ACTIVE operators that can send and are known to be up and healthy.
# TYPE routing_engine_operators_healthy_total gauge
routing_engine_operators_healthy_total 1
# HELP routing_engine_prefix_cache_size Different prefixes held in memory.
# TYPE routing_engine_prefix_cache_size gauge
routing_engine_prefix_cache_size 28
# HELP routing_engine_refresh_failures Refreshes of the rules that failed in a row.
# TYPE routing_engine_refresh_failures gauge
routing_engine_refresh_failures 3
`), "routing_engine_config_source", "routing_engine_operators_healthy_total", "routing_engine_prefix_cache_size", "routing_engine_refresh_failures"))
}
