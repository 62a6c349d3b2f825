package decisionlog_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"google.golang.org/protobuf/types/known/durationpb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

// hour is the time of these tests: from noon on, in intervals.
func hour(step time.Duration, group routing.Grouping) routing.SummaryQuery {
	from := noon.Truncate(time.Hour)
	return routing.SummaryQuery{RecordFilter: routing.RecordFilter{From: from, To: from.Add(time.Hour)}, Step: step, Group: group}
}

func summarize(t *testing.T, k *decisionlog.Keeper, q routing.SummaryQuery) []routing.Summary {
	t.Helper()
	all, err := k.Summarize(t.Context(), q)
	require.NoError(t, err)
	return all
}

func costs(nanos int64, currency string) func(r *routingv1.DecisionRecord) {
	return func(r *routingv1.DecisionRecord) {
		r.UnitPrice = &routingv1.Money{CurrencyCode: currency, Nanos: nanos}
	}
}

func takes(d time.Duration) func(r *routingv1.DecisionRecord) {
	return func(r *routingv1.DecisionRecord) { r.Latency = durationpb.New(d) }
}

func price(t *testing.T, nanos int64, currency string) money.Money {
	t.Helper()
	m, err := money.FromNanos(nanos, currency)
	require.NoError(t, err)
	return m
}

func TestDecisionsAreSummedUpByInterval(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		start := noon.Truncate(time.Hour)
		store(
			t, k, made(start.Add(-time.Microsecond)), // before it
			made(start, costs(12_500_000, "EUR"), takes(8*time.Microsecond)),
			made(start.Add(59*time.Second+999_999*time.Microsecond), costs(1_999_999_999, "USD"), takes(30*time.Millisecond)), // the last moment of the minute
			made(start.Add(30*time.Second), costs(1_000_000_001, "EUR"), takes(time.Hour)),
			made(start.Add(30*time.Second), func(r *routingv1.DecisionRecord) { r.UnitPrice = nil }),
			made(start.Add(2*time.Minute), failed("NO_ROUTE")),
			made(start.Add(time.Hour)), // after it
		)
		all := summarize(t, k, hour(time.Minute, routing.Together))
		require.Len(t, all, 2, "intervals without decisions are left out")
		first, second := all[0], all[1]
		require.Equal(t, start, first.Start)
		require.Equal(t, []int64{4, 0}, []int64{first.Count, first.Failed})
		require.Equal(t, []money.Money{price(t, 1_012_500_001, "EUR"), price(t, 1_999_999_999, "USD")}, first.Costs)
		require.Equal(t, 10*time.Microsecond, first.Latencies.Within(50))
		require.Equal(t, 10*time.Second, first.Latencies.Within(95), "the last bucket")
		require.Equal(t, start.Add(2*time.Minute), second.Start)
		require.Equal(t, []int64{1, 1}, []int64{second.Count, second.Failed})
		require.Empty(t, second.Costs)
		require.Empty(t, second.Group)

		q := hour(7*time.Second, routing.Together)
		for _, s := range summarize(t, k, q) {
			require.Zero(t, s.Start.Unix()%7, "intervals begin at multiples of the step since 1970")
		}
		q.Failed = true
		require.Len(t, summarize(t, k, q), 1)
		q.From, q.To = start.AddDate(0, 0, 1), start.AddDate(0, 0, 2)
		require.Empty(t, summarize(t, k, q))
	})
}

func TestTheLastReportOfEachDecisionCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		one, two, three := made(noon), made(noon.Add(time.Second), by(operatorB)), made(noon.Add(2*time.Second))
		require.NoError(t, k.Store(t.Context(), &routingv1.DecisionBatch{
			Decisions: []*routingv1.DecisionRecord{one, two, three},
			Outcomes: []*routingv1.ReportedOutcome{
				outcome(one.GetDecisionId(), account, routingv1.Outcome_OUTCOME_DELIVERED, noon.Add(time.Minute)),
				outcome(one.GetDecisionId(), uuid.Nil, routingv1.Outcome_OUTCOME_ACCEPTED, noon.Add(time.Second)),
				outcome(one.GetDecisionId(), other, routingv1.Outcome_OUTCOME_REJECTED, noon.Add(time.Hour)), // of somebody else
				outcome(two.GetDecisionId(), account, routingv1.Outcome_OUTCOME_ACCEPTED, noon),
				outcome(two.GetDecisionId(), account, routingv1.Outcome_OUTCOME_FAILED, noon.AddDate(0, 0, 2)), // much later
				outcome(uuid.NewString(), account, routingv1.Outcome_OUTCOME_FAILED, noon),                     // of no decision
			},
		}))
		all := summarize(t, k, hour(time.Minute, routing.Together))
		require.Len(t, all, 1)
		require.EqualValues(t, 3, all[0].Count)
		require.Equal(t, map[routing.Outcome]int64{routing.Delivered: 1, routing.Failed: 1}, all[0].Outcomes)
		for _, s := range summarize(t, k, hour(time.Minute, routing.ByOperator)) {
			want := map[routing.Outcome]int64{routing.Delivered: 1}
			if s.Group == operatorB.String() {
				want = map[routing.Outcome]int64{routing.Failed: 1}
			}
			require.Equal(t, want, s.Outcomes)
		}
	})
}

func TestTheLargestGroupsAreToldApart(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		name := func(i int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", i) }
		var decisions []*routingv1.DecisionRecord
		for i := 1; i <= 52; i++ {
			for range i { // operator 52 is the largest
				decisions = append(decisions, made(noon.Add(time.Duration(i%2)*time.Minute), by(uuid.MustParse(name(i)))))
			}
		}
		for range 60 {
			decisions = append(decisions, made(noon, failed("NO_ROUTE")))
		}
		decisions = append(decisions, made(noon, failed("NO_USABLE_OPERATOR")))
		store(t, k, decisions...)

		all := summarize(t, k, hour(time.Minute, routing.ByOperator))
		groups := map[string]int64{}
		for _, s := range all {
			groups[s.Group] += s.Count
		}
		require.Len(t, groups, routing.MaxSummaryGroups+1)
		require.EqualValues(t, 1+2+3, groups[routing.OtherGroup])
		require.EqualValues(t, 61, groups[""], "without an operator")
		require.EqualValues(t, 52, groups[name(52)])
		require.Equal(t, []string{"", name(52), name(50)}, []string{all[0].Group, all[1].Group, all[2].Group}, "the largest first")
		last := 0 // of the first interval
		for i, s := range all {
			if s.Start.Equal(all[0].Start) {
				last = i
			}
		}
		require.Equal(t, routing.OtherGroup, all[last].Group, "others last")

		all = summarize(t, k, hour(time.Hour, routing.ByFailure))
		require.Len(t, all, 2, "decisions with an operator are left out")
		require.Equal(t, []string{"NO_ROUTE", "NO_USABLE_OPERATOR"}, []string{all[0].Group, all[1].Group})
		require.EqualValues(t, 60, all[0].Failed)
	})
}

func TestCostsThatDoNotFitAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		store(t, k, made(noon, costs(math.MaxInt64-1, "EUR")), made(noon, costs(1, "EUR")), made(noon, costs(math.MaxInt64, "USD")))
		all := summarize(t, k, hour(time.Minute, routing.Together))
		require.Equal(t, []money.Money{price(t, math.MaxInt64, "EUR"), price(t, math.MaxInt64, "USD")}, all[0].Costs)
		store(t, k, made(noon, costs(1, "EUR")))
		_, err := k.Summarize(t.Context(), hour(time.Minute, routing.Together))
		require.True(t, fault.Is(err, decisionlog.ReasonSum), "%v", err)
	})
}

func TestTrafficHasAPointForEachPiece(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		from := noon.Truncate(time.Second).Add(-2 * time.Second) // no multiple of the step
		store(
			t, k, made(from.Add(-time.Microsecond)), made(from), made(from.Add(5*time.Second-time.Microsecond), failed("NO_ROUTE"), takes(3*time.Millisecond)),
			made(from.Add(10*time.Second)), made(from.Add(15*time.Second)),
		)
		points, err := k.Traffic(t.Context(), from, from.Add(15*time.Second), 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, []routing.TrafficPoint{
			{Start: from, Span: 5 * time.Second, Count: 2, Failed: 1, P95: 5 * time.Millisecond},
			{Start: from.Add(5 * time.Second), Span: 5 * time.Second},
			{Start: from.Add(10 * time.Second), Span: 5 * time.Second, Count: 1, P95: 10 * time.Microsecond},
		}, points)
	})
}
