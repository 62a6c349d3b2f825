package operators

import (
	"fmt"
	"strings"

	"trunkline/services/platform/e164"
)

// checkIdle checks the rules that decide nothing.
func (c *checker) checkIdle(scopes []*scope) {
	live := make([]bool, len(c.set.Rules))
	for _, s := range scopes {
		for _, r := range s.rules {
			live[r.rule] = true
		}
	}
	for i := range c.set.Rules {
		if at := areaOf(c.set.Rules[i].Prefix); at != 0 && !live[i] {
			c.checkAlone(int32(i), at.number)
		}
	}
}

// checkAlone finds what is wrong with a rule whatever else there is.
func (c *checker) checkAlone(rule int32, witness func() e164.Number) {
	r := &c.set.Rules[rule]
	for _, clash := range candidateClashes(r.Strategy, r.Candidates) {
		first, second := r.Candidates[clash.first], r.Candidates[clash.second]
		c.found.add(SeverityError, []int{int(rule)}, func() Finding {
			f := Finding{Witness: witness()}
			name := c.ruleName(rule)
			switch clash.field {
			case "operator":
				f.Reason, f.Operator = FindingTwice, second.OperatorID
				f.Message = sentence("%s names %s twice: keep one of the two candidates.", name, c.operatorName(second.OperatorID))
			case "priority":
				f.Reason, f.Operator = FindingEqualPriorities, second.OperatorID
				f.Message = sentence("%s gives %s and %s the same priority %d, so nothing says which comes first: give each its own.",
					name, c.operatorName(first.OperatorID), c.operatorName(second.OperatorID), second.Priority)
			default:
				f.Reason = FindingZeroWeights
				f.Message = sentence("%s gives every operator weight 0, so there is nothing to draw by: give at least one a weight above 0.", name)
			}
			return f
		})
	}
}

// checkOverlaps finds rules for one area of one owner that are asked for the same messages.
func (v *view) checkOverlaps(rules []liveRule) {
	if len(rules) < 2 {
		return
	}
	told := make(map[[2]int32]bool)
	for kind := range messageTypeNames {
		// In the order of their beginnings each rule is compared with the one before it that lasts longest: whoever
		// overlaps anything is told of, without comparing all pairs.
		var longest *liveRule
		for _, i := range byStart(rules, kind) {
			r := &rules[i]
			if longest != nil && r.span.from < longest.span.to {
				if pair := [2]int32{longest.rule, r.rule}; !told[pair] && !told[[2]int32{r.rule, longest.rule}] {
					told[pair] = true
					v.overlap(*longest, *r)
				}
			}
			if longest == nil || r.span.to > longest.span.to {
				longest = r
			}
		}
	}
}

func (v *view) overlap(a, b liveRule) {
	first, second := v.set.line(int(a.rule)), v.set.line(int(b.rule))
	if !v.found.matters(int(a.rule)) || v.found.matters(int(b.rule)) && first > second {
		a, b = b, a
	}
	v.found.add(SeverityError, []int{int(a.rule), int(b.rule)}, func() Finding {
		shared := a
		shared.types, shared.span = a.types&b.types, a.span.within(b.span)
		return Finding{
			Reason: FindingOverlap, Witness: v.number(shared),
			Message: sentence("%s and %s answer the same messages: narrow the message types or the validity of one, or delete it.",
				v.ruleName(a.rule), v.otherName(b.rule)),
		}
	})
}

// checkOperators finds candidates that are gone.
func (v *view) checkOperators(r liveRule) {
	for _, candidate := range v.set.Rules[r.rule].Candidates {
		o := v.operators[candidate.OperatorID]
		if o != nil && o.Live() {
			continue
		}
		v.found.add(SeverityError, []int{int(r.rule)}, func() Finding {
			// A name that came with the candidate is that of an operator that was there once.
			name, problem := v.operatorName(candidate.OperatorID), "does not exist"
			if o != nil || candidate.OperatorName != "" {
				problem = "was deleted"
			}
			if o == nil && candidate.OperatorName != "" {
				name = fmt.Sprintf("operator %q", candidate.OperatorName)
			}
			return Finding{
				Reason: FindingUnknownOperator, Operator: candidate.OperatorID, Witness: v.number(r),
				Message: sentence("%s names %s, which %s: take the candidate out.", v.ruleName(r.rule), name, problem),
			}
		})
	}
}

// checkUsable finds a rule that no operator can serve.
func (v *view) checkUsable(r liveRule) {
	for _, candidate := range v.set.Rules[r.rule].Candidates {
		if o := v.operators[candidate.OperatorID]; o != nil && o.Live() && o.Status == Active && o.carries(r.types) {
			return
		}
	}
	v.found.add(SeverityWarning, []int{int(r.rule)}, func() Finding {
		return Finding{
			Reason: FindingNoOperator, Witness: v.number(r),
			Message: sentence("no operator of %s is active and able to send its messages: activate one or add another.", v.ruleName(r.rule)),
		}
	})
}

// carries reports whether the operator can ever send messages of some of the types.
func (o *Operator) carries(types MessageTypes) bool {
	return o.BindType != Receiver && o.MessageTypes&types != 0
}

// tellUnreached reports a rule that longer prefixes leave nothing to.
func (v *view) tellUnreached(r liveRule) {
	number := newArea(r.at.low(), max(r.at.length()+1, usualDigits))
	taker := v.winner(number, r.types, r.span.from)
	v.found.add(SeverityWarning, []int{int(r.rule), int(taker)}, func() Finding {
		return Finding{
			Reason: FindingUnreachable, Witness: number.number(),
			Message: sentence("longer prefixes take every number of %s, this one by %s: delete the rule, or one of those.",
				v.ruleName(r.rule), v.otherName(taker)),
		}
	})
}

// winner gives the rule that is asked first for a number, by its index in the set.
func (v *view) winner(number area, types MessageTypes, at int64) (rule int32) {
	v.around(number, func(_ area, rules []liveRule) bool {
		for _, r := range rules {
			if r.types&types != 0 && r.span.holds(at) {
				rule = r.rule
				return false
			}
		}
		return true
	})
	return rule
}

// checkFallThrough finds a rule that hands on to nobody.
func (v *view) checkFallThrough(r liveRule) {
	if r.final {
		return
	}
	missing := r
	if n := r.at.length(); n > 1 {
		v.around(r.at.cut(n-1), func(_ area, rules []liveRule) bool {
			for _, shorter := range rules[:min(len(rules), maxBeside)] {
				if shorter.span.overlaps(r.span) {
					missing.types &^= shorter.types
				}
			}
			return missing.types != 0
		})
	}
	if missing.types == 0 || !v.reached(missing) {
		return
	}
	v.found.add(SeverityWarning, []int{int(r.rule)}, func() Finding {
		return Finding{
			Reason: FindingNothingShorter, Witness: v.number(missing),
			Message: sentence("%s falls through, but no shorter prefix has a rule for %s: add one, or let it fail when it is exhausted.",
				v.ruleName(r.rule), strings.ReplaceAll(missing.types.String(), ",", ", ")),
		}
	})
}
