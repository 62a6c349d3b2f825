package operators

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// The fields of a rule that an update may name.
var ruleFields = [...]string{
	"country", "description", "strategy", "on_exhausted", "candidates", "active", "valid_from", "valid_to",
}

// CreateRule stores a new rule and returns it with the checker's warnings about it. Id, version, times and authors of
// the rule do not count. The rule of a caller who is bound to an account belongs to that account. A rule that is not stored, because it is refused or only validated, has no id in findings.
// Faults: ReasonInvalid, ReasonAccountMismatch, ReasonNoSuchOperator, ReasonDuplicateRule with the other rule's rule_id,
// ReasonConflict with a Conflict.
func (a *RuleAdmin) CreateRule(ctx context.Context, r Request, rule Rule) (Rule, []Finding, error) {
	rule = rule.canonical()
	rule.ID, rule.Version = newID(), 1
	who := caller.From(ctx)
	if rule.Account == uuid.Nil {
		rule.Account = who.Account
	} else if !who.MayChange(rule.Account) {
		return Rule{}, nil, accountMismatch()
	}
	if err := rule.Validate(); err != nil {
		return Rule{}, nil, err
	}
	var (
		answer   Rule
		warnings []Finding
	)
	err := a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (reply string, err error) {
			answer = rule
			answer.CreatedAt, answer.UpdatedAt, answer.CreatedBy, answer.UpdatedBy = at, at, r.Actor, r.Actor
			if warnings, err = a.examine(ctx, tx, &answer, nil, at); err != nil {
				return "", err
			}
			if err := tx.PutRules(ctx, []Rule{answer}, nil); err != nil {
				return "", err
			}
			return ruleStep{action: "rule.create", event: EventCreated, after: &answer}.record(ctx, tx, r, at)
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			answer, err = repliedRule(ctx, tx, reply)
			return err
		},
	})
	if err != nil {
		return Rule{}, nil, err
	}
	if !r.ValidateOnly {
		named(warnings, rule.ID)
	}
	return answer, warnings, nil
}

// named gives a rule that is stored by now its id in the findings about it.
func named(findings []Finding, id uuid.UUID) {
	for _, f := range findings {
		for i := range f.Rules {
			if f.Rules[i] == uuid.Nil {
				f.Rules[i] = id
			}
		}
	}
}

// UpdateRule gives the rule rule.ID the fields of rule that the mask names; they are named as in the schema. Without a
// difference nothing is stored. A non-empty etag must be the present one. It answers as CreateRule does; a change of
// country and description alone is not checked for conflicts.
func (a *RuleAdmin) UpdateRule(ctx context.Context, r Request, rule Rule, etag string, mask []string) (Rule, []Finding, error) {
	if err := checkMask(mask, ruleFields[:]); err != nil {
		return Rule{}, nil, err
	}
	var (
		answer   Rule
		warnings []Finding
	)
	err := a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (reply string, err error) {
			old, err := targetRule(ctx, tx, Target{ID: rule.ID, ETag: etag})
			if err != nil {
				return "", err
			}
			next := old.masked(rule, mask)
			if err := next.Validate(); err != nil {
				return "", err
			}
			answer, warnings = old, nil
			decides := !next.decidesAs(old)
			if !decides && next.Country == old.Country && next.Description == old.Description {
				return ruleReply(old.ID), nil
			}
			next.Version++
			next.UpdatedAt, next.UpdatedBy = at, r.Actor
			if !decides {
				// The same candidates, if they were given, came without names.
				next.Candidates = old.Candidates
			} else if warnings, err = a.examine(ctx, tx, &next, &old, at); err != nil {
				return "", err
			}
			answer = next
			if err := tx.PutRules(ctx, []Rule{next}, nil); err != nil {
				return "", err
			}
			return ruleStep{action: "rule.update", event: EventUpdated, before: &old, after: &next}.record(ctx, tx, r, at)
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			answer, err = repliedRule(ctx, tx, reply)
			return err
		},
	})
	if err != nil {
		return Rule{}, nil, err
	}
	return answer, warnings, nil
}

