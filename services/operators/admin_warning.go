package operators

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// The reasons of warnings.
const (
	// WarnRuleWithoutOperator: an active rule has no operator left that could carry its messages.
	WarnRuleWithoutOperator = "RULE_WITHOUT_OPERATOR"
	// WarnBackupDeleted: another operator has the deleted one as its backup, and so has none now.
	WarnBackupDeleted = "BACKUP_DELETED"
)

// MaxWarnings is how many warnings a change gives; one more says that there are others.
const MaxWarnings = 100

// Warning tells what a change leaves behind that somebody should look at.
type Warning struct {
	// Reason is one of the Warn constants.
	Reason  string
	Message string
	// RuleID is the rule it is about; uuid.Nil is none.
	RuleID uuid.UUID
	// Witness is a number, in E.164, that the rule answers; "" when there is none.
	Witness string
}

// idle warns of the rules that name the operator and have no usable one.
func idle(ctx context.Context, tx Tx, operator uuid.UUID, at time.Time) ([]Warning, error) {
	rules, err := tx.IdleRules(ctx, operator, at, MaxWarnings+1)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	more := len(rules) > MaxWarnings
	rules = rules[:min(len(rules), MaxWarnings)]
	numbers, err := witnesses(ctx, tx, rules, at)
	if err != nil {
		return nil, err
	}
	warnings := make([]Warning, 0, len(rules)+1)
	for i, rule := range rules {
		warnings = append(warnings, Warning{Reason: WarnRuleWithoutOperator, RuleID: rule.ID, Witness: numbers[i], Message: rule.idleText()})
	}
	if more {
		warnings = append(warnings, Warning{
			Reason: WarnRuleWithoutOperator, Message: fmt.Sprintf("More than %d rules have no usable operator.", MaxWarnings),
		})
	}
	return warnings, nil
}

// idleText warns of the rule when it has no usable operator.
func (r Rule) idleText() string {
	return sentence("the %s has no usable operator: activate one of its operators or give it another.", r.name())
}

// sampleDigits is how long a sample is at least, so that it is a whole number wherever it belongs.
const sampleDigits = 12

// samples are numbers with a prefix that go apart at the first digit after it.
func samples(prefix e164.Prefix) []string {
	digits := prefix.Digits()
	if missing := sampleDigits - len(digits); missing > 0 {
		all := make([]string, 0, 10)
		for d := range 10 {
			all = append(all, digits+strings.Repeat(string(rune('0'+d)), missing))
		}
		return all
	}
	return []string{digits}
}

// witnesses finds for each rule a number that it answers and no longer prefix takes away.
func witnesses(ctx context.Context, tx Tx, rules []Rule, at time.Time) ([]string, error) {
	var longer []e164.Prefix
	seen := make(map[e164.Prefix]bool)
	for _, rule := range rules {
		for _, number := range samples(rule.Prefix) {
			for end := len(rule.Prefix.Digits()) + 1; end <= len(number); end++ {
				if prefix := e164.Prefix(number[:end]); !seen[prefix] {
					seen[prefix] = true
					longer = append(longer, prefix)
				}
			}
		}
	}
	others, err := tx.LiveRules(ctx, longer)
	if err != nil {
		return nil, err
	}
	numbers := make([]string, len(rules))
	for i, rule := range rules {
		for _, number := range samples(rule.Prefix) {
			if !rule.loses(number, others, at) {
				numbers[i] = "+" + number
				break
			}
		}
	}
	return numbers, nil
}

// loses reports whether a rule with a longer prefix answers the number for some of the rule's messages.
func (r Rule) loses(number string, others []Rule, at time.Time) bool {
	for _, other := range others {
		inView := other.Account == uuid.Nil || other.Account == r.Account
		if inView && other.Active && len(other.Prefix) > len(r.Prefix) && strings.HasPrefix(number, other.Prefix.Digits()) &&
			other.MessageTypes.Overlaps(r.MessageTypes) && !at.Before(other.ValidFrom) &&
			(other.ValidTo.IsZero() || at.Before(other.ValidTo)) {
			return true
		}
	}
	return false
}
