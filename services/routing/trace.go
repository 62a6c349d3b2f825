package routing

import (
	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// RuleOutcome is what became of a rule whose prefix matches the number.
type RuleOutcome uint8

// The outcomes of a rule.
const (
	RuleSelected RuleOutcome = iota + 1
	RuleFellThrough
	RuleExhausted
	RuleInactive
	RuleNotInForce
	RuleTypeMismatch
	RuleNotReached
	// RuleSkipped: a better rule of the same prefix fell through, and that goes to shorter prefixes.
	RuleSkipped
)

// Rejection is why a candidate was not used; the zero value means that it was.
type Rejection uint8

// The rejections, in the order in which they are looked for.
const (
	NotRejected Rejection = iota
	RejectedUnknown
	RejectedNotActive
	RejectedExcluded
	RejectedMessageType
	RejectedReceivesOnly
	RejectedUnbound
	RejectedUnhealthy
	RejectedNoRate
	RejectedNoFXRate
)

// Trace collects why a decision is what it is. Decide fills it when it is given one.
type Trace struct {
	Rules []RuleTrace
}

// RuleTrace is what was found about one matching rule, best rule first.
type RuleTrace struct {
	Rule        uuid.UUID
	Account     uuid.UUID // uuid.Nil for a global rule
	Prefix      e164.Prefix
	Strategy    Strategy
	FallThrough bool
	Outcome     RuleOutcome
	// Candidates holds the usable ones in order, then the rejected ones in the rule's order. It is empty
	// for a rule that was not evaluated.
	Candidates []CandidateTrace
}

// CandidateTrace is what was found about one candidate.
type CandidateTrace struct {
	*Operator
	Rank       int // 1 is the first choice; 0 is rejected
	Rejection  Rejection
	Priority   int32
	Weight     int32
	Price      money.Money
	RatePrefix e164.Prefix // empty when the candidate overrides the rate or there is none
	Health     Health      // the zero Health when nothing recent is known
}

// rule starts the trace of a rule; nil-safe, so that the decision path has no branches for it.
func (tr *Trace) rule(t *Table, row *ruleRow, prefix string, outcome RuleOutcome) {
	if tr == nil {
		return
	}
	rt := RuleTrace{
		Rule:        row.id,
		Prefix:      e164.Prefix(prefix),
		Strategy:    row.strategy(),
		FallThrough: row.how&flagFallThrough != 0,
		Outcome:     outcome,
	}
	for account, at := range t.accounts {
		if at == row.account {
			rt.Account = account
		}
	}
	tr.Rules = append(tr.Rules, rt)
}

// candidates adds what was found to the rule started last.
func (tr *Trace) candidates(t *Table, d *Decision, digits string, now int64) {
	if tr == nil {
		return
	}
	rule := &tr.Rules[len(tr.Rules)-1]
	for i, place := range d.ranked {
		s := &d.scored[place]
		c := CandidateTrace{
			Operator:  t.operators[s.operator].Operator,
			Rejection: s.rejection,
			Priority:  s.priority,
			Weight:    s.weight,
			Price:     t.price(s.currency, s.nanos),
		}
		if s.health.known(now) {
			c.Health = s.health.Health()
		}
		if s.rejection == NotRejected {
			c.Rank = i + 1
		}
		if s.rateDepth > 0 {
			c.RatePrefix = e164.Prefix(digits[:s.rateDepth])
		}
		rule.Candidates = append(rule.Candidates, c)
	}
}
