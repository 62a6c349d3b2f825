package decisionlog_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/pgtest"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

// never is a second from which on nothing is in the sums.
const never = math.MaxInt64 / 3600 * 3600 / 2

func sumsSince(t *testing.T, db *bun.DB, second int64) {
	t.Helper()
	_, err := db.NewRaw("UPDATE decision_sums_state SET since = ?", second).Exec(t.Context())
	require.NoError(t, err)
}

// rollUp does what is due at a moment.
func rollUp(t *testing.T, k *decisionlog.Keeper, now time.Time) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = decisionlog.NewRollup(k, clock.System(), quiet).Step(t.Context(), now)
		require.NoError(t, err)
	}
}

// traffic makes batches at random: of some hours, accounts, operators, currencies and numbers, with reports that come late, early,
// twice or from others.
type traffic struct {
	*rand.Rand
	ids     []string
	at      map[string]time.Time
	account map[string]uuid.UUID
	batches []*routingv1.DecisionBatch
}

var numbers = []e164.Number{number, "+4915112345678", "+12025550123", "+447911999999"}

func newTraffic(seed uint64) *traffic {
	return &traffic{Rand: rand.New(rand.NewPCG(seed, 1)), at: map[string]time.Time{}, account: map[string]uuid.UUID{}}
}

func pick[T any](r *traffic, from ...T) T { return from[r.IntN(len(from))] }

// trafficStart and trafficTime bound when decisions are made.
var trafficStart = noon.Truncate(time.Hour).Add(-90 * time.Minute)

const trafficTime = 3 * time.Hour

func (r *traffic) decision() *routingv1.DecisionRecord {
	at := trafficStart.Add(time.Duration(r.Int64N(int64(trafficTime)))).Truncate(pick(r, time.Microsecond, time.Second, time.Minute, time.Hour))
	to := pick(r, numbers...)
	d := made(at, by(pick(r, operatorA, operatorB, other)), of(pick(r, account, other, operatorB)), costs(r.Int64N(5_000_000_000), pick(r, "EUR", "USD")),
		takes(pick(r, 10*time.Microsecond, 11*time.Microsecond, 5*time.Second, 6*time.Second, time.Hour)))
	d.NumberHash, d.NumberPrefix, d.NumberDigits = hex.EncodeToString(decisionlog.NewHasher(key).Hash(to)), routing.ShownPrefix(to).String(), int32(len(to.Digits()))
	if r.IntN(5) == 0 {
		failed(pick(r, "NO_ROUTE", "NO_USABLE_OPERATOR"))(d)
	} else if r.IntN(5) == 0 {
		d.UnitPrice = nil
	}
	r.ids = append(r.ids, d.GetDecisionId())
	r.at[d.GetDecisionId()], r.account[d.GetDecisionId()] = at, uuid.MustParse(d.GetAccountId())
	return d
}

func (r *traffic) report() *routingv1.ReportedOutcome {
	id := pick(r, r.ids...)
	from := pick(r, r.account[id], r.account[id], uuid.Nil, account)
	at := r.at[id].Add(pick(r, time.Second, time.Second, time.Minute, 26*time.Hour, -time.Hour, -time.Hour-time.Second, -3*time.Hour))
	return outcome(id, from, routingv1.Outcome(1+r.IntN(5)), at)
}

// next makes a batch. Some of its decisions come later than reports about them; some batches hold what was in others.
func (r *traffic) next() *routingv1.DecisionBatch {
	if len(r.batches) > 3 && r.IntN(4) == 0 {
		again := pick(r, r.batches...)
		return &routingv1.DecisionBatch{Decisions: again.GetDecisions()[r.IntN(len(again.GetDecisions())):], Outcomes: again.GetOutcomes()}
	}
	batch, late := &routingv1.DecisionBatch{}, &routingv1.DecisionBatch{}
	for range 1 + r.IntN(20) {
		to := batch
		if r.IntN(6) == 0 {
			to = late
		}
		to.Decisions = append(to.Decisions, r.decision())
	}
	for range r.IntN(20) {
		batch.Outcomes = append(batch.Outcomes, r.report())
	}
	batch.Outcomes = append(batch.Outcomes, batch.GetOutcomes()[:len(batch.GetOutcomes())/3]...)
	r.batches = append(r.batches, batch)
	if len(late.GetDecisions()) > 0 {
		r.batches = append(r.batches, late)
	}
	if len(batch.GetDecisions()) == 0 {
		batch.Decisions = append(batch.Decisions, r.decision())
	}
	return batch
}

