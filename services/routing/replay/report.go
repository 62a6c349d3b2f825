package replay

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
)

// How many rows a report has of each kind.
const (
	maxMoves  = 1000
	maxCosts  = 1000
	maxLosses = 100
)

// report gives the counts in order: moves and losses by messages, costs by how much they differ, then by their names.
func (t *tally) report(names map[uuid.UUID]string, worth map[money.Currency]int64) *releasesv1.ReplayReport {
	return &releasesv1.ReplayReport{
		DecisionCount: t.decided, SameCount: t.same, MovedCount: t.moved, LostCount: t.lost, GainedCount: t.gained, NoRouteCount: t.none,
		Moves: t.reportMoves(names), Costs: reportCosts(t.costs, names, worth), Totals: t.totals(worth), Losses: t.reportLosses(),
	}
}

func (t *tally) reportMoves(names map[uuid.UUID]string) (out []*releasesv1.ReplayMove) {
	for _, m := range first(t.moves, maxMoves, func(a, b move) int {
		return cmp.Or(cmp.Compare(t.moves[b], t.moves[a]), bytes.Compare(a.from[:], b.from[:]), bytes.Compare(a.to[:], b.to[:]))
	}) {
		out = append(out, &releasesv1.ReplayMove{
			FromOperatorId: idText(m.from), FromOperatorName: names[m.from], ToOperatorId: idText(m.to), ToOperatorName: names[m.to], Count: t.moves[m],
		})
	}
	return out
}

func (t *tally) reportLosses() (out []*releasesv1.ReplayLoss) {
	for _, l := range first(t.losses, maxLosses, func(a, b loss) int {
		return cmp.Or(cmp.Compare(t.losses[b], t.losses[a]), cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.reason, b.reason))
	}) {
		out = append(out, &releasesv1.ReplayLoss{Prefix: l.prefix.String(), Reason: l.reason, Count: t.losses[l]})
	}
	return out
}

func (t *tally) totals(worth map[money.Currency]int64) []*releasesv1.ReplayCost {
	sums := map[costOf]*cost{}
	for currency, sum := range t.sums {
		sums[costOf{currency: currency}] = sum
	}
	return reportCosts(sums, nil, worth)
}

func reportCosts(costs map[costOf]*cost, names map[uuid.UUID]string, worth map[money.Currency]int64) (out []*releasesv1.ReplayCost) {
	for _, k := range first(costs, maxCosts, func(a, b costOf) int {
		return cmp.Or(
			-compareDifferences(costs[a], costs[b], worthOf(worth, a.currency), worthOf(worth, b.currency)),
			bytes.Compare(a.operator[:], b.operator[:]), bytes.Compare(a.code[:], b.code[:]), bytes.Compare(a.currency[:], b.currency[:]),
		)
	}) {
		c := costs[k]
		row := &releasesv1.ReplayCost{
			OperatorId: idText(k.operator), OperatorName: names[k.operator], CallingCode: k.code.String(),
			BeforeCount: c[0].count, AfterCount: c[1].count, Before: amount(k.currency, c[0]), After: amount(k.currency, c[1]),
		}
		out = append(out, row)
	}
	return out
}

// worthOf is what a unit of a currency is worth; one that has no FX rate counts like the base currency.
func worthOf(worth map[money.Currency]int64, currency money.Currency) uint64 {
	if nanos := worth[currency]; nanos > 0 {
		return uint64(nanos)
	}
	return money.NanosPerUnit
}

// compareDifferences compares how much costs differ, whichever way, in the base currency and without rounding.
func compareDifferences(a, b *cost, worthA, worthB uint64) int {
	high1, low1 := bits.Mul64(a.difference(), worthA)
	high2, low2 := bits.Mul64(b.difference(), worthB)
	return cmp.Or(cmp.Compare(high1, high2), cmp.Compare(low1, low2))
}

func (c *cost) difference() uint64 {
	return uint64(max(c[0].nanos, c[1].nanos) - min(c[0].nanos, c[1].nanos))
}

// amount is absent where nothing was sent, and where no price is known.
func amount(currency money.Currency, of struct{ count, nanos int64 }) *routingv1.Money {
	if of.count == 0 || currency.IsZero() {
		return nil
	}
	return &routingv1.Money{CurrencyCode: currency.String(), Nanos: of.nanos}
}

func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// first gives the keys that come first in an order, at most so many.
func first[K comparable, V any](of map[K]V, most int, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(of))
	for k := range of {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys[:min(len(keys), most)]
}
