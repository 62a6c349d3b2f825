// Package metrics shows what access does.
package metrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/access"
)

// RegisterKeys adds trunkline_access_keys and trunkline_access_keys_age_seconds of a watcher.
func RegisterKeys(reg prometheus.Registerer, w *access.Watcher) error {
	return errors.Join(
		reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trunkline_access_keys", Help: "API keys that this process recognises, those that ended lately included.",
		}, func() float64 { return float64(w.Len()) })),
		reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trunkline_access_keys_age_seconds",
			Help: "Time since the API keys were last known to be up to date; since the start while they never were.",
		}, func() float64 { return w.Age().Seconds() })),
	)
}
