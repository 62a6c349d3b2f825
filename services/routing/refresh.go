package routing

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Times of a Refresher.
const (
	// SweepEvery is the backstop for lost change events.
	SweepEvery = 5 * time.Minute
	// Retries of a failed refresh start here and double up to the last.
	retryFirst = time.Second
	retryLast  = 30 * time.Second
	// refreshTimeout bounds one refresh; a full load of a million rules takes seconds.
	refreshTimeout = 2 * time.Minute
)

// Refresher keeps what an engine serves up to date: it loads at start, when told of a change, and
// every SweepEvery. While loading fails, the last good state stays in force.
type Refresher struct {
	load    func(ctx context.Context) (Versions, error)
	log     *slog.Logger
	changed chan struct{}
	// wanted is the newest version heard of; serving is the version loaded, 0 before the first load.
	wanted, serving atomic.Int64
	failures        atomic.Int64
	// loaded is closed and replaced by every successful load.
	loaded atomic.Pointer[chan struct{}]
}

// NewRefresher gives a refresher. load reads the store, puts the result in force and tells its version;
// it is never called twice at once.
func NewRefresher(load func(ctx context.Context) (Versions, error), log *slog.Logger) *Refresher {
	r := &Refresher{load: load, log: log, changed: make(chan struct{}, 1)}
	r.renew()
	return r
}

// renew puts a fresh channel in place and gives the former one.
func (r *Refresher) renew() *chan struct{} {
	next := make(chan struct{})
	return r.loaded.Swap(&next)
}

// Await waits until the version is in force; false means that ctx ended before.
func (r *Refresher) Await(ctx context.Context, version int64) bool {
	for {
		loaded := *r.loaded.Load()
		if r.serving.Load() >= version {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-loaded:
		}
	}
}

// Changed tells that the store holds this version. A version that is served already is ignored; 0
// means that something may have changed and always refreshes.
func (r *Refresher) Changed(version int64) {
	if version != 0 && version <= r.serving.Load() {
		return
	}
	for {
		old := r.wanted.Load()
		if version <= old || r.wanted.CompareAndSwap(old, version) {
			break
		}
	}
	select {
	case r.changed <- struct{}{}:
	default: // a refresh is due already, and it will read this version too
	}
}

// Serving is the version in force; 0 before the first load.
func (r *Refresher) Serving() int64 { return r.serving.Load() }

// Failures is how many refreshes failed in a row.
func (r *Refresher) Failures() int64 { return r.failures.Load() }

// Run refreshes until ctx ends.
func (r *Refresher) Run(ctx context.Context) {
	retries := 0
	for {
		ok := r.refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := SweepEvery
		if ok && r.wanted.Load() <= r.serving.Load() {
			retries = 0
		} else {
			// Either the store is out of reach, or it does not hold yet what the event told of (a replica
			// lags): look again soon.
			wait = min(retryFirst<<min(retries, 10), retryLast)
			retries++
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-r.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (r *Refresher) refresh(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	versions, err := r.load(ctx)
	if err != nil {
		r.log.WarnContext(ctx, "reading the routing rules failed; the last good ones stay in force",
			"failures", r.failures.Add(1), "error", err)
		return false
	}
	r.failures.Store(0)
	if old := r.serving.Swap(versions.Config); old != versions.Config {
		r.log.InfoContext(ctx, "routing rules in force", "config_version", versions.Config, "rules_version", versions.Rules)
	}
	close(*r.renew())
	return true
}
