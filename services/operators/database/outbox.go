package database

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
)

// States of an event in the outbox.
const (
	outboxPending        = "PENDING"
	outboxPendingPublish = "PENDING_PUBLISH"
	outboxPublished      = "PUBLISHED"
)

// beyondBelief is longer than any claim or pause before another try. A time further ahead than this was written
// before the clock was set back.
const beyondBelief = 2 * time.Minute

// Outbox keeps the events of committed changes. It is safe for concurrent use, also by several processes.
type Outbox struct {
	db *bun.DB
}

var _ operators.Outbox = (*Outbox)(nil)

// NewOutbox returns the outbox of a database that bunstore opened and whose migrations are applied.
func NewOutbox(db *bun.DB) *Outbox { return &Outbox{db: db} }

// claimedRow is what a relay needs of an event.
type claimedRow struct {
	EventID     uuid.UUID `bun:"event_id"`
	Subject     string    `bun:"subject"`
	Payload     string    `bun:"payload"`
	Traceparent string    `bun:"traceparent"`
	State       string    `bun:"state"`
	Attempts    int       `bun:"attempts"`
	CreatedAt   time.Time `bun:"created_at"`
}

// Claim takes events in one statement, so that no claim is seen half.
func (o *Outbox) Claim(ctx context.Context, c operators.OutboxClaim) ([]operators.Outgoing, error) {
	ctx = bunstore.WithQueryName(ctx, "outbox_claim")
	var rows []claimedRow
	// A new event is due whatever the clock of its writer said.
	err := o.db.NewRaw(`WITH due AS (
			SELECT event_id FROM outbox
			WHERE state <> ? AND (state = ? AND claimed_by = '' OR due_at <= ? OR due_at > ?)
			ORDER BY created_at, event_id LIMIT ? ?)
		UPDATE outbox SET claimed_by = ?, due_at = ? WHERE event_id IN (SELECT event_id FROM due)
		RETURNING event_id, subject, payload, traceparent, state, attempts, created_at`,
		outboxPublished, outboxPending, c.Now, c.Now.Add(beyondBelief), c.Limit, o.skipLocked(),
		c.Owner, c.Until).Scan(ctx, &rows)
	if err != nil {
		return nil, bunstore.Fault(err)
	}
	// RETURNING has no order.
	slices.SortFunc(rows, func(a, b claimedRow) int {
		if order := a.CreatedAt.Compare(b.CreatedAt); order != 0 {
			return order
		}
		return bytes.Compare(a.EventID[:], b.EventID[:])
	})
	events := make([]operators.Outgoing, len(rows))
	for i, row := range rows {
		events[i] = operators.Outgoing{
			ID: row.EventID, Subject: row.Subject, Payload: []byte(row.Payload), Traceparent: row.Traceparent,
			Failures: row.Attempts, Late: row.State == outboxPendingPublish,
		}
	}
	return events, nil
}

// skipLocked keeps relays from waiting for each other. SQLite has one writer at a time.
func (o *Outbox) skipLocked() bun.Safe {
	if bunstore.DialectOf(o.db) == bunstore.Postgres {
		return "FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// Settle marks a batch in one transaction.
func (o *Outbox) Settle(ctx context.Context, owner string, published []uuid.UUID, setbacks []operators.Setback, at time.Time) error {
	ctx = bunstore.WithQueryName(ctx, "outbox_settle")
	return bunstore.Fault(o.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for part := range slices.Chunk(published, chunk) {
			_, err := tx.NewRaw(`UPDATE outbox SET state = ?, published_at = ?, claimed_by = ''
				WHERE event_id IN (?) AND state <> ?`, outboxPublished, at, bun.List(part), outboxPublished).Exec(ctx)
			if err != nil {
				return err
			}
		}
		for _, s := range setbacks {
			_, err := tx.NewRaw(`UPDATE outbox SET state = ?, attempts = ?, due_at = ?, last_error = ?, claimed_by = ''
				WHERE event_id = ? AND claimed_by = ? AND state <> ?`,
				outboxPendingPublish, s.Failures, s.Due, s.Reason, s.ID, owner, outboxPublished).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// Hasten makes every event that waits for another try due.
func (o *Outbox) Hasten(ctx context.Context, now time.Time) error {
	_, err := o.db.NewRaw("UPDATE outbox SET due_at = ? WHERE state = ? AND claimed_by = '' AND due_at > ?",
		now, outboxPendingPublish, now).Exec(bunstore.WithQueryName(ctx, "outbox_hasten"))
	return bunstore.Fault(err)
}

// Clear deletes the events that were published first.
func (o *Outbox) Clear(ctx context.Context, before time.Time, limit int) (int, error) {
	result, err := o.db.NewRaw(`WITH old AS (
			SELECT event_id FROM outbox WHERE state = ? AND published_at < ? ORDER BY published_at LIMIT ? ?)
		DELETE FROM outbox WHERE event_id IN (SELECT event_id FROM old)`,
		outboxPublished, before, limit, o.skipLocked()).Exec(bunstore.WithQueryName(ctx, "outbox_clear"))
	if err != nil {
		return 0, bunstore.Fault(err)
	}
	deleted, err := result.RowsAffected()
	return int(deleted), bunstore.Fault(err)
}

// Status counts the events.
func (o *Outbox) Status(ctx context.Context, now time.Time) (operators.OutboxStatus, error) {
	ctx = bunstore.WithQueryName(ctx, "outbox_status")
	var s operators.OutboxStatus
	// One count per state can use the indexes, which GROUP BY cannot.
	count := "(SELECT count(*) FROM outbox WHERE state = ?)"
	err := o.db.NewRaw("SELECT "+count+", "+count+", "+count, outboxPending, outboxPendingPublish, outboxPublished).
		Scan(ctx, &s.Pending, &s.PendingPublish, &s.Published)
	if err != nil || s.Pending+s.PendingPublish == 0 {
		return s, bunstore.Fault(err)
	}
	var oldest time.Time
	err = o.db.NewRaw("SELECT created_at FROM outbox WHERE state <> ? ORDER BY created_at LIMIT 1", outboxPublished).Scan(ctx, &oldest)
	switch {
	case err == nil:
		s.Oldest = max(now.Sub(oldest), 0)
	case !errors.Is(err, sql.ErrNoRows): // published meanwhile
		return s, bunstore.Fault(err)
	}
	err = o.db.NewRaw("SELECT last_error FROM outbox WHERE state = ? AND last_error <> '' ORDER BY due_at DESC LIMIT 1",
		outboxPendingPublish).Scan(ctx, &s.LastError)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return s, bunstore.Fault(err)
}
