package decisionlog

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// ReasonSum marks prices whose sum does not fit.
const ReasonSum = "SUM_TOO_LARGE"

// groupColumns are the groups of decisions in SQL, groupsOfSums those of sums.
var (
	groupColumns = [...]string{
		routing.Together: "''", routing.ByOperator: "COALESCE(CAST(d.operator_id AS text), '')", routing.ByFailure: "d.failure",
	}
	groupsOfSums = [...]string{routing.Together: "''", routing.ByOperator: "s.operator_id", routing.ByFailure: "s.failure"}
)

// otherOperator stands for OtherGroup among the operators of sums, which stay UUIDs because their texts take long to make.
var otherOperator = uuid.Max.String()

// Summarize sums up the decisions that a bounded query chooses: by interval, in it the largest groups of the whole time first.
func (k *Keeper) Summarize(ctx context.Context, q routing.SummaryQuery) (all []routing.Summary, err error) {
	q.Failed = q.Failed || q.Group == routing.ByFailure
	err = k.look(ctx, "summarize_decisions", func(ctx context.Context, db bun.IDB) error {
		s := summarizing{keeper: k, db: db, query: q, at: map[place]*total{}}
		err := s.read(ctx)
		if err == nil {
			all, err = s.inOrder()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// place is an interval, by the Unix second at which it begins, and a group.
type place struct {
	begins int64
	group  string
}

// total is what was found of a place.
type total struct {
	tally
	outcomes map[routing.Outcome]int64
	// units and nanos of each currency are summed up apart, because their sum may not fit.
	costs map[string]cost
}

type cost struct{ units, nanos int64 }

// summarizing is a summary in the making.
type summarizing struct {
	keeper *Keeper
	db     bun.IDB
	query  routing.SummaryQuery
	// largest holds the names of the groups that are told apart, the largest first; nil when there is one group.
	largest []string
	// rest tells that there are more.
	rest bool
	at   map[place]*total
}

// read reads every stretch of the time, at first how large groups are.
func (s *summarizing) read(ctx context.Context) error {
	var since, rolled int64
	if err := s.db.NewSelect().TableExpr("decision_sums_state").Column("since", "rolled").Scan(ctx, &since, &rolled); err != nil {
		return err
	}
	stretches := cover(s.query, since, rolled)
	if err := s.plan(ctx, stretches); err != nil {
		return err
	}
	if err := s.rank(ctx, stretches); err != nil {
		return err
	}
	for _, p := range stretches {
		if p.span > 0 {
			if err := s.sums(ctx, p); err != nil {
				return err
			}
			continue
		}
		if err := s.decisions(ctx, p); err != nil {
			return err
		}
		if err := s.outcomes(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// plan tells Postgres what it cannot know of some hundred thousand sums: compiling takes longer than it saves, their groups fit into
// memory, and the key leads to them, however many of other lengths are of the same time.
func (s *summarizing) plan(ctx context.Context, stretches []stretch) error {
	read := slices.ContainsFunc(stretches, func(p stretch) bool { return p.span > 0 })
	if !read || bunstore.DialectOf(s.db) == bunstore.SQLite {
		return nil
	}
	for _, setting := range []string{"jit = off", "work_mem = '32MB'", "enable_seqscan = off"} {
		if _, err := s.db.ExecContext(ctx, "SET LOCAL "+setting); err != nil {
			return err
		}
	}
	return nil
}

// rank finds the largest groups.
func (s *summarizing) rank(ctx context.Context, stretches []stretch) error {
	if s.query.Group == routing.Together {
		return nil
	}
	sizes := map[string]int64{}
	for _, p := range stretches {
		q := s.db.NewSelect().TableExpr("(?) AS s", s.rowsOf(p).ColumnExpr(groupColumns[s.query.Group]+" AS part")).ColumnExpr("part, count(*)")
		if p.span > 0 {
			q = s.sumsOf(p).ColumnExpr(groupsOfSums[s.query.Group] + " AS part").ColumnExpr("CAST(sum(s.decisions) AS bigint)")
		}
		var names []string
		var counts []int64
		if err := q.GroupExpr("part").Scan(ctx, &names, &counts); err != nil {
			return err
		}
		for i, name := range names {
			if p.span > 0 {
				name = s.nameOfSums(name)
			}
			sizes[name] += counts[i]
		}
	}
	s.largest = slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b))
	})
	if s.rest = len(s.largest) > routing.MaxSummaryGroups; s.rest {
		s.largest = s.largest[:routing.MaxSummaryGroups]
	}
	return nil
}

// part is the group in SQL, or the one of those that are too many.
func (s *summarizing) part(q *bun.SelectQuery, group string, largest []string, other string) *bun.SelectQuery {
	if s.rest {
		return q.ColumnExpr("CASE WHEN "+group+" IN (?) THEN "+group+" ELSE ? END AS part", bun.List(largest), other)
	}
	return q.ColumnExpr(group + " AS part")
}

// partOfSums is part for sums. nameOfSums gives the name of what it finds.
func (s *summarizing) partOfSums(q *bun.SelectQuery) *bun.SelectQuery {
	if s.query.Group != routing.ByOperator {
		return s.part(q, groupsOfSums[s.query.Group], s.largest, routing.OtherGroup)
	}
	operators := slices.Clone(s.largest)
	if i := slices.Index(operators, ""); i >= 0 {
		operators[i] = uuid.Nil.String()
	}
	return s.part(q, groupsOfSums[s.query.Group], operators, otherOperator)
}

func (s *summarizing) nameOfSums(part string) string {
	switch {
	case s.query.Group != routing.ByOperator:
		return part
	case part == uuid.Nil.String():
		return ""
	case part == otherOperator:
		return routing.OtherGroup
	}
	return part
}

// sumsOf are the sums of a stretch.
func (s *summarizing) sumsOf(p stretch) *bun.SelectQuery {
	q := s.db.NewSelect().TableExpr("decision_sums AS s").Where("s.span = ?", p.span).Where("s.account_id = ?", s.query.Account).
		Where("s.begins >= ?", p.from.Unix()).Where("s.begins < ?", p.to.Unix())
	if s.query.Operator != uuid.Nil {
		q = q.Where("s.operator_id = ?", s.query.Operator)
	}
	if s.query.Failed {
		q = q.Where("s.failure <> ''")
	}
	return q
}

// sums adds the sums of a stretch.
func (s *summarizing) sums(ctx context.Context, p stretch) error {
	step := int64(s.query.Step / time.Second)
	q := s.partOfSums(s.sumsOf(p).ColumnExpr("s.begins / ? * ? AS starts", step, step)).
		ColumnExpr("s.currency, CAST(COALESCE(sum(s.decisions) FILTER (WHERE s.failure <> ''), 0) AS bigint)")
	for _, name := range sumColumns() {
		q = q.ColumnExpr("CAST(COALESCE(sum(s." + name + "), 0) AS bigint)")
	}
	rows, err := q.GroupExpr("starts, part, s.currency").Rows(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // each closes them too and tells of errors
	return each(rows, func() error {
		var at place
		var currency string
		var failed int64
		var found amounts
		to := []any{&at.begins, &at.group, &currency, &failed}
		for i := range found {
			to = append(to, &found[i])
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		at.group = s.nameOfSums(at.group)
		t := tally{count: found[placeCount], failed: failed}
		var within int64
		for i := range lastEdge {
			within += found[placeLatency+i]
			t.latencies[i] = within
		}
		t.read()
		s.add(at, &t, currency, found[placeUnits], found[placeNanos])
		for outcome := routing.Accepted; outcome <= routing.Undelivered; outcome++ {
			s.tell(at, outcome, found[placeOutcome+int(outcome-routing.Accepted)])
		}
		return nil
	})
}

// rowsOf are the decisions of a stretch.
func (s *summarizing) rowsOf(p stretch) *bun.SelectQuery {
	f := s.query.RecordFilter
	f.From, f.To = p.from, p.to
	return s.keeper.where(s.db.NewSelect().Model((*decisionRow)(nil)), f)
}

// chosen are the decisions of a stretch with their intervals and groups.
func (s *summarizing) chosen(p stretch) *bun.SelectQuery {
	q := s.rowsOf(p).ColumnExpr(intervalColumn(s.db, 0, int64(s.query.Step/time.Second)) + " AS begins").
		ColumnExpr("d.decision_id, d.account_id, d.currency, d.price_nanos, d.failure, d.latency_micros").
		ColumnExpr(secondColumn(s.db, "d.decided_at") + " AS second")
	return s.part(q, groupColumns[s.query.Group], s.largest, routing.OtherGroup)
}

// decisions adds everything but outcomes of the decisions of a stretch.
func (s *summarizing) decisions(ctx context.Context, p stretch) error {
	rows, err := s.db.NewSelect().TableExpr("(?) AS s", s.chosen(p)).ColumnExpr("begins, part, COALESCE(currency, '') AS money").
		ColumnExpr("CAST(COALESCE(sum(price_nanos / ?), 0) AS bigint)", money.NanosPerUnit).
		ColumnExpr("CAST(COALESCE(sum(price_nanos % ?), 0) AS bigint)", money.NanosPerUnit).
		ColumnExpr(tallyColumns()).GroupExpr("begins, part, money").Rows(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // as above
	return each(rows, func() error {
		var at place
		var currency string
		var units, nanos int64
		var t tally
		if err := rows.Scan(append([]any{&at.begins, &at.group, &currency, &units, &nanos}, t.places()...)...); err != nil {
			return err
		}
		t.read()
		s.add(at, &t, currency, units, nanos)
		return nil
	})
}

// outcomes counts the last report of each decision of a stretch.
func (s *summarizing) outcomes(ctx context.Context, p stretch) error {
	last := s.db.NewSelect().TableExpr("(?) AS s", s.chosen(p)).ColumnExpr("s.begins, s.part, o.outcome").
		ColumnExpr("row_number() OVER (PARTITION BY s.decision_id ORDER BY o.reported_at DESC, o.report_id DESC) AS place").
		Join("JOIN decision_outcomes AS o ON o.decision_id = s.decision_id AND (o.account_id IS NULL OR o.account_id = s.account_id)").
		Where("o.reported_at >= ?", p.from.Add(-reportsBefore-time.Second)). // by this it passes over partitions
		Where(secondColumn(s.db, "o.reported_at")+" >= s.second - ?", int64(reportsBefore/time.Second))
	rows, err := s.db.NewSelect().TableExpr("(?) AS l", last).ColumnExpr("begins, part, outcome, count(*)").Where("place = 1").
		GroupExpr("begins, part, outcome").Rows(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // as above
	return each(rows, func() error {
		var at place
		var outcome string
		var n int64
		if err := rows.Scan(&at.begins, &at.group, &outcome, &n); err != nil {
			return err
		}
		s.tell(at, routing.Outcome(routingv1.Outcome_value["OUTCOME_"+outcome]), n)
		return nil
	})
}

// add takes over what was counted of a place in one currency; "" is none.
func (s *summarizing) add(at place, t *tally, currency string, units, nanos int64) {
	if t.count == 0 {
		return // all of them were erased
	}
	to := s.at[at]
	if to == nil {
		to = &total{outcomes: map[routing.Outcome]int64{}, costs: map[string]cost{}}
		s.at[at] = to
	}
	to.count += t.count
	to.failed += t.failed
	for i, n := range t.latencies {
		to.latencies[i] += n
	}
	if currency != "" {
		c := to.costs[currency]
		to.costs[currency] = cost{c.units + units, c.nanos + nanos}
	}
}

// tell takes over outcomes of a place.
func (s *summarizing) tell(at place, outcome routing.Outcome, n int64) {
	if to := s.at[at]; to != nil && n != 0 { // SQLite may know of a decision that was not there to be summed up
		to.outcomes[outcome] += n
	}
}

func (s *summarizing) inOrder() ([]routing.Summary, error) {
	ranks := make(map[string]int, len(s.largest))
	for i, name := range s.largest {
		ranks[name] = i - len(s.largest) // others have rank 0, behind them
	}
	all := make([]routing.Summary, 0, len(s.at))
	for at, t := range s.at {
		one := routing.Summary{
			Start: time.Unix(at.begins, 0).UTC(), Group: at.group, Count: t.count, Failed: t.failed, Outcomes: t.outcomes, Latencies: t.latencies,
		}
		for _, currency := range slices.Sorted(maps.Keys(t.costs)) {
			sum, err := t.costs[currency].money(currency)
			if err != nil {
				return nil, err
			}
			one.Costs = append(one.Costs, sum)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b routing.Summary) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(ranks[a.Group], ranks[b.Group]), cmp.Compare(a.Group, b.Group))
	})
	return all, nil
}

func (c cost) money(currency string) (money.Money, error) {
	units, nanos := c.units+c.nanos/money.NanosPerUnit, c.nanos%money.NanosPerUnit
	if units > (math.MaxInt64-nanos)/money.NanosPerUnit {
		return money.Money{}, fault.New(fault.FailedPrecondition, ReasonSum, "The prices of an interval do not fit into a sum: ask for shorter intervals.")
	}
	return money.FromNanos(units*money.NanosPerUnit+nanos, currency)
}

// each reads every row and closes them.
func each(rows *sql.Rows, read func() error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := read(); err != nil {
			return err
		}
	}
	return rows.Err()
}
