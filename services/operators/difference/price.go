package difference

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/google/uuid"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
)

// word is what happens to a price, in the order in which changes are told.
type word uint8

const (
	raised word = iota
	other
	ended
	added
	lowered
)

// priceChange is what happens to the price of an operator for a prefix and a message type.
type priceChange struct {
	word         word
	id, operator uuid.UUID
	prefix       e164.Prefix
	kind         routingv1.MessageType
	// before and after are zero where there is no price.
	before, after money.Money
	// from is when the prices begin to differ; zero when they do now, or when only dates of the past differ.
	from time.Time
}

// priceChanges counts changes and keeps the first.
type priceChanges struct {
	most int
	kept []priceChange
	sums [lowered + 1]int64
}

func (p *priceChanges) add(c priceChange) {
	p.sums[c.word]++
	if p.kept = append(p.kept, c); len(p.kept) >= 2*p.most {
		p.rank()
	}
}

// rank sorts the changes and keeps the first.
func (p *priceChanges) rank() {
	slices.SortFunc(p.kept, func(a, b priceChange) int { return a.compare(&b) })
	p.kept = p.kept[:min(len(p.kept), p.most)]
}

// compare orders by what happens, then by the largest change in percent, then by key.
func (c *priceChange) compare(d *priceChange) int {
	ratio := 0
	switch c.word {
	case raised:
		ratio = compareRatios(d, c)
	case lowered:
		ratio = compareRatios(c, d)
	}
	return cmp.Or(
		cmp.Compare(c.word, d.word), ratio, cmp.Compare(c.prefix, d.prefix), bytes.Compare(c.operator[:], d.operator[:]), cmp.Compare(c.kind, d.kind),
	)
}

// compareRatios compares after/before without rounding. A price that was 0 is raised without end.
func compareRatios(a, b *priceChange) int {
	high1, low1 := bits.Mul64(uint64(a.after.Nanos), uint64(b.before.Nanos))
	high2, low2 := bits.Mul64(uint64(b.after.Nanos), uint64(a.before.Nanos))
	return cmp.Or(cmp.Compare(high1, high2), cmp.Compare(low1, low2))
}

func compareRateKeys(a, b *release.Rate) int {
	return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), bytes.Compare(a.Operator[:], b.Operator[:]), cmp.Compare(a.Type, b.Type))
}

// comparePrices tells what happens to a price; false when nothing does. One of the lists may be empty.
func comparePrices(before, after []release.Rate, now time.Time) (c priceChange, differs bool) {
	if slices.EqualFunc(before, after, func(a, b release.Rate) bool {
		return a.Price == b.Price && a.From.Equal(b.From) && a.To.Equal(b.To)
	}) {
		return c, false
	}
	key := slices.Concat(after, before)[0]
	c = priceChange{word: other, id: key.ID, operator: key.Operator, prefix: key.Prefix, kind: key.Type}
	was, is := periods{ahead: before}, periods{ahead: after}
	for _, at := range momentsOf(before, after, now) {
		old, present := was.at(at), is.at(at)
		if old.Price == present.Price {
			continue
		}
		c.before, c.after, c.word, c.id = old.Price, present.Price, wordOf(old.Price, present.Price), cmp.Or(present.ID, old.ID)
		if at.After(now) {
			c.from = at
		}
		break
	}
	return c, true
}

// momentsOf gives now, and every later moment at which a price begins or ends, in order.
func momentsOf(before, after []release.Rate, now time.Time) []time.Time {
	moments := []time.Time{now}
	for _, list := range [][]release.Rate{before, after} {
		for i := range list {
			for _, at := range []time.Time{list[i].From, list[i].To} {
				if at.After(now) {
					moments = append(moments, at)
				}
			}
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	return moments
}

// periods walks the rates of one key in time. They are sorted by when they begin.
type periods struct {
	ahead []release.Rate
	// open are rates that have begun, the last on top. Those below the top may have ended.
	open []*release.Rate
}

// at gives the rate that counts: of those in force the one that began last. It is zero when none is. Moments must not go
// back.
func (p *periods) at(moment time.Time) release.Rate {
	for len(p.ahead) > 0 && !moment.Before(p.ahead[0].From) {
		p.open, p.ahead = append(p.open, &p.ahead[0]), p.ahead[1:]
	}
	for n := len(p.open); n > 0; n-- {
		if top := p.open[n-1]; top.To.IsZero() || moment.Before(top.To) {
			return *top
		}
		p.open = p.open[:n-1]
	}
	return release.Rate{}
}

func wordOf(before, after money.Money) word {
	switch {
	case before.IsZero():
		return added
	case after.IsZero():
		return ended
	case before.Currency != after.Currency:
		return other
	case before.Nanos < after.Nanos:
		return raised
	}
	return lowered
}

func (c *priceChange) change(names map[uuid.UUID]string) *releasesv1.ReleaseChange {
	out := &releasesv1.ReleaseChange{
		Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RATE, Kind: releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_CHANGED,
		EntityId: c.id.String(), Prefix: c.prefix.String(), OperatorId: c.operator.String(), OperatorName: names[c.operator],
		MessageType: c.kind, Before: amount(c.before), After: amount(c.after),
	}
	switch {
	case c.word == added:
		out.Kind = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED
	case c.word == ended:
		out.Kind = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED
	case c.word != other:
		out.ChangeBasisPoints = basisPoints(c.before.Nanos, c.after.Nanos)
	case c.before == c.after:
		out.Details = append(out.Details, "only dates differ, and no price from now on")
	default:
		out.Details = append(out.Details, changed("currency", c.before.Currency, c.after.Currency))
	}
	if !c.from.IsZero() {
		out.Details = append(out.Details, "from "+c.from.UTC().Format(time.RFC3339Nano))
	}
	return out
}

func amount(m money.Money) *routingv1.Money {
	if m.IsZero() {
		return nil
	}
	return &routingv1.Money{CurrencyCode: m.Currency.String(), Nanos: m.Nanos}
}

// basisPoints is by how many hundredths of a percent a value changes, cut to a whole number towards 0; at most the largest
// number there is, and 0 when it was 0. Neither value is negative.
func basisPoints(before, after int64) int64 {
	const whole = 10_000
	if before == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(max(before, after)-min(before, after)), whole)
	if high >= uint64(before) {
		return math.MaxInt64 // only a rise can be so large
	}
	points, _ := bits.Div64(high, low, uint64(before))
	if points > math.MaxInt64 {
		return math.MaxInt64
	}
	if after < before {
		return -int64(points)
	}
	return int64(points)
}
