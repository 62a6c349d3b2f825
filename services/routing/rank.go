package routing

import (
	"bytes"
	"cmp"
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

// price is a 128-bit product of nanos and FX rate: exact, so that no rounding decides a route.
type price struct {
	hi, lo uint64
}

func (p price) compare(q price) int {
	if c := cmp.Compare(p.hi, q.hi); c != 0 {
		return c
	}
	return cmp.Compare(p.lo, q.lo)
}

// comparePrices makes prices comparable. In one currency the nanos are enough. When the usable
// candidates mix currencies, each needs an FX rate; one without is out under COST and counts as unpriced
// elsewhere.
func comparePrices(t *Table, list []scored, strategy Strategy) {
	var first uint16
	mixed := false
	for i := range list {
		c := &list[i]
		if c.rejection != NotRejected || c.currency == 0 {
			continue
		}
		if first == 0 {
			first = c.currency
		}
		mixed = mixed || c.currency != first
	}
	for i := range list {
		c := &list[i]
		switch {
		case c.currency == 0:
		case !mixed:
			c.key, c.hasKey = price{lo: uint64(c.nanos)}, true
		case t.currencies[c.currency].rate != 0:
			c.key.hi, c.key.lo = bits.Mul64(uint64(c.nanos), t.currencies[c.currency].rate)
			c.hasKey = true
		case strategy == Cost && c.rejection == NotRejected:
			c.rejection = RejectedNoFXRate
		}
	}
}

// insertionLimit is the list length up to which insertion sort is faster than the library's; real
// rules have 2 to 5 candidates.
const insertionLimit = 24

func (s *search) sort(list []scored, strategy Strategy) {
	if len(list) > insertionLimit {
		slices.SortFunc(list, func(a, b scored) int { return s.compare(&a, &b, strategy) })
		return
	}
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && s.compare(&list[j], &list[j-1], strategy) < 0; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

func (s *search) compare(a, b *scored, strategy Strategy) int {
	c := cmp.Compare(a.class, b.class)
	if c != 0 {
		return c
	}
	switch strategy {
	case Cost:
		if c = comparePrice(a, b); c == 0 {
			c = cmp.Compare(a.priority, b.priority)
		}
	case Priority:
		if c = cmp.Compare(a.priority, b.priority); c == 0 {
			c = cmp.Compare(b.weight, a.weight)
		}
		if c == 0 {
			c = comparePrice(a, b)
		}
	case Weighted:
		c = cmp.Compare(a.draw, b.draw)
	default:
		c = cmp.Compare(a.priority, b.priority)
	}
	if c != 0 {
		return c
	}
	x, y := s.t.operators[a.operator].Operator, s.t.operators[b.operator].Operator
	return bytes.Compare(x.ID[:], y.ID[:])
}

func comparePrice(a, b *scored) int {
	switch {
	case a.hasKey && b.hasKey:
		return a.key.compare(b.key)
	case a.hasKey:
		return -1
	case b.hasKey:
		return 1
	}
	return 0
}
