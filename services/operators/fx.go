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

// SetFX replaces the table of what each currency is worth, and returns it as stored. When a currency is in it no more,
// it warns of COST rules whose prices cannot be compared then; Errors counts none.
func (a *RuleAdmin) SetFX(ctx context.Context, r Request, fx FX) (FX, Report, error) {
	if err := fx.check(); err != nil {
		return nil, Report{}, err
	}
	answer := fx
	var lost bool
	err := a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (string, error) {
			answer, lost = fx, false
			before, err := tx.FX(ctx)
			if err != nil || maps.Equal(before, fx) {
				return "{}", err
			}
			lost = slices.ContainsFunc(before.currencies(), func(c money.Currency) bool { return !fx.knows(c) })
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
			lost = false
			answer, err = tx.FX(ctx)
			return err
		},
	})
	if err != nil {
		return nil, Report{}, err
	}
	if !lost {
		return answer, Report{}, nil
	}
	return answer, a.mixedUnder(ctx, answer), nil
}

// mixedLimit bounds the check of all rules after a change of the table.
const mixedLimit = 5 * time.Second

// mixedUnder warns of COST rules whose prices cannot be compared under a table. It looks at all rules and their rates, so
// it runs when the table is stored: nothing waits for it, and when it takes too long or fails it says just that.
func (a *RuleAdmin) mixedUnder(ctx context.Context, fx FX) Report {
	ctx, cancel := context.WithTimeout(ctx, mixedLimit)
	defer cancel()
	set := RuleSet{Now: moment(a.now()), FX: fx, only: aboutCurrencies}
	err := a.startCheck(ctx)
	if err == nil {
		defer a.endCheck()
		err = a.load(ctx, &set, nil)
	}
	if err != nil {
		return Report{Warnings: 1, Findings: []Finding{{
			Severity: SeverityWarning, Reason: FindingUnchecked,
			Message: "Whether the prices of COST rules can still be compared was not checked in time: check all rules.",
		}}}
	}
	report := Check(set)
	// The table is in force whatever they say.
	for i := range report.Findings {
		report.Findings[i].Severity = SeverityWarning
	}
	report.Errors, report.Warnings = 0, report.Errors+report.Warnings
	return report
}
