package database_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
)

const deckHeader = "prefix,price,currency,message_type,mcc,mnc,effective_from,effective_to\n"

type noWorkbooks struct{ operators.Workbooks }

func (k kit) rateImporter() *operators.RateImporter {
	return operators.NewRateImporter(k.store, noWorkbooks{}, k.told, k.clock.Now, slog.New(slog.DiscardHandler))
}

// deck imports a whole price list of Alpha.
func (k kit) deck(t *testing.T, lines string) operators.RateDiff {
	t.Helper()
	diff, err := k.rateImporter().ImportRates(t.Context(), someone, k.whole(t, lines), nil)
	require.NoError(t, err)
	require.Empty(t, diff.BadLines)
	return diff
}

func (k kit) whole(t *testing.T, lines string) operators.Deck {
	t.Helper()
	return operators.Deck{OperatorID: k.id(t, "Alpha"), Scope: operators.FullDeck, File: []byte(deckHeader + lines)}
}

func (k kit) id(t *testing.T, name string) uuid.UUID {
	t.Helper()
	for _, o := range k.allOperators(t) {
		if o.Name == name {
			return o.ID
		}
	}
	require.Fail(t, "there is no operator "+name)
	return uuid.Nil
}

func (k kit) allRates(t *testing.T) []operators.Rate {
	t.Helper()
	all, more, fresh, err := k.store.ListRates(t.Context(), operators.RateFilter{Limit: 1_000_000})
	require.NoError(t, err)
	require.False(t, more)
	require.False(t, fresh.Stale)
	return all
}

// rateTexts writes rates without what differs from run to run.
func rateTexts(all []operators.Rate) []string {
	texts := make([]string, 0, len(all))
	for _, r := range all {
		end := "for ever"
		if !r.EffectiveTo.IsZero() {
			end = r.EffectiveTo.Format(time.DateTime)
		}
		texts = append(texts, fmt.Sprintf("%s %s %s [%s/%s] %s to %s", r.Prefix, r.MessageType, r.Price, r.MCC, r.MNC, r.EffectiveFrom.Format(time.DateTime), end))
	}
	return texts
}

// manyRates are lines of as many prefixes, at a price in cents.
func manyRates(n, cents int) string {
	var lines strings.Builder
	lines.Grow(n * 40)
	for i := range n {
		fmt.Fprintf(&lines, "%d,0.0%d,EUR,SMS,234,01,,\n", 1_000_000+i, cents+i%7)
	}
	return lines.String()
}
