package database

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
)

const (
	// sealBatch is how many rows one transaction seals.
	sealBatch = 100
	// verifyBatch is how many links are read at once.
	verifyBatch = 2000
	// auditLimit bounds one statement or transaction on the log, overdueLimit the search for rows without a seal, which
	// looks at the whole of it.
	auditLimit   = 5 * time.Second
	overdueLimit = 2 * time.Minute
)

// Audit is the audit log and its chain.
type Audit struct {
	db     *bun.DB
	reader *bunstore.Reader
}

// NewAudit gives the log in a database that is migrated.
func NewAudit(db *bun.DB, reader *bunstore.Reader) *Audit { return &Audit{db: db, reader: reader} }

// auditRow is a row with its link, when it has one.
type auditRow struct {
	bun.BaseModel `bun:"table:audit_log,alias:a"`

	AuditID    uuid.UUID `bun:"audit_id,pk"`
	OccurredAt time.Time `bun:"occurred_at"`
	Actor      string    `bun:"actor"`
	RequestID  string    `bun:"request_id"`
	Action     string    `bun:"action"`
	Entity     string    `bun:"entity"`
	EntityID   string    `bun:"entity_id"`
	Before     *string   `bun:"before"`
	After      *string   `bun:"after"`
	Sequence   int64     `bun:"sequence,scanonly"`
	Hash       []byte    `bun:"hash,scanonly"`
}

func (r *auditRow) row() access.AuditRow {
	out := access.AuditRow{
		ID: r.AuditID, At: r.OccurredAt.UTC(), Actor: r.Actor, RequestID: r.RequestID, Action: r.Action,
		Entity: r.Entity, EntityID: r.EntityID, Before: r.Before, After: r.After, Sequence: r.Sequence,
	}
	copy(out.Hash[:], r.Hash)
	return out
}

type chainRow struct {
	bun.BaseModel `bun:"table:audit_chain,alias:c"`

	Sequence int64     `bun:"sequence,pk"`
	AuditID  uuid.UUID `bun:"audit_id"`
	Hash     []byte    `bun:"hash"`
	SealedAt time.Time `bun:"sealed_at"`
}

// Append adds rows to the log. It also works on a connection that is for reading by default, as an engine has it.
func (a *Audit) Append(ctx context.Context, rows []access.AuditRow) error {
	if len(rows) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "audit"), auditLimit)
	defer cancel()
	models := make([]auditRow, len(rows))
	for i, r := range rows {
		models[i] = auditRow{
			AuditID: r.ID, OccurredAt: r.At, Actor: r.Actor, RequestID: r.RequestID, Action: r.Action,
			Entity: r.Entity, EntityID: r.EntityID, Before: r.Before, After: r.After,
		}
	}
	err := a.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if bunstore.DialectOf(a.db) == bunstore.Postgres {
			if _, err := tx.ExecContext(ctx, "SET TRANSACTION READ WRITE"); err != nil {
				return err
			}
		}
		// An engine may not read the log, and RETURNING reads.
		// A try whose commit got no answer may have been stored: the next one adds what is missing.
		_, err := tx.NewInsert().Model(&models).On("CONFLICT DO NOTHING").Returning("").Exec(ctx)
		return err
	})
	return bunstore.Fault(err)
}

// Seal links rows that wait into the chain and tells how many, and the head after them. Two processes that seal at the
// same time cannot both commit.
func (a *Audit) Seal(ctx context.Context, now time.Time) (sealed int, head access.AuditHash, sequence int64, err error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "seal"), auditLimit)
	defer cancel()
	err = a.db.RunInTx(ctx, &sql.TxOptions{}, func(ctx context.Context, tx bun.Tx) error {
		var last chainRow
		switch err := tx.NewSelect().Model(&last).Order("sequence DESC").Limit(1).Scan(ctx); {
		case err == nil:
			copy(head[:], last.Hash)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		sequence = last.Sequence
		var waiting []auditRow
		if err := tx.NewSelect().Model(&waiting).Join("JOIN audit_unsealed AS u ON u.audit_id = a.audit_id").
			Order("a.occurred_at", "a.audit_id").Limit(sealBatch).Scan(ctx); err != nil || len(waiting) == 0 {
			return err
		}
		links, ids := make([]chainRow, len(waiting)), make([]uuid.UUID, len(waiting))
		for i := range waiting {
			row := waiting[i].row()
			sequence++
			head = row.Seal(sequence, head)
			links[i] = chainRow{Sequence: sequence, AuditID: row.ID, Hash: append([]byte(nil), head[:]...), SealedAt: now}
			ids[i] = row.ID
		}
		if _, err := tx.NewInsert().Model(&links).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewDelete().Table("audit_unsealed").Where("audit_id IN (?)", bun.List(ids)).Exec(ctx)
		sealed = len(links)
		return err
	})
	if err != nil {
		return 0, access.AuditHash{}, 0, bunstore.Fault(err)
	}
	return sealed, head, sequence, nil
}

// Unsealed counts the rows that wait for their seal.
func (a *Audit) Unsealed(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "unsealed"), auditLimit)
	defer cancel()
	n, err := a.db.NewSelect().Table("audit_unsealed").Count(ctx)
	return n, bunstore.Fault(err)
}

