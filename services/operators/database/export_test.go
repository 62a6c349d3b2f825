package database

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/operators"
)

// SnapshotBy is Snapshot whose statements read so many rules or rates.
func (s *Store) SnapshotBy(ctx context.Context, page int, now time.Time, give func(operators.Snapshot) error) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		shot := snapshot{tx: tx, now: now, page: page, give: give}
		return shot.run(ctx, false)
	})
}
