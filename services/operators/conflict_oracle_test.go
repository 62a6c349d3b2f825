package operators_test

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/money"
)

// The oracle decides messages slowly and obviously.

// message is what is to be decided.
type message struct {
	account uuid.UUID
	digits  string
	kind    operators.MessageTypes
	at      time.Time
}

func matches(r operators.Rule, m message) bool {
	return r.Active && (r.MessageTypes == 0 || r.MessageTypes&m.kind != 0) && strings.HasPrefix(m.digits, string(r.Prefix)) &&
		!m.at.Before(r.ValidFrom) && (r.ValidTo.IsZero() || m.at.Before(r.ValidTo))
}

// askedFirst gives the rules that are asked first for a message among those with a prefix of at most length digits:
// those of the longest prefix, the account's own before the global ones. More than one is an ambiguity.
func askedFirst(set *operators.RuleSet, m message, length int) (rules []int) {
	for ; length > 0; length-- {
		for _, owner := range []uuid.UUID{m.account, uuid.Nil} {
			for i, r := range set.Rules {
				if len(r.Prefix) == length && r.Account == owner && matches(r, m) {
					rules = append(rules, i)
				}
			}
			if len(rules) > 0 {
				return rules
			}
		}
	}
	return nil
}

// chain gives the rules that may be asked for a message one after the other, the next one when the one before falls
// through. ambiguous tells that at some place there are two.
func chain(set *operators.RuleSet, m message) (rules []int, ambiguous bool) {
	for length := 15; ; {
		asked := askedFirst(set, m, length)
		if len(asked) == 0 {
			return rules, ambiguous
		}
		ambiguous = ambiguous || len(asked) > 1
		rules = append(rules, asked...)
		if slices.ContainsFunc(asked, func(i int) bool { return set.Rules[i].OnExhausted != operators.FallThrough }) {
			return rules, ambiguous
		}
		length = len(set.Rules[asked[0]].Prefix) - 1
	}
}

func operatorOf(set *operators.RuleSet, id uuid.UUID) (operators.Operator, bool) {
	for _, o := range set.Operators {
		if o.ID == id {
			return o, o.DeletedAt.IsZero()
		}
	}
	return operators.Operator{}, false
}

// canCarry reports whether a candidate could ever carry the message.
func canCarry(set *operators.RuleSet, c operators.Candidate, m message) bool {
	o, live := operatorOf(set, c.OperatorID)
	return live && o.BindType != operators.Receiver && o.MessageTypes&m.kind != 0
}

// priceOf gives the candidate's own price or the rate of the longest prefix in force, of several the latest.
func priceOf(set *operators.RuleSet, c operators.Candidate, m message) money.Money {
	if !c.Price.IsZero() {
		return c.Price
	}
	var best operators.Rate
	for _, r := range set.Rates {
		if r.OperatorID != c.OperatorID || r.MessageType != m.kind || !strings.HasPrefix(m.digits, string(r.Prefix)) || !r.InForce(m.at) {
			continue
		}
		if best.Price.IsZero() || len(r.Prefix) > len(best.Prefix) || len(r.Prefix) == len(best.Prefix) && r.EffectiveFrom.After(best.EffectiveFrom) {
			best = r
		}
	}
	return best.Price
}

// worth makes prices comparable. It is nil for a currency without an FX rate.
func worth(set *operators.RuleSet, price money.Money) *big.Int {
	rate := set.FX[price.Currency]
	if rate <= 0 {
		return nil
	}
	return new(big.Int).Mul(big.NewInt(price.Nanos), big.NewInt(rate))
}

// mixed reports whether prices stand in several currencies of which one has no FX rate.
func mixed(set *operators.RuleSet, prices []money.Money) bool {
	several, unknown := false, false
	for _, p := range prices {
		several = several || p.Currency != prices[0].Currency
		unknown = unknown || worth(set, p) == nil
	}
	return several && unknown
}

// first gives the operator that a rule gives a message to when those in usable can carry it: the first in the order of
// the rule's strategy, where what is equal stays in the order of the candidates. ambiguous tells that the order is not
// laid down.
func first(set *operators.RuleSet, rule operators.Rule, m message, usable map[uuid.UUID]bool) (operator uuid.UUID, ambiguous bool) {
	var list []operators.Candidate
	var prices []money.Money
	seen := make(map[uuid.UUID]bool)
	for _, c := range rule.Candidates {
		if !usable[c.OperatorID] || !canCarry(set, c, m) {
			continue
		}
		if price := priceOf(set, c, m); rule.Strategy == operators.Cost {
			if price.IsZero() {
				continue
			}
			c.Price = price
			prices = append(prices, price)
		}
		ambiguous = ambiguous || seen[c.OperatorID]
		seen[c.OperatorID] = true
		list = append(list, c)
	}
	if len(list) == 0 {
		return uuid.Nil, ambiguous
	}
	switch rule.Strategy {
	case operators.Cost:
		if mixed(set, prices) {
			return uuid.Nil, true
		}
		several := slices.ContainsFunc(prices, func(p money.Money) bool { return p.Currency != prices[0].Currency })
		slices.SortStableFunc(list, func(a, b operators.Candidate) int {
			c := int(sign(a.Price.Nanos - b.Price.Nanos))
			if several {
				c = worth(set, a.Price).Cmp(worth(set, b.Price))
			}
			if c == 0 {
				c = a.Priority - b.Priority
			}
			if c == 0 {
				c = bytes.Compare(a.OperatorID[:], b.OperatorID[:])
			}
			return c
		})
	case operators.Weighted:
		total := 0
		for _, c := range rule.Candidates {
			total += c.Weight
		}
		ambiguous = ambiguous || total == 0
		// The draw is by a hash; what matters here is that weights and operators lay it down.
		slices.SortStableFunc(list, func(a, b operators.Candidate) int { return bytes.Compare(a.OperatorID[:], b.OperatorID[:]) })
	default:
		slices.SortStableFunc(list, func(a, b operators.Candidate) int { return a.Priority - b.Priority })
		ambiguous = ambiguous || len(list) > 1 && list[0].Priority == list[1].Priority
	}
	return list[0].OperatorID, ambiguous
}

