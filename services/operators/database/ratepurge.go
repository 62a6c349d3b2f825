package database

import (
	"context"
	"time"

	"trunkline/services/platform/bunstore"
)

const (
	// purgeBatch is how many rates one statement deletes, so that no lock is held for long.
	purgeBatch = 5_000
	// purgeLimit bounds one of them.
	purgeLimit = 30 * time.Second
)

// PurgeRates deletes the rates that ended before a moment and returns how many. Whoever decides by rates asks for those
// that count at the time only, so the versions stay as they are.
func (s *Store) PurgeRates(ctx context.Context, before time.Time) (int, error) {
	for purged := 0; ; {
		n, err := s.purgeRates(ctx, before)
		purged += n
		if err != nil || n < purgeBatch {
			return purged, err
		}
	}
}

func (s *Store) purgeRates(ctx context.Context, before time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "purge_rates"), purgeLimit)
	defer cancel()
	ended := s.db.NewSelect().Table("rates").Column("rate_id").Where("effective_to < ?", before).Limit(purgeBatch)
	result, err := s.db.NewDelete().Table("rates").Where("rate_id IN (?)", ended).Exec(ctx)
	if err != nil {
		return 0, bunstore.Fault(err)
	}
	n, err := result.RowsAffected()
	return int(n), bunstore.Fault(err)
}
