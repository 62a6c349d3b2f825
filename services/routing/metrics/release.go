package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// applyBuckets go from a change of a pointer to the build of millions of rules.
var applyBuckets = []float64{0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120}

// Releases holds the collectors of an engine in release mode.
type Releases struct {
	refused *prometheus.CounterVec // reason
	applied prometheus.Histogram
}

// NewReleases registers the counters of an engine in release mode, and gauges of the release that serves gives.
func NewReleases(reg prometheus.Registerer, serves func() (routing.Release, time.Time, bool), clk clock.Clock) (*Releases, error) {
	r := &Releases{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "routing_engine_release_refused_total", Help: "Manifests and artifacts that were refused.",
		}, []string{"reason"}),
		applied: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "routing_engine_release_apply_seconds", Help: "Time from the manifest, or from the moment it names, until the release served.",
			Buckets: applyBuckets,
		}),
	}
	// A series that is there from the start lets alerts tell 0 from absent.
	for _, f := range []*fault.Fault{
		release.ErrDigest, release.ErrCut, release.ErrLayout, release.ErrSize, release.ErrMissing,
		release.ErrSignature, release.ErrKey, release.ErrEnvironment, release.ErrOld, release.ErrManifest,
	} {
		r.refused.WithLabelValues(f.Reason)
	}
	return r, register(reg, r.refused, r.applied,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "routing_engine_release_age_seconds", Help: "Time since the release in force was made from the live tables; 0 without one.",
		}, func() float64 {
			if serving, _, ok := serves(); ok {
				return clk.Now().Sub(serving.CompiledAt).Seconds()
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "routing_engine_release_activation", Help: "Number of the activation in force; 0 without one.",
		}, func() float64 {
			serving, _, _ := serves()
			return float64(serving.Activation)
		}),
	)
}

// ReleaseRefused counts a refusal.
func (r *Releases) ReleaseRefused(reason string) { r.refused.WithLabelValues(reason).Inc() }

// ReleaseApplied takes down how long a release took to come into force.
func (r *Releases) ReleaseApplied(took time.Duration) { r.applied.Observe(took.Seconds()) }
