package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

var _ operators.RuleStore = (*Store)(nil)

// Rule returns one live rule. Without the primary a rule that the replica does
// not have is no NotFound: it may be new.
func (s *Store) Rule(ctx context.Context, id uuid.UUID) (rule operators.Rule, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "rule", func(ctx context.Context, db bun.IDB) (err error) {
		rule, err = readRule(ctx, db, id)
		return err
	})
	if fresh.Stale && fault.Is(err, operators.ReasonNoSuchRule) {
		err = fault.New(fault.Unavailable, bunstore.ReasonUnavailable,
			"The database answers from a replica, which has no rule with this id. It may be new: try again.").
			WithRetry(time.Second).Wrap(err)
	}
	return rule, fresh, err
}

func readRule(ctx context.Context, db bun.IDB, id uuid.UUID) (operators.Rule, error) {
	var row ruleRow
	err := db.NewSelect().Model(&row).Where("deleted_at IS NULL").Where("rule_id = ?", id).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return operators.Rule{}, operators.NoSuchRule()
	case err != nil:
		return operators.Rule{}, bunstore.Fault(err)
	}
	all, err := withCandidates(ctx, db, []ruleRow{row})
	if err != nil {
		return operators.Rule{}, err
	}
	return all[0], nil
}

// ruleOrder are the columns of operators.RuleKey in the order of lists. As text,
// a global rule's account is ” and comes first.
const ruleOrder = "prefix, coalesce(CAST(account_id AS text), ''), message_types"

// ListRules returns a page of live rules by prefix, then account with global
// rules first, then message types, and whether there are more.
func (s *Store) ListRules(
	ctx context.Context, filter operators.RuleFilter,
) (page []operators.Rule, more bool, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "list_rules", func(ctx context.Context, db bun.IDB) (err error) {
		page, more, err = listRules(ctx, db, filter)
		return err
	})
	return page, more, fresh, err
}

func listRules(ctx context.Context, db bun.IDB, f operators.RuleFilter) ([]operators.Rule, bool, error) {
	var rows []ruleRow
	query := db.NewSelect().Model(&rows).Where("deleted_at IS NULL").OrderExpr(ruleOrder).Limit(int64(f.Limit) + 1)
	if f.Operator != uuid.Nil {
		query = query.Where("rule_id IN (SELECT rule_id FROM rule_candidates WHERE operator_id = ?)", f.Operator)
	}
	if f.Prefix != "" {
		query = query.Where("prefix BETWEEN ? AND ?", f.Prefix.String(), lastInside(f.Prefix))
	}
	if f.Country != "" {
		query = query.Where("country = ?", f.Country)
	}
	if f.Only != uuid.Nil {
		query = query.Where("(account_id IS NULL OR account_id = ?)", f.Only)
	}
	if f.Account != uuid.Nil {
		query = query.Where("account_id = ?", f.Account)
	}
	if f.Search != "" {
		query = query.Where("(lower(description) LIKE lower(?0) ESCAPE '!' OR prefix LIKE ?0 ESCAPE '!' OR lower(country) LIKE lower(?0) ESCAPE '!')",
			"%"+like.Replace(f.Search)+"%")
	}
	if f.After != nil {
		account := ""
		if f.After.Account != uuid.Nil {
			account = f.After.Account.String()
		}
		// The first condition says nothing new; it lets an index on prefix serve.
		query = query.Where("prefix >= ?", f.After.Prefix.String()).
			Where("("+ruleOrder+") > (?, ?, ?)", f.After.Prefix.String(), account, f.After.MessageTypes.String())
	}
	if err := query.Scan(ctx); err != nil {
		return nil, false, bunstore.Fault(err)
	}
	all, err := withCandidates(ctx, db, rows[:min(f.Limit, len(rows))])
	return all, len(rows) > f.Limit, err
}
