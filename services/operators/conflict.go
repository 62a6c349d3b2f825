package operators

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// RuleSet is what Check looks at.
type RuleSet struct {
	// Rules may have any faults, except that a rule whose prefix is none is left out: Rule.Validate tells of it.
	Rules []Rule
	// Lines holds the line of each rule in a file, 0 for a rule that stands in none. It may be nil.
	Lines []int64
	// Operators holds every operator that the rules name. A deleted one may be missing.
	Operators []Operator
	// Rates may hold rates of other operators and times too. Those that count are the ones in force when a rule
	// begins to decide: at Now, or later for a rule that is not valid yet.
	Rates []Rate
	FX    FX
	// Ceiling is the price per segment from above which numbers are told of. The zero Money is no ceiling. Prices that
	// cannot be compared with it, for want of an FX rate, are not told of.
	Ceiling money.Money
	// Now is the moment of the check. What ended before does not count.
	Now time.Time
	// partial tells that longer rules or rates may be missing, so a number without a rate is no proof of anything.
	partial bool
	// only leaves out what the check is not about.
	only subject
}

// subject is what a check is about.
type subject uint8

const (
	// aboutAll is every finding.
	aboutAll subject = iota
	// aboutFallThrough is FindingNothingShorter.
	aboutFallThrough
	// aboutCurrencies is FindingMixedCurrencies and FindingUnchecked.
	aboutCurrencies
)

func (s *RuleSet) line(rule int) int64 {
	if rule < len(s.Lines) {
		return s.Lines[rule]
	}
	return 0
}

// Check looks for conflicts and oddities in a set of rules. When it finds no error, every message has one answer: at
// most one rule decides it, and the rule's candidates have one order. Check is pure; its time grows with the size of
// the set and a logarithm.
//
// A rule that is not active, or whose validity has ended, decides nothing. Only what is wrong with it alone is told:
// an operator named twice, equal priorities, no weight.
func Check(set RuleSet) Report { return check(&set, nil) }

// check is Check that keeps only findings about rules in focus; nil is all.
func check(set *RuleSet, focus func(rule int) bool) Report { return checkWithin(set, focus, maxSteps) }

// checkWithin is check that looks at so many areas at most for the rates of longer prefixes.
func checkWithin(set *RuleSet, focus func(rule int) bool, steps int) Report {
	now := set.Now.UnixMicro()
	c := &checker{
		set: set, now: now, calendar: newCalendar(now), found: collector{focus: focus},
		operators: make(map[uuid.UUID]*Operator, len(set.Operators)), records: make(map[area]record),
	}
	c.steps, c.mixed = steps, make(map[int32]bool)
	for i := range set.Operators {
		c.operators[set.Operators[i].ID] = &set.Operators[i]
	}
	scopes := c.scopes()
	c.global = scopes[0]
	c.foldGlobal(0, 0, len(c.global.nest.areas))
	c.decks = c.sortDecks()

	if set.only == aboutAll {
		c.checkIdle(scopes)
	}
	c.handed = c.findHanded(scopes[1:])
	everyone := &view{checker: c}
	c.eachLive(everyone, c.global)
	for _, own := range scopes[1:] {
		mark := len(c.calendar.sets)
		v := &view{checker: c, own: own, records: make(map[area]record)}
		v.foldOwn(0, 0, len(own.nest.areas))
		c.eachLive(v, own)
		if set.only != aboutFallThrough {
			v.checkHanded()
		}
		c.calendar.sets = c.calendar.sets[:mark]
	}
	return c.found.report(set)
}

// checker is one check under way.
type checker struct {
	set       *RuleSet
	now       int64
	operators map[uuid.UUID]*Operator
	found     collector
	calendar  *calendar
	global    *scope
	// records holds the covers of the global view.
	records map[area]record
	// handed holds the global rules that rules of accounts may hand numbers on to.
	handed map[int32]bool
	pricing
}

// findHanded finds the global rules with an account's rule inside that falls through. That rule is asked instead of the
// global ones for its prefix, so its numbers may reach a rule that they keep all numbers from otherwise.
func (c *checker) findHanded(accounts []*scope) map[int32]bool {
	handed := make(map[int32]bool)
	everyone := &view{checker: c}
	for _, s := range accounts {
		for _, own := range s.rules {
			if own.final {
				continue
			}
			everyone.around(own.at, func(at area, rules []liveRule) bool {
				for _, r := range rules[:min(len(rules), maxBeside)] {
					if at != own.at && r.meets(own) {
						handed[r.rule] = true
					}
				}
				return true
			})
		}
	}
	return handed
}

// eachLive checks the rules of a scope among each other and within the view of its owner.
func (c *checker) eachLive(v *view, s *scope) {
	if c.set.only != aboutAll {
		c.eachReached(v, s)
		return
	}
	for i := range s.nest.areas {
		rules := s.at(i)
		v.checkOverlaps(rules)
		for _, r := range rules {
			v.checkAlone(r.rule, func() e164.Number { return v.number(r) })
			v.checkOperators(r)
			if !v.reached(r) {
				if !c.handed[r.rule] {
					v.tellUnreached(r)
				}
				continue
			}
			v.checkUsable(r)
			v.checkFallThrough(r)
			v.checkPrices(r)
		}
	}
	v.checkShadows(s)
}

// eachReached checks the rules of a scope for the one subject that the check is about.
func (c *checker) eachReached(v *view, s *scope) {
	for _, r := range s.rules {
		switch {
		case !v.reached(r):
		case c.set.only == aboutFallThrough:
			v.checkFallThrough(r)
		case c.set.Rules[r.rule].Strategy == Cost:
			v.checkPrices(r)
		}
	}
}

// ruleName names a rule in a sentence. One without an id is not stored yet; that of a file has a line to be known by.
func (c *checker) ruleName(rule int32) string {
	r := &c.set.Rules[rule]
	if r.ID == uuid.Nil && c.set.line(int(rule)) == 0 {
		return "the new " + r.name()
	}
	return "the " + r.name()
}

// name tells the rule apart from others in a sentence: owner, prefix and message types.
func (r *Rule) name() string {
	owner := "global rule"
	if r.Account != uuid.Nil {
		owner = "rule of account " + r.Account.String()
	}
	name := owner + " for " + r.Prefix.String()
	if r.MessageTypes != 0 {
		name += " (" + strings.ReplaceAll(r.MessageTypes.String(), ",", ", ") + ")"
	}
	return name
}

// otherName names the second rule of a sentence. A finding has a place for the line of the first one only.
func (c *checker) otherName(rule int32) string {
	name := c.ruleName(rule)
	if line := c.set.line(int(rule)); line > 0 {
		name += fmt.Sprintf(" in line %d", line)
	}
	return name
}

// operatorName names an operator in a sentence.
func (c *checker) operatorName(id uuid.UUID) string {
	if o := c.operators[id]; o != nil && o.Name != "" {
		return fmt.Sprintf("operator %q", o.Name)
	}
	return "operator " + id.String()
}

// sentence starts with a capital letter.
func sentence(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	return strings.ToUpper(text[:1]) + text[1:]
}
