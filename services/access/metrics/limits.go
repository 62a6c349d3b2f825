package metrics

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/access"
)

// Why a call was shed; see access.Shed.
const (
	shedQueueFull  = "queue_full"
	shedQueueWait  = "queue_wait"
	shedCallerGone = "caller_gone"
)

// RegisterLimits registers what the limits do. All is read when metrics are scraped, so it costs a call nothing.
func RegisterLimits(reg prometheus.Registerer, l *access.Limiter, a *access.Admission) error {
	counter := func(name, help, label, value string, read func() uint64) error {
		opts := prometheus.CounterOpts{Name: name, Help: help}
		if label != "" {
			opts.ConstLabels = prometheus.Labels{label: value}
		}
		return reg.Register(prometheus.NewCounterFunc(opts, func() float64 { return float64(read()) }))
	}
	limited := func(limit string, read func() uint64) error {
		return counter("trunkline_access_limited_total",
			"Calls refused with RATE_LIMITED, by the limit that had no token left: principal or account.", "limit", limit, read)
	}
	shed := func(reason string, read func() uint64) error {
		return counter("trunkline_access_shed_total",
			"Calls not let in because too many were worked on, by reason: queue_full, queue_wait or caller_gone.", "reason", reason, read)
	}
	gauge := func(name, help string, read func() int) error {
		return reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(read()) }))
	}
	err := errors.Join(
		limited(access.LimitOfPrincipal, func() uint64 { principal, _ := l.Limited(); return principal }),
		limited(access.LimitOfAccount, func() uint64 { _, account := l.Limited(); return account }),
		counter("trunkline_access_shared_limit_errors_total",
			"Times that the shared limits in Redis failed; each process limits for itself then, for a second.", "", "", l.SharedErrors),
		shed(shedQueueFull, func() uint64 { return a.Shed().QueueFull }),
		shed(shedQueueWait, func() uint64 { return a.Shed().QueueWait }),
		shed(shedCallerGone, func() uint64 { return a.Shed().CallerGone }),
		gauge("trunkline_access_in_flight", "Calls that are worked on.", a.InFlight),
		gauge("trunkline_access_queued", "Calls that wait to be worked on.", a.Queued),
	)
	if err != nil {
		return fmt.Errorf("register the metrics of the limits: %w", err)
	}
	return nil
}
