package database

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
)

// lastInside is the text that sorts last of all prefixes that start with the one given. Between the two lies nothing
// else, in every order of text that sorts digits by value and a text before its continuations.
func lastInside(prefix e164.Prefix) string {
	return prefix.String() + strings.Repeat("9", e164.MaxPrefixDigits-len(prefix.Digits()))
}

// shorter is the texts of all prefixes of a prefix, without itself.
func shorter(prefix e164.Prefix) []string {
	texts := make([]string, 0, e164.MaxPrefixDigits)
	for n := 1; n < len(prefix.Digits()); n++ {
		texts = append(texts, prefix[:n].String())
	}
	return texts
}

// around restricts a query to prefixes that a number with the prefix could have. Shorter ones come first and are few, so
// a limit cuts longer ones.
func around(query *bun.SelectQuery, prefix e164.Prefix) *bun.SelectQuery {
	return query.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("prefix BETWEEN ? AND ?", prefix.String(), lastInside(prefix))
		if up := shorter(prefix); len(up) > 0 {
			q = q.WhereOr("prefix IN (?)", bun.List(up))
		}
		return q
	}).Order("prefix")
}

// Rule returns one live rule.
func (t *tx) Rule(ctx context.Context, id uuid.UUID) (operators.Rule, error) {
	return readRule(bunstore.WithQueryName(ctx, "rule"), t.tx, id)
}

// RulesAround returns the live rules that could decide numbers of the prefix for the accounts; nil is every account.
func (t *tx) RulesAround(
	ctx context.Context, accounts []uuid.UUID, prefix e164.Prefix, limit int,
) (rules []operators.Rule, more bool, err error) {
	ctx = bunstore.WithQueryName(ctx, "rules_around")
	var rows []ruleRow
	query := around(t.tx.NewSelect().Model(&rows).Where("deleted_at IS NULL"), prefix).Limit(int64(limit) + 1)
	if accounts != nil {
		query = query.Where("(account_id IS NULL OR account_id IN (?))", bun.List(accounts))
	}
	if err := query.Scan(ctx); err != nil {
		return nil, false, bunstore.Fault(err)
	}
	for some := range slices.Chunk(rows[:min(limit, len(rows))], chunk) {
		part, err := withCandidates(ctx, t.tx, some)
		if err != nil {
			return nil, false, err
		}
		rules = append(rules, part...)
	}
	return rules, len(rows) > limit, nil
}

// RatesAround returns the operator's rates that could price numbers of the prefix.
func (t *tx) RatesAround(
	ctx context.Context, operator uuid.UUID, prefix e164.Prefix, from time.Time, limit int,
) (rates []operators.Rate, more bool, err error) {
	query := around(t.tx.NewSelect().Table("rates").ColumnExpr(rateColumns).Where("operator_id = ?", operator).
		Where("effective_to IS NULL OR effective_to > ?", from), prefix).Limit(int64(limit) + 1)
	rows, err := query.Rows(bunstore.WithQueryName(ctx, "rates_around"))
	if err != nil {
		return nil, false, bunstore.Fault(err)
	}
	rates, err = scanRates(rows, 0)
	return rates[:min(limit, len(rates))], len(rates) > limit, err
}

// EachRule calls give with every live rule, some at a time.
func (t *tx) EachRule(ctx context.Context, give func([]operators.Rule) error) error {
	all := snapshot{tx: t.tx, page: snapshotPage, give: func(part operators.Snapshot) error { return give(part.Rules) }}
	return bunstore.Fault(all.rules(bunstore.WithQueryName(ctx, "all_rules")))
}

// RemoveRule marks a rule as deleted.
func (t *tx) RemoveRule(ctx context.Context, r operators.Rule) error {
	version, err := t.tellRules(ctx)
	if err != nil {
		return err
	}
	result, err := t.tx.NewUpdate().Model((*ruleRow)(nil)).Set("deleted_at = ?", r.UpdatedAt).Set("updated_at = ?", r.UpdatedAt).
		Set("version = ?", r.Version).Set("updated_by = ?", r.UpdatedBy).Set("changed_in = ?", version).
		Where("deleted_at IS NULL").Where("rule_id = ?", r.ID).Exec(bunstore.WithQueryName(ctx, "remove_rule"))
	if err != nil {
		return bunstore.Fault(err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(operators.NoSuchRule(), err)
	}
	return nil
}