func sign(n int64) int64 {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// situations gives the messages in which a finding may show: of each type and caller, now and where validities begin.
func situations(set *operators.RuleSet, digits string) (all []message) {
	times := []time.Time{set.Now}
	owners := []uuid.UUID{id(199)}
	for _, r := range set.Rules {
		for _, at := range []time.Time{r.ValidFrom, r.ValidTo} {
			if at.After(set.Now) && !slices.Contains(times, at) {
				times = append(times, at)
			}
		}
		if r.Account != uuid.Nil && !slices.Contains(owners, r.Account) {
			owners = append(owners, r.Account)
		}
	}
	for _, at := range times {
		for _, owner := range owners {
			for _, kind := range []operators.MessageTypes{operators.SMS, operators.Flash, operators.WAP} {
				all = append(all, message{owner, digits, kind, at})
			}
		}
	}
	return all
}

// requireWitness proves a finding by its witness.
func requireWitness(t require.TestingT, set *operators.RuleSet, f operators.Finding) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	require.Regexp(t, `^\+[1-9]\d{6,14}$`, f.Witness.Raw(), f.Message)
	require.Regexp(t, `^[A-Z].*[a-zA-Z0-9]\.$`, f.Message)
	rules := make([]int, len(f.Rules))
	for i, rule := range f.Rules {
		rules[i] = slices.IndexFunc(set.Rules, func(r operators.Rule) bool { return r.ID == rule })
	}
	all := situations(set, f.Witness.Raw()[1:])
	require.True(t, strings.HasPrefix(f.Witness.Raw()[1:], string(set.Rules[rules[0]].Prefix)), "the witness has the prefix of the rule")
	decided := func(m message, rule int) bool {
		asked, _ := chain(set, m)
		return slices.Contains(asked, rule)
	}
	subject := set.Rules[rules[0]]
	// A rule may name the operator twice.
	ofCandidate := func(show func(c operators.Candidate) bool) bool {
		return slices.ContainsFunc(subject.Candidates, func(c operators.Candidate) bool { return c.OperatorID == f.Operator && show(c) })
	}
	shows := func(show func(m message) bool) {
		require.True(t, slices.ContainsFunc(all, show), "%s: %s: nothing shows it with %s", f.Reason, f.Message, f.Witness.Raw())
	}
	reachable := slices.ContainsFunc(all, func(m message) bool { return decided(m, rules[0]) })
	switch f.Reason {
	case operators.FindingTwice, operators.FindingEqualPriorities, operators.FindingZeroWeights, operators.FindingUnknownOperator:
		// They show in the rule itself, also in one that nobody reaches.
	case operators.FindingOverlap:
		both := func(m message) bool {
			return matches(subject, m) && matches(set.Rules[rules[1]], m) && decided(m, rules[0])
		}
		if !slices.ContainsFunc(all, both) {
			return // Longer prefixes take what both answer.
		}
		shows(func(m message) bool {
			asked, _ := chain(set, m)
			return slices.Contains(asked, rules[0]) && slices.Contains(asked, rules[1])
		})
	case operators.FindingNoRate, operators.FindingPartialRate:
		shows(func(m message) bool {
			return decided(m, rules[0]) && ofCandidate(func(c operators.Candidate) bool {
				return canCarry(set, c, m) && priceOf(set, c, m).IsZero()
			})
		})
	case operators.FindingAboveCeiling:
		shows(func(m message) bool {
			return decided(m, rules[0]) && ofCandidate(func(c operators.Candidate) bool {
				price := priceOf(set, c, m)
				switch {
				case price.IsZero():
					return false
				case price.Currency == set.Ceiling.Currency:
					return price.Nanos > set.Ceiling.Nanos
				}
				a, b := worth(set, price), worth(set, set.Ceiling)
				return a != nil && b != nil && a.Cmp(b) > 0
			})
		})
	case operators.FindingMixedCurrencies:
		require.Equal(t, operators.Cost, subject.Strategy, f.Message)
		shows(func(m message) bool {
			var prices []money.Money
			for _, c := range subject.Candidates {
				if price := priceOf(set, c, m); canCarry(set, c, m) && !price.IsZero() {
					prices = append(prices, price)
				}
			}
			return decided(m, rules[0]) && mixed(set, prices)
		})
	case operators.FindingUnreachable:
		require.False(t, reachable, "%s: %s by %s", f.Reason, f.Message, f.Witness.Raw())
		shows(func(m message) bool { return matches(subject, m) && slices.Contains(askedFirst(set, m, 15), rules[1]) })
	case operators.FindingShadowed:
		shows(func(m message) bool {
			return decided(m, rules[0]) && slices.Contains(askedFirst(set, m, len(subject.Prefix)-1), rules[1])
		})
	case operators.FindingNothingShorter:
		shows(func(m message) bool {
			return decided(m, rules[0]) && len(askedFirst(set, m, len(subject.Prefix)-1)) == 0
		})
	default:
		shows(func(m message) bool { return decided(m, rules[0]) })
	}
}
