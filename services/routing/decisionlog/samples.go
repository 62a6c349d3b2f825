package decisionlog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// samplePage is how many decisions are read at a time: some megabytes.
const samplePage = 50_000

// Samples gives the decisions that the filter chooses, newest first, some at a time; those that tell nothing of their
// number are left out. give must not keep the slice. Decisions that come in meanwhile are not among them, nor are those
// that are erased before their turn.
func (k *Keeper) Samples(ctx context.Context, f routing.SampleFilter, give func([]routing.Sample) error) error {
	page := make([]routing.Sample, 0, min(f.Limit, k.samplePage))
	var last string
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

// samples reads the page behind the last row of the one before, into its memory. No transaction lasts longer than a page, so
// that none keeps the database from clearing away.
func (k *Keeper) samples(
	ctx context.Context, f routing.SampleFilter, limit int, before []routing.Sample, at string,
) (page []routing.Sample, last string, err error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "sample_decisions"), storeLimit)
	defer cancel()
	read := func(ctx context.Context, db bun.IDB) (err error) {
		page, last, err = readSamples(ctx, chooseSamples(db, f, limit, before, at), before[:0])
		return err
	}
	if bunstore.DialectOf(k.db) == bunstore.SQLite {
		err = read(ctx, k.db) // a transaction would keep those from writing that store decisions
	} else {
		err = k.db.RunInTx(ctx, &sql.TxOptions{ReadOnly: true}, func(ctx context.Context, tx bun.Tx) error {
			// The index has the order. A Postgres that knows nothing of a table yet would sort all that is left for each page.
			if _, err := tx.ExecContext(ctx, "SET LOCAL enable_sort = off"); err != nil {
				return err
			}
			return read(ctx, tx)
		})
	}
	return page, last, bunstore.Fault(err)
}

// sampleLine is a decision in one column, because the drivers work more for a column than for what is in it: the ids, and
// what has no fixed length between commas. The time stays as the database writes it.
const sampleLine = "CAST(d.decision_id AS text) || CAST(d.account_id AS text) || d.message_type || ',' || d.number_prefix || ',' || " +
	"d.number_digits || ',' || d.matched_prefix || ',' || CAST(d.decided_at AS text)"

func chooseSamples(db bun.IDB, f routing.SampleFilter, limit int, before []routing.Sample, at string) *bun.SelectQuery {
	q := db.NewSelect().Model((*decisionRow)(nil)).Where("d.number_prefix <> ''").ColumnExpr(sampleLine).
		Order("d.decided_at DESC", "d.decision_id DESC").Limit(int64(limit))
	if !f.From.IsZero() {
		q = q.Where("d.decided_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("d.decided_at < ?", f.To)
	}
	if len(before) == 0 {
		return q
	}
	if bunstore.DialectOf(db) == bunstore.Postgres {
		q = q.Where("d.decided_at <= ?", at) // by this it passes over partitions
	}
	return q.Where("(d.decided_at, d.decision_id) < (?, ?)", at, before[len(before)-1].Decision)
}

// readSamples adds what the query finds to page, and gives the time of the last one.
func readSamples(ctx context.Context, q *bun.SelectQuery, page []routing.Sample) (_ []routing.Sample, last string, err error) {
	rows, err := q.Rows(ctx)
	if err != nil {
		return nil, "", bunstore.Fault(err)
	}
	defer func() { err = errors.Join(err, bunstore.Fault(rows.Close())) }()
	var line sql.RawBytes // until the next row
	var moment []byte
	for rows.Next() {
		if err := rows.Scan(&line); err != nil {
			return nil, "", bunstore.Fault(err)
		}
		page = append(page, routing.Sample{})
		at, err := readSample(&page[len(page)-1], line)
		if err != nil {
			return nil, "", bunstore.Fault(err)
		}
		moment = append(moment[:0], at...)
	}
	return page, string(moment), bunstore.Fault(rows.Err())
}

// readSample takes a line apart; at is the time of the decision.
func readSample(to *routing.Sample, line []byte) (at []byte, err error) {
	const id = 36 // characters
	comma := []byte{','}
	if len(line) < 2*id {
		return nil, errors.New("a decision has no ids")
	}
	var wrong [3]error
	to.Decision, wrong[0] = uuid.ParseBytes(line[:id])
	to.Account, wrong[1] = uuid.ParseBytes(line[id : 2*id])
	kind, rest, _ := bytes.Cut(line[2*id:], comma)
	prefix, rest, _ := bytes.Cut(rest, comma)
	digits, rest, _ := bytes.Cut(rest, comma)
	matched, at, _ := bytes.Cut(rest, comma)
	to.Type, to.Start = kindOf(kind), startOf(prefix, matched)
	to.Digits, wrong[2] = strconv.Atoi(string(digits))
	return at, errors.Join(wrong[:]...)
}

func kindOf(name []byte) routing.MessageType {
	for kind := routing.SMS; kind.Valid(); kind++ {
		if string(name) == kind.String() {
			return kind
		}
	}
	return 0
}

// startOf is the longest known start of the number: the prefix of the rule that decided starts it too.
func startOf(prefix, matched []byte) e164.Prefix {
	if len(matched) > len(prefix)+1 && bytes.Equal(matched[1:len(prefix)+1], prefix) {
		return e164.Prefix(matched[1:])
	}
	return e164.Prefix(prefix)
}
