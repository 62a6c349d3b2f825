package decisionlog

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// Sums are kept of a minute, 5 minutes, an hour and 6 hours for all accounts together, and of all but the minute for each account:
// by minute there would be about as many sums as decisions. Spans are in seconds, and each divides the next one. The first of each list
// is written with the decisions, the others when the hour is over, because most changes come before.
const (
	minuteSpan = 60
	fiveSpan   = 300
	hourSpan   = 3600
	sixSpan    = 6 * hourSpan
)

var (
	spansOfAll     = []int64{minuteSpan, fiveSpan, hourSpan, sixSpan}
	spansOfAccount = []int64{fiveSpan, hourSpan, sixSpan}
)

// allAccounts is the account of sums over all of them.
var allAccounts = uuid.Nil

// sumKey says which decisions are summed up in a row of decision_sums.
type sumKey struct {
	span    int64
	account uuid.UUID
	// begins is a Unix second.
	begins int64
	// operator is uuid.Nil for none.
	operator          uuid.UUID
	failure, currency string
}

// outcomeKinds is how many outcomes there are.
const outcomeKinds = int(routing.Undelivered)

// The places of amounts.
const (
	placeCount = iota
	placeUnits
	placeNanos
	placeLatency
	placeOutcome = placeLatency + lastEdge
	placesOfSums = placeOutcome + outcomeKinds
)

// amounts are the columns of a row that are summed up, in the order of sumColumns. A latency is counted once, by the least
// edge that it keeps to; above the last but one edge it is only in the count.
type amounts [placesOfSums]int64

// sumColumns are the names of amounts; the first three are never NULL.
func sumColumns() []string {
	names := []string{"decisions", "units", "nanos"}
	edges := routing.LatencyEdges()
	for _, edge := range edges[:lastEdge] {
		names = append(names, fmt.Sprintf("latency_%d", edge.Microseconds()))
	}
	for outcome := routing.Accepted; outcome <= routing.Undelivered; outcome++ {
		names = append(names, strings.ToLower(strings.TrimPrefix(routingv1.Outcome(outcome).String(), "OUTCOME_")))
	}
	return names
}

// sums are what is to be added to decision_sums.
type sums struct {
	// since is the Unix second from which on decisions are in the sums. Others are passed over.
	since int64
	// rolled is the Unix second before which there are sums of all spans.
	rolled int64
	rows   map[sumKey]*amounts
}

// count adds a decision and what was reported last of it; sign is -1 to take them away.
func (s *sums) count(d *decisionRow, last routing.Outcome, sign int64) {
	one := amounts{placeCount: sign}
	if d.PriceNanos != nil {
		one[placeUnits], one[placeNanos] = sign*(*d.PriceNanos/money.NanosPerUnit), sign*(*d.PriceNanos%money.NanosPerUnit)
	}
	edges := routing.LatencyEdges()
	if i := slices.IndexFunc(edges[:lastEdge], func(edge time.Duration) bool { return d.LatencyMicros <= edge.Microseconds() }); i >= 0 {
		one[placeLatency+i] = sign
	}
	one.tell(last, sign)
	s.add(d, &one)
}

// tell counts an outcome, unless there is none.
func (a *amounts) tell(o routing.Outcome, n int64) {
	if o >= routing.Accepted && o <= routing.Undelivered {
		a[placeOutcome+int(o-routing.Accepted)] += n
	}
}

// add adds to every row that a decision belongs to.
func (s *sums) add(d *decisionRow, one *amounts) {
	second := d.DecidedAt.Unix()
	if second < s.since {
		return
	}
	key := sumKey{failure: d.Failure}
	if d.OperatorID != nil {
		key.operator = *d.OperatorID
	}
	if d.Currency != nil {
		key.currency = *d.Currency
	}
	s.addTo(key, allAccounts, spansOfAll, second, one)
	if d.AccountID != allAccounts {
		s.addTo(key, d.AccountID, spansOfAccount, second, one)
	}
}

