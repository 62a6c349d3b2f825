package operators

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

var ruleColumns = []string{
	"account", "prefix", "country", "message_types", "strategy", "on_exhausted",
	"operator", "priority", "weight", "price", "currency",
}

// RuleLines is one rule of a file. The rule has no id and times and is active.
type RuleLines struct {
	// Line is the first line of the rule; CandidateLines has that of each candidate.
	Line           int64
	CandidateLines []int64
	Rule
	// broken is set when a line of the rule is bad, so the rule is not whole.
	broken bool
}

// Resolver finds a live operator by name or by UUID. The name wins; no name is a
// UUID. It returns the operator's id and name.
type Resolver func(nameOrID string) (id uuid.UUID, name string, found bool)

// ParseRules reads a file of rules; the package comment has the format. Lines
// that cannot be taken are collected in bad; a rule with such a line is left out
// of the result. The error is one of reading r. progress is called now and then
// with the line reached, and may be nil.
func ParseRules(r io.Reader, resolve Resolver, progress func(line int64)) (rules []*RuleLines, bad *BadLines, err error) {
	bad = new(BadLines)
	t, err := newTable(r, wholeFile(), ruleColumns, bad, progress)
	if t == nil {
		return nil, bad, err
	}
	byKey := make(map[RuleKey]*RuleLines)
	var all []*RuleLines
	for {
		more, err := t.next()
		if err != nil {
			return nil, bad, err
		}
		if !more {
			break
		}
		head, ok := t.rule()
		candidate := t.candidate(resolve)
		if !ok {
			continue
		}
		rule, known := byKey[head.Key()]
		if !known {
			rule = &RuleLines{Line: t.line, Rule: head}
			byKey[head.Key()] = rule
			all = append(all, rule)
		} else {
			t.agree(rule, head)
		}
		if bad.has(t.line) {
			rule.broken = true
			continue
		}
		rule.Candidates = append(rule.Candidates, candidate)
		rule.CandidateLines = append(rule.CandidateLines, t.line)
	}
	checkWhole(all, bad)
	for _, rule := range all {
		if !rule.broken {
			rules = append(rules, rule)
		}
	}
	return rules, bad, nil
}

// rule reads the columns that belong to the rule. The result has a key to be
// grouped by only when ok.
func (t *table) rule() (rule Rule, ok bool) {
	rule.Active = true
	ok = true
	wrong := func(column, format string, args ...any) {
		t.fault(column, format, args...)
		ok = false
	}
	var err error
	if text := t.field("account"); text != "" {
		if rule.Account, err = parseUUID(text); err != nil {
			wrong("account", "must be a UUID, or empty for a global rule")
		}
	}
	if rule.Prefix, err = e164.ParsePrefix(strings.Clone(t.field("prefix"))); err != nil {
		wrong("prefix", prefixProblem)
	}
	if rule.MessageTypes, err = t.messageTypes(); err != nil {
		wrong("message_types", "%s", err)
	}
	rule.Country = strings.Clone(t.field("country"))
	if problem := checkCountry(rule.Country); problem != "" {
		t.fault("country", "%s", problem)
	}
	if rule.Strategy, err = ParseStrategy(t.field("strategy")); err != nil {
		t.fault("strategy", "%s", err)
	}
	rule.OnExhausted = Fail
	if text := t.field("on_exhausted"); text != "" {
		if rule.OnExhausted, err = ParseOnExhausted(text); err != nil {
			t.fault("on_exhausted", "%s, or empty for FAIL", err)
		}
	}
	return rule, ok
}

// parseUUID accepts the usual form with hyphens only, and not the nil UUID.
func parseUUID(text string) (uuid.UUID, error) {
	const usual = 36
	id, err := uuid.Parse(text)
	if err != nil || len(text) != usual || id == uuid.Nil {
		return uuid.Nil, errors.New("not a UUID")
	}
	return id, nil
}

