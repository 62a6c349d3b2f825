package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
)

func TestTheLimitsAreCounted(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	limit := access.Limit{Rate: 1, Burst: 2}
	l := access.NewLimiter(access.Limits{Principal: limit, Account: access.Limit{Rate: 1, Burst: 1}}, nil, func() time.Time { return now })
	a := access.NewAdmission(access.AdmissionLimits{MaxInFlight: 1})
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, RegisterLimits(reg, l, a))
	require.Error(t, RegisterLimits(reg, l, a), "names are taken once")

	account := uuid.New()
	require.NoError(t, l.Take(t.Context(), "key:a", account, 1))
	require.Error(t, l.Take(t.Context(), "key:a", account, 1))
	require.NoError(t, l.Take(t.Context(), "key:a", uuid.Nil, 1))
	require.Error(t, l.Take(t.Context(), "key:a", uuid.Nil, 1))
	require.Error(t, l.Take(t.Context(), "key:a", uuid.Nil, 1))
	_, err := a.Enter(t.Context())
	require.NoError(t, err)
	_, err = a.Enter(t.Context())
	require.Error(t, err)

	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP trunkline_access_in_flight Calls that are worked on.
# TYPE trunkline_access_in_flight gauge
trunkline_access_in_flight 1
# HELP trunkline_access_limited_total Calls refused with RATE_LIMITED, by the limit that had no token left: principal or account.
# TYPE trunkline_access_limited_total counter
trunkline_access_limited_total{limit="account"} 1
trunkline_access_limited_total{limit="principal"} 2
# HELP trunkline_access_queued Calls that wait to be worked on.
# TYPE trunkline_access_queued gauge
trunkline_access_queued 0
# HELP trunkline_access_shared_limit_errors_total Times that the shared limits in Redis failed; each process limits for itself then, for a second.
# TYPE trunkline_access_shared_limit_errors_total counter
trunkline_access_shared_limit_errors_total 0
# HELP trunkline_access_shed_total Calls not let in because too many were worked on, by reason: queue_full, queue_wait or caller_gone.
# TYPE trunkline_access_shed_total counter
trunkline_access_shed_total{reason="caller_gone"} 0
trunkline_access_shed_total{reason="queue_full"} 1
trunkline_access_shed_total{reason="queue_wait"} 0
`)))
}
