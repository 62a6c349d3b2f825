package decisionlog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// samplePage is how many decisions are read at a time: some megabytes. Pages are large, because a Postgres that knows nothing
// of a table yet sorts all that is left for each.
const samplePage = 50_000

// Samples gives the decisions that the filter chooses, newest first, some at a time; those that tell nothing of their
// number are left out. give must not keep the slice. Decisions that come in meanwhile are not among them, nor are those
// that are erased before their turn.
func (k *Keeper) Samples(ctx context.Context, f routing.SampleFilter, give func([]routing.Sample) error) error {
	page := make([]routing.Sample, 0, min(f.Limit, k.samplePage))
	var last time.Time
	for left := f.Limit; left > 0; left -= len(page) {
		limit := min(left, k.samplePage)
		var err error
		if page, last, err = k.samples(ctx, f, limit, page, last); err != nil {
			return err
		}
		if len(page) > 0 {
			if err := give(page); err != nil {
				return err
			}
		}
		if len(page) < limit {
			return nil
		}
	}
	return nil
}

// samples reads the page behind the last row of the one before, into its memory.
func (k *Keeper) samples(
	ctx context.Context, f routing.SampleFilter, limit int, before []routing.Sample, at time.Time,
) (page []routing.Sample, last time.Time, err error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "sample_decisions"), storeLimit)
	defer cancel()
	q := k.db.NewSelect().Model((*decisionRow)(nil)).Where("d.number_prefix <> ''").ColumnExpr(k.momentColumn()).
		Column("d.decision_id", "d.account_id", "d.message_type", "d.number_prefix", "d.number_digits", "d.matched_prefix").
		Order("d.decided_at DESC", "d.decision_id DESC").Limit(int64(limit))
	if !f.From.IsZero() {
		q = q.Where("d.decided_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("d.decided_at < ?", f.To)
	}
	if len(before) > 0 {
		q = q.Where("d.decided_at <= ?", at).Where("(d.decided_at, d.decision_id) < (?, ?)", at, before[len(before)-1].Decision)
	}
	rows, err := q.Rows(ctx)
	if err != nil {
		return nil, last, bunstore.Fault(err)
	}
	defer func() { err = errors.Join(err, bunstore.Fault(rows.Close())) }()
	page = before[:0]
	var text sampleText
	var moment []byte // of the last row: times are read once a page
	for rows.Next() {
		var s routing.Sample
		if err := rows.Scan(&text.moment, &s.Decision, &s.Account, &text.messageType, &text.prefix, &s.Digits, &text.matched); err != nil {
			return nil, last, bunstore.Fault(err)
		}
		s.Type, s.Start, moment = text.kind(), text.start(), append(moment[:0], text.moment...)
		page = append(page, s)
	}
	if err := rows.Err(); err != nil || len(page) == 0 {
		return page, last, bunstore.Fault(err)
	}
	var end bun.NullTime
	err = end.Scan(moment)
	return page, end.Time, err
}

// momentColumn is the time of a decision as text. The driver of SQLite would parse each time that it finds.
func (k *Keeper) momentColumn() string {
	if bunstore.DialectOf(k.db) == bunstore.SQLite {
		return "CAST(d.decided_at AS text)"
	}
	return "d.decided_at"
}

// sampleText holds columns until the next row.
type sampleText struct{ moment, messageType, prefix, matched sql.RawBytes }

func (t *sampleText) kind() routing.MessageType {
	for kind := routing.SMS; kind.Valid(); kind++ {
		if string(t.messageType) == kind.String() {
			return kind
		}
	}
	return 0
}

// start is the longest known start of the number: the prefix of the rule that decided starts it too.
func (t *sampleText) start() e164.Prefix {
	if len(t.matched) > len(t.prefix)+1 && string(t.matched[1:len(t.prefix)+1]) == string(t.prefix) {
		return e164.Prefix(t.matched[1:])
	}
	return e164.Prefix(t.prefix)
}
