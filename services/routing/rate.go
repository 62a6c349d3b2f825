package routing

import (
	"math/bits"
	"sort"
)

// rateRange is the rates of one prefix along a number.
type rateRange struct {
	lo, hi uint32
	sign   uint64
	depth  uint8
}

// sign is one bit for an operator. What has not all bits of its sign has no row of it; the reverse holds for the first 64
// operators only.
func sign(operator uint32) uint64 { return 1 << (operator & 63) }

// rateKey is a prefix with rates. Its rows end where those of the next key begin.
type rateKey struct {
	sign uint64
	row  uint32
}

// rateKeys gives the keys in the order of the runs of their trie, which they replace.
func rateKeys(runs []uint32, rows []rateRow) []rateKey {
	keys := make([]rateKey, len(runs))
	for at := range keys {
		keys[at].row = runs[at]
		if at+1 == len(keys) {
			break
		}
		for i := runs[at]; i < runs[at+1]; i++ {
			keys[at].sign |= sign(rows[i].operator)
		}
	}
	return keys
}

// ranges finds the prefixes along the number that have rates, longest first.
func (s *search) ranges() {
	s.ratesReady = true
	if s.d.rates == nil {
		s.d.rates = make([]rateRange, 0, maxDepth)
	}
	s.d.rates = s.d.rates[:0]
	var p path
	s.t.rates.walk(s.digits, &p)
	for n, place, depth, ok := p.next(); ok; n, place, depth, ok = p.next() {
		k := s.t.rateKeys[n.row+place:][:2]
		s.d.rates = append(s.d.rates, rateRange{k[0].row, k[1].row, k[0].sign, uint8(depth)})
	}
}

// rate finds the operator's own longest prefix with a rate in force.
func (s *search) rate(c *scored) {
	bit := sign(c.operator)
	// All prefixes are looked at before the first that may have a rate is taken: a loop that ends somewhere else each time
	// costs more.
	may := uint32(0)
	for i := range s.d.rates {
		may |= uint32(s.d.rates[i].sign>>(c.operator&63)&1) << i
	}
	for ; may != 0; may &= may - 1 {
		found := &s.d.rates[bits.TrailingZeros32(may)]
		rows := s.t.rateRows[found.lo:found.hi]
		// Where each of the first 64 operators has one row at most, its place can be counted.
		at := bits.OnesCount64(found.sign & (bit - 1))
		if at >= len(rows) || rows[at].operator != c.operator || at > 0 && rows[at-1].operator == c.operator {
			at = sort.Search(len(rows), func(j int) bool { return rows[j].operator >= c.operator })
		}
		for ; at < len(rows) && rows[at].operator == c.operator; at++ {
			r := &rows[at]
			if r.kind == s.q.Type && (r.span == 0 || s.t.spans[r.span].holds(s.now)) {
				c.nanos, c.currency, c.rateDepth = r.nanos, r.currency, found.depth
				return
			}
		}
	}
}
