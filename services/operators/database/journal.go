package database

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/journal"
)

type outboxRow struct {
	bun.BaseModel `bun:"table:outbox,alias:e"`

	EventID     uuid.UUID `bun:"event_id,pk"`
	Subject     string    `bun:"subject"`
	Payload     string    `bun:"payload"`
	Traceparent string    `bun:"traceparent"`
	CreatedAt   time.Time `bun:"created_at"`
	DueAt       time.Time `bun:"due_at"`
}

func audit(ctx context.Context, db bun.IDB, r operators.Request, e operators.Entry) error {
	id := r.ID
	if id == "" {
		id = r.TraceID
	}
	return journal.Record(ctx, db, journal.Entry{
		At: e.At, Actor: r.Actor, RequestID: id, Action: e.Action, Entity: e.Entity, EntityID: e.EntityID, Before: e.Before, After: e.After,
	})
}

// Audit writes an audit row on its own. It does not queue with the changes.
func (s *Store) Audit(ctx context.Context, r operators.Request, e operators.Entry) error {
	if len(e.Events) > 0 {
		return fault.New(fault.Internal, fault.ReasonInternal, "Events belong to a change.")
	}
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	return audit(ctx, s.db, r, e)
}

// Record writes the audit row and one outbox row for each event.
func (t *tx) Record(ctx context.Context, r operators.Request, e operators.Entry) error {
	if err := audit(ctx, t.tx, r, e); err != nil || len(e.Events) == 0 {
		return err
	}
	rows := make([]outboxRow, len(e.Events))
	for i, event := range e.Events {
		subject, payload, err := t.encode(event)
		if err != nil {
			return fault.From(err)
		}
		rows[i] = outboxRow{
			EventID: event.ID, Subject: subject, Payload: string(payload), Traceparent: r.Traceparent, CreatedAt: e.At, DueAt: e.At,
		}
	}
	_, err := t.tx.NewInsert().Model(&rows).Exec(bunstore.WithQueryName(ctx, "put_events"))
	return bunstore.Fault(err)
}

// RaiseConfigVersion raises the version of the configuration by one. It comes after the rows: a change of rules alone,
// whose rows are marked with that version, is counted as one that engines can read row by row.
func (t *tx) RaiseConfigVersion(ctx context.Context, rulesToo bool, at time.Time) (int64, error) {
	rules, told := 0, 0
	if rulesToo {
		rules = 1
		if t.rules && !t.untold {
			told = 1
		}
	}
	var version int64
	err := t.tx.NewRaw(`UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + ?,
		rule_changes = rule_changes + ?, updated_at = ? RETURNING config_version`, rules, told, at).
		Scan(bunstore.WithQueryName(ctx, "raise_config_version"), &version)
	return version, bunstore.Fault(err)
}