// requireSums compares what sums tell with what the decisions tell.
func requireSums(t *testing.T, db *bun.DB, r *traffic) {
	t.Helper()
	k := decisionlog.NewKeeper(db, key)
	var since int64
	require.NoError(t, db.NewRaw("SELECT since FROM decision_sums_state").Scan(t.Context(), &since))
	start := trafficStart.Truncate(24 * time.Hour)
	aligned := routing.RecordFilter{From: start, To: start.Add(24 * time.Hour)}
	odd := routing.RecordFilter{From: trafficStart.Add(time.Duration(r.Int64N(int64(time.Hour)))), To: trafficStart.Add(time.Hour + time.Duration(r.Int64N(int64(2*time.Hour))))}
	for _, f := range []routing.RecordFilter{aligned, odd} {
		f.Account, f.Operator = pick(r, uuid.Nil, account, other), pick(r, uuid.Nil, uuid.Nil, operatorA)
		f.Failed, f.Start = r.IntN(4) == 0, pick(r, "", "", "", e164.Prefix("44"))
		for _, group := range []routing.Grouping{routing.Together, routing.ByOperator, routing.ByFailure} {
			q := routing.SummaryQuery{RecordFilter: f, Group: group, Step: pick(r, time.Minute, 5*time.Minute, 7*time.Minute, 90*time.Second, 15*time.Minute, time.Hour, 12*time.Hour)}
			bySums := summarize(t, k, q)
			sumsSince(t, db, never)
			require.Equal(t, summarize(t, k, q), bySums, "%+v", q)
			sumsSince(t, db, since)
		}
	}
}

func TestSumsTellWhatDecisionsTell(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k, r := decisionlog.NewKeeper(db, key), newTraffic(7)
		for round := range 8 {
			for range 12 {
				require.NoError(t, k.Store(t.Context(), r.next()))
			}
			requireSums(t, db, r)
			rollUp(t, k, trafficStart.Add(time.Duration(round)*time.Hour))
			requireSums(t, db, r)
			if round%3 == 2 {
				n, err := k.Erase(t.Context(), routing.Erasure{Number: pick(r, numbers...), Actor: "key:1", At: noon})
				require.NoError(t, err)
				require.Positive(t, n)
				requireSums(t, db, r)
			}
		}
		for _, number := range numbers {
			_, err := k.Erase(t.Context(), routing.Erasure{Number: number, Actor: "key:1", At: noon})
			require.NoError(t, err)
		}
		require.Empty(t, summarize(t, k, routing.SummaryQuery{RecordFilter: routing.RecordFilter{From: noon.AddDate(0, 0, -2), To: noon.AddDate(0, 0, 2)}, Step: time.Hour}))
	})
}

func TestWhatIsOlderThanSumsIsSummedUpLater(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k, r := decisionlog.NewKeeper(db, key), newTraffic(8)
		up := decisionlog.NewRollup(k, clock.System(), quiet)
		begin := trafficStart.Add(2 * time.Hour).Truncate(time.Minute)
		sumsSince(t, db, begin.Unix())
		for range 40 {
			require.NoError(t, k.Store(t.Context(), r.next()))
		}
		requireSums(t, db, r)
		more, err := up.Step(t.Context(), begin.Add(-time.Second))
		require.NoError(t, err)
		require.False(t, more)
		var since int64
		require.NoError(t, db.NewRaw("SELECT since FROM decision_sums_state").Scan(t.Context(), &since))
		require.Equal(t, begin.Unix(), since, "processes of the version before may still store")

		for steps := 0; steps == 0 || more; steps++ {
			more, err = up.Step(t.Context(), begin.Add(time.Duration(steps)*time.Minute))
			require.NoError(t, err)
			if steps%10 == 0 {
				require.NoError(t, k.Store(t.Context(), r.next()))
				requireSums(t, db, r)
			}
		}
		require.NoError(t, db.NewRaw("SELECT since FROM decision_sums_state").Scan(t.Context(), &since))
		require.Zero(t, since)
		requireSums(t, db, r)
	})
}

