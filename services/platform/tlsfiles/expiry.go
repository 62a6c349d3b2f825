package tlsfiles

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Expiry shows when the files in force end, for the alert on certificates.
type Expiry struct {
	ends             *prometheus.GaugeVec // curried to one listener; label kind
	own, authorities string
}

// NewExpiry makes the series of one side of one listener in
// trunkline_certificate_expiry_seconds, a metric that all sources of a process
// share. own and authorities are the values of its label kind, such as server
// and client_ca. A nil reg registers nothing.
func NewExpiry(reg prometheus.Registerer, listener, own, authorities string) (*Expiry, error) {
	ends := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "trunkline_certificate_expiry_seconds",
		Help: "End of validity of the TLS files in force, in seconds since 1970. kind is server or client, and client_ca or server_ca for who signs the other side's.",
	}, []string{"listener", "kind"})
	if reg != nil {
		if err := reg.Register(ends); err != nil {
			var already prometheus.AlreadyRegisteredError
			if !errors.As(err, &already) {
				return nil, err
			}
			same, ok := already.ExistingCollector.(*prometheus.GaugeVec)
			if !ok {
				return nil, err
			}
			ends = same
		}
	}
	return &Expiry{ends.MustCurryWith(prometheus.Labels{"listener": listener}), own, authorities}, nil
}

func (e *Expiry) set(m Material) {
	if e == nil {
		return
	}
	e.ends.WithLabelValues(e.own).Set(float64(m.notAfter.Unix()))
	if m.Authorities != nil {
		// Without authorities there is no series: 0 would read as expired.
		e.ends.WithLabelValues(e.authorities).Set(float64(m.authoritiesNotAfter.Unix()))
	}
}
