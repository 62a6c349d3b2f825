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
	// Retries start here and double up to the last: of a failed refresh, and of one that calls itself
	// provisional.
	retryFirst      = time.Second
	retryLast       = 30 * time.Second
	provisionalLast = 5 * time.Second
	// provisionalLeast is the least time between two provisional refreshes, however many changes are told of.
	provisionalLeast = 250 * time.Millisecond
	// patience is how often a refresh is repeated for a version that a store which can be read does not hold:
	// about 2 minutes. Then nobody committed that version, or a sweep finds it.
	patience = 8
	// refreshTimeout bounds one refresh; a full load of a million rules takes seconds.
	refreshTimeout = 2 * time.Minute
)

// Refresher keeps what an engine serves up to date: it loads at start, when told of a change, and
// every SweepEvery. While loading fails, the last good state stays in force.
type Refresher struct {
	load    func(ctx context.Context) (Loaded, error)
	log     *slog.Logger
	changed chan struct{}
	// wanted is the newest version heard of; serving is the version loaded, 0 before the first load.
	wanted, serving atomic.Int64
	failures        atomic.Int64
	failure         atomic.Pointer[error]
	// loaded is closed and replaced by every successful load.
	loaded atomic.Pointer[chan struct{}]
}

// Loaded is what a load put in force.
type Loaded struct {
	Versions Versions
	// Provisional asks for another load soon, because this one had to do without the store.
	Provisional bool
}

// NewRefresher gives a refresher. load reads the store, puts the result in force and tells its version;
// it is never called twice at once.
func NewRefresher(load func(ctx context.Context) (Loaded, error), log *slog.Logger) *Refresher {
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
	r.again()
}

// again asks for one more refresh.
func (r *Refresher) again() {
	select {
	case r.changed <- struct{}{}:
	default: // a refresh is due already, and it will read the newest version too
	}
}

// Serving is the version in force; 0 before the first load.
func (r *Refresher) Serving() int64 { return r.serving.Load() }

// Failures is how many refreshes failed in a row.
func (r *Refresher) Failures() int64 { return r.failures.Load() }

// Failure is why the last refresh failed; nil when it did not.
func (r *Refresher) Failure() error {
	if err := r.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// outcome is what a refresh came to.
type outcome uint8

const (
	settled     outcome = iota
	failed              // nothing could be loaded
	provisional         // loaded, but not from the store
	behind              // the store does not hold yet what an event told of: a replica lags
)

// lastPause is where the pauses before a retry end.
var lastPause = map[outcome]time.Duration{failed: retryLast, provisional: provisionalLast, behind: retryLast}

// Run refreshes until ctx ends.
func (r *Refresher) Run(ctx context.Context) {
	before, retries := settled, 0
	for {
		now := r.refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		if now != before {
			before, retries = now, 0
		}
		if now == behind && retries >= patience {
			r.giveUp(ctx)
			before, now, retries = settled, settled, 0
		}
		wait := SweepEvery
		if now != settled {
			wait = min(retryFirst<<min(retries, 10), lastPause[now])
		}
		timer, least := time.NewTimer(wait), time.NewTimer(provisionalLeast)
		select {
		case <-ctx.Done():
		case <-r.changed:
			if now == provisional {
				select {
				case <-ctx.Done():
				case <-least.C:
				}
			}
		case <-timer.C:
			retries++
		}
		timer.Stop()
		least.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// giveUp ends the wait for a version. Anybody on the bus can make one up.
func (r *Refresher) giveUp(ctx context.Context) {
	wanted, serving := r.wanted.Load(), r.serving.Load()
	if r.wanted.CompareAndSwap(wanted, serving) {
		r.log.WarnContext(ctx, "an event told of a configuration version that the store does not hold; it is not waited for any more",
			"told", wanted, "config_version", serving)
	}
}

func (r *Refresher) refresh(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	loaded, err := r.load(ctx)
	if err != nil {
		r.failure.Store(&err)
		r.log.WarnContext(ctx, "reading the routing rules failed; the last good ones stay in force",
			"failures", r.failures.Add(1), "error", err)
		return failed
	}
	r.failures.Store(0)
	r.failure.Store(nil)
	if old := r.serving.Swap(loaded.Versions.Config); old != loaded.Versions.Config {
		r.log.InfoContext(ctx, "routing rules in force", "config_version", loaded.Versions.Config, "rules_version", loaded.Versions.Rules)
	}
	close(*r.renew())
	switch {
	case loaded.Provisional:
		return provisional
	case r.wanted.Load() > loaded.Versions.Config:
		return behind
	}
	return settled
}
