package operators

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// The reasons of faults about rules.
const (
	ReasonNoSuchRule    = "NO_SUCH_RULE"
	ReasonDuplicateRule = "DUPLICATE_RULE"
	// ReasonConflict marks a rule that the conflict checker refuses. Its fault carries a Conflict.
	ReasonConflict = "RULE_CONFLICT"
)

// RuleStore is what RuleAdmin needs to be kept.
type RuleStore interface {
	Store
	RuleReader
}

// RuleReader reads rules outside transactions. The answer may come from a replica, and says so.
type RuleReader interface {
	// Rule gives one live rule, or a NotFound fault.
	Rule(ctx context.Context, id uuid.UUID) (Rule, Freshness, error)
	// ListRules gives live rules by prefix, then account with global rules first, then message types, and whether
	// there are more.
	ListRules(ctx context.Context, filter RuleFilter) (page []Rule, more bool, fresh Freshness, err error)
	// Snapshot gives everything that a check needs, part by part and in one state: operators, rules, rates, FX.
	Snapshot(ctx context.Context, operatorsOnly bool, now time.Time, give func(Snapshot) error) error
}

// RuleSetTx reads and removes rules inside a transaction.
type RuleSetTx interface {
	// Rule gives one live rule, or a NotFound fault.
	Rule(ctx context.Context, id uuid.UUID) (Rule, error)
	// RulesAround gives up to limit live rules of the accounts, and global ones, that could decide numbers of the prefix:
	// for shorter prefixes, for this one and for longer ones, in this order; nil is every account. more tells that there
	// are others.
	RulesAround(ctx context.Context, accounts []uuid.UUID, prefix e164.Prefix, limit int) (rules []Rule, more bool, err error)
	// RatesAround gives the operator's rates that count at a moment or later and could price numbers of the prefix, with
	// limit and order as for RulesAround.
	RatesAround(ctx context.Context, operator uuid.UUID, prefix e164.Prefix, from time.Time, limit int) (rates []Rate, more bool, err error)
	// EachRule calls give with every live rule, some at a time.
	EachRule(ctx context.Context, give func([]Rule) error) error
	// RemoveRule marks a rule as deleted and stores its version, time and author of the change.
	RemoveRule(ctx context.Context, r Rule) error
}

// RuleFilter says which rules a list holds.
type RuleFilter struct {
	// Operator is one that the rule selects; uuid.Nil is any.
	Operator uuid.UUID
	// Prefix is what the wanted prefixes start with; "" is all.
	Prefix e164.Prefix
	// Country is an ISO 3166-1 alpha-2 code; "" is all.
	Country string
	// Account owns the rules; uuid.Nil is all rules, also global ones.
	Account uuid.UUID
	// Only is the one account whose rules the caller may see, besides global ones; uuid.Nil lets it see all.
	Only uuid.UUID
	// Search is part of description, prefix or country, in any case; "" is all.
	Search string
	// After is the key of the last rule of the page before; nil is the first page.
	After *RuleKey
	// Limit is the size of the page, 1 to MaxPage.
	Limit int
}

func (f RuleFilter) validate() error {
	var v violations
	if utf8.RuneCountInString(f.Search) > MaxSearch || !utf8.ValidString(f.Search) {
		v.check("search", "must have at most 100 characters")
	}
	v.check("page_size", checkRange(f.Limit, 1, MaxPage))
	return invalid(v)
}

// RuleAdmin carries out what is asked about rules. It is safe for concurrent use.
type RuleAdmin struct {
	store   RuleStore
	wake    Waker
	now     func() time.Time
	ceiling money.Money
	// checking lets one check of all rules run at a time: each holds them all in memory.
	checking chan struct{}
}

// NewRuleAdmin returns the use cases of rules. It takes the time of a change from now. Prices per segment above the
// ceiling are warned of; the zero Money is no ceiling.
func NewRuleAdmin(store RuleStore, wake Waker, now func() time.Time, ceiling money.Money) *RuleAdmin {
	return &RuleAdmin{store: store, wake: wake, now: now, ceiling: ceiling, checking: make(chan struct{}, 1)}
}

// ETag names this state of the rule.
func (r Rule) ETag() string { return etag(r.ID, r.Version) }

// NoSuchRule is the fault for an id that no live rule has.
func NoSuchRule() error {
	return fault.New(fault.NotFound, ReasonNoSuchRule, "There is no live rule with this id.")
}

// GetRule gives one live rule. For a caller who is bound to an account, rules of other accounts do not exist.
func (a *RuleAdmin) GetRule(ctx context.Context, id uuid.UUID) (Rule, Freshness, error) {
	rule, fresh, err := a.store.Rule(ctx, id)
	if err == nil && !caller.From(ctx).MaySee(rule.Account) {
		return Rule{}, fresh, NoSuchRule()
	}
	return rule, fresh, err
}

