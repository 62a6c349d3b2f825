package routing

import "math/bits"

// maxDepth is the longest prefix in digits (ITU-T E.164).
const maxDepth = 15

// node is one digit string of a trie. Its children lie next to each other in digit order, so a bit per
// digit and the place of the first child are enough: the child of digit d is as many places behind
// first as bits below d are set (the bitmap idea of Bagwell, "Ideal Hash Trees", 2001). Its entries
// start at entry and end where those of the next node start.
type node struct {
	digits uint16 // bit d set: there is a child for digit d
	first  uint32 // place of the first child in the trie
	entry  uint32 // place of the first entry in the rows the trie indexes
}

// trie maps digit strings to ranges of rows. Nodes lie in breadth-first order: the few short prefixes
// that every number passes stay together and so in the processor's cache. The last node is a
// sentinel that only ends the rows of the node before.
type trie struct {
	nodes []node
	// depth is the length in digits of the longest key.
	depth int
}

// buildTrie indexes rows whose keys are sorted ascending; equal keys are one range. It reports, in row
// order of the finished trie, where each range of equal keys went: order[i] is the place in keys of
// row i. Rows must be laid out in that order.
func buildTrie(keys []string) (t trie, order []uint32) {
	type span struct{ lo, hi uint32 } // keys below one node
	level := []span{{0, uint32(len(keys))}}
	order = make([]uint32, 0, len(keys))
	var next []span
	for depth := 0; len(level) > 0; depth++ {
		first := uint32(len(t.nodes) + len(level)) // children come after this whole level
		next = next[:0]
		t.depth = depth
		for _, s := range level {
			n := node{first: first, entry: uint32(len(order))}
			at := s.lo
			for at < s.hi && len(keys[at]) == depth {
				order = append(order, at)
				at++
			}
			for at < s.hi {
				digit := keys[at][depth]
				end := at + 1
				for end < s.hi && keys[end][depth] == digit {
					end++
				}
				n.digits |= 1 << (digit - '0')
				next = append(next, span{at, end})
				first++
				at = end
			}
			t.nodes = append(t.nodes, n)
		}
		level, next = next, level
	}
	t.nodes = append(t.nodes, node{entry: uint32(len(order))})
	return t, order
}

// path holds the nodes with entries along one number, shortest prefix first.
type path struct {
	n     int
	node  [maxDepth + 1]uint32
	depth [maxDepth + 1]uint8
}

// walk collects the nodes that have entries and whose prefix starts the digits.
func (t *trie) walk(digits string, p *path) {
	p.n = 0
	if len(t.nodes) == 0 {
		return
	}
	at := uint32(0)
	for depth := 0; ; depth++ {
		n := &t.nodes[at]
		if n.entry != t.nodes[at+1].entry {
			p.node[p.n], p.depth[p.n] = at, uint8(depth)
			p.n++
		}
		if depth == len(digits) || depth == maxDepth {
			return
		}
		bit := uint16(1) << (digits[depth] - '0')
		if n.digits&bit == 0 {
			return
		}
		at = n.first + uint32(bits.OnesCount16(n.digits&(bit-1)))
	}
}

// rows gives the range of rows of a node.
func (t *trie) rows(at uint32) (lo, hi uint32) {
	return t.nodes[at].entry, t.nodes[at+1].entry
}

// each gives every key that has rows, in ascending order, with the range of its rows. visit must not keep the key.
func (t *trie) each(visit func(key []byte, lo, hi uint32)) {
	t.below(0, make([]byte, 0, maxDepth), visit)
}

func (t *trie) below(at uint32, key []byte, visit func(key []byte, lo, hi uint32)) {
	if lo, hi := t.rows(at); lo != hi {
		visit(key, lo, hi)
	}
	child := t.nodes[at].first
	for digits := t.nodes[at].digits; digits != 0; digits &= digits - 1 {
		t.below(child, append(key, '0'+byte(bits.TrailingZeros16(digits))), visit)
		child++
	}
}
