package releases

import (
	"context"
	"errors"
	"sync"
	"time"

	"trunkline/services/platform/fault"
)

// construct begins to build what is missing, and gives up what nobody wants any more.
func (f *Follower) construct(ctx context.Context, now time.Time, running *sync.WaitGroup) {
	next := f.missing(now)
	if f.building != nil {
		if !f.wants(f.building.entry) {
			f.building.cancel()
		}
		return
	}
	if next == nil {
		return
	}
	f.retain(next)
	ctx, cancel := context.WithCancel(ctx)
	f.building = &building{entry: next, cancel: cancel}
	running.Go(func() {
		defer cancel()
		got, err := f.artifacts.obtain(ctx, next)
		f.built <- outcome{entry: next, obtained: got, err: err} // there is one at a time, so there is room
	})
}

// missing gives the release to build next, or to fetch again because the folder lacks it; nil when there is none, or none
// may be tried again yet.
func (f *Follower) missing(now time.Time) *entry {
	for _, e := range f.unbuilt(now) {
		if r := f.failures[e.digest]; r == nil || !r.next.After(now) {
			return e
		}
	}
	for _, e := range f.named() {
		if again, ok := f.unstored[e.digest]; ok && !again.After(now) {
			return e
		}
	}
	return nil
}

// unbuilt gives the releases whose tables are needed and not there: of what should serve before what will.
func (f *Follower) unbuilt(now time.Time) (entries []*entry) {
	needed := f.manifest.wanted(now)
	if f.serving != nil && len(needed) > 1 {
		needed = needed[:1] // the next best only matters while nothing serves
	}
	if ahead := f.manifest.ahead(now); ahead != nil {
		needed = append(needed, ahead)
	}
	for _, e := range needed {
		if f.tables[e.digest] == nil {
			entries = append(entries, e)
		}
	}
	return entries
}

// wants tells whether the manifest names the release.
func (f *Follower) wants(e *entry) bool {
	for _, named := range f.named() {
		if named.digest == e.digest {
			return true
		}
	}
	return false
}

// finish takes over what was built.
func (f *Follower) finish(ctx context.Context, done outcome) {
	f.building = nil
	e := done.entry
	if !f.wants(e) {
		return
	}
	if done.err == nil {
		f.tables[e.digest] = done.table
		delete(f.failures, e.digest)
		delete(f.unstored, e.digest)
		if done.kept != nil {
			f.unstored[e.digest], f.unkept = f.clock.Now().Add(SweepEvery), true
			f.log.ErrorContext(ctx, "an artifact cannot be kept on disk; the engine cannot start from it", "release_id", e.ID, "error", done.kept)
		}
		return
	}
	if errors.Is(done.err, context.Canceled) {
		return // it was not wanted for a while
	}
	if _, ok := f.unstored[e.digest]; ok {
		f.unstored[e.digest] = f.clock.Now().Add(SweepEvery)
		return // it serves, and is only missing on disk
	}
	r := &refusal{err: done.err, entry: e}
	if before := f.failures[e.digest]; before != nil && before.reason() == r.reason() {
		r.tries = before.tries + 1
	}
	wait := SweepEvery
	if !r.lasting() {
		wait = min(retryFirst<<min(r.tries, 10), SweepEvery)
	}
	r.at = f.clock.Now()
	r.next = r.at.Add(wait)
	f.failures[e.digest] = r
	if r.final() {
		f.observer.ReleaseRefused(r.reason())
	}
	if r.tries == 0 {
		f.log.ErrorContext(ctx, "a release cannot come into force; what serves goes on serving",
			"release_id", e.ID, "activation", e.Activation, "reason", r.reason(), "error", done.err)
	}
}

// refuse tells of a manifest that is not followed. Only the first of several with one reason is in the log: they cost
// whoever sends them nothing.
func (f *Follower) refuse(ctx context.Context, err error) {
	before := f.refused
	f.refused = &refusal{err: err}
	reason := f.refused.reason()
	f.observer.ReleaseRefused(reason)
	if before == nil || before.reason() != reason {
		f.log.ErrorContext(ctx, "a manifest of releases was refused; what serves goes on serving", "reason", reason, "error", err)
	}
}

// name tells of an artifact in the folder that cannot be used.
func (f *Follower) name(ctx context.Context, e *entry, err error) {
	f.observer.ReleaseRefused(fault.From(err).Reason)
	f.log.ErrorContext(ctx, "an artifact in the folder cannot be used", "release_id", e.ID, "reason", fault.From(err).Reason, "error", err)
}

// pause tells how long nothing is to do.
func (f *Follower) pause(now time.Time) time.Duration {
	wait := SweepEvery
	if until, ok := f.manifest.until(now); ok {
		wait = min(wait, until, clockEvery)
	}
	if f.building == nil {
		for _, e := range f.unbuilt(now) {
			if r := f.failures[e.digest]; r != nil {
				wait = min(wait, r.next.Sub(now))
			}
		}
		for _, e := range f.named() {
			if again, ok := f.unstored[e.digest]; ok {
				wait = min(wait, again.Sub(now))
			}
		}
	}
	return max(wait, time.Millisecond)
}
