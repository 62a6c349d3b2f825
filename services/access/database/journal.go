package database

import (
	"context"
	"time"

	"trunkline/services/access"
	"trunkline/services/platform/journal"
)

func asked(r access.Request) journal.Request {
	return journal.Request{Actor: r.Caller.Name, ID: r.ID, Fingerprint: r.Fingerprint}
}

// Repeated tells whether the request was carried out within access.RequestLife, and the reply of then.
func (t *tx) Repeated(ctx context.Context, r access.Request, now time.Time) (string, bool, error) {
	return journal.Repeated(ctx, t.tx, asked(r), now)
}

// Remember keeps the reply, in the place of one that is too old to count.
func (t *tx) Remember(ctx context.Context, r access.Request, reply string, now time.Time) error {
	return journal.Remember(ctx, t.tx, asked(r), reply, now)
}

// Record writes the audit row.
func (t *tx) Record(ctx context.Context, r access.Request, e access.Entry) error {
	id := r.ID
	if id == "" {
		id = r.TraceID
	}
	return journal.Record(ctx, t.tx, journal.Entry{
		At: e.At, Actor: r.Caller.Name, RequestID: id, Action: e.Action, Entity: e.Entity, EntityID: e.EntityID.String(), Before: e.Before, After: e.After,
	})
}