// TestALongTimeIsReadFromSums takes the decisions away, so that only sums can answer.
func TestALongTimeIsReadFromSums(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		start := noon.Truncate(time.Hour)
		var all []*routingv1.DecisionRecord
		for second := range 2 * 3600 / 30 { // two in each minute
			all = append(all, made(start.Add(time.Duration(second)*30*time.Second)))
		}
		store(t, k, all...)
		rollUp(t, k, start.Add(time.Hour+2*time.Minute)) // the first of both hours
		_, err := db.NewRaw("DELETE FROM decision_log").Exec(t.Context())
		require.NoError(t, err)
		whole := routing.RecordFilter{From: start, To: start.Add(2 * time.Hour)}
		with := func(change func(f *routing.RecordFilter)) routing.RecordFilter {
			f := whole
			change(&f)
			return f
		}
		for name, c := range map[string]struct {
			filter routing.RecordFilter
			step   time.Duration
			want   int64
		}{
			"hours":                            {whole, time.Hour, 240},
			"quarters of an hour":              {whole, 15 * time.Minute, 240},
			"minutes":                          {whole, time.Minute, 240},
			"half minutes":                     {whole, 30 * time.Second, 0},
			"an operator":                      {with(func(f *routing.RecordFilter) { f.Operator = operatorA }), time.Hour, 240},
			"another operator":                 {with(func(f *routing.RecordFilter) { f.Operator = operatorB }), time.Hour, 0},
			"an account":                       {with(func(f *routing.RecordFilter) { f.Account = account }), 5 * time.Minute, 240},
			"an account by minute":             {with(func(f *routing.RecordFilter) { f.Account = account }), time.Minute, 0},
			"a prefix":                         {with(func(f *routing.RecordFilter) { f.Start = "44" }), time.Hour, 0},
			"edges of a minute":                {with(func(f *routing.RecordFilter) { f.From, f.To = f.From.Add(1), f.To.Add(-1) }), time.Hour, 236},
			"edges of an account of 5 minutes": {with(func(f *routing.RecordFilter) { f.From, f.To, f.Account = f.From.Add(1), f.To.Add(-1), account }), time.Hour, 220},
			"less than a minute":               {with(func(f *routing.RecordFilter) { f.From, f.To = f.From.Add(1), f.From.Add(time.Minute) }), time.Hour, 0},
		} {
			t.Run(name, func(t *testing.T) {
				var n int64
				for _, s := range summarize(t, k, routing.SummaryQuery{RecordFilter: c.filter, Step: c.step}) {
					n += s.Count
				}
				require.Equal(t, c.want, n)
			})
		}
	})
}

func TestSumsGoWithTheirDecisions(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k, r := decisionlog.NewKeeper(db, key), decisionlog.NewRetention(db, 30, clock.System(), quiet)
		oldest := noon.Truncate(24*time.Hour).AddDate(0, 0, -30)
		if bunstore.DialectOf(db) == bunstore.Postgres { // the default partition has what has no other one
			store(t, k, made(noon.AddDate(0, 0, 1)))
			require.Error(t, r.Ensure(t.Context(), noon), "the partition of that day cannot be made")
		}
		store(t, k, made(oldest.AddDate(0, 0, -3)), made(oldest.Add(-time.Microsecond)), made(oldest), made(noon))
		if err := r.Ensure(t.Context(), noon); bunstore.DialectOf(db) == bunstore.SQLite {
			require.NoError(t, err)
		}
		for span, which := range map[int64]string{60: "=", 300: "<>"} {
			var begins []int64
			require.NoError(t, db.NewRaw("SELECT DISTINCT begins FROM decision_sums WHERE account_id "+which+" ? AND begins <= ? ORDER BY begins", uuid.Nil, noon.Unix()).
				Scan(t.Context(), &begins))
			require.Equal(t, []int64{oldest.Unix(), noon.Unix() / span * span}, begins)
		}
	})
}

