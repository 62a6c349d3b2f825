package operators

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// strandedBy warns of rules that hand on to nobody, for some messages, once a rule is gone. Rules of an account answer
// to that account alone, so its deletion is checked among those and the global ones; a global rule may be what rules of
// every account fall through to.
func strandedBy(ctx context.Context, tx Tx, gone Rule, at time.Time) ([]Finding, error) {
	if !gone.Active {
		return nil, nil
	}
	var accounts []uuid.UUID
	if gone.Account != uuid.Nil {
		accounts = []uuid.UUID{gone.Account}
	}
	around, more, err := tx.RulesAround(ctx, accounts, gone.Prefix, maxRulesAround)
	if err != nil {
		return nil, err
	}
	set := RuleSet{Rules: around, Now: at, only: aboutFallThrough, partial: more}
	type told struct {
		rule    uuid.UUID
		message string
	}
	before := make(map[told]bool)
	for _, f := range Check(set).Findings {
		before[told{f.Rules[0], f.Message}] = true
	}
	set.Rules = slices.DeleteFunc(around, func(r Rule) bool { return r.ID == gone.ID })
	after := Check(set)
	findings := slices.DeleteFunc(after.Findings, func(f Finding) bool { return before[told{f.Rules[0], f.Message}] })
	if more || after.Warnings > MaxFindings {
		findings = append(findings, Finding{
			Severity: SeverityWarning, Reason: FindingNothingShorter, Rules: []uuid.UUID{gone.ID},
			Message: sentence("the %s has too many rules around it for all of them to be told: check all rules for others that fall through to nothing.",
				gone.name()),
		})
	}
	return findings, nil
}