func (t *table) candidate(resolve Resolver) Candidate {
	c := Candidate{Priority: t.number("priority", DefaultPriority), Weight: t.number("weight", DefaultWeight)}
	name := unguard(t.field("operator"))
	var found bool
	if name == "" {
		t.fault("operator", "must be the name or the UUID of an operator")
	} else if c.OperatorID, c.OperatorName, found = resolve(name); !found {
		t.fault("operator", "there is no operator with the name or UUID %q", shown(name))
	}
	if problem := checkRange(c.Priority, 1, MaxPriority); problem != "" {
		t.fault("priority", "%s, or empty for %d", problem, DefaultPriority)
	}
	if problem := checkRange(c.Weight, 0, MaxWeight); problem != "" {
		t.fault("weight", "%s, or empty for %d", problem, DefaultWeight)
	}
	price, currency := t.field("price"), t.field("currency")
	var err error
	switch {
	case price == "" && currency == "":
	case currency == "":
		t.fault("currency", "must be given with a price")
	case price == "":
		t.fault("price", "must be given with a currency")
	default:
		if c.Price, err = money.Parse(price, currency); errors.Is(err, money.ErrCurrency) {
			t.fault("currency", "must be an ISO 4217 code in capital letters, such as EUR")
		} else if err != nil {
			t.fault("price", "must be a decimal from 0 to 9223372036.854775807 with at most 9 decimal places, such as 0.0125: %s", err)
		}
	}
	return c
}

// agree checks that a later line says the same about its rule as the first.
func (t *table) agree(rule *RuleLines, head Rule) {
	const format = "differs from line %d, which is about the same rule"
	if head.Country != rule.Country {
		t.fault("country", format, rule.Line)
	}
	if head.Strategy != rule.Strategy {
		t.fault("strategy", format, rule.Line)
	}
	if head.OnExhausted != rule.OnExhausted {
		t.fault("on_exhausted", format, rule.Line)
	}
}

// checkWhole looks at each rule alone. What rules do to each other is the conflict checker's to find.
func checkWhole(all []*RuleLines, bad *BadLines) {
	for _, rule := range all {
		if len(rule.Candidates) > MaxCandidates {
			bad.add(rule.CandidateLines[MaxCandidates], "operator", "the rule of line %d has more than %d candidates", rule.Line, MaxCandidates)
			rule.broken = true
		}
		for _, found := range candidateClashes(rule.Strategy, rule.Candidates) {
			if found.field == "weight" && rule.broken {
				// A line that could not be read may have had the weight.
				continue
			}
			bad.add(rule.CandidateLines[found.second], found.field, found.format,
				fmt.Sprintf("line %d", rule.CandidateLines[found.first]))
			rule.broken = true
		}
	}
}

// WriteRules writes a file that ParseRules reads back to the same rules, apart
// from ids, times, validity and whether they are active. A rule without
// candidates cannot be written.
func WriteRules(w io.Writer, all []Rule) error {
	out := csv.NewWriter(w)
	if err := out.Write(ruleColumns); err != nil {
		return err
	}
	for _, rule := range all {
		if len(rule.Candidates) == 0 {
			return fmt.Errorf("rule %s has no candidates", rule.ID)
		}
		account := ""
		if rule.Account != uuid.Nil {
			account = rule.Account.String()
		}
		for _, c := range rule.Candidates {
			operator, price := c.OperatorName, ""
			if operator == "" {
				operator = c.OperatorID.String()
			}
			if !c.Price.IsZero() {
				price = c.Price.Decimal()
			}
			if err := out.Write([]string{
				account, rule.Prefix.String(), rule.Country, rule.MessageTypes.join("|"), rule.Strategy.String(), rule.OnExhausted.String(),
				guard(operator), strconv.Itoa(c.Priority), strconv.Itoa(c.Weight), price, c.Price.Currency.String(),
			}); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}
