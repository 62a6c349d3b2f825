package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

type rateRow struct {
	bun.BaseModel `bun:"table:rates,alias:t"`

	RateID        uuid.UUID  `bun:"rate_id,pk"`
	OperatorID    uuid.UUID  `bun:"operator_id"`
	Prefix        string     `bun:"prefix"`
	MCC           string     `bun:"mcc"`
	MNC           string     `bun:"mnc"`
	MessageType   string     `bun:"message_type"`
	PriceNanos    int64      `bun:"price_nanos"`
	Currency      string     `bun:"currency"`
	EffectiveFrom time.Time  `bun:"effective_from"`
	EffectiveTo   *time.Time `bun:"effective_to"`
}

// rateColumns is the order of rate.fields.
const rateColumns = `rate_id, operator_id, prefix, mcc, mnc, message_type, price_nanos, currency, effective_from, effective_to`

func fromRate(r operators.Rate) rateRow {
	return rateRow{
		RateID: r.ID, OperatorID: r.OperatorID, Prefix: r.Prefix.String(), MCC: r.MCC, MNC: r.MNC,
		MessageType: r.MessageType.String(), PriceNanos: r.Price.Nanos, Currency: r.Price.Currency.String(),
		EffectiveFrom: r.EffectiveFrom, EffectiveTo: optional(r.EffectiveTo),
	}
}

// scannedRate is a row as it is read: an operator may have a million, so they are read one by one.
type scannedRate struct {
	id, operator                     uuid.UUID
	prefix, mcc, mnc, kind, currency string
	nanos                            int64
	from, to                         bun.NullTime
}

func (s *scannedRate) fields() []any {
	return []any{&s.id, &s.operator, &s.prefix, &s.mcc, &s.mnc, &s.kind, &s.nanos, &s.currency, &s.from, &s.to}
}

func (s *scannedRate) rate() (operators.Rate, error) {
	prefix, err1 := e164.ParsePrefix(s.prefix)
	kind, err2 := operators.ParseMessageTypes(s.kind)
	price, err3 := money.FromNanos(s.nanos, s.currency)
	rate := operators.Rate{
		ID: s.id, OperatorID: s.operator, Prefix: prefix, MCC: s.mcc, MNC: s.mnc, MessageType: kind, Price: price,
		EffectiveFrom: s.from.UTC(),
	}
	if !s.to.IsZero() {
		rate.EffectiveTo = s.to.UTC()
	}
	return rate, errors.Join(err1, err2, err3)
}

// scanRates reads all rows and closes them.
func scanRates(rows *sql.Rows, size int) (all []operators.Rate, err error) {
	all = make([]operators.Rate, 0, size)
	var row scannedRate
	err = each(rows, row.fields(), func() error {
		rate, err := row.rate()
		all = append(all, rate)
		return err
	})
	return all, err
}

// each reads row after row into the same fields, calls take after each, whose error is about the row, and closes them.
func each(rows *sql.Rows, fields []any, take func() error) (err error) {
	defer func() { err = errors.Join(err, bunstore.Fault(rows.Close())) }()
	for rows.Next() {
		if err := rows.Scan(fields...); err != nil {
			return bunstore.Fault(err)
		}
		if err := take(); err != nil {
			return corrupt(err)
		}
	}
	return bunstore.Fault(rows.Err())
}

// ListRates returns a page of rates by operator, prefix, message type and start, and whether there are more.
func (s *Store) ListRates(
	ctx context.Context, filter operators.RateFilter,
) (page []operators.Rate, more bool, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "list_rates", func(ctx context.Context, db bun.IDB) (err error) {
		page, more, err = listRates(ctx, db, filter)
		return err
	})
	return page, more, fresh, err
}

// rateOrder are the columns of operators.RateKey in the order of lists.
const rateOrder = "operator_id, prefix, message_type, effective_from"

func listRates(ctx context.Context, db bun.IDB, f operators.RateFilter) ([]operators.Rate, bool, error) {
	query := db.NewSelect().Table("rates").ColumnExpr(rateColumns).OrderExpr(rateOrder).Limit(int64(f.Limit) + 1)
	if f.OperatorID != uuid.Nil {
		query = query.Where("operator_id = ?", f.OperatorID)
	}
	if f.Prefix != "" {
		query = query.Where("prefix BETWEEN ? AND ?", f.Prefix.String(), lastInside(f.Prefix))
	}
	if !f.InForceAt.IsZero() {
		query = query.Where("effective_from <= ?0 AND (effective_to IS NULL OR effective_to > ?0)", f.InForceAt)
	}
	if k := f.After; k != nil {
		query = query.Where("("+rateOrder+") > (?, ?, ?, ?)", k.OperatorID, k.Prefix.String(), k.MessageType.String(), k.EffectiveFrom)
	}
	rows, err := query.Rows(ctx)
	if err != nil {
		return nil, false, bunstore.Fault(err)
	}
	all, err := scanRates(rows, f.Limit+1)
	return all[:min(f.Limit, len(all))], len(all) > f.Limit, err
}