// DeleteRule takes a rule away, and warns of rules that fell through to it and have nothing shorter now. Its account,
// prefix and message types become free.
func (a *RuleAdmin) DeleteRule(ctx context.Context, r Request, target Target) (warnings []Finding, err error) {
	err = a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (reply string, err error) {
			old, err := targetRule(ctx, tx, target)
			if err != nil {
				return "", err
			}
			if warnings, err = strandedBy(ctx, tx, old, at); err != nil {
				return "", err
			}
			gone := old
			gone.Version++
			gone.UpdatedAt, gone.UpdatedBy = at, r.Actor
			if err := tx.RemoveRule(ctx, gone); err != nil {
				return "", err
			}
			return ruleStep{action: "rule.delete", event: EventDeleted, before: &old}.record(ctx, tx, r, at)
		},
		again: func(context.Context, Tx, string) error { return nil },
	})
	if err != nil {
		return nil, err
	}
	return warnings, nil
}

// targetRule gives the rule to change. To a caller who is bound to an account rules of other accounts do not exist, and
// global ones are for reading.
func targetRule(ctx context.Context, tx Tx, target Target) (Rule, error) {
	rule, err := tx.Rule(ctx, target.ID)
	switch who := caller.From(ctx); {
	case err != nil:
		return Rule{}, err
	case !who.MaySee(rule.Account):
		return Rule{}, NoSuchRule()
	case !who.MayChange(rule.Account):
		return Rule{}, fault.New(fault.PermissionDenied, ReasonGlobalRule,
			"This rule is for every account, and the credential is bound to one: a rule of that account with the same prefix comes before it.")
	}
	return rule, target.check(rule.ETag())
}

// What a caller who is bound to an account may not do.
const (
	// ReasonAccountMismatch: it names another account.
	ReasonAccountMismatch = "ACCOUNT_MISMATCH"
	// ReasonGlobalRule: it changes a rule that is for every account.
	ReasonGlobalRule = "GLOBAL_RULE"
)

func accountMismatch() error {
	return fault.New(fault.PermissionDenied, ReasonAccountMismatch,
		"The credential is bound to another account than account_id: leave account_id out, or give that of the credential.")
}

// masked returns r with the named fields of from.
func (r Rule) masked(from Rule, mask []string) Rule {
	for _, path := range mask {
		switch path {
		case "country":
			r.Country = from.Country
		case "description":
			r.Description = from.Description
		case "strategy":
			r.Strategy = from.Strategy
		case "on_exhausted":
			r.OnExhausted = from.OnExhausted
		case "candidates":
			r.Candidates = from.Candidates
		case "active":
			r.Active = from.Active
		case "valid_from":
			r.ValidFrom = from.ValidFrom
		case "valid_to":
			r.ValidTo = from.ValidTo
		}
	}
	return r.canonical()
}

// canonical writes the rule as the store gives it back: candidates by priority, times to the microsecond.
func (r Rule) canonical() Rule {
	r.Candidates = byPriority(r.Candidates)
	if r.OnExhausted == 0 {
		r.OnExhausted = Fail
	}
	if !r.ValidFrom.IsZero() {
		r.ValidFrom = moment(r.ValidFrom)
	}
	if !r.ValidTo.IsZero() {
		r.ValidTo = moment(r.ValidTo)
	}
	return r
}

// decidesAs reports whether the rule answers as the other does, one with the same key.
func (r Rule) decidesAs(other Rule) bool {
	return r.Strategy == other.Strategy && r.OnExhausted == other.OnExhausted && r.Active == other.Active &&
		r.ValidFrom.Equal(other.ValidFrom) && r.ValidTo.Equal(other.ValidTo) && sameCandidates(r.Candidates, other.Candidates)
}

// sameCandidates compares all but names, which belong to the operators.
func sameCandidates(a, b []Candidate) bool {
	return slices.EqualFunc(byPriority(a), byPriority(b), func(x, y Candidate) bool {
		x.OperatorName, y.OperatorName = "", ""
		return x == y
	})
}

// nameOperators fills in the names of the candidates' operators. One that is not live is a NotFound fault, unless the
// old rule selects it already: what was deleted stays until somebody changes the candidates.
func nameOperators(rule, old *Rule, live []Operator) error {
	names := make(map[uuid.UUID]string, len(live))
	for _, o := range live {
		names[o.ID] = o.Name
	}
	kept := old != nil && sameCandidates(rule.Candidates, old.Candidates)
	for i := range rule.Candidates {
		c := &rule.Candidates[i]
		name, found := names[c.OperatorID]
		if !found && !kept {
			return fault.New(fault.NotFound, ReasonNoSuchOperator, "There is no live operator with the id %s, which candidate %d names.",
				c.OperatorID, i+1).With("operator_id", c.OperatorID.String()).With("field", "candidates["+strconv.Itoa(i)+"].operator_id")
		}
		if found {
			c.OperatorName = name
		}
	}
	return nil
}
