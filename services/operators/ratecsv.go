package operators

import (
	"encoding/csv"
	"io"
	"time"
)

// WriteRates writes the rates of one operator as a deck that reads back to the same rates. The operator is not in it.
//
// Spreadsheets run a cell that starts with = + - @ as a formula. Only prefixes start with one of these, by contract, and
// they hold nothing but digits after it.
func WriteRates(w io.Writer, all []Rate) error {
	out := csv.NewWriter(w)
	columns := []column{colPrefix, colPrice, colCurrency, colMessageType, colMCC, colMNC, colFrom, colTo}
	record := make([]string, 0, len(columns))
	for _, c := range columns {
		record = append(record, deckColumns[c])
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, r := range all {
		to := ""
		if !r.EffectiveTo.IsZero() {
			to = momentText(r.EffectiveTo)
		}
		record = append(record[:0], r.Prefix.String(), r.Price.Decimal(), r.Price.Currency.String(), r.MessageType.String(),
			guard(r.MCC), guard(r.MNC), momentText(r.EffectiveFrom), to)
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func momentText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
