package operators

import (
	"slices"

	"trunkline/services/platform/e164"
)

// area is all numbers that start with a prefix. Above the lowest four bits stands the prefix, filled up with zeros to
// 15 digits, and in them its length. Areas therefore sort as prefixes do, a prefix before the longer ones in it, and
// what lies in an area is one stretch of a sorted list. The zero area is no prefix and holds every number.
type area uint64

const lengthBits = 4

// sizes[n] is how many numbers of 15 digits start with the same n digits.
var sizes = func() (all [e164.MaxPrefixDigits + 1]uint64) {
	size := uint64(1)
	for n := e164.MaxPrefixDigits; n >= 0; n-- {
		all[n] = size
		size *= 10
	}
	return all
}()

// areaOf gives the area of a prefix, or the zero area for text that is no prefix.
func areaOf(prefix e164.Prefix) area {
	digits := string(prefix)
	if len(digits) < e164.MinPrefixDigits || len(digits) > e164.MaxPrefixDigits || digits[0] == '0' {
		return 0
	}
	var low uint64
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0
		}
		low = low*10 + uint64(digits[i]-'0')
	}
	return newArea(low*sizes[len(digits)], len(digits))
}

func newArea(low uint64, length int) area { return area(low<<lengthBits | uint64(length)) }

func (a area) low() uint64 { return uint64(a) >> lengthBits }
func (a area) length() int { return int(a & (1<<lengthBits - 1)) }

// end is the first value behind every area inside a.
func (a area) end() area { return newArea(a.low()+sizes[a.length()], 0) }

// holds reports whether b is a or lies inside it.
func (a area) holds(b area) bool { return a <= b && b < a.end() }

// cut gives the area of the first n digits; a has at least as many.
func (a area) cut(n int) area {
	low := a.low()
	return newArea(low-low%sizes[n], n)
}

// child gives the area of one digit more; a has at most 14.
func (a area) child(digit int) area {
	n := a.length() + 1
	return newArea(a.low()+uint64(digit)*sizes[n], n)
}

// common gives the smallest area that holds both.
func common(a, b area) area {
	n := min(a.length(), b.length())
	for a.cut(n) != b.cut(n) {
		n--
	}
	return a.cut(n)
}

// nest is a sorted list of different areas that knows which lies in which.
type nest struct {
	areas []area
	// up has, for each area, the index of the smallest other area around it, or -1.
	up []int32
}

func newNest(sorted []area) nest {
	n := nest{areas: sorted, up: make([]int32, len(sorted))}
	for i := range sorted {
		around := int32(i) - 1
		for around >= 0 && !sorted[around].holds(sorted[i]) {
			around = n.up[around]
		}
		n.up[i] = around
	}
	return n
}

// nearest gives the index of the smallest area that holds a, which may be a itself, or -1. empty tells that no other
// area lies inside a.
func (n nest) nearest(a area) (at int, empty bool) {
	// Of all areas that do not sort behind a, the last one lies inside every area around a, or is it.
	next, found := slices.BinarySearch(n.areas, a)
	if found {
		next++
	}
	empty = next == len(n.areas) || !a.holds(n.areas[next])
	at = next - 1
	for at >= 0 && !n.areas[at].holds(a) {
		at = int(n.up[at])
	}
	return at, empty
}

// inside gives the stretch of areas inside a, without a itself.
func (n nest) inside(a area) (from, to int) {
	from, found := slices.BinarySearch(n.areas, a)
	if found {
		from++
	}
	to, _ = slices.BinarySearch(n.areas[from:], a.end())
	return from, from + to
}

// index gives the place of a itself, or -1.
func (n nest) index(a area) int {
	if at, found := slices.BinarySearch(n.areas, a); found {
		return at
	}
	return -1
}
