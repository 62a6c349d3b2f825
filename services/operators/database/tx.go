package database

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

// ReasonDuplicateOperator and ReasonDuplicateRule say that a unique index, the
// last guard, refused a row.
const (
	ReasonDuplicateOperator = "DUPLICATE_OPERATOR"
	ReasonDuplicateRule     = "DUPLICATE_RULE"
)

// chunk is how many rows go into one statement: enough that round trips do not
// count, few enough that a statement stays below 1 MB.
const chunk = 1000

type tx struct {
	tx bun.Tx
}

var _ operators.Tx = (*tx)(nil)

// InTx runs do in a serializable transaction. Writers queue at the row of the
// configuration's version from the start: a long import would otherwise find out
// only at its end that it has to run again.
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context, tx operators.Tx) error) error {
	return bunstore.Serializable(ctx, s.db, func(ctx context.Context, inner bun.Tx) error {
		if bunstore.DialectOf(inner) == bunstore.Postgres {
			_, err := inner.NewRaw("SELECT 1 FROM config_state FOR UPDATE").Exec(bunstore.WithQueryName(ctx, "lock_config"))
			if err != nil {
				return err
			}
		}
		return do(ctx, &tx{tx: inner})
	})
}

// LiveOperators returns every live operator by name.
func (t *tx) LiveOperators(ctx context.Context) ([]operators.Operator, error) {
	return liveOperators(ctx, t.tx)
}

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

// PutOperators inserts operators or replaces those with the same id.
func (t *tx) PutOperators(ctx context.Context, all []operators.Operator) error {
	ctx = bunstore.WithQueryName(ctx, "put_operators")
	for part := range slices.Chunk(all, chunk) {
		rows := make([]operatorRow, len(part))
		for i, o := range part {
			rows[i] = fromOperator(o)
		}
		query := t.tx.NewInsert().Model(&rows).On("CONFLICT (operator_id) DO UPDATE")
		for _, column := range []string{
			"name", "host", "port", "system_id", "bind_type", "max_tps", "message_types", "status", "version", "updated_at",
		} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		if _, err := query.Exec(ctx); err != nil {
			return duplicate(err, ReasonDuplicateOperator, "A live operator has this name, or this host, port and system_id.")
		}
	}
	return nil
}

// PutRules inserts rules or replaces those with the same id, with their candidates.
func (t *tx) PutRules(ctx context.Context, all []operators.Rule, stored func(done int64)) error {
	ctx = bunstore.WithQueryName(ctx, "put_rules")
	done := int64(0)
	for part := range slices.Chunk(all, chunk) {
		rows := make([]ruleRow, len(part))
		ids := make([]uuid.UUID, len(part))
		var candidates []candidateRow
		for i, rule := range part {
			rows[i], ids[i] = fromRule(rule), rule.ID
			candidates = fromCandidates(rule, candidates)
		}
		query := t.tx.NewInsert().Model(&rows).On("CONFLICT (rule_id) DO UPDATE")
		for _, column := range []string{
			"country", "strategy", "on_exhausted", "active", "valid_from", "valid_to", "updated_at",
		} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		if _, err := query.Exec(ctx); err != nil {
			return duplicate(err, ReasonDuplicateRule, "A live rule has this account, prefix and message types.")
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

// RaiseConfigVersion raises the version of the configuration by one.
func (t *tx) RaiseConfigVersion(ctx context.Context, rulesToo bool, at time.Time) (int64, error) {
	rules := 0
	if rulesToo {
		rules = 1
	}
	var version int64
	err := t.tx.NewRaw(`UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + ?,
		updated_at = ? RETURNING config_version`, rules, at).
		Scan(bunstore.WithQueryName(ctx, "raise_config_version"), &version)
	return version, bunstore.Fault(err)
}

func duplicate(err error, reason, message string) error {
	err = bunstore.Fault(err)
	if fault.Is(err, bunstore.ReasonDuplicate) {
		return fault.New(fault.AlreadyExists, reason, "%s", message).Wrap(err)
	}
	return err
}
