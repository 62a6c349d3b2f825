package metrics_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/access/metrics"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/secret"
)

func TestKeysAndTheirAgeAreShown(t *testing.T) {
	pepper, err := access.NewPepper(secret.New(strings.Repeat("p", access.MinPepper)))
	require.NoError(t, err)
	clk := clock.NewFake(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, metrics.RegisterKeys(registry, access.NewWatcher(nil, pepper, nil, clk.Now, slog.New(slog.DiscardHandler))))
	clk.Advance(3 * time.Second)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP trunkline_access_keys API keys that this process recognises, those that ended lately included.
# TYPE trunkline_access_keys gauge
trunkline_access_keys 0
# HELP trunkline_access_keys_age_seconds Time since the API keys were last known to be up to date; since the start while they never were.
# TYPE trunkline_access_keys_age_seconds gauge
trunkline_access_keys_age_seconds 3
`)))
	require.Error(t, metrics.RegisterKeys(registry, access.NewWatcher(nil, pepper, nil, clk.Now, slog.New(slog.DiscardHandler))), "twice")
}