func (s *sums) addTo(key sumKey, account uuid.UUID, spans []int64, second int64, one *amounts) {
	key.account = account
	if second >= s.rolled {
		spans = spans[:1]
	}
	for _, key.span = range spans {
		key.begins = second - second%key.span
		to := s.rows[key]
		if to == nil {
			to = new(amounts)
			s.rows[key] = to
		}
		for i, n := range one {
			to[i] += n
		}
	}
}

// putBatch is how many rows one statement adds.
const putBatch = 500

// put adds the sums to those in the database, which holdSums has locked.
func (s *sums) put(ctx context.Context, tx bun.Tx) error {
	keys := make([]sumKey, 0, len(s.rows))
	var used amounts // columns in which nothing is added are left out: most of them
	for key, row := range s.rows {
		if *row == (amounts{}) {
			continue
		}
		keys = append(keys, key)
		for i, n := range row {
			used[i] |= n
		}
	}
	slices.SortFunc(keys, compareKeys) // neighbours lie side by side in the table
	for some := range slices.Chunk(keys, putBatch) {
		if err := s.putSome(ctx, tx, some, &used); err != nil {
			return err
		}
	}
	return nil
}

func compareKeys(a, b sumKey) int {
	return cmp.Or(cmp.Compare(a.span, b.span), slices.Compare(a.account[:], b.account[:]), cmp.Compare(a.begins, b.begins),
		slices.Compare(a.operator[:], b.operator[:]), cmp.Compare(a.failure, b.failure), cmp.Compare(a.currency, b.currency))
}

func (s *sums) putSome(ctx context.Context, tx bun.Tx, keys []sumKey, used *amounts) error {
	var places []int
	var names []string
	for i, name := range sumColumns() {
		if i <= placeNanos || used[i] != 0 {
			places, names = append(places, i), append(names, name)
		}
	}
	var rows strings.Builder
	args := make([]any, 0, len(keys)*4)
	for i, key := range keys {
		if i > 0 {
			rows.WriteByte(',')
		}
		fmt.Fprintf(&rows, "(%d, '%s', %d, '%s', ?, ?", key.span, key.account, key.begins, key.operator)
		args = append(args, key.failure, key.currency)
		for _, at := range places {
			if n := s.rows[key][at]; n != 0 || at <= placeNanos {
				fmt.Fprintf(&rows, ", %d", n)
			} else {
				rows.WriteString(", NULL")
			}
		}
		rows.WriteByte(')')
	}
	_, err := tx.NewRaw(adding(names, "VALUES "+rows.String()), args...).Exec(ctx)
	return err
}

// adding is the statement that adds rows, whose first columns are those of sumKey, to the sums in some columns.
func adding(names []string, rows string) string {
	const key = "span, account_id, begins, operator_id, failure, currency"
	sets := make([]string, len(names))
	for i, name := range names {
		sets[i] = fmt.Sprintf("%[1]s = COALESCE(s.%[1]s + excluded.%[1]s, excluded.%[1]s, s.%[1]s)", name)
	}
	return "INSERT INTO decision_sums AS s (" + key + ", " + strings.Join(names, ", ") + ") " + rows +
		" ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

// holdSums waits until nobody else changes sums, and keeps it so until the transaction ends. What those before have stored
// is seen by the statements that follow.
func holdSums(ctx context.Context, tx bun.Tx) (*sums, error) {
	q := tx.NewSelect().TableExpr("decision_sums_state").Column("since", "rolled")
	if bunstore.DialectOf(tx) == bunstore.Postgres { // on SQLite a transaction is alone from its start
		q = q.For("UPDATE")
	}
	s := &sums{rows: map[sumKey]*amounts{}}
	return s, q.Scan(ctx, &s.since, &s.rolled)
}

// changing runs what changes rows and their sums. Each statement must see what others have stored before it.
func changing(ctx context.Context, db *bun.DB, do func(ctx context.Context, tx bun.Tx) error) error {
	var opts sql.TxOptions
	if bunstore.DialectOf(db) == bunstore.Postgres {
		opts.Isolation = sql.LevelReadCommitted // whatever the default of the database is
	}
	return db.RunInTx(ctx, &opts, do)
}
