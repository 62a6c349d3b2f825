package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

type requestRow struct {
	bun.BaseModel `bun:"table:requests,alias:q"`

	Actor       string    `bun:"actor,pk"`
	RequestID   string    `bun:"request_id,pk"`
	Fingerprint string    `bun:"fingerprint"`
	Reply       string    `bun:"reply"`
	CreatedAt   time.Time `bun:"created_at"`
}

// Repeated tells whether the request was carried out within operators.RequestLife, and the reply of then.
func (t *tx) Repeated(ctx context.Context, r operators.Request, now time.Time) (string, bool, error) {
	if r.ID == "" {
		return "", false, nil
	}
	var row requestRow
	err := t.tx.NewSelect().Model(&row).Where("actor = ? AND request_id = ?", r.Actor, r.ID).
		Scan(bunstore.WithQueryName(ctx, "request"))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, bunstore.Fault(err)
	case now.Sub(row.CreatedAt) >= operators.RequestLife:
		return "", false, nil
	case row.Fingerprint != r.Fingerprint:
		return "", false, reused()
	}
	return row.Reply, true, nil
}

// Remember keeps the reply, in the place of one that is too old to count.
func (t *tx) Remember(ctx context.Context, r operators.Request, reply string, now time.Time) error {
	if r.ID == "" {
		return nil
	}
	row := requestRow{Actor: r.Actor, RequestID: r.ID, Fingerprint: r.Fingerprint, Reply: reply, CreatedAt: now}
	_, err := t.tx.NewInsert().Model(&row).On("CONFLICT (actor, request_id) DO UPDATE").
		Set("fingerprint = EXCLUDED.fingerprint, reply = EXCLUDED.reply, created_at = EXCLUDED.created_at").
		Exec(bunstore.WithQueryName(ctx, "put_request"))
	return bunstore.Fault(err)
}

func reused() error {
	return fault.Invalid(operators.ReasonRequestReused, fault.Violation{
		Field: "request_id", Description: "was used for another request within 24 hours: take a new one",
	})
}

// PurgeRequests forgets the requests from before a moment and returns how many. Those older than operators.RequestLife
// do not count anyway.
func (s *Store) PurgeRequests(ctx context.Context, before time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	result, err := s.db.NewDelete().Model((*requestRow)(nil)).Where("created_at < ?", before).
		Exec(bunstore.WithQueryName(ctx, "purge_requests"))
	if err != nil {
		return 0, bunstore.Fault(err)
	}
	n, err := result.RowsAffected()
	return int(n), bunstore.Fault(err)
}
