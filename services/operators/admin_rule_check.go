package operators

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// Bounds of what is read for the check of one rule. Above them the set is partial: a longer rule or rate that was not
// read can neither excuse a missing rate nor show one, and the check of the whole set has the last word.
const (
	maxRulesAround = 2000
	maxRatesAround = 2000
)

// Conflict is the cause of a ReasonConflict fault: everything that the checker found about the refused rule.
type Conflict struct {
	Report
}

// Error counts the findings.
func (c *Conflict) Error() string {
	return fmt.Sprintf("%d errors and %d warnings of the conflict checker", c.Errors, c.Warnings)
}

// fault tells the errors in words, too.
func (c *Conflict) fault() error {
	f := fault.New(fault.FailedPrecondition, ReasonConflict, "%s", c.Findings[0].Message)
	if c.Errors > 1 {
		f.Message += fmt.Sprintf(" More conflicts: %d.", c.Errors-1)
	}
	for _, finding := range c.Findings {
		if finding.Severity == SeverityError {
			f.Violations = append(f.Violations, fault.Violation{Field: finding.field(), Description: finding.text()})
		}
	}
	return f.Wrap(c)
}

// field names the part of a rule that an error is about, as in the schema.
func (f Finding) field() string {
	if f.Reason == FindingOverlap {
		return "message_types"
	}
	return "candidates"
}

// column names the part of a line that an error is about. Errors of a rule alone are found when the file is read.
func (f Finding) column() string {
	switch f.Reason {
	case FindingOverlap:
		return "message_types"
	case FindingNoRate:
		return "price"
	case FindingMixedCurrencies:
		return "currency"
	}
	return ""
}

// text is the message with the witness.
func (f Finding) text() string { return f.Message + " Example: " + f.Witness.Raw() + "." }

// examine checks a rule that is about to be stored, in place of old when that is not nil, and fills in the names of its
// operators. It returns the warnings about it; errors are a fault. In findings a new rule has no id yet.
func (a *RuleAdmin) examine(ctx context.Context, tx Tx, rule, old *Rule, at time.Time) ([]Finding, error) {
	live, err := tx.LiveOperators(ctx)
	if err != nil {
		return nil, err
	}
	around, more, err := tx.RulesAround(ctx, []uuid.UUID{rule.Account}, rule.Prefix, maxRulesAround)
	if err != nil {
		return nil, err
	}
	if err := rule.duplicate(around); err != nil {
		return nil, err
	}
	if err := nameOperators(rule, old, live); err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(around, func(other Rule) bool { return other.ID == rule.ID })
	checked := *rule
	if old == nil {
		checked.ID = uuid.Nil
	}
	set := RuleSet{Rules: append(others, checked), Operators: live, Ceiling: a.ceiling, Now: at, partial: more}
	if set.FX, err = tx.FX(ctx); err != nil {
		return nil, err
	}
	for _, operator := range rule.unpriced(a.ceiling) {
		rates, more, err := tx.RatesAround(ctx, operator, rule.Prefix, at, maxRatesAround)
		if err != nil {
			return nil, err
		}
		set.Rates = append(set.Rates, rates...)
		set.partial = set.partial || more
	}
	report := check(&set, func(i int) bool { return i == len(others) })
	if report.Errors > 0 {
		return nil, (&Conflict{report}).fault()
	}
	return report.Findings, nil
}

// duplicate refuses a rule whose key another live one has. The database refuses it too; this says which one it is.
func (r Rule) duplicate(live []Rule) error {
	for _, other := range live {
		if other.Key() == r.Key() && other.ID != r.ID {
			return fault.New(fault.AlreadyExists, ReasonDuplicateRule,
				"Rule %s has this account, prefix and message types: change that one.", other.ID).With("rule_id", other.ID.String())
		}
	}
	return nil
}

// unpriced gives the operators whose rates a check looks at: those that decide what the rule selects and, with a
// ceiling, all whose rates are what it costs.
func (r Rule) unpriced(ceiling money.Money) (all []uuid.UUID) {
	if r.Strategy != Cost && ceiling.IsZero() {
		return nil
	}
	for _, c := range r.Candidates {
		if c.Price.IsZero() {
			all = append(all, c.OperatorID)
		}
	}
	return all
}

// checkImport checks the rules that an import is about to store on top of all live ones. Errors about them are bad
// lines. It is called inside the import's transaction, before put is stored.
func checkImport(
	ctx context.Context, tx Tx, lines []*RuleLines, put []Rule, at time.Time, ceiling money.Money,
) (warnings Report, bad *BadLines, err error) {
	bad = new(BadLines)
	set := RuleSet{Ceiling: ceiling, Now: at}
	if set.Operators, err = tx.LiveOperators(ctx); err != nil {
		return Report{}, bad, err
	}
	if set.FX, err = tx.FX(ctx); err != nil {
		return Report{}, bad, err
	}
	err = tx.EachRule(ctx, func(some []Rule) error {
		set.Rules = append(set.Rules, some...)
		return nil
	})
	if err != nil {
		return Report{}, bad, err
	}
	focus := set.lay(put, lines)
	needed := make(map[uuid.UUID]bool)
	for _, rule := range put {
		for _, operator := range rule.unpriced(set.Ceiling) {
			needed[operator] = true
		}
	}
	for operator := range needed {
		rates, err := tx.RatesFrom(ctx, operator, at)
		if err != nil {
			return Report{}, bad, err
		}
		set.Rates = append(set.Rates, rates...)
	}
	report := check(&set, focus)
	for _, f := range report.Findings {
		if f.Severity == SeverityError {
			bad.add(f.Line, f.column(), "%s", f.text())
		}
	}
	return report, bad, nil
}