// TestSumsBeginAfterAnUpgrade: programs of before the migration store for a while without sums.
func TestSumsBeginAfterAnUpgrade(t *testing.T) {
	for dialect, files := range map[string]fs.FS{"postgres": migrations.Postgres, "sqlite": migrations.SQLite} {
		t.Run(dialect, func(t *testing.T) {
			url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
			if dialect == "postgres" {
				url = pgtest.Database(t)
			}
			former := fstest.MapFS{}
			require.NoError(t, fs.WalkDir(files, dialect, func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() && path < dialect+"/20261122000007" {
					var data []byte
					data, err = fs.ReadFile(files, path)
					former[path] = &fstest.MapFile{Data: data}
				}
				return err
			}))
			require.NoError(t, fill(t, open(t, url, former, dialect), 3))
			db := open(t, url, files, dialect)
			now := time.Now()
			var since int64
			require.NoError(t, db.NewRaw("SELECT since FROM decision_sums_state").Scan(t.Context(), &since))
			require.Zero(t, since%3600)
			require.Greater(t, since, now.Add(59*time.Minute).Unix())
			require.Less(t, since, now.Add(121*time.Minute).Unix())
			k := decisionlog.NewKeeper(db, key)
			store(t, k, made(noon))
			require.EqualValues(t, 4, summarize(t, k, hour(time.Hour, routing.Together))[0].Count)
			rollUp(t, k, time.Unix(since, 0))
			require.NoError(t, db.NewRaw("SELECT since FROM decision_sums_state").Scan(t.Context(), &since))
			require.Zero(t, since)
			require.EqualValues(t, 4, summarize(t, k, hour(time.Hour, routing.Together))[0].Count)
		})
	}
}

// halting stops a keeper before it adds to the sums.
type halting struct{ reached, goOn chan struct{} }

func (h *halting) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.HasPrefix(e.Query, "INSERT INTO decision_sums") {
		close(h.reached)
		<-h.goOn
	}
	return ctx
}

func (*halting) AfterQuery(context.Context, *bun.QueryEvent) {}

// TestAReportThatComesWithItsDecisionCounts: neither transaction sees what the other one has not committed.
func TestAReportThatComesWithItsDecisionCounts(t *testing.T) {
	db := open(t, pgtest.Database(t), migrations.Postgres, "postgres")
	h := &halting{make(chan struct{}), make(chan struct{})}
	d := made(noon)
	errs := make(chan error, 2)
	go func() {
		errs <- decisionlog.NewKeeper(db.WithQueryHook(h), key).Store(t.Context(), &routingv1.DecisionBatch{Decisions: []*routingv1.DecisionRecord{d}})
	}()
	<-h.reached
	k := decisionlog.NewKeeper(db, key)
	go func() {
		errs <- k.Store(t.Context(), &routingv1.DecisionBatch{Outcomes: []*routingv1.ReportedOutcome{
			outcome(d.GetDecisionId(), account, routingv1.Outcome_OUTCOME_DELIVERED, noon.Add(time.Second)),
		}})
	}()
	require.Eventually(t, func() bool {
		var waiting int
		require.NoError(t, db.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(t.Context(), &waiting))
		return waiting > 0 || len(errs) > 0
	}, 15*time.Second, 5*time.Millisecond)
	close(h.goOn)
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
	all := summarize(t, k, hour(time.Hour, routing.Together))
	require.Len(t, all, 1)
	require.Equal(t, map[routing.Outcome]int64{routing.Delivered: 1}, all[0].Outcomes)
}

