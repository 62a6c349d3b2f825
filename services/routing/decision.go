package routing

import (
	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// AlgoVersion grows whenever the same query, table and health could give another decision.
const AlgoVersion = 1

// CacheResult says where the table of a decision came from.
type CacheResult uint8

// The cache results.
const (
	CacheHit    CacheResult = iota + 1 // the decision cache held it
	CacheMiss                          // the database gave it
	CacheBypass                        // no cache was asked
)

// Decision is the answer to a Query. A Decision may be used again and again: Decide keeps its memory.
type Decision struct {
	ID       uuid.UUID
	Versions Versions
	Cache    CacheResult

	// Rule, Strategy and Prefix name the rule that decided; they are zero without a winner.
	Rule     uuid.UUID
	Strategy Strategy
	Prefix   e164.Prefix
	// Choices holds the usable operators, best first. They belong to the Decision: copy what must live
	// longer than its next use.
	Choices []Choice
	// HealthUnknown is true when nothing recent is known about the winner's health.
	HealthUnknown bool

	scored []scored
	ranked []uint16 // places in scored
	rates  []rateRange
}

// Choice is one usable operator.
type Choice struct {
	*Operator
	// Price is per segment; IsZero when there is no rate.
	Price money.Money
}

// reset forgets the last answer and keeps the memory.
func (d *Decision) reset() {
	d.Versions, d.Cache = Versions{}, 0
	d.Rule, d.Strategy, d.Prefix = uuid.Nil, 0, ""
	d.Choices, d.scored, d.HealthUnknown = d.Choices[:0], d.scored[:0], false
}

// room makes room for as many candidates.
func (d *Decision) room(candidates int) {
	if cap(d.scored) < candidates {
		d.scored, d.ranked = make([]scored, 2*candidates), make([]uint16, 2*candidates)
	}
	d.scored, d.ranked = d.scored[:candidates], d.ranked[:candidates]
}
