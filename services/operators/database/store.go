package database

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// readLimit bounds one read outside a transaction.
const readLimit = 10 * time.Second

// Store keeps operators and rules. It is safe for concurrent use.
type Store struct {
	db *bun.DB
}

var _ operators.Store = (*Store)(nil)

// New returns a store over a database that bunstore opened and whose migrations
// are applied.
func New(db *bun.DB) *Store { return &Store{db: db} }

// LiveOperators returns every live operator by name.
func (s *Store) LiveOperators(ctx context.Context) ([]operators.Operator, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	return liveOperators(ctx, s.db)
}

// ListOperators returns up to limit live operators by name, starting after the
// name given ("" starts at the first), and whether there are more.
func (s *Store) ListOperators(ctx context.Context, after string, limit int) ([]operators.Operator, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	ctx = bunstore.WithQueryName(ctx, "list_operators")
	var rows []operatorRow
	query := s.db.NewSelect().Model(&rows).Where("deleted_at IS NULL").Order("name").Limit(int64(limit) + 1)
	if after != "" {
		query = query.Where("name > ?", after)
	}
	if err := query.Scan(ctx); err != nil {
		return nil, false, bunstore.Fault(err)
	}
	more := len(rows) > limit
	all, err := convert(rows[:min(limit, len(rows))], operatorRow.operator)
	return all, more, err
}

// ruleOrder are the columns of operators.RuleKey in the order of lists. As text,
// a global rule's account is ” and comes first.
const ruleOrder = "prefix, coalesce(CAST(account_id AS text), ''), message_types"

// ListRules returns up to limit live rules by prefix, then account with global
// rules first, then message types, starting after the key given (nil starts at
// the first), and whether there are more.
func (s *Store) ListRules(ctx context.Context, after *operators.RuleKey, limit int) ([]operators.Rule, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	ctx = bunstore.WithQueryName(ctx, "list_rules")
	var rows []ruleRow
	query := s.db.NewSelect().Model(&rows).Where("deleted_at IS NULL").OrderExpr(ruleOrder).Limit(int64(limit) + 1)
	if after != nil {
		account := ""
		if after.Account != uuid.Nil {
			account = after.Account.String()
		}
		// The first condition says nothing new; it lets an index on prefix serve.
		query = query.Where("prefix >= ?", after.Prefix.String()).
			Where("("+ruleOrder+") > (?, ?, ?)", after.Prefix.String(), account, after.MessageTypes.String())
	}
	if err := query.Scan(ctx); err != nil {
		return nil, false, bunstore.Fault(err)
	}
	more := len(rows) > limit
	all, err := withCandidates(ctx, s.db, rows[:min(limit, len(rows))])
	return all, more, err
}

func liveOperators(ctx context.Context, db bun.IDB) ([]operators.Operator, error) {
	var rows []operatorRow
	err := db.NewSelect().Model(&rows).Where("deleted_at IS NULL").Order("name").
		Scan(bunstore.WithQueryName(ctx, "live_operators"))
	if err != nil {
		return nil, bunstore.Fault(err)
	}
	return convert(rows, operatorRow.operator)
}

// withCandidates converts rows and reads their candidates.
func withCandidates(ctx context.Context, db bun.IDB, rows []ruleRow) ([]operators.Rule, error) {
	rules, err := convert(rows, ruleRow.rule)
	if err != nil || len(rows) == 0 {
		return rules, err
	}
	ids := make([]uuid.UUID, len(rules))
	index := make(map[uuid.UUID]int, len(rules))
	for i, rule := range rules {
		ids[i] = rule.ID
		index[rule.ID] = i
	}
	var found []candidateRow
	err = db.NewSelect().Model(&found).ColumnExpr("c.*").ColumnExpr("o.name AS operator_name").
		Join("JOIN operators AS o ON o.operator_id = c.operator_id").
		Where("c.rule_id IN (?)", bun.List(ids)).
		Order("c.rule_id", "c.priority", "c.operator_id").
		Scan(bunstore.WithQueryName(ctx, "rule_candidates"))
	if err != nil {
		return nil, bunstore.Fault(err)
	}
	for _, row := range found {
		candidate, err := row.candidate()
		if err != nil {
			return nil, corrupt(err)
		}
		rule := &rules[index[row.RuleID]]
		rule.Candidates = append(rule.Candidates, candidate)
	}
	return rules, nil
}

func convert[Row, Value any](rows []Row, one func(Row) (Value, error)) ([]Value, error) {
	all := make([]Value, 0, len(rows))
	for _, row := range rows {
		value, err := one(row)
		if err != nil {
			return nil, corrupt(err)
		}
		all = append(all, value)
	}
	return all, nil
}

// corrupt is a row that this version cannot read: written by hand or by a newer
// version.
func corrupt(err error) error {
	return fault.From(fmt.Errorf("a stored row cannot be read: %w", err))
}
