package database

import (
	"context"
	"time"

	"trunkline/services/operators"
	"trunkline/services/platform/journal"
)

func asked(r operators.Request) journal.Request {
	return journal.Request{Actor: r.Actor, ID: r.ID, Fingerprint: r.Fingerprint}
}

// Repeated tells whether the request was carried out within operators.RequestLife, and the reply of then.
func (t *tx) Repeated(ctx context.Context, r operators.Request, now time.Time) (string, bool, error) {
	return journal.Repeated(ctx, t.tx, asked(r), now)
}

// Remember keeps the reply, in the place of one that is too old to count.
func (t *tx) Remember(ctx context.Context, r operators.Request, reply string, now time.Time) error {
	return journal.Remember(ctx, t.tx, asked(r), reply, now)
}

// PurgeRequests forgets the requests from before a moment and returns how many. Those older than operators.RequestLife
// do not count anyway.
func (s *Store) PurgeRequests(ctx context.Context, before time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	return journal.Forget(ctx, s.db, before)
}
