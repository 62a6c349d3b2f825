// Package metrics counts what the control plane does. The names are contracts with dashboards and alerts; no
// label holds an account, a number or an operator.
package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// The results of what callers ask for. Refused is the caller's doing, such as a name that is taken; an error is ours.
const (
	resultOK      = "ok"
	resultRefused = "refused"
	resultError   = "error"
)

// vaultBuckets go from a store on the same machine to a call that is given up.
var vaultBuckets = []float64{0.001, 0.0025, 0.005, 0.010, 0.025, 0.050, 0.100, 0.250, 0.500, 1, 2.5, 5}

// Metrics holds the control plane's collectors. It is safe for concurrent use.
type Metrics struct {
	// DatabaseErrors counts failed statements by op, the query name of bunstore.
	DatabaseErrors *prometheus.CounterVec

	operatorCreate, operatorUpdate, operatorDelete *prometheus.CounterVec // result
	ruleCreate, credentialsRead, releasePublish    *prometheus.CounterVec // result
	published                                      *prometheus.CounterVec // event, result
	vaultRead, vaultWrite                          prometheus.Histogram
	vaultErrors                                    *prometheus.CounterVec // op
}

// New registers the counters and histograms.
func New(reg prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: vaultBuckets})
	}
	m := &Metrics{
		DatabaseErrors:  counter("ops_pg_errors_total", "Failed database statements by their name.", "op"),
		operatorCreate:  counter("ops_operator_create_total", "Operators that callers asked to create.", "result"),
		operatorUpdate:  counter("ops_operator_update_total", "Changes of operators that callers asked for.", "result"),
		operatorDelete:  counter("ops_operator_delete_total", "Operators that callers asked to delete.", "result"),
		ruleCreate:      counter("ops_routing_rule_create_total", "Routing rules that callers asked to create.", "result"),
		credentialsRead: counter("ops_credentials_read_total", "Reads of an operator's credentials.", "result"),
		releasePublish:  counter("ops_release_publish_total", "Publications and rollbacks of releases that callers asked for.", "result"),
		published:       counter("ops_nats_publish_total", "Tries to publish an event by its subject.", "event", "result"),
		vaultRead:       histogram("ops_vault_read_duration_seconds", "Time of one read of the secret store, failed ones too."),
		vaultErrors:     counter("ops_vault_errors_total", "Failed calls of the secret store: read, write, auth or check.", "op"),
		vaultWrite:      histogram("ops_vault_write_duration_seconds", "Time of one write of the secret store, failed ones too."),
	}
	// A series that is there from the start lets alerts tell 0 from absent.
	for _, vec := range []*prometheus.CounterVec{m.operatorCreate, m.operatorUpdate, m.operatorDelete, m.ruleCreate, m.credentialsRead, m.releasePublish} {
		for _, result := range []string{resultOK, resultRefused, resultError} {
			vec.WithLabelValues(result)
		}
	}
	for _, op := range []string{VaultOpRead, VaultOpWrite, VaultOpAuth, VaultOpCheck} {
		m.vaultErrors.WithLabelValues(op)
	}
	return m, register(reg, m.vaultErrors, m.DatabaseErrors, m.operatorCreate, m.operatorUpdate, m.operatorDelete, m.ruleCreate,
		m.credentialsRead, m.releasePublish, m.published, m.vaultRead, m.vaultWrite)
}

// OperatorCreated counts a creation by its error.
func (m *Metrics) OperatorCreated(err error) { count(m.operatorCreate, err) }

// OperatorUpdated counts a change of an operator by its error, its status and credentials included.
func (m *Metrics) OperatorUpdated(err error) { count(m.operatorUpdate, err) }

// OperatorDeleted counts a deletion by its error.
func (m *Metrics) OperatorDeleted(err error) { count(m.operatorDelete, err) }

// RuleCreated counts the creation of a rule by its error.
func (m *Metrics) RuleCreated(err error) { count(m.ruleCreate, err) }

// CredentialsRead counts a read of credentials by its error.
func (m *Metrics) CredentialsRead(err error) { count(m.credentialsRead, err) }

// ReleasePublished counts a publication or a rollback of a release by its error.
func (m *Metrics) ReleasePublished(err error) { count(m.releasePublish, err) }

// The kinds of calls of the secret store.
const (
	VaultOpRead  = "read"
	VaultOpWrite = "write"
	VaultOpAuth  = "auth" // log-ins and renewals
	VaultOpCheck = "check"
)

// VaultFailed counts a failed call of the secret store by its kind.
func (m *Metrics) VaultFailed(op string) { m.vaultErrors.WithLabelValues(op).Inc() }

// VaultRead measures one read of the secret store.
func (m *Metrics) VaultRead(d time.Duration) { m.vaultRead.Observe(d.Seconds()) }

// VaultWrite measures one write of the secret store.
func (m *Metrics) VaultWrite(d time.Duration) { m.vaultWrite.Observe(d.Seconds()) }

// Published counts one try to publish. The event is a subject without ids.
func (m *Metrics) Published(event string, err error) {
	result := resultOK
	if err != nil {
		result = resultError
	}
	m.published.WithLabelValues(event, result).Inc()
}

func count(vec *prometheus.CounterVec, err error) { vec.WithLabelValues(resultOf(err)).Inc() }

func resultOf(err error) string {
	if err == nil {
		return resultOK
	}
	switch fault.From(err).Kind {
	case fault.Unavailable, fault.DeadlineExceeded, fault.Internal, fault.Unimplemented, fault.ResourceExhausted:
		return resultError
	default:
		return resultRefused
	}
}

// Publisher counts what goes through it.
type Publisher struct {
	next    operators.OutboxPublisher
	metrics *Metrics
}

// CountPublisher puts counting before a publisher.
func (m *Metrics) CountPublisher(next operators.OutboxPublisher) *Publisher {
	return &Publisher{next: next, metrics: m}
}

// Publish publishes and counts.
func (p *Publisher) Publish(ctx context.Context, e operators.Outgoing) error {
	err := p.next.Publish(ctx, e)
	p.metrics.Published(e.Subject, err)
	return err
}

// RegisterBacklog adds the gauges of the outbox, which are read when metrics are scraped: how many events wait, and
// how old the oldest of them is.
func RegisterBacklog(reg prometheus.Registerer, backlog func() (events int64, oldest time.Duration)) error {
	return register(reg,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ops_outbox_pending", Help: "Events of committed changes that wait to be published.",
		}, func() float64 {
			events, _ := backlog()
			return float64(events)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ops_outbox_oldest_seconds", Help: "How long the oldest of them has been waiting; 0 when none does.",
		}, func() float64 {
			_, oldest := backlog()
			return oldest.Seconds()
		}),
	)
}

// RegisterReleases adds the gauges of releases, which are read when metrics are scraped: how many engines are in each
// state, and how many manifests engines cannot see yet.
func RegisterReleases(reg prometheus.Registerer, engines func(operators.EngineState) int, pending func() int64) error {
	gauges := []prometheus.Collector{prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ops_release_announce_pending", Help: "Changes of what is in force that NATS does not tell engines of yet; 0 when it does.",
	}, func() float64 { return float64(pending()) })}
	for _, state := range operators.EngineStates() {
		gauges = append(gauges, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ops_release_engines", Help: "Engines heard within 90 seconds by what they do with the release that is asked for.",
			ConstLabels: prometheus.Labels{"state": state.String()},
		}, func() float64 { return float64(engines(state)) }))
	}
	return register(reg, gauges...)
}

func register(reg prometheus.Registerer, collectors ...prometheus.Collector) error {
	for _, c := range collectors {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
