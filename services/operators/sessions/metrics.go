package sessions

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/operators"
)

// What may become of a report.
const (
	resultDone    = "ok"
	resultFailed  = "error"   // and is delivered again
	resultPoison  = "poison"  // moved to DEAD_LETTER
	resultDropped = "dropped" // about an operator that is not live
)

// Metrics counts reports and what follows from them.
type Metrics struct {
	reports     *prometheus.CounterVec
	transitions *prometheus.CounterVec
}

var _ operators.IngestObserver = (*Metrics)(nil)

// NewMetrics registers ops_session_reports_total and ops_health_transition_total.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ops_session_reports_total",
			Help: "Reports of connectors by result: ok, error (delivered again), poison (moved to DEAD_LETTER) or dropped (no such operator).",
		}, []string{"result"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ops_health_transition_total",
			Help: "Changes of the bind state and of the quality of operators, by the states before and after.",
		}, []string{"from", "to"}),
	}
	if err := errors.Join(reg.Register(m.reports), reg.Register(m.transitions)); err != nil {
		return nil, fmt.Errorf("register the metrics of the health ingest: %w", err)
	}
	return m, nil
}

// HealthChanged counts each state that changed.
func (m *Metrics) HealthChanged(t operators.Transition) {
	if t.FromBind != t.ToBind {
		m.transitions.WithLabelValues(t.FromBind.String(), t.ToBind.String()).Inc()
	}
	if t.FromQuality != t.ToQuality {
		m.transitions.WithLabelValues(t.FromQuality.String(), t.ToQuality.String()).Inc()
	}
}

func (m *Metrics) reported(result string) { m.reports.WithLabelValues(result).Inc() }