// Links gives the links behind a place, in order, and false at the end of the chain.
func (a *Audit) Links(ctx context.Context, after int64) ([]access.AuditLink, bool, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "audit_links"), auditLimit)
	defer cancel()
	var rows []struct {
		chainRow
		Present *uuid.UUID `bun:"present"`
		auditColumns
	}
	err := a.db.NewSelect().Model((*chainRow)(nil)).
		ColumnExpr("c.sequence, c.audit_id, c.hash, c.sealed_at").
		ColumnExpr("a.audit_id AS present, a.occurred_at, a.actor, a.request_id, a.action, a.entity, a.entity_id, a.before, a.after").
		Join("LEFT JOIN audit_log AS a ON a.audit_id = c.audit_id").
		Where("c.sequence > ?", after).Order("c.sequence").Limit(verifyBatch).Scan(ctx, &rows)
	if err != nil {
		return nil, false, bunstore.Fault(err)
	}
	links := make([]access.AuditLink, len(rows))
	for i := range rows {
		r := &rows[i]
		links[i] = access.AuditLink{Sequence: r.chainRow.Sequence, ID: r.chainRow.AuditID}
		copy(links[i].Hash[:], r.chainRow.Hash)
		if r.Present != nil {
			links[i].Row = r.row(*r.Present)
		}
	}
	return links, len(rows) == verifyBatch, nil
}

// auditColumns are those of a row that may be missing.
type auditColumns struct {
	OccurredAt bun.NullTime `bun:"occurred_at"`
	Actor      *string      `bun:"actor"`
	RequestID  *string      `bun:"request_id"`
	Action     *string      `bun:"action"`
	Entity     *string      `bun:"entity"`
	EntityID   *string      `bun:"entity_id"`
	Before     *string      `bun:"before"`
	After      *string      `bun:"after"`
}

func (c *auditColumns) row(id uuid.UUID) *access.AuditRow {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return &access.AuditRow{
		ID: id, At: c.OccurredAt.UTC(), Actor: text(c.Actor), RequestID: text(c.RequestID), Action: text(c.Action),
		Entity: text(c.Entity), EntityID: text(c.EntityID), Before: c.Before, After: c.After,
	}
}

// Overdue gives the oldest row that waits for its seal since before a moment, or that has none and does not even wait; the
// zero id when there is none. What counts is when the row came, not when it says that it happened.
func (a *Audit) Overdue(ctx context.Context, before time.Time) (uuid.UUID, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "audit_overdue"), overdueLimit)
	defer cancel()
	var row auditRow
	err := a.db.NewSelect().Model(&row).Column("a.audit_id").
		Join("LEFT JOIN audit_unsealed AS u ON u.audit_id = a.audit_id").
		Where("(u.audit_id IS NULL OR u.waiting_since < ?)", before).
		Where("NOT EXISTS (SELECT 1 FROM audit_chain AS c WHERE c.audit_id = a.audit_id)").
		Order("a.occurred_at", "a.audit_id").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	return row.AuditID, bunstore.Fault(err)
}

// HasHead tells whether a hash is in the chain.
func (a *Audit) HasHead(ctx context.Context, head access.AuditHash) (bool, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "audit_head"), overdueLimit)
	defer cancel()
	found, err := a.db.NewSelect().Model((*chainRow)(nil)).Where("hash = ?", head[:]).Exists(ctx)
	return found, bunstore.Fault(err)
}

// List gives rows, newest first, and whether there are more; Export gives them oldest first, and those behind the last
// one given by AfterTime and AfterID.
func (a *Audit) List(ctx context.Context, f access.AuditFilter) ([]access.AuditRow, bool, error) {
	return a.page(ctx, f, true)
}

// Export is List from the oldest row on.
func (a *Audit) Export(ctx context.Context, f access.AuditFilter) ([]access.AuditRow, bool, error) {
	return a.page(ctx, f, false)
}

func (a *Audit) page(ctx context.Context, f access.AuditFilter, newestFirst bool) ([]access.AuditRow, bool, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "list_audit"), auditLimit)
	defer cancel()
	var rows []auditRow
	_, err := a.reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
		rows = nil
		query := db.NewSelect().Model(&rows).ColumnExpr("a.*").ColumnExpr("coalesce(c.sequence, 0) AS sequence, c.hash").
			Join("LEFT JOIN audit_chain AS c ON c.audit_id = a.audit_id").Limit(int64(f.Limit) + 1)
		query = filtered(query, f)
		switch {
		case newestFirst && !f.AfterTime.IsZero():
			query = query.Where("(a.occurred_at, a.audit_id) < (?, ?)", f.AfterTime, f.AfterID)
		case !f.AfterTime.IsZero():
			query = query.Where("(a.occurred_at, a.audit_id) > (?, ?)", f.AfterTime, f.AfterID)
		}
		if newestFirst {
			query = query.OrderExpr("a.occurred_at DESC, a.audit_id DESC")
		} else {
			query = query.OrderExpr("a.occurred_at, a.audit_id")
		}
		return query.Scan(ctx)
	})
	if err != nil {
		return nil, false, err
	}
	page := make([]access.AuditRow, 0, min(len(rows), f.Limit))
	for i := range rows[:min(len(rows), f.Limit)] {
		page = append(page, rows[i].row())
	}
	return page, len(rows) > f.Limit, nil
}

var likeLiteral = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func filtered(q *bun.SelectQuery, f access.AuditFilter) *bun.SelectQuery {
	equal := func(column, value string) {
		if value != "" {
			q = q.Where("a."+column+" = ?", value)
		}
	}
	equal("actor", f.Actor)
	if group, ok := strings.CutSuffix(f.Action, "."); ok {
		q = q.Where(`a.action LIKE ? ESCAPE '!'`, likeLiteral.Replace(group)+".%")
	} else {
		equal("action", f.Action)
	}
	equal("entity", f.Entity)
	equal("entity_id", f.EntityID)
	if !f.From.IsZero() {
		q = q.Where("a.occurred_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("a.occurred_at < ?", f.To)
	}
	return q
}
