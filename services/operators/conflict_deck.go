package operators

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
)

// deck is the rates of one operator for one message type that count now or later.
type deck struct {
	nest
	// first has, for each area, the index of its first price, and the number of prices at the end.
	first  []int32
	prices []deckPrice
	// currencies is every currency in it.
	currencies []money.Currency
	// dear tells that a price in it is above the ceiling.
	dear bool
}

type deckPrice struct {
	span  span
	price money.Money
}

type deckKey struct {
	operator uuid.UUID
	kind     int
}

// at gives the price for an area at a moment, by its index; the zero Money is none. Of several in force the one that
// began last counts.
func (d *deck) at(i int, at int64) money.Money {
	for _, one := range d.prices[d.first[i]:d.first[i+1]] {
		if one.span.holds(at) {
			return one.price
		}
	}
	return money.Money{}
}

// price gives the price for all numbers of an area at a moment, as far as shorter and equal prefixes tell, and whether
// no longer prefix in the area tells otherwise.
func (d *deck) price(q area, at int64) (price money.Money, same bool) {
	i, same := d.nearest(q)
	for ; i >= 0; i = int(d.up[i]) {
		if price = d.at(i, at); !price.IsZero() {
			break
		}
	}
	return price, same
}

// sortDecks sorts the rates that matter: those of candidates whose price is looked up.
func (c *checker) sortDecks() map[deckKey]*deck {
	needed := make(map[uuid.UUID]bool)
	for i := range c.set.Rules {
		for _, operator := range c.set.Rules[i].unpriced(c.set.Ceiling) {
			needed[operator] = true
		}
	}
	type row struct {
		deckKey
		at area
		deckPrice
	}
	var rows []row
	for i := range c.set.Rates {
		r := &c.set.Rates[i]
		one := row{deckKey{r.OperatorID, bits.TrailingZeros8(uint8(r.MessageType))}, areaOf(r.Prefix), deckPrice{spanOf(r.EffectiveFrom, r.EffectiveTo), r.Price}}
		if needed[r.OperatorID] && one.at != 0 && one.kind < len(messageTypeNames) && !r.Price.IsZero() {
			rows = append(rows, one)
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(bytes.Compare(a.operator[:], b.operator[:]), cmp.Compare(a.kind, b.kind), cmp.Compare(a.at, b.at),
			cmp.Compare(b.span.from, a.span.from), cmp.Compare(a.price.Nanos, b.price.Nanos))
	})
	decks := make(map[deckKey]*deck)
	for from := 0; from < len(rows); {
		d := &deck{}
		var areas []area
		to := from
		for ; to < len(rows) && rows[to].deckKey == rows[from].deckKey; to++ {
			if to == from || rows[to-1].at != rows[to].at {
				areas = append(areas, rows[to].at)
				d.first = append(d.first, int32(len(d.prices)))
			}
			d.prices = append(d.prices, rows[to].deckPrice)
			if currency := rows[to].price.Currency; !slices.Contains(d.currencies, currency) {
				d.currencies = append(d.currencies, currency)
			}
			d.dear = d.dear || c.set.FX.exceeds(rows[to].price, c.set.Ceiling)
		}
		d.first = append(d.first, int32(len(d.prices)))
		d.nest = newNest(areas)
		decks[rows[from].deckKey] = d
		from = to
	}
	return decks
}

// comparable reports whether prices in the currencies have one order.
func (f FX) comparable(currencies []money.Currency) bool {
	for _, currency := range currencies {
		if currency != currencies[0] {
			return !slices.ContainsFunc(currencies, func(c money.Currency) bool { return !f.knows(c) })
		}
	}
	return true
}

func (f FX) knows(currency money.Currency) bool { return f[currency] > 0 }

// exceeds reports whether a price is above a ceiling, if the two can be compared.
func (f FX) exceeds(price, ceiling money.Money) bool {
	if price.IsZero() || ceiling.IsZero() {
		return false
	}
	if price.Currency == ceiling.Currency {
		return price.Nanos > ceiling.Nanos
	}
	x, y := f[price.Currency], f[ceiling.Currency]
	if x <= 0 || y <= 0 {
		return false
	}
	high, low := bits.Mul64(uint64(price.Nanos), uint64(x))
	limitHigh, limitLow := bits.Mul64(uint64(ceiling.Nanos), uint64(y))
	return high > limitHigh || high == limitHigh && low > limitLow
}
