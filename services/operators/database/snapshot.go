package database

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
)

const (
	// snapshotLimit bounds one snapshot: a million rates take some seconds, on a busy machine minutes. Who hands parts on to
	// somebody that may stall sets a shorter one.
	snapshotLimit = 5 * time.Minute
	// snapshotPage is how many rows a statement reads. It is read whole before anything of it is given, so no statement
	// lasts longer because a part is taken slowly.
	snapshotPage = 10 * operators.SnapshotRows
)

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
			shot := snapshot{tx: tx, now: now, page: snapshotPage, give: func(part operators.Snapshot) error {
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
	tx  bun.Tx
	now time.Time
	// page is how many rules or rates a statement reads.
	page int
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
	names, err := operatorNames(ctx, s.tx)
	if err != nil {
		return err
	}
	for last := uuid.Nil; ; {
		page, err := s.rulesAfter(ctx, last)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1].ID
		if err := s.candidates(ctx, page, names); err != nil {
			return err
		}
		for some := range slices.Chunk(page, operators.SnapshotRows) {
			part := s.versions
			part.Rules = some
			if err := s.give(part); err != nil {
				return err
			}
		}
	}
}

// rulesAfter reads a page of rules without their candidates, by id.
func (s *snapshot) rulesAfter(ctx context.Context, last uuid.UUID) (page []operators.Rule, err error) {
	rows, err := s.tx.QueryContext(ctx, "SELECT "+ruleColumns+" FROM routing_rules WHERE deleted_at IS NULL AND rule_id > ? ORDER BY rule_id LIMIT ?",
		last, s.page)
	if err != nil {
		return nil, err
	}
	var row ruleRow
	err = each(rows, row.fields(), func() error {
		rule, err := row.rule()
		page = append(page, rule)
		return err
	})
	return page, err
}

// candidates reads those of a page of rules. Both come by id, so they are laid side by side.
func (s *snapshot) candidates(ctx context.Context, page []operators.Rule, names map[uuid.UUID]string) error {
	rows, err := s.tx.QueryContext(bunstore.WithQueryName(ctx, "rule_candidates"),
		"SELECT "+candidateColumns+" FROM rule_candidates WHERE rule_id BETWEEN ? AND ? ORDER BY rule_id, operator_id", page[0].ID, page[len(page)-1].ID)
	if err != nil {
		return err
	}
	var row candidateRow
	at := 0
	err = each(rows, row.fields(), func() error {
		for at < len(page) && bytes.Compare(page[at].ID[:], row.RuleID[:]) < 0 {
			at++
		}
		if at == len(page) || page[at].ID != row.RuleID {
			return nil // that of a deleted rule
		}
		row.OperatorName = names[row.OperatorID]
		candidate, err := row.candidate()
		page[at].Candidates = append(page[at].Candidates, candidate)
		return err
	})
	// By priority, then, as they were read, by operator.
	for i := range page {
		slices.SortStableFunc(page[i].Candidates, func(a, b operators.Candidate) int { return cmp.Compare(a.Priority, b.Priority) })
	}
	return err
}

// operatorNames gives the name of every operator, also of deleted ones.
func operatorNames(ctx context.Context, db bun.IDB) (map[uuid.UUID]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT operator_id, name FROM operators")
	if err != nil {
		return nil, err
	}
	var id uuid.UUID
	var name string
	names := make(map[uuid.UUID]string)
	return names, each(rows, []any{&id, &name}, func() error {
		names[id] = name
		return nil
	})
}

func (s *snapshot) rates(ctx context.Context) error {
	for last := uuid.Nil; ; {
		rows, err := s.tx.QueryContext(ctx, "SELECT "+rateColumns+" FROM rates WHERE rate_id > ? AND (effective_to IS NULL OR effective_to > ?) ORDER BY rate_id LIMIT ?",
			last, s.now, s.page)
		if err != nil {
			return err
		}
		page, err := scanRates(rows, s.page)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1].ID
		for some := range slices.Chunk(page, operators.SnapshotRows) {
			part := s.versions
			part.Rates = some
			if err := s.give(part); err != nil {
				return err
			}
		}
	}
}
