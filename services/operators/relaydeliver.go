package operators

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"trunkline/services/platform/fault"
)

const (
	// publishLimit bounds one try to publish one event.
	publishLimit = time.Second
	// orderLimit is how long a batch is published one event after the other.
	orderLimit = 500 * time.Millisecond
	// deliverLimit bounds all tries of one batch. It is what they take at most: the orderly part, its last event, the
	// rest at once, and two more tries with their pauses.
	deliverLimit = orderLimit + 2*publishLimit + pauseSecond + publishLimit + pauseThird + publishLimit

	// A new event is tried three times within half a second.
	quickTries  = 3
	pauseSecond = 100 * time.Millisecond
	pauseThird  = 400 * time.Millisecond

	// The pause after the quick tries, and after each later one, doubles up to the longest.
	firstBackoff   = time.Second
	longestBackoff = time.Minute
)

// delivery is one event of a batch; err is nil when its stream has acknowledged it.
type delivery struct {
	Outgoing
	err error
}

// deliver tries to publish a batch. An event that cannot be published keeps no other from being published. When ctx
// ends, the tries that have begun are finished, and no more follow.
func (r *Relay) deliver(ctx context.Context, batch []Outgoing) []delivery {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverLimit)
	defer cancel()
	all := make([]delivery, len(batch))
	due := make([]*delivery, len(batch))
	for i, e := range batch {
		all[i].Outgoing = e
		due[i] = &all[i]
	}
	r.tryInOrder(limited, due)
	for _, pause := range []time.Duration{pauseSecond, pauseThird} {
		due = quickTriesLeft(due)
		if len(due) == 0 || !waitFor(ctx, pause) {
			break
		}
		r.tryAtOnce(limited, due)
	}
	return all
}

// tryInOrder publishes one event after the other for a while, and then the rest at once: a slow stream, or one that
// hangs, must not keep a batch longer than its claim.
func (r *Relay) tryInOrder(ctx context.Context, due []*delivery) {
	orderly, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	for i, d := range due {
		r.try(ctx, d)
		if orderly.Err() != nil {
			r.tryAtOnce(ctx, due[i+1:])
			return
		}
	}
}

func (r *Relay) tryAtOnce(ctx context.Context, due []*delivery) {
	var group sync.WaitGroup
	for _, d := range due {
		group.Go(func() { r.try(ctx, d) })
	}
	group.Wait()
}

func (r *Relay) try(ctx context.Context, d *delivery) {
	ctx, cancel := context.WithTimeout(ctx, publishLimit)
	defer cancel()
	if d.err = r.publisher.Publish(ctx, d.Outgoing); d.err != nil {
		d.Failures++
	}
}

// quickTriesLeft keeps the events that have quick tries left.
func quickTriesLeft(due []*delivery) []*delivery {
	var left []*delivery
	for _, d := range due {
		if d.err != nil && !d.Late {
			left = append(left, d)
		}
	}
	return left
}

// setback says when to try again. Half of the pause is drawn, so that relays do not go in step.
func (d *delivery) setback(now time.Time) Setback {
	doublings := min(max(d.Failures-quickTries, 0), 6)
	pause := min(firstBackoff<<doublings, longestBackoff)
	f := fault.From(d.err)
	return Setback{
		ID: d.ID, Failures: d.Failures, Due: now.Add(pause/2 + rand.N(pause/2+1)),
		// The text of a fault is made for callers. What caused it, which may hold an address, is left out.
		Reason: f.Reason + ": " + f.Message,
	}
}

// waitFor returns false when ctx ends first.
func waitFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
