package decisionlog

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

const (
	// behind is how old a second is when it is counted: engines wait up to lag for a batch, and it is stored then.
	behind = 3 * time.Second
	// kept is how far a watcher may fall behind, and the feed itself.
	kept = time.Minute
	// liveLimit bounds one look at new seconds, pastLimit that of one watcher at the past, with pastsAtOnce at a time.
	liveLimit   = 3 * time.Second
	pastLimit   = lookLimit
	pastsAtOnce = 4
	// The past comes in pieces of fineStep up to finePast, else of coarseStep.
	finePast   = 5 * time.Minute
	fineStep   = 5 * time.Second
	coarseStep = 30 * time.Second
	// interruptedRetry is when to watch again after a gap.
	interruptedRetry = time.Second
)

// ReasonInterrupted marks a stream that could not go on without a gap.
const ReasonInterrupted = "TRAFFIC_INTERRUPTED"

// Counter counts decisions.
type Counter interface {
	// Traffic counts the decisions from one whole second to another: one point for each step, also without decisions.
	Traffic(ctx context.Context, from, to time.Time, step time.Duration) ([]routing.TrafficPoint, error)
}

// Feed tells watchers how many decisions are made, second by second. All of them share one look at the log each second; while
// nobody watches there is none. Watchers that do not keep up get several seconds at once.
type Feed struct {
	counter Counter
	clock   clock.Clock
	log     *slog.Logger
	pasts   *places
	// first tells Run that somebody watches.
	first chan struct{}

	mu       sync.Mutex
	watchers int
	// points are the newest seconds, up to kept, without gaps; next is the one behind them.
	points []routing.TrafficPoint
	next   time.Time
	// changed is closed, and replaced, when points or next change.
	changed chan struct{}
}

// NewFeed gives a feed of the decisions that a counter counts. Run makes it go.
func NewFeed(counter Counter, clk clock.Clock, log *slog.Logger) *Feed {
	return &Feed{
		counter: counter, clock: clk, log: log, pasts: newPlaces(pastsAtOnce, looksEach),
		first: make(chan struct{}, 1), changed: make(chan struct{}),
	}
}

// Watch gives the past, which may be nothing, and then new seconds until ctx ends, all without gaps. give must not change
// the points. The fault is UNAVAILABLE, ReasonInterrupted, when seconds were lost to the watcher: it begins again.
func (f *Feed) Watch(ctx context.Context, past time.Duration, give func([]routing.TrafficPoint) error) error {
	at := f.join()
	defer f.leave()
	points, err := f.past(ctx, at, past)
	if err != nil {
		return err
	}
	if err := give(points); err != nil {
		return err
	}
	for ctx.Err() == nil {
		points, changed, err := f.since(at)
		if err != nil {
			return err
		}
		if len(points) > 0 {
			if err := give(points); err != nil {
				return err
			}
			at = at.Add(time.Duration(len(points)) * time.Second)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// join counts a watcher and tells which second is the first new one for it.
func (f *Feed) join() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers++; f.watchers == 1 {
		f.restart(f.due())
		select {
		case f.first <- struct{}{}:
		default: // Run has yet to hear of one before
		}
	}
	return f.next
}

func (f *Feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers--
}

// due is the first second that is not yet to be counted.
func (f *Feed) due() time.Time { return f.clock.Now().Add(-behind).Truncate(time.Second) }

// restart needs mu.
func (f *Feed) restart(next time.Time) {
	f.points, f.next = nil, next
	f.tell()
}

// tell needs mu.
func (f *Feed) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// past counts what was before a second.
func (f *Feed) past(ctx context.Context, until time.Time, past time.Duration) ([]routing.TrafficPoint, error) {
	if past <= 0 {
		return nil, nil
	}
	step := fineStep
	if past > finePast {
		step = coarseStep
	}
	bound, cancel := context.WithTimeout(ctx, pastLimit)
	defer cancel()
	leave, err := f.pasts.enter(bound)
	if err != nil {
		return nil, err
	}
	defer leave()
	whole := (past + step - 1).Truncate(step)
	points, err := f.counter.Traffic(bound, until.Add(-whole), until, step)
	if err != nil && ctx.Err() == nil && bound.Err() != nil {
		return nil, tooMany(err)
	}
	return points, err
}

// since gives the seconds from one on, or what to wait for.
func (f *Feed) since(at time.Time) ([]routing.TrafficPoint, <-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := int(f.next.Sub(at) / time.Second)
	if missing < 0 || missing > len(f.points) {
		return nil, nil, fault.New(fault.Unavailable, ReasonInterrupted, "Some seconds of the traffic were lost: watch again.").WithRetry(interruptedRetry)
	}
	return slices.Clip(f.points[len(f.points)-missing:]), f.changed, nil
}

// Run looks at the log each second while somebody watches, until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	for {
		select {
		case <-f.first:
		case <-ctx.Done():
			return
		}
		for f.look(ctx) {
			now := f.clock.Now()
			timer := time.NewTimer(now.Truncate(time.Second).Add(time.Second).Sub(now))
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
	}
}

// look counts the seconds since the last look. It is false when nobody watches.
func (f *Feed) look(ctx context.Context) bool {
	from, to, watched := f.unread()
	if !watched || !to.After(from) {
		return watched
	}
	ctx, cancel := context.WithTimeout(ctx, liveLimit)
	defer cancel()
	points, err := f.counter.Traffic(ctx, from, to, time.Second)
	if err != nil {
		f.log.DebugContext(ctx, "the traffic of some seconds could not be read; it is tried again", "error", err)
		return true
	}
	f.add(from, points)
	return true
}

// unread tells which seconds to count. When the clock or the database was away for too long, watchers begin again.
func (f *Feed) unread() (from, to time.Time, watched bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers == 0 {
		return from, to, false
	}
	to = f.due()
	if away := to.Sub(f.next).Abs(); away > kept {
		f.restart(to)
	}
	return f.next, to, true
}

// add takes over the points from a second on, unless watchers began again meanwhile.
func (f *Feed) add(from time.Time, points []routing.TrafficPoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !from.Equal(f.next) {
		return
	}
	f.next = f.next.Add(time.Duration(len(points)) * time.Second)
	f.points = append(f.points, points...)
	f.points = f.points[max(0, len(f.points)-int(kept/time.Second)):]
	f.tell()
}
