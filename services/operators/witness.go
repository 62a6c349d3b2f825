package operators

import (
	"strconv"

	"trunkline/services/platform/e164"
)

// usualDigits is how many digits a witness has at least, so that it looks like a number to call.
const usualDigits = 11

// number makes up a number in the area.
func (a area) number() e164.Number {
	digits := strconv.FormatUint(a.low(), 10)
	return e164.Number("+" + digits[:max(a.length(), usualDigits)])
}

// free looks for numbers of q that no rule inside q answers at a moment, where q itself does not count. With final
// only rules count that do not fall through. There are such numbers when below says so.
func (v *view) free(q area, kind int, at int64, final bool) area {
	for !v.vacant(q) {
		open := 0
		for digit := range 10 {
			if !v.closed(q.child(digit), kind, at, final) {
				open = digit
				break
			}
		}
		q = q.child(open)
	}
	return q
}

// closed reports whether rules in q answer every number of q at a moment.
func (v *view) closed(q area, kind int, at int64, final bool) bool {
	here := v.covers(q).here
	if final {
		return v.calendar.holds(here.final[kind], at)
	}
	return v.calendar.holds(here.any[kind], at)
}

// number makes up a number that the rule decides: rather one that no longer prefix answers, else one that longer
// prefixes may hand on. When there is none it is one of the prefix.
func (v *view) number(r liveRule) e164.Number {
	below := v.covers(r.at).below
	for _, final := range []bool{false, true} {
		taken := below.any
		if final {
			taken = below.final
		}
		for kind := range taken {
			if r.types&(1<<kind) == 0 {
				continue
			}
			if at, open := v.calendar.firstOutside(r.span, taken[kind]); open {
				return v.free(r.at, kind, at, final).number()
			}
		}
	}
	return r.at.number()
}

// reached reports whether there is a message that the rule decides.
func (v *view) reached(r liveRule) bool {
	below := v.covers(r.at).below
	for kind := range below.final {
		if r.types&(1<<kind) == 0 {
			continue
		}
		if _, open := v.calendar.firstOutside(r.span, below.final[kind]); open {
			return true
		}
	}
	return false
}