// ListRules gives a page of live rules, and whether there are more. A caller who is bound to an account gets its own and
// global ones; asking for those of another is ReasonAccountMismatch.
func (a *RuleAdmin) ListRules(ctx context.Context, filter RuleFilter) (page []Rule, more bool, fresh Freshness, err error) {
	if err := filter.validate(); err != nil {
		return nil, false, Freshness{}, err
	}
	who := caller.From(ctx)
	if !who.MaySee(filter.Account) {
		return nil, false, Freshness{}, accountMismatch()
	}
	filter.Only = who.Account
	return a.store.ListRules(ctx, filter)
}

// apply runs a change of rules.
func (a *RuleAdmin) apply(ctx context.Context, c change) error {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	_, err := c.run(ctx, a.store, a.wake, a.now)
	return err
}

// ruleStep is one state of a rule that takes the place of another. before is nil for a new rule, after for a deleted one.
type ruleStep struct {
	action, event string
	before, after *Rule
}

// record raises the versions and writes what belongs to the change, and returns the reply to remember.
func (s ruleStep) record(ctx context.Context, tx Tx, r Request, at time.Time) (reply string, err error) {
	version, err := tx.RaiseConfigVersion(ctx, true, at)
	if err != nil {
		return "", err
	}
	entry := Entry{Action: s.action, Entity: "rule", At: at, Events: []Event{
		{ID: newID(), Kind: s.event, ConfigVersion: version, OccurredAt: at},
	}}
	var id uuid.UUID
	if s.before != nil {
		id, entry.Before = s.before.ID, s.before.audited()
	}
	if s.after != nil {
		id, entry.After = s.after.ID, s.after.audited()
	}
	entry.EntityID = id.String()
	return ruleReply(id), tx.Record(ctx, r, entry)
}

type ruleReplyJSON struct {
	RuleID uuid.UUID `json:"rule_id"`
}

func ruleReply(id uuid.UUID) string { return string(mustJSON(ruleReplyJSON{id})) }

// repliedRule gives the present state of the rule that a former run was about. A deleted rule has none to give.
func repliedRule(ctx context.Context, tx Tx, reply string) (Rule, error) {
	var r ruleReplyJSON
	if err := json.Unmarshal([]byte(reply), &r); err != nil {
		return Rule{}, fmt.Errorf("read the reply of a former request: %w", err)
	}
	rule, err := tx.Rule(ctx, r.RuleID)
	if fault.Is(err, ReasonNoSuchRule) {
		return Rule{}, fault.New(fault.NotFound, ReasonNoSuchRule,
			"This request was carried out before, and its rule was deleted since. Nothing was repeated: take another request_id to make the change anew.",
		).With("rule_id", r.RuleID.String())
	}
	return rule, err
}

// audited writes the rule for the audit log, with the names of the schema.
func (r Rule) audited() []byte {
	out := auditedRule{
		ID: r.ID, Prefix: r.Prefix.String(), Country: r.Country, Description: r.Description, MessageTypes: r.MessageTypes.String(),
		Strategy: r.Strategy.String(), OnExhausted: r.OnExhausted.String(), Active: r.Active,
		ValidFrom: r.ValidFrom, ValidTo: r.ValidTo, Version: r.Version,
	}
	if r.Account != uuid.Nil {
		out.Account = &r.Account
	}
	for _, c := range r.Candidates {
		one := auditedCandidate{OperatorID: c.OperatorID, Priority: c.Priority, Weight: c.Weight}
		if !c.Price.IsZero() {
			one.Price, one.Currency = c.Price.Decimal(), c.Price.Currency.String()
		}
		out.Candidates = append(out.Candidates, one)
	}
	return mustJSON(out)
}

type auditedRule struct {
	ID           uuid.UUID          `json:"rule_id"`
	Account      *uuid.UUID         `json:"account_id,omitempty"`
	Prefix       string             `json:"prefix"`
	Country      string             `json:"country,omitempty"`
	Description  string             `json:"description,omitempty"`
	MessageTypes string             `json:"message_types,omitempty"`
	Strategy     string             `json:"strategy"`
	OnExhausted  string             `json:"on_exhausted"`
	Active       bool               `json:"active"`
	ValidFrom    time.Time          `json:"valid_from,omitzero"`
	ValidTo      time.Time          `json:"valid_to,omitzero"`
	Candidates   []auditedCandidate `json:"candidates"`
	Version      int64              `json:"version"`
}

type auditedCandidate struct {
	OperatorID uuid.UUID `json:"operator_id"`
	Priority   int       `json:"priority"`
	Weight     int       `json:"weight"`
	Price      string    `json:"price,omitempty"`
	Currency   string    `json:"currency,omitempty"`
}
