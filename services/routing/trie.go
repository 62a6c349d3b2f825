package routing

import (
	"math/bits"
	"slices"
)

// maxDepth is the longest prefix in digits (ITU-T E.164).
const maxDepth = 15

// node is two digits of a trie: it holds which of the strings that are one or two digits longer than its own have rows,
// and which of those that are two longer go on (a tree bitmap: Eatherton, Varghese, Dittia, "Tree Bitmap", 2004, in
// decimal). Its children lie next to each other in digit order, and so do its rows, those of one more digit first, so a
// bit each and the place of the first are enough. The root stands for a zero before the first digit, which no number
// has: so the digit strings of nodes have an odd length, and most prefixes of carriers end in a node with few digits.
type node struct {
	// kids has a bit per pair of digits; the highest is nodeRuns.
	kids [2]uint64
	// rows has a bit per pair of digits, and one per single digit from nodeSingles on.
	rows [2]uint64
	// child is the place of the first child in the trie.
	child uint32
	// row is the place of the first row. With nodeRuns it is a place in runs instead.
	row uint32
}

const (
	// nodeSingles is where in the second word of rows the bits of single digits begin.
	nodeSingles = 54
	// nodeRuns, in the second word of kids, says that some digit string here has several rows.
	nodeRuns = 1 << 63
)

// trie maps digit strings to ranges of rows. Nodes lie in breadth-first order: the few short prefixes that every number
// passes stay together and so in the processor's cache.
type trie struct {
	nodes []node
	// runs are the first rows of digit strings, where they cannot be counted; each ends where the next begins.
	runs []uint32
	// keys is how many digit strings have rows.
	keys int
	// depth is the length in digits of the longest key.
	depth int
}

// pairsBelow counts the pairs below one. It has no branch: which pair it is nobody can foresee.
func pairsBelow(pairs *[2]uint64, pair uint32) uint32 {
	high := (uint64(1)<<(pair&63) - 1) & -uint64(pair>>6)
	return uint32(bits.OnesCount64(pairs[0]&(1<<pair-1)) + bits.OnesCount64(pairs[1]&high))
}

func hasPair(pairs *[2]uint64, pair uint32) bool { return pairs[pair>>6&1]>>(pair&63)&1 != 0 }

// levels is how many nodes a number passes at most.
const levels = (maxDepth + 2) / 2

// path holds the nodes along one number, and what remains to be looked at of them. Its digit strings are given longest
// first.
type path struct {
	t *trie
	// at is the level to look at next, in which two digits come first and then one; below the root's it is -1.
	at     int32
	single bool
	node   [levels]uint32
	pair   [levels]uint8
}

// walk finds the nodes along the digits.
func (t *trie) walk(digits string, p *path) {
	p.t, p.at, p.single = t, -1, false
	if len(t.nodes) == 0 || digits == "" {
		return
	}
	at, high := uint32(0), uint32(0)
	for level := 0; ; level++ {
		next := 2 * level // the digit after the pair's first
		low := uint32(digits[next] - '0')
		pair := high*10 + low
		if low > 9 {
			p.add(level, at, high*10, true)
			return
		}
		p.add(level, at, pair, false)
		n := &t.nodes[at]
		if !hasPair(&n.kids, pair) || level == levels-1 || next+1 >= len(digits) {
			return
		}
		at = n.child + pairsBelow(&n.kids, pair)
		if high = uint32(digits[next+1] - '0'); high > 9 {
			return
		}
		if next+2 >= len(digits) {
			p.add(level+1, at, high*10, true)
			return
		}
	}
}

func (p *path) add(level int, at, pair uint32, single bool) {
	p.node[level&(levels-1)], p.pair[level&(levels-1)] = at, uint8(pair)
	p.at, p.single = int32(level), single
}

// next gives the longest digit string along the number that has rows and was not given yet, by its length and its place
// among the keys of its node; false when there is none.
func (p *path) next() (n *node, place uint32, depth int, ok bool) {
	for ; p.at >= 0; p.at-- {
		level := p.at
		n = &p.t.nodes[p.node[level&(levels-1)]]
		pair := uint32(p.pair[level&(levels-1)])
		singles := n.rows[1] >> nodeSingles
		if !p.single {
			p.single = true
			if hasPair(&n.rows, pair) {
				return n, uint32(bits.OnesCount64(singles)) + pairsBelow(&n.rows, pair), int(2*level + 1), true
			}
		}
		p.single = false
		if digit := pair / 10; level > 0 && singles>>digit&1 != 0 {
			p.at--
			return n, uint32(bits.OnesCount64(singles & (1<<digit - 1))), int(2 * level), true
		}
	}
	return nil, 0, 0, false
}

