package decisionlog_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"google.golang.org/protobuf/types/known/durationpb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

var (
	operatorA = uuid.MustParse("00000000-0000-0000-0000-0000000000a1")
	operatorB = uuid.MustParse("00000000-0000-0000-0000-0000000000b2")
)

// made is a decision for operator A as an engine logs it.
func made(at time.Time, change ...func(r *routingv1.DecisionRecord)) *routingv1.DecisionRecord {
	r := &routingv1.DecisionRecord{
		DecisionId: uuid.Must(uuid.NewV7()).String(), DecideTime: logTime(at), AccountId: account.String(), NumberHash: strings.Repeat("ab", 32), HashKeyId: "k",
		MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, OperatorId: operatorA.String(), Latency: durationpb.New(8 * time.Microsecond),
		NumberPrefix: "+447911", NumberDigits: 12, UnitPrice: &routingv1.Money{CurrencyCode: "EUR", Nanos: 12_500_000},
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func by(operator uuid.UUID) func(r *routingv1.DecisionRecord) {
	return func(r *routingv1.DecisionRecord) { r.OperatorId = operator.String() }
}

func failed(reason string) func(r *routingv1.DecisionRecord) {
	return func(r *routingv1.DecisionRecord) { r.OperatorId, r.UnitPrice, r.Failure = "", nil, reason }
}

func of(account uuid.UUID) func(r *routingv1.DecisionRecord) {
	return func(r *routingv1.DecisionRecord) { r.AccountId = account.String() }
}

func to(prefix string) func(r *routingv1.DecisionRecord) {
	return func(r *routingv1.DecisionRecord) { r.NumberPrefix = prefix }
}

func store(t *testing.T, k *decisionlog.Keeper, decisions ...*routingv1.DecisionRecord) {
	t.Helper()
	require.NoError(t, k.Store(t.Context(), &routingv1.DecisionBatch{Decisions: decisions}))
}

func TestDecisionsAreListedNewestFirstInPages(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		var batch routingv1.DecisionBatch
		for i := range 25 {
			batch.Decisions = append(batch.Decisions, made(noon.Add(time.Duration(i/3)*10*time.Millisecond))) // three of a moment
		}
		newest := batch.GetDecisions()[24].GetDecisionId()
		batch.Outcomes = append(batch.Outcomes, outcome(newest, account, routingv1.Outcome_OUTCOME_DELIVERED, noon),
			outcome(newest, other, routingv1.Outcome_OUTCOME_REJECTED, noon))
		require.NoError(t, k.Store(t.Context(), &batch))

		seen, page := map[string]bool{}, routing.RecordPage{Limit: 4}
		var all []*routingv1.DecisionRecord
		for pages := 1; ; pages++ {
			some, more, err := k.List(t.Context(), page)
			require.NoError(t, err)
			all = append(all, some...)
			if !more {
				require.Equal(t, 7, pages)
				break
			}
			require.Len(t, some, 4)
			page.AfterTime, page.AfterID = some[3].GetDecideTime().AsTime(), uuid.MustParse(some[3].GetDecisionId())
		}
		require.Len(t, all, 25)
		for i, r := range all {
			require.False(t, seen[r.GetDecisionId()])
			seen[r.GetDecisionId()] = true
			if i > 0 {
				require.False(t, r.GetDecideTime().AsTime().After(all[i-1].GetDecideTime().AsTime()))
			}
		}
		require.Equal(t, newest, all[0].GetDecisionId())
		require.Len(t, all[0].GetOutcomes(), 1, "reports of another account are about nothing here")
		require.Empty(t, all[1].GetOutcomes())
		_, more, err := k.List(t.Context(), routing.RecordPage{Limit: 25})
		require.NoError(t, err)
		require.False(t, more, "exactly as many as there are")
	})
}

func TestAListHoldsWhatItsFilterChooses(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		one := made(noon, of(other))
		store(t, k, one, made(noon.Add(time.Minute), by(operatorB)), made(noon.Add(2*time.Minute), failed("NO_ROUTE"), to("+491511")),
			made(noon.Add(3*time.Minute), to("+447922")))
		for name, c := range map[string]struct {
			filter routing.RecordFilter
			want   int
		}{
			"everything":                      {routing.RecordFilter{}, 4},
			"from a moment on":                {routing.RecordFilter{From: noon.Add(time.Minute)}, 3},
			"before a moment":                 {routing.RecordFilter{To: noon.Add(time.Minute)}, 1},
			"an account":                      {routing.RecordFilter{Account: other}, 1},
			"an operator":                     {routing.RecordFilter{Operator: operatorB}, 1},
			"an operator of nothing":          {routing.RecordFilter{Operator: other}, 0},
			"a country":                       {routing.RecordFilter{Start: "44"}, 3},
			"a network":                       {routing.RecordFilter{Start: "447911"}, 2},
			"more digits than the log keeps":  {routing.RecordFilter{Start: "4479119"}, 2},
			"another number":                  {routing.RecordFilter{Start: "447912"}, 0},
			"failures":                        {routing.RecordFilter{Failed: true}, 1},
			"failures of an operator":         {routing.RecordFilter{Failed: true, Operator: operatorA}, 0},
			"one decision":                    {routing.RecordFilter{ID: uuid.MustParse(one.GetDecisionId())}, 1},
			"one decision of another account": {routing.RecordFilter{ID: uuid.MustParse(one.GetDecisionId()), Account: account}, 0},
		} {
			t.Run(name, func(t *testing.T) {
				some, more, err := k.List(t.Context(), routing.RecordPage{RecordFilter: c.filter, Limit: 9})
				require.NoError(t, err)
				require.False(t, more)
				require.Len(t, some, c.want)
			})
		}
	})
}

