package routing

import (
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// Strategy says how the usable candidates of a rule are ordered.
type Strategy uint8

// The strategies; see rank.go for the exact orders.
const (
	Cost Strategy = iota + 1
	Priority
	Failover
	Weighted
)

// ParseStrategy reads the stored form. The zero Strategy means that it is unknown.
func ParseStrategy(text string) Strategy {
	switch text {
	case "COST":
		return Cost
	case "PRIORITY":
		return Priority
	case "FAILOVER":
		return Failover
	case "WEIGHTED":
		return Weighted
	}
	return 0
}

// Rule says which operators may carry numbers that start with Prefix.
type Rule struct {
	ID uuid.UUID
	// Account owns the rule; uuid.Nil is a global rule.
	Account uuid.UUID
	Prefix  e164.Prefix
	// Types the rule is for; the empty set means all.
	Types       MessageTypes
	Strategy    Strategy
	FallThrough bool // on_exhausted = FALL_THROUGH
	Inactive    bool
	Window      Window
	Candidates  []Candidate
}

// Candidate is one operator of a rule.
type Candidate struct {
	Operator uuid.UUID
	Priority int32 // 1 is first
	Weight   int32 // share under Weighted; 0 is last resort
	// Price replaces the operator's rate; the zero Money means that the rate counts.
	Price money.Money
}

// Rate is the price of one operator for numbers that start with Prefix. Of one operator's rates in
// force the longest prefix counts, also when a shorter one is cheaper.
type Rate struct {
	ID       uuid.UUID
	Operator uuid.UUID
	Prefix   e164.Prefix
	Type     MessageType
	Price    money.Money
	Window   Window
}

// Window is a span of time: From is inside, To is not. A zero bound is open.
type Window struct {
	From, To time.Time
}

// span is a Window in microseconds since 1970, the resolution of both stores; an open bound is the
// smallest or largest number.
type span struct {
	from, to int64
}

const (
	beginning = -1 << 63
	forever   = 1<<63 - 1
)

func (w Window) span() span {
	s := span{from: beginning, to: forever}
	if !w.From.IsZero() {
		s.from = w.From.UnixMicro()
	}
	if !w.To.IsZero() {
		s.to = w.To.UnixMicro()
	}
	return s
}

func (s span) holds(micros int64) bool { return s.from <= micros && micros < s.to }
