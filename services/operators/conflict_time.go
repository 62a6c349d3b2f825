package operators

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// span is a stretch of time in microseconds since 1970, the resolution of the stores: from is inside, to is not.
type span struct {
	from, to int64
}

const (
	beginning = math.MinInt64
	forever   = math.MaxInt64
)

func spanOf(from, to time.Time) span {
	s := span{beginning, forever}
	if !from.IsZero() {
		s.from = from.UnixMicro()
	}
	if !to.IsZero() {
		s.to = to.UnixMicro()
	}
	return s
}

func (s span) holds(at int64) bool   { return s.from <= at && at < s.to }
func (s span) overlaps(o span) bool  { return s.from < o.to && o.from < s.to }
func (s span) empty() bool           { return s.from >= s.to }
func (s span) since(now int64) span  { return span{max(s.from, now), s.to} }
func (s span) within(o span) span    { return span{max(s.from, o.from), min(s.to, o.to)} }
func compareSpans(a, b span) int     { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) }
func (s span) joined(with span) span { return span{min(s.from, with.from), max(s.to, with.to)} }

// times names a set of moments in a calendar.
type times uint32

const (
	never times = iota
	// always is everything from the moment of the check on.
	always
)

// maxSpans bounds one set of moments. Later stretches are dropped: what longer prefixes take is then thought to be less
// than it is, so that a warning may be missing.
const maxSpans = 64

// calendar holds sets of moments, each a sorted list of spans that do not overlap.
type calendar struct {
	sets [][]span
}

func newCalendar(now int64) *calendar {
	return &calendar{sets: [][]span{nil, {{now, forever}}}}
}

// put names a sorted list of spans that do not overlap.
func (c *calendar) put(spans []span) times {
	switch {
	case len(spans) == 0:
		return never
	case len(spans) == 1 && spans[0] == c.sets[always][0]:
		return always
	}
	c.sets = append(c.sets, spans[:min(len(spans), maxSpans)])
	return times(len(c.sets) - 1)
}

func (c *calendar) either(a, b times) times {
	switch {
	case a == b || b == never || a == always:
		return a
	case a == never || b == always:
		return b
	}
	all := slices.Concat(c.sets[a], c.sets[b])
	slices.SortFunc(all, compareSpans)
	joined := all[:1]
	for _, next := range all[1:] {
		if last := &joined[len(joined)-1]; last.overlaps(next) {
			*last = last.joined(next)
		} else {
			joined = append(joined, next)
		}
	}
	return c.put(joined)
}

func (c *calendar) both(a, b times) times {
	switch {
	case a == b || a == never || b == always:
		return a
	case b == never || a == always:
		return b
	}
	var shared []span
	x, y := c.sets[a], c.sets[b]
	for len(x) > 0 && len(y) > 0 {
		if s := x[0].within(y[0]); !s.empty() {
			shared = append(shared, s)
		}
		if x[0].to < y[0].to {
			x = x[1:]
		} else {
			y = y[1:]
		}
	}
	return c.put(shared)
}

// without gives the moments of a that are not in b.
func (c *calendar) without(a, b times) times {
	switch {
	case a == never || b == never:
		return a
	case a == b || b == always:
		return never
	}
	var left []span
	for _, s := range c.sets[a] {
		for _, gone := range c.sets[b] {
			if before := (span{s.from, min(s.to, gone.from)}); !before.empty() {
				left = append(left, before)
			}
			s.from = max(s.from, gone.to)
		}
		if !s.empty() {
			left = append(left, s)
		}
	}
	return c.put(left)
}

func (c *calendar) holds(t times, at int64) bool {
	return slices.ContainsFunc(c.sets[t], func(s span) bool { return s.holds(at) })
}

// firstOutside gives the first moment of s that is not in t, if there is one.
func (c *calendar) firstOutside(s span, t times) (at int64, found bool) {
	at = s.from
	for _, taken := range c.sets[t] {
		if taken.holds(at) {
			at = taken.to
		}
	}
	return at, at < s.to
}
