package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/metrics"
	"trunkline/services/platform/fault"
)

func TestWhatCallersAskForIsCountedByWhoseDoingTheResultIs(t *testing.T) {
	for _, c := range []struct {
		name  string
		count func(*metrics.Metrics, error)
	}{
		{"ops_operator_create_total", (*metrics.Metrics).OperatorCreated},
		{"ops_operator_update_total", (*metrics.Metrics).OperatorUpdated},
		{"ops_operator_delete_total", (*metrics.Metrics).OperatorDeleted},
		{"ops_routing_rule_create_total", (*metrics.Metrics).RuleCreated},
		{"ops_credentials_read_total", (*metrics.Metrics).CredentialsRead},
		{"ops_release_publish_total", (*metrics.Metrics).ReleasePublished},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := prometheus.NewPedanticRegistry()
			m, err := metrics.New(reg)
			require.NoError(t, err)
			require.Equal(t, "error 0, ok 0, refused 0", values(t, reg, c.name), "alerts must tell 0 from absent")
			c.count(m, nil)
			c.count(m, fault.New(fault.AlreadyExists, "DUPLICATE_OPERATOR", "There is one."))
			c.count(m, context.Canceled)
			c.count(m, fault.New(fault.Unavailable, "VAULT_UNAVAILABLE", "It is down."))
			c.count(m, context.DeadlineExceeded)
			c.count(m, errors.New("a defect"))
			require.Equal(t, "error 3, ok 1, refused 2", values(t, reg, c.name))
		})
	}
}

// values writes the series of a metric whose only label is the result.
func values(t *testing.T, reg *prometheus.Registry, name string) string {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	var parts []string
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				parts = append(parts, fmt.Sprint(m.GetLabel()[0].GetValue(), " ", m.GetCounter().GetValue()))
			}
		}
	}
	return strings.Join(parts, ", ")
}

type publisher struct{ err error }

func (p publisher) Publish(context.Context, operators.Outgoing) error { return p.err }

func TestPublicationsAreCountedBySubjectAndResult(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m, err := metrics.New(reg)
	require.NoError(t, err)
	down := errors.New("down")
	require.NoError(t, m.CountPublisher(publisher{}).Publish(t.Context(), operators.Outgoing{Subject: "operator.config.created"}))
	require.Equal(t, down, m.CountPublisher(publisher{down}).Publish(t.Context(), operators.Outgoing{Subject: "operator.config.created"}))
	m.Published("operator.health", nil)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP ops_nats_publish_total Tries to publish an event by its subject.
# TYPE ops_nats_publish_total counter
ops_nats_publish_total{event="operator.config.created",result="error"} 1
ops_nats_publish_total{event="operator.config.created",result="ok"} 1
ops_nats_publish_total{event="operator.health",result="ok"} 1
`), "ops_nats_publish_total"))
}

func TestTheRestIsMeasured(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m, err := metrics.New(reg)
	require.NoError(t, err)
	m.VaultRead(4 * time.Millisecond)
	m.VaultWrite(20 * time.Millisecond)
	m.VaultFailed(metrics.VaultOpAuth)
	failed, err := testutil.GatherAndCount(reg, "ops_vault_errors_total")
	require.NoError(t, err)
	require.Equal(t, 4, failed, "each kind is there from the start")
	m.DatabaseErrors.WithLabelValues("outbox_claim").Inc()
	age := time.Minute
	backlog := func() (int64, time.Duration) { return 3, age }
	require.NoError(t, metrics.RegisterBacklog(reg, backlog))
	require.Error(t, metrics.RegisterBacklog(reg, backlog), "names are registered once")
	age = 90 * time.Second
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP ops_outbox_oldest_seconds How long the oldest of them has been waiting; 0 when none does.
# TYPE ops_outbox_oldest_seconds gauge
ops_outbox_oldest_seconds 90
# HELP ops_outbox_pending Events of committed changes that wait to be published.
# TYPE ops_outbox_pending gauge
ops_outbox_pending 3
# HELP ops_pg_errors_total Failed database statements by their name.
# TYPE ops_pg_errors_total counter
ops_pg_errors_total{op="outbox_claim"} 1
`), "ops_outbox_pending", "ops_outbox_oldest_seconds", "ops_pg_errors_total"))
	for _, name := range []string{"ops_vault_read_duration_seconds", "ops_vault_write_duration_seconds"} {
		n, err := testutil.GatherAndCount(reg, name)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	_, err = metrics.New(reg)
	require.Error(t, err)
}