func TestASearchForANumberIsWrittenDownOrShowsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key, former)
		require.NoError(t, k.Store(t.Context(), logged(t, key, noon, number, "+4915112345678")))
		require.NoError(t, k.Store(t.Context(), logged(t, former, noon.Add(time.Hour), number)))
		search := routing.RecordPage{RecordFilter: routing.RecordFilter{Number: number}, Limit: 9, Actor: "key:1", RequestID: "r-1", At: noon}
		some, _, err := k.List(t.Context(), search)
		require.NoError(t, err)
		require.Len(t, some, 2, "under both keys")
		search.Number, search.RequestID = "+12025550123", "r-2"
		some, _, err = k.List(t.Context(), search)
		require.NoError(t, err)
		require.Empty(t, some)
		_, _, err = k.List(t.Context(), routing.RecordPage{Limit: 9})
		require.NoError(t, err)
		var rows []string
		require.NoError(t, db.NewRaw("SELECT actor || ' ' || request_id || ' ' || action || ' ' || after FROM audit_log ORDER BY request_id").Scan(t.Context(), &rows))
		require.Equal(t, []string{
			`key:1 r-1 decisions.search {"found":2,"prefix":"+447911"}`, `key:1 r-2 decisions.search {"found":0,"prefix":"+12025"}`,
		}, rows, "other lists are not audited")

		_, err = db.NewRaw("DROP TABLE audit_unsealed").Exec(t.Context())
		require.NoError(t, err)
		search.Number = number
		some, _, err = k.List(t.Context(), search)
		require.Error(t, err)
		require.Empty(t, some)
		_, _, err = decisionlog.NewKeeper(db).List(t.Context(), search)
		require.True(t, fault.Is(err, decisionlog.ReasonNoKey))
	})
}

// TestPagesOfDecisionsAreNotSorted: also in a table that Postgres has no statistics of, where it thinks little of the index.
func TestPagesOfDecisionsAreNotSorted(t *testing.T) {
	db := open(t, pgtest.Database(t), migrations.Postgres, "postgres")
	require.NoError(t, fill(t, db, 20_000))
	var heard statements
	k := decisionlog.NewKeeper(db.WithQueryHook(&heard), key)
	some, _, err := k.List(t.Context(), routing.RecordPage{Limit: 1000, RecordFilter: routing.RecordFilter{Start: "44"}})
	require.NoError(t, err)
	require.Len(t, some, 1000)
	plans := explained(t, db, heard.asked)
	require.Len(t, plans, 1)
	require.NotContains(t, plans[0], "Sort")
}

func TestALookThatTakesTooLongSaysWhatToDo(t *testing.T) {
	url := pgtest.Database(t)
	db := open(t, url, migrations.Postgres, "postgres")
	cfg := bunstore.DefaultConfig()
	cfg.URL, cfg.StatementTimeout = config.NewSecret(url), 50*time.Millisecond
	impatient, err := bunstore.Open(t.Context(), cfg, quiet)
	require.NoError(t, err)
	defer func() { require.NoError(t, impatient.Close()) }()
	k := decisionlog.NewKeeper(impatient, key)
	require.NoError(t, db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "LOCK TABLE decision_log IN ACCESS EXCLUSIVE MODE")
		require.NoError(t, err)
		_, _, err = k.List(ctx, routing.RecordPage{Limit: 9})
		require.True(t, fault.Is(err, decisionlog.ReasonTooMany), "%v", err)
		_, err = k.Summarize(ctx, routing.SummaryQuery{RecordFilter: routing.RecordFilter{From: noon, To: noon.Add(time.Hour)}, Step: time.Minute})
		require.True(t, fault.Is(err, decisionlog.ReasonTooMany), "%v", err)
		return nil
	}))
}

func TestLooksWaitForEachOtherAndNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := decisionlog.NewKeeper(nil, key)
		var leave []func()
		for _, who := range []string{"key:1", "key:2", "key:3", "key:4"} {
			leave = append(leave, k.TakeLooks(who, 2))
		}
		began := time.Now()
		_, _, err := k.List(t.Context(), routing.RecordPage{Limit: 9}) // it would not survive getting to the database
		refused := fault.From(err)
		require.Equal(t, decisionlog.ReasonTooManyLooks, refused.Reason, "%v", err)
		require.Equal(t, fault.ResourceExhausted, refused.Kind)
		require.Positive(t, refused.RetryAfter)
		require.Equal(t, 2*time.Second, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = k.Summarize(ctx, routing.SummaryQuery{})
		require.ErrorIs(t, err, context.Canceled, "who goes away waits no longer")

		waiting := make(chan any)
		go func() {
			defer func() { waiting <- recover() }()
			_, _, _ = k.List(t.Context(), routing.RecordPage{Limit: 9})
		}()
		synctest.Wait()
		leave[0]()
		require.NotNil(t, <-waiting, "it got the place that came free, and to the database")
	})
}

func TestOneCallerDoesNotTakeAllLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := decisionlog.NewKeeper(nil, key)
		leave := k.TakeLooks("key:1", 2)
		one, two := caller.With(t.Context(), caller.Caller{Name: "key:1"}), caller.With(t.Context(), caller.Caller{Name: "key:2"})
		_, _, err := k.List(one, routing.RecordPage{Limit: 9})
		require.True(t, fault.Is(err, decisionlog.ReasonTooManyLooks), "%v", err)
		require.Panics(t, func() { _, _, _ = k.List(two, routing.RecordPage{Limit: 9}) }, "another caller has a place")
		leave()
		require.Panics(t, func() { _, _, _ = k.List(one, routing.RecordPage{Limit: 9}) }, "there is one again")
	})
}

func TestALookThatPanicsKeepsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := decisionlog.NewKeeper(nil, key)
		for range 9 {
			require.Panics(t, func() { _, _, _ = k.List(t.Context(), routing.RecordPage{Limit: 9}) })
		}
	})
}

// TestListsOfAnAccountOrOperatorReadNoOthers: who has few decisions among many would wait for all of them to be read.
func TestListsOfAnAccountOrOperatorReadNoOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		if bunstore.DialectOf(db) == bunstore.Postgres { // also in the partition of a day, which is made later
			require.NoError(t, decisionlog.NewRetention(db, 1, clock.System(), quiet).Ensure(t.Context(), noon))
		}
		require.NoError(t, fill(t, db, 20_000))
		var heard statements
		k := decisionlog.NewKeeper(db.WithQueryHook(&heard), key)
		store(t, k, made(noon, of(other)))
		last := routing.RecordPage{AfterTime: noon.Add(time.Hour), AfterID: other}
		for name, c := range map[string]struct {
			filter routing.RecordFilter
			column string
		}{
			"an account":            {routing.RecordFilter{Account: other}, "account_id"},
			"an account in a while": {routing.RecordFilter{Account: other, From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}, "account_id"},
			"an operator":           {routing.RecordFilter{Operator: operatorA}, "operator_id"},
		} {
			for _, after := range []routing.RecordPage{{}, last} {
				t.Run(name, func(t *testing.T) {
					heard.asked = nil
					after.RecordFilter, after.Limit = c.filter, 100
					some, _, err := k.List(t.Context(), after)
					require.NoError(t, err)
					require.Len(t, some, 1)
					plans := explained(t, db, heard.asked)
					require.Len(t, plans, 1)
					require.NotRegexp(t, `Sort +\(cost|TEMP B-TREE|Filter:|Seq Scan`, plans[0])
					require.Regexp(t, `(Index Cond: \(+|decision_log_\w+ \()`+c.column+" ?=", plans[0])
				})
			}
		}
	})
}

// explained gives the plans of lists among statements.
func explained(t *testing.T, db *bun.DB, asked []string) (plans []string) {
	t.Helper()
	require.NoError(t, db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range asked {
			switch {
			case strings.HasPrefix(statement, "SET LOCAL "):
				_, err := tx.ExecContext(ctx, statement)
				require.NoError(t, err)
			case !strings.Contains(statement, `FROM "decision_log"`):
			case bunstore.DialectOf(db) == bunstore.Postgres:
				var plan []string
				require.NoError(t, tx.NewRaw("EXPLAIN "+statement).Scan(ctx, &plan))
				plans = append(plans, strings.Join(plan, "\n"))
			default:
				var numbers [3][]int
				var plan []string
				require.NoError(t, tx.NewRaw("EXPLAIN QUERY PLAN "+statement).Scan(ctx, &numbers[0], &numbers[1], &numbers[2], &plan))
				plans = append(plans, strings.Join(plan, "\n"))
			}
		}
		return nil
	}))
	return plans
}
