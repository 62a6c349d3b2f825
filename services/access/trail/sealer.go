package trail

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/access"
	"trunkline/services/platform/clock"
)

const (
	// Office is the key under which processes agree who seals: "auditsea" in ASCII.
	Office = 0x6175646974736561
	// sealEvery is the pause between two looks for rows without a seal.
	sealEvery = 500 * time.Millisecond
	// headEvery is how often the head of the chain is logged. Kept with the logs, outside of the database, it shows when
	// the end of the chain is cut off.
	headEvery = time.Hour
)

// SealStore is the log that is sealed.
type SealStore interface {
	// Seal links some of the rows that wait, and tells how many, and the head and the length of the chain after them.
	Seal(ctx context.Context, now time.Time) (sealed int, head access.AuditHash, sequence int64, err error)
	// Unsealed counts the rows that wait.
	Unsealed(ctx context.Context) (int64, error)
}

// Sealer links rows into the chain. One process at a time runs it; two cannot both commit.
type Sealer struct {
	store    SealStore
	clock    clock.Clock
	log      *slog.Logger
	unsealed prometheus.Gauge
	failures prometheus.Counter
	failing  bool // told already
}

// NewSealer gives a sealer and registers trunkline_audit_unsealed and trunkline_audit_seal_errors_total.
func NewSealer(store SealStore, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (*Sealer, error) {
	s := &Sealer{
		store: store, clock: clk, log: log,
		unsealed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trunkline_audit_unsealed", Help: "Audit rows that wait for their place in the hash chain, as the process that seals last saw it.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trunkline_audit_seal_errors_total", Help: "Tries to seal audit rows that failed.",
		}),
	}
	for _, c := range []prometheus.Collector{s.unsealed, s.failures} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run seals until ctx ends.
func (s *Sealer) Run(ctx context.Context) error {
	var told time.Time
	for {
		head, sequence, more := s.seal(ctx)
		if now := s.clock.Now(); sequence > 0 && now.Sub(told) >= headEvery {
			s.log.InfoContext(ctx, "head of the audit chain", "sequence", sequence, "head", head.String())
			told = now
		}
		if more {
			continue
		}
		timer := time.NewTimer(sealEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// seal seals once. more tells that rows are left.
func (s *Sealer) seal(ctx context.Context) (head access.AuditHash, sequence int64, more bool) {
	sealed, head, sequence, err := s.store.Seal(ctx, s.clock.Now())
	if err == nil {
		var left int64
		if left, err = s.store.Unsealed(ctx); err == nil {
			s.unsealed.Set(float64(left))
			s.failing = false
			return head, sequence, sealed > 0 && left > 0
		}
	}
	if ctx.Err() == nil {
		s.failures.Inc()
		if !s.failing {
			s.log.WarnContext(ctx, "audit rows could not be sealed; it is tried again", "error", err)
		}
		s.failing = true
	}
	return access.AuditHash{}, 0, false
}