// lay puts the rules of a file over those of the set, in the place of the one with the same key, and tells which they
// are. Those that are not stored yet have no id.
func (s *RuleSet) lay(put []Rule, lines []*RuleLines) (focus func(rule int) bool) {
	line := make(map[RuleKey]int64, len(lines))
	for _, l := range lines {
		line[l.Key()] = l.Line
	}
	place := make(map[RuleKey]int, len(s.Rules))
	for i := range s.Rules {
		place[s.Rules[i].Key()] = i
	}
	s.Lines = make([]int64, len(s.Rules), len(s.Rules)+len(put))
	for _, rule := range put {
		at, known := place[rule.Key()]
		if known {
			// Files do not speak of these.
			old := &s.Rules[at]
			rule.ID, rule.Active, rule.ValidFrom, rule.ValidTo = old.ID, old.Active, old.ValidFrom, old.ValidTo
		} else {
			at, rule.ID = len(s.Rules), uuid.Nil
			s.Rules, s.Lines = append(s.Rules, Rule{}), append(s.Lines, 0)
		}
		s.Rules[at], s.Lines[at] = rule, line[rule.Key()]
	}
	return func(rule int) bool { return s.Lines[rule] > 0 }
}

// CheckResult is what a check of all rules or of a file found.
type CheckResult struct {
	Report
	// BadLines are lines of the file that cannot be read, at most MaxBadLines; BadLineCount counts them all. Such a file
	// is not checked further.
	BadLines     []BadLine
	BadLineCount int64
}

// CheckRules checks all live rules. A file that is not empty it checks as if it were imported, and tells and counts only
// what is about its rules. One check runs at a time; others wait.
func (a *RuleAdmin) CheckRules(ctx context.Context, file []byte) (CheckResult, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := checkSize(file); err != nil {
		return CheckResult{}, err
	}
	if err := a.startCheck(ctx); err != nil {
		return CheckResult{}, err
	}
	defer a.endCheck()
	set := RuleSet{Now: moment(a.now()), Ceiling: a.ceiling}
	if len(file) == 0 {
		if err := a.load(ctx, &set, nil); err != nil {
			return CheckResult{}, err
		}
		return CheckResult{Report: Check(set)}, nil
	}

	known, err := a.liveOperators(ctx)
	if err != nil {
		return CheckResult{}, err
	}
	lines, bad, err := ParseRules(reader(ctx, file), Resolve(known), nil)
	if err != nil {
		return CheckResult{}, err
	}
	if bad.Count() > 0 {
		return CheckResult{BadLines: bad.List(), BadLineCount: bad.Count()}, nil
	}
	put := make([]Rule, len(lines))
	for i, line := range lines {
		put[i] = line.Rule
	}
	if err := a.load(ctx, &set, put); err != nil {
		return CheckResult{}, err
	}
	report := check(&set, set.lay(put, lines))
	report.Rules = len(lines)
	return CheckResult{Report: report}, nil
}

// startCheck waits until no other check of all rules runs.
func (a *RuleAdmin) startCheck(ctx context.Context) error {
	select {
	case a.checking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *RuleAdmin) endCheck() { <-a.checking }

func (a *RuleAdmin) liveOperators(ctx context.Context) (all []Operator, err error) {
	err = a.store.Snapshot(ctx, true, a.now(), func(part Snapshot) error {
		all = append(all, part.Operators...)
		return nil
	})
	return all, err
}

// load reads everything that a check looks at, in one state. Of the rates it keeps those that count for the rules of a
// file or, without one, for any rule. A table of exchange rates that the set has is kept.
func (a *RuleAdmin) load(ctx context.Context, set *RuleSet, file []Rule) error {
	needed := make(map[uuid.UUID]bool)
	need := func(rules []Rule) {
		for _, rule := range rules {
			for _, operator := range rule.unpriced(set.Ceiling) {
				needed[operator] = true
			}
		}
	}
	need(file)
	return a.store.Snapshot(ctx, false, set.Now, func(part Snapshot) error {
		set.Operators = append(set.Operators, part.Operators...)
		set.Rules = append(set.Rules, part.Rules...)
		if file == nil {
			need(part.Rules)
		}
		for _, rate := range part.Rates {
			if needed[rate.OperatorID] {
				set.Rates = append(set.Rates, rate)
			}
		}
		if part.FX != nil && set.FX == nil {
			set.FX = part.FX
		}
		return nil
	})
}
