package routing

import (
	"math"
	"math/bits"
	"slices"
)

// Orders, to the last tie:
//
//	COST      class (known, degraded, unknown), price, priority, operator id
//	PRIORITY  class (known, degraded, unknown), priority, weight (higher first), price, operator id
//	FAILOVER  class (known, unknown), priority, operator id
//	WEIGHTED  class (known, unknown), weight 0 last, draw, operator id
//
// A candidate without a price ranks behind those with one. FAILOVER stays on a degraded primary;
// WEIGHTED keeps the shares that the weights promise.

// Health classes.
const (
	classKnown uint8 = iota
	classDegraded
	classUnknown
)

func classOf(h healthWord, known bool, strategy Strategy) uint8 {
	switch {
	case !known:
		return classUnknown
	case (strategy == Cost || strategy == Priority) && (h.quality() == Degraded || h.bind() == Failback):
		return classDegraded
	}
	return classKnown
}

// standing is where a candidate stands among the others as one number of 256 bits, highest word first: the lowest is the
// best, and no two are equal. So one comparison without branches serves every strategy.
type standing [4]uint64

// before gives 1 when s is lower than o, else 0.
func (s *standing) before(o *standing) uint64 {
	_, borrow := bits.Sub64(s[3], o[3], 0)
	_, borrow = bits.Sub64(s[2], o[2], borrow)
	_, borrow = bits.Sub64(s[1], o[1], borrow)
	_, borrow = bits.Sub64(s[0], o[0], borrow)
	return borrow
}

// noPrice ranks behind every price: those are at most the product of two numbers of 63 bits.
const noPrice = 1<<63 - 1

// stand sets the standing of a usable candidate. Its price has two words: of nanos and FX rate the whole product, so that
// no rounding decides a route.
func (c *scored) stand(strategy Strategy, priceHigh, priceLow uint64) {
	class := uint64(c.class) << 62
	priority := uint64(uint32(c.priority) ^ 1<<31) // in the order of unsigned numbers
	s := &c.standing                               // its words are set one by one: a copy of all would wait for them
	s[0], s[3] = class, uint64(c.order)
	switch strategy {
	case Cost:
		s[1], s[2], s[3] = priceHigh, priceLow, priority<<32|uint64(c.order)
	case Priority:
		light := uint64(math.MaxInt32 - c.weight) // 31 bits, of which the lowest goes into the second word
		s[0], s[1], s[2] = class|priority<<30|light>>1, light<<63|priceHigh, priceLow
	case Weighted:
		s[1] = math.Float64bits(c.draw)
	default:
		s[3] = priority<<32 | uint64(c.order)
	}
}

// standOutside sets the standing of a candidate that is out: behind all usable ones, in the order of the rule.
func (c *scored) standOutside(place int) {
	c.standing = standing{3 << 62, math.MaxUint64, math.MaxUint64, uint64(place)}
}

// stands gives every candidate its standing and counts the usable ones. When those mix currencies, each needs an FX rate;
// one without is out under COST and counts as unpriced elsewhere. In one currency the nanos are enough.
func (s *search) stands(list []scored, strategy Strategy, mixed bool) (usable int) {
	for i := range list {
		c := &list[i]
		high, low := uint64(0), uint64(c.nanos)
		switch {
		case c.currency == 0:
			high, low = noPrice, math.MaxUint64
		case mixed:
			if rate := s.t.currencies[c.currency].rate; rate != 0 {
				high, low = bits.Mul64(low, rate)
				break
			}
			high, low = noPrice, math.MaxUint64
			if strategy == Cost && c.rejection == NotRejected {
				c.rejection = RejectedNoFXRate
			}
		}
		if c.rejection != NotRejected {
			c.standOutside(i)
			continue
		}
		c.stand(strategy, high, low)
		usable++
	}
	return usable
}

// countLimit is the length up to which counting who is better takes less time than sorting; real rules have 2 to 5
// candidates.
const countLimit = 16

// rank gives the places of the candidates by standing.
func rank(list []scored, places []uint16) {
	if len(list) > countLimit {
		for i := range places {
			places[i] = uint16(i)
		}
		slices.SortStableFunc(places, func(a, b uint16) int {
			return int(list[b].standing.before(&list[a].standing)) - int(list[a].standing.before(&list[b].standing))
		})
		return
	}
	var better [countLimit]uint64 // how many are better than each
	for i := 1; i < len(list); i++ {
		for j := range i {
			wins := list[i].standing.before(&list[j].standing)
			better[j] += wins
			better[i] += 1 - wins
		}
	}
	for i := range list {
		places[better[i&(countLimit-1)]] = uint16(i)
	}
}
