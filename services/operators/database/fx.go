package database

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/money"
)

type fxRow struct {
	bun.BaseModel `bun:"table:fx_rates,alias:f"`

	Currency  string `bun:"currency,pk"`
	RateNanos int64  `bun:"rate_nanos"`
}

// FX returns what each currency is worth.
func (t *tx) FX(ctx context.Context) (operators.FX, error) {
	return readFX(bunstore.WithQueryName(ctx, "fx"), t.tx)
}

// ReplaceFX stores what each currency is worth, in place of all there was.
func (t *tx) ReplaceFX(ctx context.Context, fx operators.FX) error {
	ctx = bunstore.WithQueryName(ctx, "put_fx")
	t.untold = true
	if _, err := t.tx.NewDelete().Model((*fxRow)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return bunstore.Fault(err)
	}
	rows := make([]fxRow, 0, len(fx))
	for currency, worth := range fx {
		rows = append(rows, fxRow{Currency: currency.String(), RateNanos: worth})
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := t.tx.NewInsert().Model(&rows).Exec(ctx)
	return bunstore.Fault(err)
}

func readFX(ctx context.Context, db bun.IDB) (operators.FX, error) {
	var rows []fxRow
	if err := db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, bunstore.Fault(err)
	}
	fx := make(operators.FX, len(rows))
	var wrong error
	for _, row := range rows {
		currency, err := money.ParseCurrency(row.Currency)
		wrong = errors.Join(wrong, err)
		fx[currency] = row.RateNanos
	}
	if wrong != nil {
		return nil, corrupt(wrong)
	}
	return fx, nil
}

// FX returns what each currency is worth.
func (s *Store) FX(ctx context.Context) (fx operators.FX, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "fx", func(ctx context.Context, db bun.IDB) (err error) {
		fx, err = readFX(ctx, db)
		return err
	})
	return fx, fresh, err
}
