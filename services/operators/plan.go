package operators

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// planOperators compares a file with the live operators and returns the rows to
// store. Lines that cannot be stored are in bad. lost has the line of each operator that carries less from then on.
//
// A file may make operators ACTIVE that have no password here, as they are when they come from another system. Such
// ones are warned of: no session comes up until they get one.
func planOperators(lines []OperatorLine, live []Operator, actor string, at time.Time) (
	put []Operator, result planned, lost map[uuid.UUID]int64, bad *BadLines,
) {
	bad, lost = new(BadLines), make(map[uuid.UUID]int64)
	byName := make(map[string]Operator, len(live))
	holder := make(map[Connection]string, len(live))
	for _, o := range live {
		byName[o.Name] = o
		holder[o.Connection()] = o.Name
	}
	for _, line := range lines {
		if name, taken := holder[line.Connection()]; taken && name != line.Name {
			bad.add(line.Line, "host", "operator %q has this host, port and system_id; if it gives them up, import that first", name)
		}
		old, known := byName[line.Name]
		next := line.over(old)
		switch {
		case !known:
			next.ID, next.Version, next.CreatedAt, next.UpdatedAt = newID(), 1, at, at
			next.CreatedBy, next.UpdatedBy = actor, actor
			result.Created++
			result.changes.add(next.ID, next.Name, nil, next.audited)
		case next == old:
			result.Unchanged++
			continue
		default:
			if !old.Status.MayBecome(next.Status) {
				bad.add(line.Line, "status", "an operator that is %s cannot become %s", old.Status, next.Status)
			}
			if problem := next.receiverProblem(live); problem != "" {
				bad.add(line.Line, "bind_type", "%s", problem)
			}
			next.Version, next.UpdatedAt, next.UpdatedBy = old.Version+1, at, actor
			result.Updated++
			result.credentialsChanged = result.credentialsChanged || !next.bindsAs(old)
			result.changes.add(next.ID, next.Name, old.audited, next.audited)
			if old.carriedTypes()&^next.carriedTypes() != 0 {
				lost[next.ID] = line.Line
			}
		}
		put = append(put, next)
		if next.Status == Active && old.Status != Active && next.CredentialsVersion == 0 {
			result.warn(ImportWarning{Line: line.Line, Reason: ReasonNoCredentials, Message: fmt.Sprintf(
				"The operator %q is ACTIVE and has no password: give it one with RotateCredentials.", next.Name)})
		}
	}
	return put, result, lost, bad
}

// over returns the known operator with what the line says. What files do not speak of stays; a new operator, which is
// old as the zero value, gets defaults.
func (l OperatorLine) over(old Operator) Operator {
	next := old
	next.Name, next.Host, next.Port, next.SystemID = l.Name, l.Host, l.Port, l.SystemID
	next.BindType, next.MaxTPS, next.MessageTypes = l.BindType, l.MaxTPS, l.MessageTypes
	switch {
	case l.Status != 0:
		next.Status = l.Status
	case old.Status == 0:
		next.Status = Inactive
	}
	return next.withDefaults()
}

// planRules compares a file with the live rules of its prefixes and returns the
// rows to store.
func planRules(lines []*RuleLines, live []Rule, actor string, at time.Time) (put []Rule, result planned) {
	byKey := make(map[RuleKey]Rule, len(live))
	for _, rule := range live {
		byKey[rule.Key()] = rule
	}
	for _, line := range lines {
		next := line.Rule
		next.Candidates = byPriority(next.Candidates)
		old, known := byKey[next.Key()]
		if !known {
			next.ID, next.Version, next.CreatedAt, next.UpdatedAt = newID(), 1, at, at
			next.CreatedBy, next.UpdatedBy = actor, actor
			put = append(put, next)
			result.Created++
			result.changes.add(next.ID, next.Prefix.String(), nil, next.audited)
			continue
		}
		// What files do not speak of stays.
		kept := old
		kept.Country, kept.Strategy, kept.OnExhausted, kept.Candidates = next.Country, next.Strategy, next.OnExhausted, next.Candidates
		if sameContent(kept, old) {
			result.Unchanged++
			continue
		}
		kept.Version, kept.UpdatedAt, kept.UpdatedBy = old.Version+1, at, actor
		put = append(put, kept)
		result.Updated++
		result.changes.add(kept.ID, kept.Prefix.String(), old.audited, kept.audited)
	}
	return put, result
}

// sameContent compares what files speak of, for rules with equal keys.
func sameContent(a, b Rule) bool {
	return a.Country == b.Country && a.Strategy == b.Strategy && a.OnExhausted == b.OnExhausted &&
		sameCandidates(a.Candidates, b.Candidates)
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
