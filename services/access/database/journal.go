package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// requestRow is a row of the table that all services remember their requests in.
type requestRow struct {
	bun.BaseModel `bun:"table:requests,alias:q"`

	Actor       string    `bun:"actor,pk"`
	RequestID   string    `bun:"request_id,pk"`
	Fingerprint string    `bun:"fingerprint"`
	Reply       string    `bun:"reply"`
	CreatedAt   time.Time `bun:"created_at"`
}

// Repeated tells whether the request was carried out within access.RequestLife, and the reply of then.
func (t *tx) Repeated(ctx context.Context, r access.Request, now time.Time) (string, bool, error) {
	if r.ID == "" {
		return "", false, nil
	}
	var row requestRow
	err := t.tx.NewSelect().Model(&row).Where("actor = ? AND request_id = ?", r.Caller.Name, r.ID).
		Scan(bunstore.WithQueryName(ctx, "request"))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, bunstore.Fault(err)
	case now.Sub(row.CreatedAt) >= access.RequestLife:
		return "", false, nil
	case row.Fingerprint != r.Fingerprint:
		return "", false, fault.Invalid(access.ReasonRequestReused, fault.Violation{
			Field: "request_id", Description: "was used for another request within 24 hours: take a new one",
		})
	}
	return row.Reply, true, nil
}

// Remember keeps the reply, in the place of one that is too old to count.
func (t *tx) Remember(ctx context.Context, r access.Request, reply string, now time.Time) error {
	if r.ID == "" {
		return nil
	}
	row := requestRow{Actor: r.Caller.Name, RequestID: r.ID, Fingerprint: r.Fingerprint, Reply: reply, CreatedAt: now}
	_, err := t.tx.NewInsert().Model(&row).On("CONFLICT (actor, request_id) DO UPDATE").
		Set("fingerprint = EXCLUDED.fingerprint, reply = EXCLUDED.reply, created_at = EXCLUDED.created_at").
		Exec(bunstore.WithQueryName(ctx, "put_request"))
	return bunstore.Fault(err)
}

// Record writes the audit row.
func (t *tx) Record(ctx context.Context, r access.Request, e access.Entry) error {
	row := auditRow{
		AuditID: uuid.Must(uuid.NewV7()), OccurredAt: e.At, Actor: r.Caller.Name, RequestID: r.ID,
		Action: e.Action, Entity: e.Entity, EntityID: e.EntityID.String(), Before: text(e.Before), After: text(e.After),
	}
	if row.RequestID == "" {
		row.RequestID = r.TraceID
	}
	_, err := t.tx.NewInsert().Model(&row).Exec(bunstore.WithQueryName(ctx, "audit"))
	return bunstore.Fault(err)
}

func text(json []byte) *string {
	if json == nil {
		return nil
	}
	s := string(json)
	return &s
}
