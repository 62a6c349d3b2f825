package operators

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// Limits of rules.
const (
	MaxCandidates = 100
	MaxPriority   = 1_000_000
	MaxWeight     = 1_000_000
	// MaxDescription is in characters.
	MaxDescription = 500
	// DefaultPriority and DefaultWeight are what an empty field means.
	DefaultPriority = 1
	DefaultWeight   = 100
)

// Rule says which operators may carry numbers with a prefix.
type Rule struct {
	ID uuid.UUID
	// Account owns the rule; uuid.Nil is a global rule.
	Account uuid.UUID
	Prefix  e164.Prefix
	// Country is an ISO 3166-1 alpha-2 code, or "".
	Country string
	// MessageTypes is what the rule is for; the empty set means all.
	MessageTypes MessageTypes
	Strategy     Strategy
	OnExhausted  OnExhausted
	Active       bool
	// ValidFrom is the first moment of validity, ValidTo the first after it. The
	// zero time is no bound.
	ValidFrom, ValidTo time.Time
	// Candidates has 1 to MaxCandidates entries, each operator once.
	Candidates []Candidate
	// Description is for people, at most MaxDescription characters.
	Description string
	// Version rises with every change, starting at 1.
	Version              int64
	CreatedAt, UpdatedAt time.Time
	CreatedBy, UpdatedBy string
}

// Candidate is one operator of a rule.
type Candidate struct {
	OperatorID uuid.UUID
	// OperatorName is for people; the store fills it.
	OperatorName string
	// Priority 1 is first. At most MaxPriority.
	Priority int
	// Weight is the share under WEIGHTED, 0 to MaxWeight.
	Weight int
	// Price replaces the operator's rate. The zero Money is no price.
	Price money.Money
}

// RuleKey is what a live rule is unique by.
type RuleKey struct {
	Account      uuid.UUID
	Prefix       e164.Prefix
	MessageTypes MessageTypes
}

// Key returns the rule's key.
func (r Rule) Key() RuleKey {
	return RuleKey{Account: r.Account, Prefix: r.Prefix, MessageTypes: r.MessageTypes}
}

// Validate returns nil, or an InvalidArgument fault with every field that is
// wrong, named as in the schema, such as candidates[2].weight. It checks the rule
// alone; the conflict checker compares it with others.
func (r Rule) Validate() error {
	var v violations
	if _, err := e164.ParsePrefix(r.Prefix.String()); err != nil {
		v.check("prefix", prefixProblem)
	}
	v.check("country", checkCountry(r.Country))
	if !r.MessageTypes.valid() {
		v.check("message_types", "must hold only "+alternatives(messageTypeNames[:]))
	}
	v.check("strategy", checkSet(r.Strategy.String(), strategyNames[1:]))
	v.check("on_exhausted", checkSet(r.OnExhausted.String(), onExhaustedNames[1:]))
	if !r.ValidFrom.IsZero() && !r.ValidTo.IsZero() && !r.ValidFrom.Before(r.ValidTo) {
		v.check("valid_to", "must be after valid_from")
	}
	if len(r.Candidates) == 0 || len(r.Candidates) > MaxCandidates {
		v.check("candidates", tooManyCandidates)
	}
	for i, c := range r.Candidates {
		field := "candidates[" + strconv.Itoa(i) + "]."
		if c.OperatorID == uuid.Nil {
			v.check(field+"operator_id", "must be given")
		}
		v.check(field+"priority", checkRange(c.Priority, 1, MaxPriority))
		v.check(field+"weight", checkRange(c.Weight, 0, MaxWeight))
		if c.Price.Nanos < 0 || c.Price.IsZero() && c.Price.Nanos != 0 {
			v.check(field+"price", "must be 0 or more and have a currency")
		}
	}
	v.check("description", checkDescription(r.Description))
	for _, clash := range candidateClashes(r.Strategy, r.Candidates) {
		part := clash.field
		if part == "operator" {
			part = "operator_id"
		}
		v.check("candidates["+strconv.Itoa(clash.second)+"]."+part,
			fmt.Sprintf(clash.format, "candidates["+strconv.Itoa(clash.first)+"]"))
	}
	return invalid(v)
}

const (
	prefixProblem     = "must be + and 1 to 15 digits, of which the first is not 0"
	tooManyCandidates = "must be 1 to 100 operators"
	allWeightsZero    = "must be above 0 for at least one candidate of a WEIGHTED rule"
)

func checkCountry(code string) string {
	if code != "" && !isCountry(code) {
		return "must be an ISO 3166-1 alpha-2 code in capital letters, such as GB, or empty"
	}
	return ""
}

func checkDescription(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "must be UTF-8"
	case utf8.RuneCountInString(text) > MaxDescription:
		return "must have at most 500 characters"
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && r != '\r' && unicode.IsControl(r) }):
		return "must hold no control characters but line ends and tabs"
	}
	return ""
}

// clash is a conflict between two candidates of one rule, by their indexes. The
// format has one %s for how to name the first. Without a first one, both are equal.
type clash struct {
	first, second int
	field, format string
}

func candidateClashes(strategy Strategy, candidates []Candidate) []clash {
	var found []clash
	operators := make(map[uuid.UUID]int, len(candidates))
	priorities := make(map[int]int, len(candidates))
	weights := 0
	for i, c := range candidates {
		if first, twice := operators[c.OperatorID]; twice {
			found = append(found, clash{first, i, "operator", "is in this rule already: see %s"})
			continue
		}
		operators[c.OperatorID] = i
		weights += c.Weight
		if strategy != Priority && strategy != Failover {
			continue
		}
		if first, equal := priorities[c.Priority]; equal {
			found = append(found, clash{first, i, "priority",
				"must differ between the candidates of a " + strategy.String() + " rule: see %s"})
			continue
		}
		priorities[c.Priority] = i
	}
	if strategy == Weighted && weights == 0 && len(candidates) > 0 {
		found = append(found, clash{0, 0, "weight", allWeightsZero + ": see %s"})
	}
	return found
}
