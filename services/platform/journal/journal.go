// Package journal writes what belongs to every change besides its own rows, in the transaction of the change: the row of
// the audit log, and the request that a repeat is known by. All services share both tables.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// RequestLife is how long a request is remembered.
const RequestLife = 24 * time.Hour

// ReasonRequestReused marks a request_id that was used for something else.
const ReasonRequestReused = "REQUEST_ID_REUSED"

// Request is one that may be repeated. The key is the actor and the id; "" is a request that is never taken for a repeat.
type Request struct {
	Actor, ID string
	// Fingerprint tells requests with the same id apart.
	Fingerprint string
}

type requestRow struct {
	bun.BaseModel `bun:"table:requests,alias:q"`

	Actor       string    `bun:"actor,pk"`
	RequestID   string    `bun:"request_id,pk"`
	Fingerprint string    `bun:"fingerprint"`
	Reply       string    `bun:"reply"`
	CreatedAt   time.Time `bun:"created_at"`
}

// Repeated tells whether the request was carried out within RequestLife, and the reply of then. Another request under the
// same id is an INVALID_ARGUMENT fault, ReasonRequestReused.
func Repeated(ctx context.Context, db bun.IDB, r Request, now time.Time) (reply string, repeated bool, err error) {
	if r.ID == "" {
		return "", false, nil
	}
	var row requestRow
	err = db.NewSelect().Model(&row).Where("actor = ? AND request_id = ?", r.Actor, r.ID).
		Scan(bunstore.WithQueryName(ctx, "request"))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, bunstore.Fault(err)
	case now.Sub(row.CreatedAt) >= RequestLife:
		return "", false, nil
	case row.Fingerprint != r.Fingerprint:
		return "", false, fault.Invalid(ReasonRequestReused, fault.Violation{
			Field: "request_id", Description: "was used for another request within 24 hours: take a new one",
		})
	}
	return row.Reply, true, nil
}

// Remember keeps the reply, in the place of one that is too old to count. It does nothing for a request without an id.
func Remember(ctx context.Context, db bun.IDB, r Request, reply string, now time.Time) error {
	if r.ID == "" {
		return nil
	}
	row := requestRow{Actor: r.Actor, RequestID: r.ID, Fingerprint: r.Fingerprint, Reply: reply, CreatedAt: now}
	_, err := db.NewInsert().Model(&row).On("CONFLICT (actor, request_id) DO UPDATE").
		Set("fingerprint = EXCLUDED.fingerprint, reply = EXCLUDED.reply, created_at = EXCLUDED.created_at").
		Exec(bunstore.WithQueryName(ctx, "put_request"))
	return bunstore.Fault(err)
}

// Forget removes the requests from before a moment and returns how many. Those older than RequestLife do not count anyway.
func Forget(ctx context.Context, db bun.IDB, before time.Time) (int, error) {
	result, err := db.NewDelete().Model((*requestRow)(nil)).Where("created_at < ?", before).
		Exec(bunstore.WithQueryName(ctx, "purge_requests"))
	if err != nil {
		return 0, bunstore.Fault(err)
	}
	n, err := result.RowsAffected()
	return int(n), bunstore.Fault(err)
}

// Entry is one row of the audit log. It holds no secrets.
type Entry struct {
	At               time.Time
	Actor, RequestID string
	// Action is such as operator.create, Entity such as operator, and EntityID its id; "" when it is about many rows.
	Action, Entity, EntityID string
	// Before and After are JSON; nil where there is none.
	Before, After []byte
}

type auditRow struct {
	bun.BaseModel `bun:"table:audit_log,alias:a"`

	AuditID    uuid.UUID `bun:"audit_id,pk"`
	OccurredAt time.Time `bun:"occurred_at"`
	Actor      string    `bun:"actor"`
	RequestID  string    `bun:"request_id"`
	Action     string    `bun:"action"`
	Entity     string    `bun:"entity"`
	EntityID   string    `bun:"entity_id"`
	Before     *string   `bun:"before"`
	After      *string   `bun:"after"`
}

// Record adds rows to the audit log. Times are kept to the microsecond.
func Record(ctx context.Context, db bun.IDB, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([]auditRow, len(entries))
	for i, e := range entries {
		rows[i] = auditRow{
			AuditID: uuid.Must(uuid.NewV7()), OccurredAt: e.At.UTC().Truncate(time.Microsecond), Actor: e.Actor, RequestID: e.RequestID,
			Action: e.Action, Entity: e.Entity, EntityID: e.EntityID, Before: text(e.Before), After: text(e.After),
		}
	}
	// Who may add to the log may not read it, and RETURNING reads.
	_, err := db.NewInsert().Model(&rows).Returning("").Exec(bunstore.WithQueryName(ctx, "audit"))
	return bunstore.Fault(err)
}

func text(json []byte) *string {
	if json == nil {
		return nil
	}
	s := string(json)
	return &s
}
