package operators

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// Severity says whether a finding keeps rules from being stored. The numbers are those of the schema.
type Severity uint8

// The severities.
const (
	// SeverityError is a conflict: a number has no single answer, or one that nobody can have meant.
	SeverityError Severity = iota + 1
	// SeverityWarning is worth a look and keeps nothing from being stored.
	SeverityWarning
)

// String gives ERROR or WARNING, or "" for the zero value.
func (s Severity) String() string { return nameOf(s, severityNames[:]) }

var severityNames = [...]string{"", "ERROR", "WARNING"}

// The reasons of errors.
const (
	// FindingOverlap: two rules of one account, or two global ones, have one prefix and share message types and time.
	FindingOverlap = "OVERLAPPING_RULES"
	// FindingTwice: a rule names an operator twice.
	FindingTwice = "DUPLICATE_CANDIDATE"
	// FindingEqualPriorities: candidates of a PRIORITY or FAILOVER rule have one priority.
	FindingEqualPriorities = "EQUAL_PRIORITIES"
	// FindingZeroWeights: no candidate of a WEIGHTED rule has a weight.
	FindingZeroWeights = "ZERO_WEIGHTS"
	// FindingNoRate: a candidate of a COST rule has no price and no rate for any number of the rule.
	FindingNoRate = "NO_RATE"
	// FindingMixedCurrencies: a COST rule has to compare currencies of which one has no FX rate.
	FindingMixedCurrencies = "MIXED_CURRENCIES"
	// FindingUnknownOperator: a candidate names an operator that does not exist or was deleted.
	FindingUnknownOperator = "UNKNOWN_OPERATOR"
)

// The reasons of warnings.
const (
	// FindingShadowed: longer prefixes take numbers from a rule and give them to other operators.
	FindingShadowed = "SHADOWED_RULE"
	// FindingUnreachable: longer prefixes take every number of a rule.
	FindingUnreachable = "UNREACHABLE_RULE"
	// FindingNoOperator: no operator of a rule is active and able to carry its messages.
	FindingNoOperator = "RULE_WITHOUT_OPERATOR"
	// FindingNothingShorter: a rule falls through and no shorter prefix has a rule for its messages.
	FindingNothingShorter = "NOTHING_TO_FALL_TO"
	// FindingAboveCeiling: a number of a rule costs more than the ceiling.
	FindingAboveCeiling = "PRICE_ABOVE_CEILING"
	// FindingPartialRate: a candidate of a COST rule has a rate for some numbers of the rule and none for others.
	FindingPartialRate = "PARTIAL_RATE"
	// FindingUnchecked: prices were too many to be compared within the bound: those of a rule, or without one those of all.
	FindingUnchecked = "PRICES_NOT_CHECKED"
)

// Finding is one conflict or oddity in a set of rules.
type Finding struct {
	Severity Severity
	// Reason is one of the constants above.
	Reason string
	// Message is one sentence for people that says what to do.
	Message string
	// Rules holds the ids of the rules it is about, the one to change first. A rule that is not stored has uuid.Nil.
	Rules []uuid.UUID
	// Operator is the operator it is about, or uuid.Nil.
	Operator uuid.UUID
	// Witness is a number that shows it: one that the first rule decides. Only where no number can reach that rule it
	// is a number of the rule's prefix. It is made up and belongs to nobody, so Raw may be shown.
	Witness e164.Number
	// Line is the line of the file that the first of the rules stands in; 0 when none does.
	Line int64

	// at holds the indexes of the rules in the set.
	at []int
}

// MaxFindings is how many findings a report keeps; all are counted.
const MaxFindings = 1000

// Report is what a check found.
type Report struct {
	// Findings has errors first, then by prefix; at most MaxFindings. While there is room errors displace no warning.
	Findings []Finding
	// Errors and Warnings count all findings, also those that were not kept. Rules is how many rules were checked.
	Errors, Warnings, Rules int
}

// collector keeps findings up to the bound. What a finding says is worked out only for those that are kept.
type collector struct {
	errors, warnings         []Finding
	errorCount, warningCount int
	// focus tells which rules matter; nil is all. A finding about none of them is left out.
	focus func(rule int) bool
}

// matters reports whether a finding about the rules belongs into the report.
func (c *collector) matters(rules ...int) bool {
	return c.focus == nil || slices.ContainsFunc(rules, c.focus)
}

// add counts a finding about the rules and keeps what make returns while there is room.
func (c *collector) add(severity Severity, rules []int, finding func() Finding) {
	if !c.matters(rules...) {
		return
	}
	kept, count := &c.warnings, &c.warningCount
	if severity == SeverityError {
		kept, count = &c.errors, &c.errorCount
	}
	*count++
	if len(*kept) == MaxFindings {
		return
	}
	f := finding()
	f.Severity, f.at = severity, rules
	*kept = append(*kept, f)
}

// report fills in what follows from the rules and puts errors first.
func (c *collector) report(set *RuleSet) Report {
	all := append(c.errors, c.warnings...)
	all = all[:min(len(all), MaxFindings)]
	for i := range all {
		f := &all[i]
		for _, at := range f.at {
			f.Rules = append(f.Rules, set.Rules[at].ID)
			if f.Line == 0 {
				f.Line = set.line(at)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		x, y := set.Rules[a.at[0]], set.Rules[b.at[0]]
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(x.Prefix, y.Prefix),
			slices.Compare(x.Account[:], y.Account[:]), cmp.Compare(a.Reason, b.Reason))
	})
	return Report{Findings: all, Errors: c.errorCount, Warnings: c.warningCount, Rules: len(set.Rules)}
}
