// Package metrics counts what the routing engine does. The names are contracts with dashboards and
// alerts; no label holds an account, a number or an operator.
package metrics

import (
	"context"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

// Metrics holds the engine's collectors.
type Metrics struct {
	CacheHits          *prometheus.CounterVec   // cache_type
	CacheMisses        *prometheus.CounterVec   // cache_type
	CacheInvalidations *prometheus.CounterVec   // reason
	HealthEvents       *prometheus.CounterVec   // status
	QueryDuration      *prometheus.HistogramVec // query
	QueryErrors        *prometheus.CounterVec   // query

	noRoute  *prometheus.CounterVec // reason
	byRegion *prometheus.CounterVec // calling_code
}

// Gauges are read when metrics are scraped.
type Gauges struct {
	Health *routing.HealthView
	// Usable gives the operators that are ACTIVE and can send.
	Usable func() []uuid.UUID
	// Prefixes is the number of different prefixes in memory; 0 in database mode.
	Prefixes func() int
	// Failures is how many refreshes failed in a row.
	Failures func() int64
	// Origin is where the rules in force came from.
	Origin func() routing.Origin
	Clock  clock.Clock
}

// queryBuckets go from an indexed lookup to the statement timeout.
var queryBuckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.010, 0.025, 0.050, 0.100, 0.250, 1, 5}

// New registers the counters and histograms.
func New(reg prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	m := &Metrics{
		CacheHits:          counter("routing_engine_cache_hits_total", "Answers from a cache.", "cache_type"),
		CacheMisses:        counter("routing_engine_cache_misses_total", "Questions a cache could not answer.", "cache_type"),
		CacheInvalidations: counter("routing_engine_cache_invalidations_total", "Events that made cached candidate sets unreachable.", "reason"),
		HealthEvents:       counter("routing_engine_health_events_consumed_total", "Health events taken in, by what they say.", "status"),
		QueryErrors:        counter("routing_engine_db_query_errors_total", "Failed database queries.", "query"),
		noRoute:            counter("routing_engine_no_route_total", "Decisions without an operator.", "reason"),
		byRegion:           counter("routing_engine_no_route_by_calling_code_total", "Decisions without a matching rule, by E.164 country code.", "calling_code"),
		QueryDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "routing_engine_db_query_duration_seconds", Help: "Time of one database query.", Buckets: queryBuckets,
		}, []string{"query"}),
	}
	// A series that is there from the start lets alerts tell 0 from absent.
	for _, reason := range []string{routing.ReasonNoRoute, routing.ReasonNoUsableOperator} {
		m.noRoute.WithLabelValues(reason)
	}
	for _, reason := range []string{"health", "config"} {
		m.CacheInvalidations.WithLabelValues(reason)
	}
	return m, register(reg, m.CacheHits, m.CacheMisses, m.CacheInvalidations, m.HealthEvents, m.QueryErrors, m.noRoute,
		m.byRegion, m.QueryDuration)
}

// Register adds the gauges.
func (g Gauges) Register(reg prometheus.Registerer) error {
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	source := func(name string, origin routing.Origin) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "routing_engine_config_source", Help: "1 for where the rules in force came from, else 0.",
			ConstLabels: prometheus.Labels{"source": name},
		}, func() float64 {
			if g.Origin() == origin {
				return 1
			}
			return 0
		})
	}
	return register(reg,
		source("database", routing.FromDatabase), source("operator_management", routing.FromManagement), source("release", routing.FromRelease),
		gauge("routing_engine_operators_healthy_total", "ACTIVE operators that can send and are known to be up and healthy.",
			func() float64 { return float64(g.Health.CountHealthy(g.Usable(), g.Clock.Now())) }),
		gauge("routing_engine_prefix_cache_size", "Different prefixes held in memory.",
			func() float64 { return float64(g.Prefixes()) }),
		gauge("routing_engine_refresh_failures", "Refreshes of the rules that failed in a row.",
			func() float64 { return float64(g.Failures()) }),
	)
}

func register(reg prometheus.Registerer, collectors ...prometheus.Collector) error {
	for _, c := range collectors {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// Decider answers queries; see rpc.Decider.
type Decider interface {
	Explain(ctx context.Context, q *routing.Query, d *routing.Decision, tr *routing.Trace) error
}

// Counted counts the decisions that come to nothing.
type Counted struct {
	next    Decider
	metrics *Metrics
}

// Count puts counting before a decider.
func (m *Metrics) Count(next Decider) *Counted { return &Counted{next: next, metrics: m} }

// Explain decides and counts. Explanations for people are not counted.
func (c *Counted) Explain(ctx context.Context, q *routing.Query, d *routing.Decision, tr *routing.Trace) error {
	err := c.next.Explain(ctx, q, d, tr)
	switch {
	case err == nil || tr != nil:
	case fault.Is(err, routing.ReasonNoRoute):
		c.metrics.noRoute.WithLabelValues(routing.ReasonNoRoute).Inc()
		c.metrics.byRegion.WithLabelValues(q.To.CallingCode()).Inc()
	case fault.Is(err, routing.ReasonNoUsableOperator):
		c.metrics.noRoute.WithLabelValues(routing.ReasonNoUsableOperator).Inc()
	}
	return err
}

// HealthApplied counts a health event that was taken in; blocked tells whether it changed which operators
// are out, which makes the cached candidate sets unreachable.
func (m *Metrics) HealthApplied(status string, blocked bool) {
	m.HealthEvents.WithLabelValues(status).Inc()
	if blocked {
		m.CacheInvalidations.WithLabelValues("health").Inc()
	}
}

// ConfigApplied counts a new configuration in force.
func (m *Metrics) ConfigApplied() { m.CacheInvalidations.WithLabelValues("config").Inc() }
