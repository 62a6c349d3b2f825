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
)

// snapshotLimit bounds one snapshot: a million rates take some seconds, and a reader that stalls must not hold the
// transaction for ever.
const snapshotLimit = time.Minute

// Snapshot gives everything that engines route by, part by part, in one state: operators, then, unless only they are
// asked for, rules, rates and what currencies are worth. It ends with the first error of give. When the primary is lost
// halfway, the snapshot is an error: a replica's parts would belong to another state.
func (s *Store) Snapshot(ctx context.Context, operatorsOnly bool, now time.Time, give func(operators.Snapshot) error) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotLimit)
	defer cancel()
	began := false
	_, err := s.reader.Read(bunstore.WithQueryName(ctx, "snapshot"), func(ctx context.Context, db bun.IDB) error {
		if began {
			return errHalfway
		}
		options := &sql.TxOptions{ReadOnly: true}
		if bunstore.DialectOf(db) == bunstore.Postgres {
			options.Isolation = sql.LevelRepeatableRead
		}
		return db.RunInTx(ctx, options, func(ctx context.Context, tx bun.Tx) error {
			shot := snapshot{tx: tx, now: now, give: func(part operators.Snapshot) error {
				began = true
				return give(part)
			}}
			return shot.run(ctx, operatorsOnly)
		})
	})
	return bunstore.Fault(err)
}

var errHalfway = errors.New("the primary was lost in the middle of a snapshot")

// snapshot reads the parts of one transaction.
type snapshot struct {
	tx   bun.Tx
	now  time.Time
	give func(operators.Snapshot) error

	versions operators.Snapshot
}

func (s *snapshot) run(ctx context.Context, operatorsOnly bool) error {
	err := s.tx.QueryRowContext(ctx, "SELECT config_version, rules_version FROM config_state").
		Scan(&s.versions.ConfigVersion, &s.versions.RulesVersion)
	if err != nil {
		return err
	}
	if err := s.operators(ctx); err != nil || operatorsOnly {
		return err
	}
	if err := s.rules(ctx); err != nil {
		return err
	}
	if err := s.rates(ctx); err != nil {
		return err
	}
	fx, err := readFX(ctx, s.tx)
	if err != nil {
		return err
	}
	part := s.versions
	part.FX = fx
	return s.give(part)
}

func (s *snapshot) operators(ctx context.Context) error {
	for filter := (operators.OperatorFilter{Limit: operators.SnapshotRows}); ; {
		page, more, err := listOperators(ctx, s.tx, filter)
		if err != nil {
			return err
		}
		part := s.versions
		part.Operators = page
		if err := s.give(part); err != nil || !more {
			return err
		}
		last := page[len(page)-1]
		filter.AfterName, filter.AfterID = last.Name, last.ID
	}
}

func (s *snapshot) rules(ctx context.Context) error {
	for last := uuid.Nil; ; {
		var rows []ruleRow
		err := s.tx.NewSelect().Model(&rows).Where("deleted_at IS NULL").Where("rule_id > ?", last).Order("rule_id").
			Limit(operators.SnapshotRows).Scan(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		part := s.versions
		if part.Rules, err = withCandidates(ctx, s.tx, rows); err != nil {
			return err
		}
		if err := s.give(part); err != nil {
			return err
		}
		last = rows[len(rows)-1].RuleID
	}
}

func (s *snapshot) rates(ctx context.Context) error {
	for last := uuid.Nil; ; {
		rows, err := s.tx.QueryContext(ctx, "SELECT "+rateColumns+" FROM rates WHERE rate_id > ? AND (effective_to IS NULL OR effective_to > ?) ORDER BY rate_id LIMIT ?",
			last, s.now, operators.SnapshotRows)
		if err != nil {
			return err
		}
		part := s.versions
		if part.Rates, err = scanRates(rows, operators.SnapshotRows); err != nil {
			return err
		}
		if len(part.Rates) == 0 {
			return nil
		}
		if err := s.give(part); err != nil {
			return err
		}
		last = part.Rates[len(part.Rates)-1].ID
	}
}
