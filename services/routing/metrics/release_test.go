package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/routing"
	"trunkline/services/routing/metrics"
	"trunkline/services/routing/routingtest"
)

func TestReleasesAreMeasured(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	serving, ok := routing.Release{}, false
	serves := func() (routing.Release, time.Time, bool) { return serving, time.Time{}, ok }
	clk := clock.NewFake(routingtest.Now)
	r, err := metrics.NewReleases(reg, serves, clk)
	require.NoError(t, err)
	gauges := func(age, activation string) {
		t.Helper()
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP routing_engine_release_activation Number of the activation in force; 0 without one.
# TYPE routing_engine_release_activation gauge
routing_engine_release_activation `+activation+`
# HELP routing_engine_release_age_seconds Time since the release in force was made from the live tables; 0 without one.
# TYPE routing_engine_release_age_seconds gauge
routing_engine_release_age_seconds `+age+`
`), "routing_engine_release_activation", "routing_engine_release_age_seconds"))
	}
	gauges("0", "0")
	serving, ok = routing.Release{Activation: 7, CompiledAt: routingtest.Now.Add(-time.Minute)}, true
	gauges("60", "7")
	clk.Advance(time.Second)
	gauges("61", "7")

	r.ReleaseRefused("ARTIFACT_CUT")
	r.ReleaseApplied(time.Millisecond)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP routing_engine_release_refused_total Manifests and artifacts that were refused.
# TYPE routing_engine_release_refused_total counter
routing_engine_release_refused_total{reason="ARTIFACT_CUT"} 1
routing_engine_release_refused_total{reason="ARTIFACT_DIGEST"} 0
routing_engine_release_refused_total{reason="ARTIFACT_LAYOUT"} 0
routing_engine_release_refused_total{reason="ARTIFACT_MISSING"} 0
routing_engine_release_refused_total{reason="ARTIFACT_SIZE"} 0
routing_engine_release_refused_total{reason="MANIFEST_ENVIRONMENT"} 0
routing_engine_release_refused_total{reason="MANIFEST_KEY"} 0
routing_engine_release_refused_total{reason="MANIFEST_LAYOUT"} 0
routing_engine_release_refused_total{reason="MANIFEST_OLD"} 0
routing_engine_release_refused_total{reason="MANIFEST_SIGNATURE"} 0
`), "routing_engine_release_refused_total"))
	require.Equal(t, 1, testutil.CollectAndCount(reg, "routing_engine_release_apply_seconds"))
	_, err = metrics.NewReleases(reg, serves, clk)
	require.Error(t, err, "names are registered once")
}
