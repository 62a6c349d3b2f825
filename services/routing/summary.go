package routing

import (
	"fmt"
	"time"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// What is summed up at once.
const (
	MaxSummaryTime   = 31 * 24 * time.Hour
	MaxSummarySteps  = 500
	MaxSummaryGroups = 50
	// OtherGroup holds what is in none of the largest groups.
	OtherGroup = "other"
	// summaryTime is summed up when nothing is said.
	summaryTime = time.Hour
)

// Grouping says by what decisions are counted apart.
type Grouping uint8

// The groupings.
const (
	// Together is one group, without a name.
	Together Grouping = iota
	// ByOperator groups by the UUID of the chosen operator, "" without one.
	ByOperator
	// ByFailure groups by the reason why there is no operator. Decisions with one are left out.
	ByFailure
)

// SummaryQuery asks how many decisions there were.
type SummaryQuery struct {
	RecordFilter
	// Step is the length of an interval, in whole seconds. Intervals begin at multiples of it since 1970.
	Step  time.Duration
	Group Grouping
}

// Bounded gives the query its time, the last hour where it names none. The fault is INVALID_ARGUMENT when that is no time,
// too long, or more intervals than fit.
func (q SummaryQuery) Bounded(now time.Time) (SummaryQuery, error) {
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-summaryTime)
	}
	whole := q.To.Sub(q.From)
	switch {
	case q.Step < time.Second || q.Step%time.Second != 0:
		return q, summaryFault("step", "must be whole seconds, at least one")
	case whole <= 0:
		return q, summaryFault("filter.to_time", "must be after filter.from_time")
	case whole > MaxSummaryTime:
		return q, summaryFault("filter.from_time", "must be at most 31 days before filter.to_time")
	case whole > MaxSummarySteps*q.Step:
		least := (whole + MaxSummarySteps*time.Second - 1) / (MaxSummarySteps * time.Second)
		return q, summaryFault("step", fmt.Sprintf("must be at least %d seconds for the time asked for, because at most %d intervals are summed up", least, MaxSummarySteps))
	}
	return q, nil
}

func summaryFault(field, description string) error {
	return fault.Invalid(ReasonValidation, fault.Violation{Field: field, Description: description})
}

// Summary counts the decisions of one interval and one group.
type Summary struct {
	Start time.Time
	// Group is as the Grouping says, or OtherGroup.
	Group string
	// Failed are those of Count without an operator.
	Count, Failed int64
	// Costs sums the prices of one segment of each decision, by currency in alphabetical order.
	Costs []money.Money
	// Outcomes counts what was reported last of each decision.
	Outcomes  map[Outcome]int64
	Latencies Latencies
}

// TrafficPoint counts the decisions of some seconds.
type TrafficPoint struct {
	Start time.Time
	// Span is in whole seconds.
	Span time.Duration
	// Failed are those of Count without an operator.
	Count, Failed int64
	// P95 is the edge of latencies that 95 of 100 kept to; 0 without decisions.
	P95 time.Duration
}