func TestSeveralWritersAddToTheSameSums(t *testing.T) {
	db := open(t, pgtest.Database(t), migrations.Postgres, "postgres")
	r := newTraffic(9)
	for range 60 {
		r.next()
	}
	var wg sync.WaitGroup
	errs := make(chan error, 4*len(r.batches))
	for writer := range 4 {
		order := rand.New(rand.NewPCG(3, uint64(writer))).Perm(len(r.batches))
		wg.Go(func() {
			k := decisionlog.NewKeeper(db, key)
			for _, i := range order[:len(order)*2/3] {
				errs <- k.Store(t.Context(), r.batches[i])
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	for range 10 {
		requireSums(t, db, r)
	}
}

// synthesized fills the sums with 500 decisions a second of 500 operators until a midnight, without decisions: minutes of a day, 5
// minutes of a week, and hours and 6 hours of a month. No query reads others.
func synthesized(b *testing.B, db *bun.DB, midnight time.Time) {
	b.Helper()
	for span, days := range map[int]int{60: 1, 300: 7, 3600: 31, 21600: 31} {
		for quarter := range days * 4 {
			end := midnight.Add(-time.Duration(quarter) * 6 * time.Hour)
			_, err := db.NewRaw(`INSERT INTO decision_sums (span, account_id, begins, operator_id, failure, currency, decisions, units, nanos,
					latency_10, latency_25, latency_50, accepted, delivered, undelivered)
				SELECT ?0, ?1, t, ('00000000-0000-0000-0000-' || lpad(to_hex(o), 12, '0'))::uuid, '', 'EUR', ?0, ?0 / 20, 0, ?0 / 2, ?0 / 4, ?0 / 8, ?0 / 10, ?0 / 2, ?0 / 5
				FROM generate_series(?2::bigint, ?3 - 1, ?0) AS t, generate_series(1, 500) AS o`,
				span, uuid.Nil, end.Add(-6*time.Hour).Unix(), end.Unix()).Exec(b.Context())
			require.NoError(b, err)
		}
	}
	_, err := db.NewRaw("UPDATE decision_sums_state SET rolled = ?", midnight.Unix()).Exec(b.Context())
	require.NoError(b, err)
	_, err = db.NewRaw("ANALYZE decision_sums").Exec(b.Context())
	require.NoError(b, err)
}

func BenchmarkSummarize(b *testing.B) {
	db := open(b, pgtest.Database(b), migrations.Postgres, "postgres")
	k := decisionlog.NewKeeper(db, key)
	end := noon.Truncate(24 * time.Hour)
	synthesized(b, db, end)
	for _, c := range []struct {
		name string
		past time.Duration
		step time.Duration
	}{
		{"hour by minute", time.Hour, time.Minute}, {"day by 15 minutes", 24 * time.Hour, 15 * time.Minute},
		{"week by 2 hours", 7 * 24 * time.Hour, 2 * time.Hour}, {"31 days by 12 hours", 31 * 24 * time.Hour, 12 * time.Hour},
	} {
		for name, group := range map[string]routing.Grouping{"together": routing.Together, "by operator": routing.ByOperator} {
			b.Run(c.name+", "+name, func(b *testing.B) {
				q := routing.SummaryQuery{RecordFilter: routing.RecordFilter{From: end.Add(-c.past), To: end.Add(-time.Second)}, Step: c.step, Group: group}
				for b.Loop() {
					all, err := k.Summarize(b.Context(), q)
					require.NoError(b, err)
					require.NotEmpty(b, all)
				}
			})
		}
	}
}

// BenchmarkStore stores batches of decisions and of their outcomes, among 500 operators and 100 accounts.
func BenchmarkStore(b *testing.B) {
	for name, reports := range map[string]bool{"decisions": false, "decisions and outcomes": true} {
		b.Run(name, func(b *testing.B) {
			k := decisionlog.NewKeeper(open(b, pgtest.Database(b), migrations.Postgres, "postgres"), key)
			r := rand.New(rand.NewPCG(1, 1))
			at, n := noon, 0
			for b.Loop() {
				b.StopTimer()
				var batch, told routingv1.DecisionBatch
				for range 256 {
					at = at.Add(2 * time.Millisecond)
					one := made(at, by(uuid.MustParse(fmt.Sprintf("00000000-0000-0000-0000-%012d", r.IntN(500)))),
						of(uuid.MustParse(fmt.Sprintf("00000000-0000-0000-0001-%012d", r.IntN(100)))), takes(time.Duration(r.IntN(100))*time.Microsecond))
					batch.Decisions = append(batch.Decisions, one)
					told.Outcomes = append(told.Outcomes, outcome(one.GetDecisionId(), uuid.Nil, routingv1.Outcome_OUTCOME_DELIVERED, at.Add(time.Second)))
				}
				b.StartTimer()
				require.NoError(b, k.Store(b.Context(), &batch))
				if reports {
					require.NoError(b, k.Store(b.Context(), &told))
				}
				n += 256
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/decision")
		})
	}
}
