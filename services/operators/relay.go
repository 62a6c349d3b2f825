package operators

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

const (
	// relayBatch is how many events are claimed at once.
	relayBatch = 100
	// relayPoll is the backstop for wakes: it finds the events of other processes and those that became due.
	relayPoll = time.Second
	// relayUpkeep is the time between two counts, and between two clearances.
	relayUpkeep = 5 * time.Second
	// clearBatch and clearBatches bound what one clearance deletes.
	clearBatch   = 1000
	clearBatches = 20
	// outboxLimit bounds one call of the outbox.
	outboxLimit = 2 * time.Second
	// relayLease is the length of a claim. It is longer than claiming, publishing and settling one batch take at
	// most, so only a relay that has died loses its claim.
	relayLease = outboxLimit + deliverLimit + outboxLimit + 2500*time.Millisecond
)

// Relay brings events from the outbox to their streams. Several may work on one outbox, in one process or in many.
//
// An event is PENDING from its commit. A relay claims it for relayLease and publishes it; once the stream has
// acknowledged, it is PUBLISHED, and it is deleted after OutboxLife. When three quick tries have failed it is
// PENDING_PUBLISH, and relays try again after a pause that doubles from 1 s to 60 s, and at once after Hasten. The
// claim of a relay that died ends by itself, and another takes its events.
//
// So every committed event is published at least once. It is published again when a relay dies, or loses the
// database, between the acknowledgement and the mark. The stream drops the second one while it remembers the id (two
// minutes); beyond that, consumers ignore versions that they already have. Events are published in the order of
// their commits while nothing fails, and in any order otherwise.
//
// A stream that acknowledges before its disk has the message may lose the last minutes when its machine
// crashes. Published events are not published again for that: an event only says that there is something new to read.
// Consumers read the present state whenever they have lost their connection, which such a crash makes them do, and
// engines also every five minutes.
type Relay struct {
	outbox    Outbox
	publisher OutboxPublisher
	now       func() time.Time
	log       *slog.Logger
	owner     string

	wake    chan struct{}
	hasten  atomic.Bool
	backlog atomic.Pointer[backlog]
	// down tells that the outbox failed last time; only Run uses it.
	down bool
}

var _ Waker = (*Relay)(nil)

// backlog is what waited at the last count.
type backlog struct {
	events int64
	since  time.Time
}

// NewRelay returns a relay that takes the time from now. Run makes it work.
func NewRelay(outbox Outbox, publisher OutboxPublisher, now func() time.Time, log *slog.Logger) *Relay {
	r := &Relay{
		outbox: outbox, publisher: publisher, now: now, log: log,
		owner: uuid.NewString(), wake: make(chan struct{}, 1),
	}
	r.backlog.Store(&backlog{})
	return r
}

// Wake makes the relay look for events at once. Call it after a commit; it never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look, and see this event too
	}
}

// Hasten makes the relay try at once what waits for another try. Call it when the streams are back; it never blocks.
func (r *Relay) Hasten() {
	r.hasten.Store(true)
	r.Wake()
}

// Status counts the events in the outbox.
func (r *Relay) Status(ctx context.Context) (OutboxStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, outboxLimit)
	defer cancel()
	return r.outbox.Status(ctx, r.now())
}

// Backlog is how many events waited at the last count, a few seconds ago, and how old the oldest of them is now.
func (r *Relay) Backlog() (events int64, oldest time.Duration) {
	b := r.backlog.Load()
	if b.events == 0 {
		return 0, 0
	}
	return b.events, max(r.now().Sub(b.since), 0)
}

// Run relays until ctx ends, and then finishes the batch in hand, which takes some seconds at most. Run it once.
func (r *Relay) Run(ctx context.Context) {
	poll := time.NewTicker(relayPoll)
	defer poll.Stop()
	upkeep := time.NewTicker(relayUpkeep)
	defer upkeep.Stop()
	r.lookAfter(ctx)
	for ctx.Err() == nil {
		if r.relay(ctx) {
			select {
			case <-upkeep.C:
				r.lookAfter(ctx)
			default:
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-poll.C:
		case <-upkeep.C:
			r.lookAfter(ctx)
		}
	}
}

// relay publishes one batch and tells whether there may be more to do right now.
func (r *Relay) relay(ctx context.Context) (more bool) {
	batch, err := r.claim(ctx)
	if err == nil && len(batch) > 0 {
		err = r.settle(ctx, r.deliver(ctx, batch))
	}
	switch {
	case err == nil && r.down:
		r.log.InfoContext(ctx, "the outbox answers again")
	case err != nil && !r.down:
		r.log.WarnContext(ctx, "the outbox does not answer; its events wait", "error", err)
	}
	r.down = err != nil
	return err == nil && len(batch) == relayBatch
}

// claim takes the next batch. The end of ctx does not cut it short: the events might be claimed all the same.
func (r *Relay) claim(ctx context.Context) ([]Outgoing, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outboxLimit)
	defer cancel()
	now := r.now()
	if r.hasten.Swap(false) {
		if err := r.outbox.Hasten(ctx, now); err != nil {
			r.hasten.Store(true)
			return nil, err
		}
	}
	return r.outbox.Claim(ctx, OutboxClaim{Owner: r.owner, Now: now, Until: now.Add(relayLease), Limit: relayBatch})
}

// settle writes down what became of a batch.
func (r *Relay) settle(ctx context.Context, batch []delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outboxLimit)
	defer cancel()
	now := r.now()
	var published []uuid.UUID
	var setbacks []Setback
	for _, d := range batch {
		if d.err == nil {
			published = append(published, d.ID)
		} else {
			setbacks = append(setbacks, d.setback(now))
		}
	}
	if len(setbacks) > 0 {
		r.log.WarnContext(ctx, "events could not be published; they are tried again",
			"events", len(setbacks), "published", len(published), "reason", setbacks[0].Reason)
	}
	return r.outbox.Settle(ctx, r.owner, published, setbacks, now)
}

// lookAfter counts what waits and deletes what was published long ago.
func (r *Relay) lookAfter(ctx context.Context) {
	status, err := r.Status(ctx)
	if err != nil {
		r.log.DebugContext(ctx, "the outbox could not be counted", "error", err)
		return
	}
	r.backlog.Store(&backlog{events: status.Pending + status.PendingPublish, since: r.now().Add(-status.Oldest)})
	for range clearBatches {
		deleted, err := r.clear(ctx)
		if err != nil {
			r.log.WarnContext(ctx, "published events could not be cleared away", "error", err)
		}
		if err != nil || deleted < clearBatch {
			return
		}
	}
}

func (r *Relay) clear(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, outboxLimit)
	defer cancel()
	return r.outbox.Clear(ctx, r.now().Add(-OutboxLife), clearBatch)
}
