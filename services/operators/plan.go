package operators

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// planOperators compares a file with the live operators and returns the rows to
// store. Lines that cannot be stored are in bad.
func planOperators(lines []OperatorLine, live []Operator, at time.Time) (put []Operator, result Result, bad *BadLines) {
	bad = new(BadLines)
	byName := make(map[string]Operator, len(live))
	holder := make(map[Connection]string, len(live))
	for _, o := range live {
		byName[o.Name] = o
		holder[o.Connection()] = o.Name
	}
	for _, line := range lines {
		next := line.Operator
		if name, taken := holder[next.Connection()]; taken && name != next.Name {
			bad.add(line.Line, "host", "operator %q has this host, port and system_id; if it gives them up, import that first", name)
		}
		old, known := byName[next.Name]
		if next.Status == 0 {
			next.Status = Inactive
			if known {
				next.Status = old.Status
			}
		}
		if !known {
			next.ID, next.Version, next.CreatedAt, next.UpdatedAt = newID(), 1, at, at
			put = append(put, next)
			result.Created++
			continue
		}
		if !old.Status.MayBecome(next.Status) {
			bad.add(line.Line, "status", "an operator that is %s cannot become %s", old.Status, next.Status)
		}
		next.ID, next.Version, next.CreatedAt, next.UpdatedAt = old.ID, old.Version, old.CreatedAt, old.UpdatedAt
		if next == old {
			result.Unchanged++
			continue
		}
		next.Version, next.UpdatedAt = old.Version+1, at
		put = append(put, next)
		result.Updated++
	}
	return put, result, bad
}

// planRules compares a file with the live rules of its prefixes and returns the
// rows to store. Lines that cannot be stored are in bad.
func planRules(lines []*RuleLines, live []Rule, at time.Time) (put []Rule, result Result, bad *BadLines) {
	bad = new(BadLines)
	type place struct {
		account uuid.UUID
		prefix  e164.Prefix
	}
	byKey := make(map[RuleKey]Rule, len(live))
	places := make(map[place][]Rule, len(live))
	for _, rule := range live {
		byKey[rule.Key()] = rule
		at := place{rule.Account, rule.Prefix}
		places[at] = append(places[at], rule)
	}
	for _, line := range lines {
		next := line.Rule
		next.Candidates = byPriority(next.Candidates)
		old, known := byKey[next.Key()]
		if !known {
			for _, other := range places[place{next.Account, next.Prefix}] {
				if next.MessageTypes.Overlaps(other.MessageTypes) {
					bad.add(line.Line, "message_types", "overlap with rule %s, which has the same account and prefix and is for %s",
						other.ID, typesText(other.MessageTypes))
				}
			}
			next.ID, next.CreatedAt, next.UpdatedAt = newID(), at, at
			put = append(put, next)
			result.Created++
			continue
		}
		next.ID, next.Active, next.ValidFrom, next.ValidTo = old.ID, old.Active, old.ValidFrom, old.ValidTo
		next.CreatedAt, next.UpdatedAt = old.CreatedAt, at
		if sameContent(next, old) {
			result.Unchanged++
			continue
		}
		put = append(put, next)
		result.Updated++
	}
	return put, result, bad
}

func typesText(types MessageTypes) string {
	if types == 0 {
		return "all message types"
	}
	return types.String()
}

// sameContent compares what files speak of, for rules with equal keys.
func sameContent(a, b Rule) bool {
	return a.Country == b.Country && a.Strategy == b.Strategy && a.OnExhausted == b.OnExhausted &&
		slices.EqualFunc(byPriority(a.Candidates), byPriority(b.Candidates), func(x, y Candidate) bool {
			x.OperatorName, y.OperatorName = "", ""
			return x == y
		})
}

// byPriority returns the candidates in their one order: priority, then operator.
func byPriority(candidates []Candidate) []Candidate {
	sorted := slices.Clone(candidates)
	slices.SortFunc(sorted, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), slices.Compare(a.OperatorID[:], b.OperatorID[:]))
	})
	return sorted
}

func prefixes(lines []*RuleLines) []e164.Prefix {
	all := make([]e164.Prefix, 0, len(lines))
	for _, line := range lines {
		all = append(all, line.Prefix)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stillLive reports whether every operator that the lines name is live.
func stillLive(lines []*RuleLines, operators []Operator) bool {
	live := make(map[uuid.UUID]bool, len(operators))
	for _, o := range operators {
		live[o.ID] = true
	}
	for _, line := range lines {
		for _, c := range line.Candidates {
			if !live[c.OperatorID] {
				return false
			}
		}
	}
	return true
}

// newID returns a UUID of version 7, which rises with time and so keeps indexes
// compact. It panics when the system has no randomness, as package uuid does.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
