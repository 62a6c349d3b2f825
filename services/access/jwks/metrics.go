package jwks

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collectors of a keeper.
type metrics struct {
	refreshes *prometheus.CounterVec // result
	keys      prometheus.Gauge
}

// newMetrics registers the collectors. age is asked when metrics are scraped.
func newMetrics(reg prometheus.Registerer, age func() time.Duration) (metrics, error) {
	m := metrics{
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trunkline_jwks_refresh_total", Help: "Fetches of the keys that tokens are verified with, by result: ok or error.",
		}, []string{"result"}),
		keys: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trunkline_jwks_keys", Help: "Keys that the issuer of tokens listed last and that may sign tokens.",
		}),
	}
	// A series that is there from the start lets alerts tell 0 from absent.
	for _, result := range []string{"ok", "error"} {
		m.refreshes.WithLabelValues(result)
	}
	for _, c := range []prometheus.Collector{m.refreshes, m.keys, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trunkline_jwks_age_seconds", Help: "Time since the keys were last fetched with success; since the start while they never were.",
	}, func() float64 { return age().Seconds() })} {
		if err := reg.Register(c); err != nil {
			return metrics{}, err
		}
	}
	return m, nil
}
