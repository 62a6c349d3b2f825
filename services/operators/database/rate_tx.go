package database

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
)

var _ operators.RateTx = (*tx)(nil)

// RatesFrom returns the operator's rates that count at a moment or later. One statement reads them all: in pages, a
// table without statistics would be sorted anew for each.
func (t *tx) RatesFrom(ctx context.Context, operator uuid.UUID, from time.Time) ([]operators.Rate, error) {
	rows, err := t.tx.NewSelect().Table("rates").ColumnExpr(rateColumns).Where("operator_id = ?", operator).
		Where("effective_to IS NULL OR effective_to > ?", from).Rows(bunstore.WithQueryName(ctx, "rates_of_operator"))
	if err != nil {
		return nil, bunstore.Fault(err)
	}
	return scanRates(rows, 0)
}

// StoreRates deletes rates, then inserts rates or replaces price, network and end of those with the same id.
func (t *tx) StoreRates(ctx context.Context, put []operators.Rate, gone []uuid.UUID, stored func(done int64)) error {
	t.untold = true
	done := int64(0)
	report := func(n int) {
		if done += int64(n); stored != nil {
			stored(done)
		}
	}
	// First what goes: a new rate may take the start of one that goes.
	deleting := bunstore.WithQueryName(ctx, "delete_rates")
	for part := range slices.Chunk(gone, chunk) {
		if _, err := t.tx.NewDelete().Table("rates").Where("rate_id IN (?)", bun.List(part)).Exec(deleting); err != nil {
			return bunstore.Fault(err)
		}
		report(len(part))
	}
	putting := bunstore.WithQueryName(ctx, "put_rates")
	rows := make([]rateRow, 0, min(len(put), chunk))
	for part := range slices.Chunk(put, chunk) {
		rows = rows[:0]
		for _, rate := range part {
			rows = append(rows, fromRate(rate))
		}
		// Without it bun would ask for each row back, because of the ends that are NULL.
		query := t.tx.NewInsert().Model(&rows).On("CONFLICT (rate_id) DO UPDATE").Returning("NULL")
		for _, column := range []string{"price_nanos", "currency", "mcc", "mnc", "effective_to"} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		if _, err := query.Exec(putting); err != nil {
			return bunstore.Fault(err)
		}
		report(len(part))
	}
	return nil
}
