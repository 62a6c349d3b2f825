package operators

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"
)

// allTypes is every message type there is.
const allTypes = MessageTypes(1<<len(messageTypeNames) - 1)

// liveRule is a rule that decides something now or later.
type liveRule struct {
	// rule is its index in the set, crew names the operators it selects.
	rule, crew int32
	at         area
	// types is never empty.
	types MessageTypes
	// span begins with the check at the earliest.
	span span
	// final is a rule that does not fall through.
	final bool
}

// meets reports whether a message could be for both rules at some moment.
func (r liveRule) meets(o liveRule) bool { return r.types&o.types != 0 && r.span.overlaps(o.span) }

// scope is the live rules of one account, or the global ones, by area.
type scope struct {
	account uuid.UUID
	rules   []liveRule
	nest    nest
	// first has, for each area of the nest, the index of its first rule, and the number of rules at the end.
	first []int32
}

// at gives the rules of an area, by its index in the nest.
func (s *scope) at(i int) []liveRule { return s.rules[s.first[i]:s.first[i+1]] }

func newScope(account uuid.UUID, sorted []liveRule) *scope {
	s := &scope{account: account, rules: sorted, first: make([]int32, 0, len(sorted)+1)}
	areas := make([]area, 0, len(sorted))
	for i, r := range sorted {
		if i == 0 || sorted[i-1].at != r.at {
			areas = append(areas, r.at)
			s.first = append(s.first, int32(i))
		}
	}
	s.first = append(s.first, int32(len(sorted)))
	s.nest = newNest(areas)
	return s
}

// scopes sorts the live rules of the set by account, the global ones first and always there.
func (c *checker) scopes() []*scope {
	type owned struct {
		account uuid.UUID
		liveRule
	}
	var live []owned
	crews := make(map[string]int32)
	for i := range c.set.Rules {
		r := &c.set.Rules[i]
		one := liveRule{
			rule: int32(i), at: areaOf(r.Prefix), types: r.MessageTypes & allTypes,
			span: spanOf(r.ValidFrom, r.ValidTo).since(c.now), final: r.OnExhausted != FallThrough,
		}
		if !r.Active || one.span.empty() || one.at == 0 {
			continue
		}
		if one.types == 0 {
			one.types = allTypes
		}
		one.crew = crewOf(crews, r.Candidates)
		live = append(live, owned{r.Account, one})
	}
	slices.SortFunc(live, func(a, b owned) int {
		return cmp.Or(bytes.Compare(a.account[:], b.account[:]), cmp.Compare(a.at, b.at),
			bytes.Compare(c.set.Rules[a.rule].ID[:], c.set.Rules[b.rule].ID[:]), cmp.Compare(a.rule, b.rule))
	})
	rules := make([]liveRule, len(live))
	for i := range live {
		rules[i] = live[i].liveRule
	}
	var all []*scope
	if len(live) == 0 || live[0].account != uuid.Nil {
		all = append(all, newScope(uuid.Nil, nil))
	}
	for from := 0; from < len(live); {
		to := from + 1
		for to < len(live) && live[to].account == live[from].account {
			to++
		}
		all = append(all, newScope(live[from].account, rules[from:to:to]))
		from = to
	}
	return all
}

// crewOf names the set of operators that candidates select: equal sets have equal names.
func crewOf(crews map[string]int32, candidates []Candidate) int32 {
	ids := make([]uuid.UUID, len(candidates))
	for i, c := range candidates {
		ids[i] = c.OperatorID
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	key := make([]byte, 0, len(ids)*len(uuid.UUID{}))
	for _, id := range ids {
		key = append(key, id[:]...)
	}
	name, known := crews[string(key)]
	if !known {
		name = int32(len(crews))
		crews[string(key)] = name
	}
	return name
}
