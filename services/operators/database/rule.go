package database

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
)

// LiveRules returns the live rules of the prefixes.
func (t *tx) LiveRules(ctx context.Context, prefixes []e164.Prefix) ([]operators.Rule, error) {
	ctx = bunstore.WithQueryName(ctx, "rules_by_prefix")
	var all []operators.Rule
	for part := range slices.Chunk(prefixes, chunk) {
		texts := make([]string, len(part))
		for i, prefix := range part {
			texts[i] = prefix.String()
		}
		var rows []ruleRow
		err := t.tx.NewSelect().Model(&rows).Where("deleted_at IS NULL").Where("prefix IN (?)", bun.List(texts)).Scan(ctx)
		if err != nil {
			return nil, bunstore.Fault(err)
		}
		rules, err := withCandidates(ctx, t.tx, rows)
		if err != nil {
			return nil, err
		}
		all = append(all, rules...)
	}
	return all, nil
}

// PutRules inserts rules or replaces those with the same id, with their candidates.
func (t *tx) PutRules(ctx context.Context, all []operators.Rule, stored func(done int64)) error {
	version, err := t.tellRules(ctx)
	if err != nil {
		return err
	}
	ctx = bunstore.WithQueryName(ctx, "put_rules")
	done := int64(0)
	for part := range slices.Chunk(all, chunk) {
		rows := make([]ruleRow, len(part))
		ids := make([]uuid.UUID, len(part))
		var candidates []candidateRow
		for i, rule := range part {
			rows[i], ids[i] = fromRule(rule), rule.ID
			rows[i].ChangedIn = version
			candidates = fromCandidates(rule, candidates)
		}
		query := t.tx.NewInsert().Model(&rows).On("CONFLICT (rule_id) DO UPDATE")
		for _, column := range []string{
			"country", "strategy", "on_exhausted", "active", "valid_from", "valid_to", "updated_at", "description", "version", "updated_by",
			"changed_in",
		} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		if _, err := query.Exec(ctx); err != nil {
			return duplicate(err, operators.ReasonDuplicateRule, "A live rule has this account, prefix and message types.")
		}
		if _, err := t.tx.NewDelete().Model((*candidateRow)(nil)).Where("rule_id IN (?)", bun.List(ids)).Exec(ctx); err != nil {
			return bunstore.Fault(err)
		}
		for some := range slices.Chunk(candidates, chunk) {
			if _, err := t.tx.NewInsert().Model(&some).Exec(ctx); err != nil {
				return bunstore.Fault(err)
			}
		}
		if done += int64(len(part)); stored != nil {
			stored(done)
		}
	}
	return nil
}

// tellRules gives the version under which rules that the transaction stores come into force.
func (t *tx) tellRules(ctx context.Context) (version int64, err error) {
	t.rules = true
	err = t.tx.NewRaw("SELECT config_version + 1 FROM config_state").Scan(bunstore.WithQueryName(ctx, "next_config_version"), &version)
	return version, bunstore.Fault(err)
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
