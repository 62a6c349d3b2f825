package operators

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// MaxRateChanges is how many changes a diff keeps; all are counted.
const MaxRateChanges = 1000

// RateChangeKind is what a deck does to a price. The zero value is none; the numbers are those of the schema.
type RateChangeKind uint8

// The kinds.
const (
	// RateNew: there was no price.
	RateNew RateChangeKind = iota + 1
	// RateRaised and RateLowered: the price goes up or down, in its currency.
	RateRaised
	RateLowered
	// RateEnded: there is no price any more.
	RateEnded
	// RateCurrency: the currency changes, so that up and down cannot be told.
	RateCurrency
)

// RateChange is one price that a deck changes.
type RateChange struct {
	Kind        RateChangeKind
	Prefix      e164.Prefix
	MessageType MessageTypes
	// Before and After are zero where there is no price.
	Before, After money.Money
	// EffectiveFrom is the moment at which Before would still have counted and After does.
	EffectiveFrom time.Time
	// Line is that of the deck; 0 for a price that ends because the deck does not name it.
	Line int64
}

// RateDiff says what a deck changes, or changed. With bad lines nothing was stored.
//
// It compares what each prefix and message type costs without the deck and with it, from the moment on at which the deck
// begins to count. Each moment at which that begins to differ in another way is one change; a deck that knows of a
// scheduled price may so cause two for one line.
type RateDiff struct {
	New, Raised, Lowered, Ended, Currency int64
	// Unchanged counts the lines of the deck, and the prefixes of a line, that change nothing.
	Unchanged int64
	// Changes are the largest: raised by most percent first, then other currencies, ended, new, and lowered by most
	// percent. At most MaxRateChanges; none in the answer to a repeated request.
	Changes      []RateChange
	BadLines     []BadLine
	BadLineCount int64
	// Applied tells whether the rates are stored. It is true when nothing differed.
	Applied bool
	// ConfigVersion is the version after the import; 0 when nothing was stored.
	ConfigVersion int64
	// Headers are those of the deck, in order; at most MaxHeaders.
	Headers []string
}

// count adds a change.
func (d *RateDiff) count(c RateChange) {
	switch c.Kind {
	case RateNew:
		d.New++
	case RateRaised:
		d.Raised++
	case RateLowered:
		d.Lowered++
	case RateEnded:
		d.Ended++
	case RateCurrency:
		d.Currency++
	}
	d.Changes = append(d.Changes, c)
	if len(d.Changes) >= 2*MaxRateChanges {
		d.rank()
	}
}

// rank sorts the changes and keeps the largest.
func (d *RateDiff) rank() {
	slices.SortFunc(d.Changes, compareChanges)
	d.Changes = d.Changes[:min(len(d.Changes), MaxRateChanges)]
}

// changeKind tells what it means that a price becomes another one.
func changeKind(before, after money.Money) RateChangeKind {
	switch {
	case before.IsZero():
		return RateNew
	case after.IsZero():
		return RateEnded
	case before.Currency != after.Currency:
		return RateCurrency
	case before.Nanos < after.Nanos:
		return RateRaised
	}
	return RateLowered
}

// changeRanks is the order of kinds in a list of changes.
var changeRanks = [...]int{RateRaised: 0, RateCurrency: 1, RateEnded: 2, RateNew: 3, RateLowered: 4}

func compareChanges(a, b RateChange) int {
	if order := cmp.Compare(changeRanks[a.Kind], changeRanks[b.Kind]); order != 0 {
		return order
	}
	order := 0
	switch a.Kind {
	case RateRaised:
		order = compareRatios(b, a)
	case RateLowered:
		order = compareRatios(a, b)
	}
	return cmp.Or(order, cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(a.MessageType, b.MessageType), a.EffectiveFrom.Compare(b.EffectiveFrom))
}

// compareRatios compares After/Before of two changes without rounding. A price that was 0 is raised without end.
func compareRatios(a, b RateChange) int {
	high1, low1 := bits.Mul64(uint64(a.After.Nanos), uint64(b.Before.Nanos))
	high2, low2 := bits.Mul64(uint64(b.After.Nanos), uint64(a.Before.Nanos))
	return cmp.Or(cmp.Compare(high1, high2), cmp.Compare(low1, low2))
}
