package operators

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"trunkline/services/platform/money"
)

// MaxFX is how many currencies a table of exchange rates may hold.
const MaxFX = 200

// check returns nil, or an InvalidArgument fault with everything that is wrong.
func (f FX) check() error {
	var v violations
	if len(f) == 0 || len(f) > MaxFX {
		v.check("fx_rates", "must hold 1 to 200 currencies")
	}
	var bases []string
	for _, currency := range f.currencies() {
		worth := f[currency]
		if _, err := money.ParseCurrency(currency.String()); err != nil {
			v.check("fx_rates.currency_code", currencyProblem)
		}
		if worth <= 0 {
			v.check("fx_rates.rate_nanos", "must be above 0, also for "+shown(currency.String()))
		}
		if worth == money.NanosPerUnit {
			bases = append(bases, currency.String())
		}
	}
	switch {
	case len(bases) == 0:
		v.check("fx_rates", "must have one base currency, with 1000000000")
	case len(bases) > 1:
		v.check("fx_rates", "must have only one base currency with 1000000000, not "+strings.Join(bases, " and "))
	}
	return invalid(v)
}

// currencies are those of the table, in order.
func (f FX) currencies() []money.Currency {
	return slices.SortedFunc(maps.Keys(f), func(a, b money.Currency) int { return slices.Compare(a[:], b[:]) })
}

// audited writes the table for the audit log.
func (f FX) audited() []byte {
	table := make(map[string]int64, len(f))
	for currency, worth := range f {
		table[currency.String()] = worth
	}
	return mustJSON(table)
}

// SetFX replaces the table of what each currency is worth, and returns it as stored.
func (a *Admin) SetFX(ctx context.Context, r Request, fx FX) (FX, error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	if err := fx.check(); err != nil {
		return nil, err
	}
	answer := fx
	_, err := a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (string, error) {
			answer = fx
			before, err := tx.FX(ctx)
			if err != nil || maps.Equal(before, fx) {
				return "{}", err
			}
			if err := tx.ReplaceFX(ctx, fx); err != nil {
				return "", err
			}
			version, err := tx.RaiseConfigVersion(ctx, true, at)
			if err != nil {
				return "", err
			}
			return "{}", tx.Record(ctx, r, Entry{
				Action: "fx.set", Entity: "fx", Before: before.audited(), After: fx.audited(), At: at,
				Events: []Event{{ID: newID(), Kind: EventUpdated, ConfigVersion: version, OccurredAt: at}},
			})
		},
		again: func(ctx context.Context, tx Tx, _ string) (err error) {
			answer, err = tx.FX(ctx)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}
