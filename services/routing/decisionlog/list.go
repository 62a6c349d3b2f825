package decisionlog

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/journal"
	"trunkline/services/routing"
)

// List gives a page of decisions with their outcomes, newest first, and whether there are more. A search for a number is
// written into the audit log, or shows nothing.
func (k *Keeper) List(ctx context.Context, p routing.RecordPage) (records []*routingv1.DecisionRecord, more bool, err error) {
	if p.Number != "" && len(k.keys) == 0 {
		return nil, false, noKey()
	}
	err = k.look(ctx, "list_decisions", func(ctx context.Context, db bun.IDB) error {
		rows, err := k.newest(ctx, db, p)
		if err != nil {
			return err
		}
		if more = len(rows) > p.Limit; more {
			rows = rows[:p.Limit]
		}
		records, err = withOutcomes(ctx, db, rows)
		return err
	})
	if err == nil && p.Number != "" {
		err = k.noteSearch(ctx, p, len(records))
	}
	if err != nil {
		return nil, false, err
	}
	return records, more, nil
}

// newest reads the rows of a page, and one more when there is one.
func (k *Keeper) newest(ctx context.Context, db bun.IDB, p routing.RecordPage) (rows []decisionRow, err error) {
	postgres := bunstore.DialectOf(db) == bunstore.Postgres
	if postgres && p.Number == "" && p.ID == uuid.Nil {
		// The index has the order. A Postgres that knows nothing of a table yet would sort all of it for each page.
		if _, err := db.ExecContext(ctx, "SET LOCAL enable_sort = off"); err != nil {
			return nil, err
		}
	}
	q := k.where(db.NewSelect().Model(&rows), p.RecordFilter).Order("d.decided_at DESC", "d.decision_id DESC").Limit(int64(p.Limit + 1))
	if p.AfterID != uuid.Nil {
		if postgres {
			q = q.Where("d.decided_at <= ?", p.AfterTime) // by this it passes over partitions
		}
		q = q.Where("(d.decided_at, d.decision_id) < (?, ?)", p.AfterTime, p.AfterID)
	}
	return rows, q.Scan(ctx)
}

// noteSearch writes down who looked for a number: its start only, because the row stays when the decisions are erased.
func (k *Keeper) noteSearch(ctx context.Context, p routing.RecordPage, found int) error {
	ctx, cancel := context.WithTimeout(ctx, noteLimit)
	defer cancel()
	return journal.Record(ctx, k.db, journal.Entry{
		At: p.At, Actor: p.Actor, RequestID: p.RequestID, Action: "decisions.search", Entity: "decision_log",
		After: fmt.Appendf(nil, `{"found":%d,"prefix":"%s"}`, found, routing.ShownPrefix(p.Number)),
	})
}