// span gives the range of rows of a key by its place in its node.
func (t *trie) span(n *node, place uint32) (lo, hi uint32) {
	if n.kids[1]&nodeRuns == 0 {
		return n.row + place, n.row + place + 1
	}
	return t.runs[n.row+place], t.runs[n.row+place+1]
}

// buildTrie indexes rows whose keys are sorted ascending; equal keys are one range. It reports in which order the rows
// must be laid out: order[i] is the place in keys of row i. With counted every node has runs.
func buildTrie(keys []key, counted bool) (t trie, order []uint32) {
	type span struct{ lo, hi uint32 } // keys below one node
	level := []span{{0, uint32(len(keys))}}
	order = make([]uint32, 0, len(keys))
	var next []span
	var starts []uint32
	for depth := -1; len(level) > 0; depth += 2 {
		t.nodes = slices.Grow(t.nodes, len(level))
		child := uint32(len(t.nodes) + len(level)) // children come after this whole level
		next = next[:0]
		for _, s := range level {
			n := node{child: child}
			starts = starts[:0]
			several := counted
			// take gives the rows of the key at a place to the node, and the place after them.
			take := func(at uint32) uint32 {
				starts = append(starts, uint32(len(order)))
				end := at
				for ; end < s.hi && keys[end] == keys[at]; end++ {
					order = append(order, end)
				}
				several = several || end-at > 1
				t.depth = max(t.depth, keys[at].size())
				return end
			}
			if depth >= 0 {
				for at := s.lo; at < s.hi; {
					if keys[at].nibble(depth+1) != 0 {
						at++
						continue
					}
					n.rows[1] |= 1 << (nodeSingles + keys[at].nibble(depth) - 1)
					at = take(at)
				}
			}
			for at := s.lo; at < s.hi; {
				if keys[at].nibble(depth+1) == 0 {
					at++
					continue
				}
				both := keys[at].nibbles(depth)
				pair := pair(both)
				if keys[at].nibble(depth+2) == 0 {
					n.rows[pair>>6] |= 1 << (pair & 63)
					at = take(at)
				}
				end := at
				for end < s.hi && keys[end].nibbles(depth) == both {
					end++
				}
				if end > at {
					n.kids[pair>>6] |= 1 << (pair & 63)
					next = append(next, span{at, end})
					child++
				}
				at = end
			}
			t.keys += len(starts)
			switch {
			case several && len(starts) > 0:
				n.kids[1] |= nodeRuns
				n.row = uint32(len(t.runs))
				t.runs = append(append(t.runs, starts...), uint32(len(order)))
			case len(starts) > 0:
				n.row = starts[0]
			}
			t.nodes = append(t.nodes, n)
		}
		level, next = next, level
	}
	t.nodes, t.runs = slices.Clip(t.nodes), slices.Clip(t.runs)
	return t, order
}

// each gives every key that has rows, in ascending order, with the range of its rows.
func (t *trie) each(visit func(k key, lo, hi uint32)) {
	if len(t.nodes) > 0 {
		t.below(0, 0, -1, visit)
	}
}

// below does it for a node, the digits of which have the length depth.
func (t *trie) below(at uint32, k key, depth int, visit func(k key, lo, hi uint32)) {
	n := &t.nodes[at]
	singles := n.rows[1] >> nodeSingles
	for pair := range uint32(100) {
		high, low := k, pair%10
		if depth >= 0 {
			high |= key(pair/10+1) << (4 * (maxDepth - 1 - depth))
			if low == 0 && singles>>(pair/10)&1 != 0 {
				lo, hi := t.span(n, uint32(bits.OnesCount64(singles&(1<<(pair/10)-1))))
				visit(high, lo, hi)
			}
		}
		whole := high | key(low+1)<<(4*(maxDepth-2-depth))
		if hasPair(&n.rows, pair) {
			lo, hi := t.span(n, uint32(bits.OnesCount64(singles))+pairsBelow(&n.rows, pair))
			visit(whole, lo, hi)
		}
		if hasPair(&n.kids, pair) {
			t.below(n.child+pairsBelow(&n.kids, pair), whole, depth+2, visit)
		}
	}
}
