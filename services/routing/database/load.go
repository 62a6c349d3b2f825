package database

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/routing"
)

const (
	loadRulesQuery = `SELECT ` + ruleColumns + `
FROM routing_rules AS r LEFT JOIN rule_candidates AS c ON c.rule_id = r.rule_id
WHERE r.deleted_at IS NULL
ORDER BY r.rule_id, c.priority, c.operator_id`
	loadOperatorsQuery = `SELECT ` + operatorColumns + ` FROM operators AS o WHERE o.deleted_at IS NULL`
	// Rates that ended long ago are many, and nobody asks for them any more.
	loadRatesQuery = `SELECT ` + rateColumns + ` FROM rates AS t WHERE t.effective_to IS NULL OR t.effective_to > ?`
)

// Load reads everything that counts now or later, at one moment, into a table. Rows go straight into the table's builder, so the
// rules are never in memory twice.
func (s *Store) Load(ctx context.Context, health *routing.HealthView) (*routing.Table, error) {
	tx, err := s.db.BeginTx(ctx, snapshot(s.db))
	if err != nil {
		return nil, readFault(err)
	}
	defer func() { _ = tx.Rollback() }() // a read-only transaction has nothing to lose

	st, err := state(bunstore.WithQueryName(ctx, "state"), tx)
	if err != nil {
		return nil, err
	}
	b := routing.NewTableBuilder(health)
	mark, err := markOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	b.Mark(mark)
	operators, err := loadOperators(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i := range operators {
		b.AddOperator(operators[i])
	}
	if err := loadRules(ctx, tx, b); err != nil {
		return nil, err
	}
	err = rows(bunstore.WithQueryName(ctx, "load_rates"), tx, loadRatesQuery, func(r *sql.Rows) error {
		var t rateRow
		if err := r.Scan(t.fields()...); err != nil {
			return err
		}
		b.AddRate(t.rate())
		return nil
	}, s.clock.Now())
	if err != nil {
		return nil, err
	}
	fx, err := fxRates(bunstore.WithQueryName(ctx, "fx_rates"), tx)
	if err != nil {
		return nil, err
	}
	for currency, nanos := range fx {
		b.AddFXRate(currency, nanos)
	}
	return b.Build(st.Versions), nil
}

// loadRules gathers the candidates of a rule, which lie in a row, before the rule goes on.
func loadRules(ctx context.Context, tx bun.IDB, b *routing.TableBuilder) error {
	var pending []routing.Rule
	err := rows(bunstore.WithQueryName(ctx, "load_rules"), tx, loadRulesQuery, func(r *sql.Rows) error {
		var row ruleRow
		if err := r.Scan(row.fields()...); err != nil {
			return err
		}
		pending = addRule(pending, &row)
		if len(pending) == 2 {
			b.AddRule(pending[0])
			pending[0] = pending[1]
			pending = pending[:1]
		}
		return nil
	})
	for _, r := range pending {
		b.AddRule(r)
	}
	return err
}

// snapshot gives the isolation in which all queries see the same moment.
func snapshot(db *bun.DB) *sql.TxOptions {
	if bunstore.DialectOf(db) == bunstore.Postgres {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return &sql.TxOptions{}
}
