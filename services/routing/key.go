package routing

import (
	"cmp"
	"math/bits"
	"slices"
)

// key is a digit string of 1 to maxDepth digits in one word, so that to compare keys is to compare numbers: from the
// second highest nibble on, each digit plus one. A prefix comes right before the strings that start with it.
type key uint64

// keyOf packs digits. It is false for those that are no prefix: none, too many, or other characters.
func keyOf(digits string) (k key, ok bool) {
	if digits == "" || len(digits) > maxDepth {
		return 0, false
	}
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return 0, false
		}
		k |= key(d+1) << (4 * (maxDepth - 1 - i))
	}
	return k, true
}

// size is how many digits the key has.
func (k key) size() int { return maxDepth - bits.TrailingZeros64(uint64(k))/4 }

// nibble gives digit i, from 0 on, plus one; 0 behind the last.
func (k key) nibble(i int) uint32 { return uint32(k << (4 * (i + 1)) >> 60) }

// nibbles gives two digits from i on, each as nibble does; from -1 on the first is 0.
func (k key) nibbles(i int) uint32 { return uint32(k << (4 * (i + 1)) >> 56) }

// pair gives two digits as a number from 0 to 99, from what nibbles gives. A digit before the first counts as zero.
func pair(nibbles uint32) uint32 { return (max(nibbles>>4, 1)-1)*10 + nibbles&15 - 1 }

// radixLeast is the number of keys from which on counting digits is faster than comparing keys.
const radixLeast = 1 << 14

// sortKeys gives the places of the keys in ascending order. Keys that are in order cost one look each.
func sortKeys(keys []key) []uint32 {
	places := make([]uint32, len(keys))
	for i := range places {
		places[i] = uint32(i)
	}
	switch {
	case slices.IsSorted(keys):
	case len(keys) < radixLeast:
		slices.SortFunc(places, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
	default:
		return radixSort(keys, places)
	}
	return places
}

// radixSort sorts places by 16 bits of their keys after the other, the lowest first.
func radixSort(keys []key, places []uint32) []uint32 {
	const size, mask = 16, 1<<16 - 1
	other, starts := make([]uint32, len(places)), make([]uint32, mask+1)
	for shift := 0; shift < 64; shift += size {
		clear(starts)
		for _, k := range keys {
			starts[k>>shift&mask]++
		}
		if int(starts[keys[0]>>shift&mask]) == len(keys) {
			continue // all are equal here, such as behind the longest prefix
		}
		next := uint32(0)
		for i, n := range starts {
			starts[i], next = next, next+n
		}
		for _, place := range places {
			at := &starts[keys[place]>>shift&mask]
			other[*at] = place
			*at++
		}
		places, other = other, places
	}
	return places
}
