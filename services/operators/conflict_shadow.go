package operators

import (
	"cmp"
	"slices"
)

// Bounds of looking for what shadows what. A store has at most eight live rules of one account for one prefix, so only
// sets made by hand meet them; then a warning may be missing.
const (
	// maxBeside is how many rules of one area are compared.
	maxBeside = 64
	// maxLonger is how many longer global prefixes are compared with one rule of an account.
	maxLonger = 256
)

// shadow is a rule that loses numbers to longer prefixes with other operators. more tells that long is not the only one.
type shadow struct {
	short, long liveRule
	more        bool
}

// shared is the longer rule, as far as it is for the messages of the shorter one.
func (s shadow) shared() liveRule {
	shared := s.long
	shared.types, shared.span = s.long.types&s.short.types, s.long.span.within(s.short.span)
	return shared
}

// checkShadows finds the rules that lose numbers to rules of the scope, and the rules of the scope that lose numbers to
// global ones. Each rule is told of once per scope.
func (v *view) checkShadows(s *scope) {
	var all []shadow
	index := make(map[int32]int)
	note := func(short, long liveRule) {
		one := shadow{short: short, long: long}
		if short.crew == long.crew || !v.reached(one.shared()) {
			return
		}
		i, known := index[short.rule]
		if !known {
			index[short.rule] = len(all)
			all = append(all, one)
			return
		}
		all[i].more = true
		if v.found.matters(int(long.rule)) && !v.found.matters(int(all[i].long.rule)) {
			all[i].long = long
		}
	}
	for _, long := range s.rules {
		for _, short := range v.loser(long) {
			note(short, long)
		}
	}
	if v.own != nil {
		for _, short := range s.rules {
			v.longerGlobal(short, note)
		}
	}
	for _, one := range all {
		v.found.add(SeverityWarning, []int{int(one.long.rule), int(one.short.rule)}, func() Finding {
			others := ""
			if one.more {
				others = ", as do other longer prefixes"
			}
			return Finding{
				Reason: FindingShadowed, Witness: v.number(one.shared()),
				Message: sentence("%s takes numbers from %s and gives them to other operators%s: see that this is meant.",
					v.ruleName(one.long.rule), v.otherName(one.short.rule), others),
			}
		})
	}
}

// loser gives the rules that would be asked if the rule were not there, at the longest of the shorter prefixes. When
// another rule of the same prefix would be asked, nobody loses.
func (v *view) loser(long liveRule) (rules []liveRule) {
	v.around(long.at, func(at area, beside []liveRule) bool {
		for _, other := range beside[:min(len(beside), maxBeside)] {
			switch {
			case other.rule == long.rule || !other.meets(long):
			case at == long.at:
				return false
			default:
				rules = append(rules, other)
			}
		}
		return len(rules) == 0
	})
	return rules
}

// longerGlobal notes the global rules that take numbers from a rule of the account.
func (v *view) longerGlobal(short liveRule, note func(short, long liveRule)) {
	from, to := v.global.nest.inside(short.at)
	for i := from; i < min(to, from+maxLonger); i++ {
		rules := v.global.at(i)
		for _, long := range rules[:min(len(rules), maxBeside)] {
			if slices.ContainsFunc(v.loser(long), func(r liveRule) bool { return r.rule == short.rule }) {
				note(short, long)
			}
		}
	}
}

// byStart gives the indexes of the rules for a message type, in the order of their beginnings.
func byStart(rules []liveRule, kind int) []int {
	var all []int
	for i, r := range rules {
		if r.types&(1<<kind) != 0 {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(rules[a].span.from, rules[b].span.from) })
	return all
}
