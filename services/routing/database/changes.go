package database

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/routing"
)

const (
	markQuery = `SELECT s.config_version, s.rules_version - s.rule_changes FROM config_state AS s`
	// The order makes the index of changed_in the way, also in a table without statistics.
	changedQuery = `SELECT s.config_version, s.rules_version, s.rules_version - s.rule_changes,
	(SELECT count(*) FROM (SELECT 1 FROM routing_rules WHERE changed_in > ? ORDER BY changed_in LIMIT ?) AS c)
FROM config_state AS s`
	// For the same reason it is told how many rules to expect.
	changedRulesQuery = `SELECT r.deleted_at, ` + ruleColumns + `
FROM routing_rules AS r LEFT JOIN rule_candidates AS c ON c.rule_id = r.rule_id
WHERE r.rule_id IN (SELECT rule_id FROM routing_rules WHERE changed_in > ? ORDER BY changed_in LIMIT ?)
ORDER BY r.rule_id, c.priority, c.operator_id`
)

// changesTimeout bounds the read of changes, which are few.
const changesTimeout = 5 * time.Second

// Changes reads what changed since a mark that Load or Changes gave, in one state. It gives nil when the store is behind
// the mark.
func (s *Store) Changes(ctx context.Context, since routing.Mark, limit int) (*routing.Changes, error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, changesTimeout)
	defer cancel()
	changes, err := s.changes(ctx, since, limit)
	return changes, hung(caller, err)
}

func (s *Store) changes(ctx context.Context, since routing.Mark, limit int) (*routing.Changes, error) {
	tx, err := s.db.BeginTx(ctx, snapshot(s.db))
	if err != nil {
		return nil, readFault(err)
	}
	defer func() { _ = tx.Rollback() }() // a read-only transaction has nothing to lose

	var now routing.Versions
	var untold int64
	var changed int
	err = tx.QueryRowContext(bunstore.WithQueryName(ctx, "changes"), changedQuery, since.Config, limit+1).
		Scan(&now.Config, &now.Rules, &untold, &changed)
	if err != nil {
		return nil, readFault(err)
	}
	if now.Config < since.Config {
		return nil, nil
	}
	out := &routing.Changes{Versions: now, Untold: untold != since.Untold, TooMany: changed > limit}
	if out.Operators, err = loadOperators(ctx, tx); err != nil || changed == 0 || out.TooMany {
		return out, err
	}
	err = rows(bunstore.WithQueryName(ctx, "changed_rules"), tx, changedRulesQuery, func(r *sql.Rows) error {
		var deleted bun.NullTime
		var row ruleRow
		if err := r.Scan(append([]any{&deleted}, row.fields()...)...); err != nil {
			return err
		}
		if deleted.IsZero() {
			out.Rules = addRule(out.Rules, &row)
		} else if n := len(out.Gone); n == 0 || out.Gone[n-1] != row.id.UUID { // a row per candidate
			out.Gone = append(out.Gone, row.id.UUID)
		}
		return nil
	}, since.Config, changed)
	return out, err
}

func loadOperators(ctx context.Context, tx bun.IDB) (operators []routing.Operator, err error) {
	err = rows(bunstore.WithQueryName(ctx, "load_operators"), tx, loadOperatorsQuery, func(r *sql.Rows) error {
		var o operatorRow
		if err := r.Scan(o.fields()...); err != nil {
			return err
		}
		operators = append(operators, o.operator())
		return nil
	})
	return operators, err
}

// markOf gives the place of a transaction in the history of the store.
func markOf(ctx context.Context, tx bun.IDB) (m routing.Mark, err error) {
	err = tx.QueryRowContext(bunstore.WithQueryName(ctx, "mark"), markQuery).Scan(&m.Config, &m.Untold)
	return m, readFault(err)
}
