package operators

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// OutboxLife is how long a published event stays in the outbox.
const OutboxLife = 24 * time.Hour

// Outgoing is an event of a committed change on its way to its stream.
type Outgoing struct {
	// ID names the event in the stream too: a second publication of it changes nothing while the stream remembers.
	ID      uuid.UUID
	Subject string
	Payload []byte
	// Traceparent is the W3C trace context of the change; may be empty.
	Traceparent string
	// Failures is how many tries have failed so far.
	Failures int
	// Late tells that the quick tries are over: the event waits in PENDING_PUBLISH.
	Late bool
}

// OutboxClaim asks for events to publish.
type OutboxClaim struct {
	// Owner names the relay. No two relays have the same name, not even one after the other.
	Owner string
	// Now is the time, and Until the end of the claim: from then on others may take the events.
	Now, Until time.Time
	// Limit is the largest number of events.
	Limit int
}

// Setback is what became of an event that could not be published.
type Setback struct {
	ID uuid.UUID
	// Failures is how many tries have failed in all.
	Failures int
	// Due is when to try again.
	Due time.Time
	// Reason says why it failed, without addresses or secrets.
	Reason string
}

// OutboxStatus counts the events of the outbox.
type OutboxStatus struct {
	// Pending events wait for a relay, or are being published right now.
	Pending int64
	// PendingPublish events have failed their quick tries and wait for another.
	PendingPublish int64
	// Oldest is how long the oldest of both has been waiting; 0 when there is none.
	Oldest time.Duration
	// Published events were acknowledged by their stream within OutboxLife.
	Published int64
	// LastError is the reason of the last failure among the waiting events; "" when none of them failed.
	LastError string
}

// Outbox keeps the events of committed changes until their streams have them. Errors are faults.
type Outbox interface {
	OutboxQueue
	OutboxUpkeep
}

// OutboxQueue hands out the events that wait.
type OutboxQueue interface {
	// Claim takes the oldest events that wait, are due and are nobody's. Events come by state, never by a
	// sequence, which would skip those that commit late. What a claim took is not taken by another before Until,
	// even if both run at the same moment. An event whose time to come is too far ahead to be believed is due:
	// the clock has been set back.
	Claim(ctx context.Context, c OutboxClaim) ([]Outgoing, error)
	// Settle ends claims of the owner: what was published is published whoever holds the claim now, and the others
	// wait in PENDING_PUBLISH. A setback of an event that another owner has claimed since is left out.
	Settle(ctx context.Context, owner string, published []uuid.UUID, setbacks []Setback, at time.Time) error
}

// OutboxUpkeep looks after the events that nobody has claimed.
type OutboxUpkeep interface {
	// Hasten makes every event in PENDING_PUBLISH due now.
	Hasten(ctx context.Context, now time.Time) error
	// Clear deletes up to limit events that were published before then, and returns how many.
	Clear(ctx context.Context, before time.Time, limit int) (int, error)
	// Status counts the events; their age is that at now and never negative.
	Status(ctx context.Context, now time.Time) (OutboxStatus, error)
}

// OutboxPublisher stores events in their streams.
type OutboxPublisher interface {
	// Publish returns when the stream has acknowledged the event or ctx ends. After an error the event may be in
	// the stream all the same.
	Publish(ctx context.Context, e Outgoing) error
}
