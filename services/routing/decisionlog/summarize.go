package decisionlog

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// reportsBefore is how long before a decision an outcome of it may seem to be reported: as far as clocks are apart.
const reportsBefore = time.Hour

// ReasonSum marks prices whose sum does not fit.
const ReasonSum = "SUM_TOO_LARGE"

// groupColumns are the groups in SQL.
var groupColumns = [...]string{
	routing.Together: "''", routing.ByOperator: "COALESCE(CAST(d.operator_id AS text), '')", routing.ByFailure: "d.failure",
}

// Summarize sums up the decisions that a bounded query chooses: by interval, in it the largest groups of the whole time first.
func (k *Keeper) Summarize(ctx context.Context, q routing.SummaryQuery) (all []routing.Summary, err error) {
	q.Failed = q.Failed || q.Group == routing.ByFailure
	err = k.look(ctx, "summarize_decisions", func(ctx context.Context, db bun.IDB) error {
		s := summarizing{keeper: k, db: db, query: q, at: map[place]*routing.Summary{}}
		if err := s.rank(ctx); err != nil {
			return err
		}
		if err := s.sums(ctx); err != nil {
			return err
		}
		err := s.outcomes(ctx)
		all = s.inOrder()
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

// summarizing is a summary in the making.
type summarizing struct {
	keeper *Keeper
	db     bun.IDB
	query  routing.SummaryQuery
	// largest holds the names of the groups that are told apart, the largest first; nil when there is one group.
	largest []string
	// rest tells that there are more.
	rest bool
	at   map[place]*routing.Summary
}

// rank finds the largest groups.
func (s *summarizing) rank(ctx context.Context) error {
	if s.query.Group == routing.Together {
		return nil
	}
	groups := s.keeper.where(s.db.NewSelect().Model((*decisionRow)(nil)), s.query.RecordFilter).ColumnExpr(groupColumns[s.query.Group] + " AS part")
	var sizes []int64
	err := s.db.NewSelect().TableExpr("(?) AS s", groups).ColumnExpr("part, count(*) AS size").GroupExpr("part").OrderExpr("size DESC, part").
		Limit(routing.MaxSummaryGroups+1).Scan(ctx, &s.largest, &sizes)
	if s.rest = len(s.largest) > routing.MaxSummaryGroups; s.rest {
		s.largest = s.largest[:routing.MaxSummaryGroups]
	}
	return err
}

// chosen are the decisions with their intervals and groups.
func (s *summarizing) chosen() *bun.SelectQuery {
	q := s.keeper.where(s.db.NewSelect().Model((*decisionRow)(nil)), s.query.RecordFilter).
		ColumnExpr(intervalColumn(s.db, 0, int64(s.query.Step/time.Second)) + " AS begins").
		ColumnExpr("d.decision_id, d.account_id, d.currency, d.price_nanos, d.failure, d.latency_micros")
	group := groupColumns[s.query.Group]
	if s.rest {
		return q.ColumnExpr("CASE WHEN "+group+" IN (?) THEN "+group+" ELSE ? END AS part", bun.List(s.largest), routing.OtherGroup)
	}
	return q.ColumnExpr(group + " AS part")
}

// sums reads everything but outcomes. Units and billionths are summed up apart, because their sum may not fit.
func (s *summarizing) sums(ctx context.Context) error {
	rows, err := s.db.NewSelect().TableExpr("(?) AS s", s.chosen()).ColumnExpr("begins, part, currency").
		ColumnExpr("CAST(COALESCE(sum(price_nanos / ?), 0) AS bigint)", money.NanosPerUnit).
		ColumnExpr("CAST(COALESCE(sum(price_nanos % ?), 0) AS bigint)", money.NanosPerUnit).
		ColumnExpr(tallyColumns()).GroupExpr("begins, part, currency").Rows(ctx)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var at place
		var currency *string
		var units, nanos int64
		var t tally
		if err := rows.Scan(append([]any{&at.begins, &at.group, &currency, &units, &nanos}, t.places()...)...); err != nil {
			return err
		}
		t.read()
		return s.add(at, &t, currency, units, nanos)
	})
}

// add takes over what was counted of a place in one currency.
func (s *summarizing) add(at place, t *tally, currency *string, units, nanos int64) error {
	to := s.at[at]
	if to == nil {
		to = &routing.Summary{Start: time.Unix(at.begins, 0).UTC(), Group: at.group, Outcomes: map[routing.Outcome]int64{}}
		s.at[at] = to
	}
	to.Count += t.count
	to.Failed += t.failed
	for i, n := range t.latencies {
		to.Latencies[i] += n
	}
	if currency == nil {
		return nil
	}
	units, nanos = units+nanos/money.NanosPerUnit, nanos%money.NanosPerUnit
	if units > (math.MaxInt64-nanos)/money.NanosPerUnit {
		return fault.New(fault.FailedPrecondition, ReasonSum, "The prices of an interval do not fit into a sum: ask for shorter intervals.")
	}
	cost, err := money.FromNanos(units*money.NanosPerUnit+nanos, *currency)
	to.Costs = append(to.Costs, cost)
	return err
}

// outcomes counts the last report of each decision.
func (s *summarizing) outcomes(ctx context.Context) error {
	last := s.db.NewSelect().TableExpr("(?) AS s", s.chosen()).ColumnExpr("s.begins, s.part, o.outcome").
		ColumnExpr("row_number() OVER (PARTITION BY s.decision_id ORDER BY o.reported_at DESC, o.report_id DESC) AS place").
		Join("JOIN decision_outcomes AS o ON o.decision_id = s.decision_id AND (o.account_id IS NULL OR o.account_id = s.account_id)").
		Where("o.reported_at >= ?", s.query.From.Add(-reportsBefore))
	rows, err := s.db.NewSelect().TableExpr("(?) AS l", last).ColumnExpr("begins, part, outcome, count(*)").Where("place = 1").
		GroupExpr("begins, part, outcome").Rows(ctx)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var at place
		var outcome string
		var n int64
		if err := rows.Scan(&at.begins, &at.group, &outcome, &n); err != nil {
			return err
		}
		if to := s.at[at]; to != nil { // SQLite may know of a decision that was not there to be summed up
			to.Outcomes[routing.Outcome(routingv1.Outcome_value["OUTCOME_"+outcome])] = n
		}
		return nil
	})
}

func (s *summarizing) inOrder() []routing.Summary {
	ranks := make(map[string]int, len(s.largest))
	for i, name := range s.largest {
		ranks[name] = i - len(s.largest) // others have rank 0, behind them
	}
	all := make([]routing.Summary, 0, len(s.at))
	for _, one := range s.at {
		slices.SortFunc(one.Costs, func(a, b money.Money) int { return cmp.Compare(a.Currency.String(), b.Currency.String()) })
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b routing.Summary) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(ranks[a.Group], ranks[b.Group]), cmp.Compare(a.Group, b.Group))
	})
	return all
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
