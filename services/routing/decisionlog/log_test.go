package decisionlog_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/money"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/secret"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon    = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)
	key     = secret.New("the first key, of 32 bytes or more")
	former  = secret.New("a former key, of 32 bytes or more!")
	account = uuid.MustParse("00000000-0000-0000-0000-00000000000a")
	other   = uuid.MustParse("00000000-0000-0000-0000-00000000000b")
	quiet   = slog.New(slog.DiscardHandler)
)

const number = e164.Number("+447911123456")

// decider answers as told.
type decider struct{ err error }

func (d *decider) Explain(_ context.Context, q *routing.Query, out *routing.Decision, _ *routing.Trace) error {
	out.ID = routing.NewDecisionID(q.At)
	out.Versions, out.Cache = routing.Versions{Config: 7, Rules: 5}, routing.CacheHit
	if d.err != nil {
		return d.err
	}
	out.Rule, out.Prefix = uuid.MustParse("00000000-0000-0000-0000-0000000000aa"), "447"
	price, _ := money.Parse("0.0125", "EUR")
	out.Choices = []routing.Choice{{Operator: &routing.Operator{ID: uuid.MustParse("00000000-0000-0000-0000-0000000000bb")}, Price: price}}
	return nil
}

// stream takes batches, or not.
type stream struct {
	mu      sync.Mutex
	down    bool
	batches []*routingv1.DecisionBatch
	ids     []string
}

func (s *stream) Publish(_ context.Context, subject string, data []byte, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || subject != "routing.decision" {
		return errors.New("down")
	}
	var batch routingv1.DecisionBatch
	if err := proto.Unmarshal(data, &batch); err != nil {
		return err
	}
	if strings.Contains(string(data), number.Digits()) {
		return errors.New("a number in clear")
	}
	s.batches, s.ids = append(s.batches, &batch), append(s.ids, id)
	return nil
}

func (s *stream) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *stream) decisions() (all []*routingv1.DecisionRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		all = append(all, b.GetDecisions()...)
	}
	return all
}

func newWriter(t *testing.T, s *stream) (*decisionlog.Writer, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	w, err := decisionlog.NewWriter(s, decisionlog.NewHasher(key), func() time.Time { return noon }, quiet, reg)
	require.NoError(t, err)
	return w, reg
}

// running runs a test beside a writer in a bubble.
func running(t *testing.T, s *stream, test func(w *decisionlog.Writer, reg *prometheus.Registry, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, reg := newWriter(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		stop := sync.OnceFunc(func() { cancel(); <-done })
		defer stop()
		test(w, reg, stop)
	})
}

func decide(t *testing.T, w *decisionlog.Writer, err error) uuid.UUID {
	t.Helper()
	q := routing.Query{To: number, Account: account, Type: routing.SMS, At: noon}
	var d routing.Decision
	require.ErrorIs(t, w.Logged(&decider{err}).Explain(t.Context(), &q, &d, nil), err)
	return d.ID
}

func counter(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return testutil.ToFloat64(gauge(f.GetMetric()[0].GetCounter().GetValue()))
		}
	}
	return 0
}

func gauge(v float64) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "x"})
	g.Set(v)
	return g
}

func TestDecisionsAreSentInBatchesWithoutTheirNumbers(t *testing.T) {
	s := &stream{}
	running(t, s, func(w *decisionlog.Writer, _ *prometheus.Registry, _ func()) {
		id := decide(t, w, nil)
		decide(t, w, fault.New(fault.NotFound, routing.ReasonNoRoute, "No."))
		require.NoError(t, w.Report(routing.Report{Decision: id, Operator: other, Account: account, Outcome: routing.Delivered, Segments: 2}))
		var d routing.Decision
		require.NoError(t, w.Logged(&decider{}).Explain(t.Context(), &routing.Query{To: number, At: noon}, &d, &routing.Trace{}))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, s.batches, 1, "what comes within a moment goes together")
		require.Len(t, s.decisions(), 2, "an explanation is no decision")
		require.Len(t, s.batches[0].GetOutcomes(), 1)
		first, second := s.decisions()[0], s.decisions()[1]
		require.Equal(t, id.String(), first.GetDecisionId())
		require.Equal(t, "+447", first.GetMatchedPrefix())
		require.Equal(t, int64(12500000), first.GetUnitPrice().GetNanos())
		require.Len(t, first.GetNumberHash(), 64)
		require.Equal(t, first.GetNumberHash(), second.GetNumberHash(), "the same number has the same hash")
		require.Equal(t, routing.ReasonNoRoute, second.GetFailure())
		require.Empty(t, second.GetOperatorId())
	})
}

func TestAFullQueueLosesDecisionsAndNeverSlowsThem(t *testing.T) {
	s := &stream{down: true}
	running(t, s, func(w *decisionlog.Writer, reg *prometheus.Registry, _ func()) {
		began := time.Now()
		for range 45_000 {
			decide(t, w, nil)
		}
		require.Zero(t, time.Since(began), "nothing waited: the clock of the bubble stands still")
		synctest.Wait()
		require.True(t, fault.Is(w.Report(routing.Report{}), decisionlog.ReasonOverloaded))
		lost := counter(t, reg, "routing_engine_decision_log_dropped_total")
		require.Positive(t, lost)
		s.set(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, s.decisions(), 45_000-int(lost), "the rest arrives when NATS is back")
	})
}

func TestTheQueueHoldsSeveralOfTheLargestBatches(t *testing.T) {
	const calls, most = 4, 10_000
	s := &stream{down: true}
	running(t, s, func(w *decisionlog.Writer, reg *prometheus.Registry, _ func()) {
		var wg sync.WaitGroup
		logged := w.Logged(&decider{})
		for range calls {
			wg.Go(func() {
				q := routing.Query{To: number, Account: account, Type: routing.SMS, At: noon}
				for range most {
					var d routing.Decision
					_ = logged.Explain(t.Context(), &q, &d, nil) // the decider has an answer to everything
				}
			})
		}
		wg.Wait()
		require.Zero(t, counter(t, reg, "routing_engine_decision_log_dropped_total"))
		s.set(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, s.decisions(), calls*most)
	})
}

func TestABatchThatIsTriedAgainKeepsItsID(t *testing.T) {
	s := &stream{down: true}
	running(t, s, func(w *decisionlog.Writer, reg *prometheus.Registry, _ func()) {
		decide(t, w, nil)
		time.Sleep(3 * time.Second)
		s.set(false)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Len(t, s.ids, 1)
		require.NotEmpty(t, s.ids[0])
	})
}

func TestTheEndOfAProcessSendsWhatWaits(t *testing.T) {
	for name, c := range map[string]struct {
		down bool
		want int
	}{"NATS is up": {false, 700}, "NATS is down": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			s := &stream{down: c.down}
			running(t, s, func(w *decisionlog.Writer, reg *prometheus.Registry, stop func()) {
				for range 700 {
					decide(t, w, nil)
				}
				stop()
				require.Len(t, s.decisions(), c.want)
				require.InDelta(t, 700-c.want, counter(t, reg, "routing_engine_decision_log_dropped_total"), 0)
			})
		})
	}
}

func onBoth(t *testing.T, test func(t *testing.T, db *bun.DB)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, open(t, pgtest.Database(t), migrations.Postgres, "postgres")) })
	t.Run("sqlite", func(t *testing.T) {
		test(t, open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), migrations.SQLite, "sqlite"))
	})
}

func open(t testing.TB, url string, files fs.FS, dir string) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, quiet)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: files, Dir: dir}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	return db
}

// logged gives a batch as an engine with this key sends it.
func logged(t *testing.T, with secret.Text, at time.Time, numbers ...e164.Number) *routingv1.DecisionBatch {
	t.Helper()
	s := &stream{}
	w, err := decisionlog.NewWriter(s, decisionlog.NewHasher(with), func() time.Time { return at }, quiet, prometheus.NewRegistry())
	require.NoError(t, err)
	for _, n := range numbers {
		q := routing.Query{To: n, Account: account, Type: routing.Flash, At: at}
		var d routing.Decision
		require.NoError(t, w.Logged(&decider{}).Explain(t.Context(), &q, &d, nil))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Run(ctx) // sends what waits
	all := &routingv1.DecisionBatch{}
	for _, b := range s.batches {
		proto.Merge(all, b)
	}
	return all
}

func export(t *testing.T, k *decisionlog.Keeper, f routing.RecordFilter) (all []*routingv1.DecisionRecord) {
	t.Helper()
	require.NoError(t, k.Export(t.Context(), f, func(some []*routingv1.DecisionRecord) error {
		require.LessOrEqual(t, len(some), 500)
		all = append(all, some...)
		return nil
	}))
	return all
}

func TestABatchIsStoredOnceAndFound(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key, former)
		batch := logged(t, key, noon, number, "+4915112345678")
		for range 2 {
			require.NoError(t, k.Store(t.Context(), batch))
		}
		require.NoError(t, k.Store(t.Context(), logged(t, former, noon.Add(time.Hour), number)))
		all := export(t, k, routing.RecordFilter{})
		require.Len(t, all, 3)
		want := proto.CloneOf(batch.GetDecisions()[0])
		one := export(t, k, routing.RecordFilter{ID: uuid.MustParse(want.GetDecisionId())})[0]
		want.Meta.DecisionId, want.Latency = want.GetDecisionId(), one.GetLatency()
		require.True(t, proto.Equal(want, one), "%v\n%v", want, one)
		for name, c := range map[string]struct {
			filter routing.RecordFilter
			want   int
		}{
			"a number, under both keys": {routing.RecordFilter{Number: number}, 2},
			"a number nobody wrote to":  {routing.RecordFilter{Number: "+12025550123"}, 0},
			"the account":               {routing.RecordFilter{Account: account}, 3},
			"another account":           {routing.RecordFilter{Account: other}, 0},
			"one decision":              {routing.RecordFilter{ID: uuid.MustParse(all[1].GetDecisionId())}, 1},
			"from a moment on":          {routing.RecordFilter{From: noon.Add(time.Minute)}, 1},
			"before a moment":           {routing.RecordFilter{To: noon.Add(time.Minute)}, 2},
		} {
			t.Run(name, func(t *testing.T) { require.Len(t, export(t, k, c.filter), c.want) })
		}
		require.Len(t, export(t, decisionlog.NewKeeper(db, key), routing.RecordFilter{Number: number}), 1, "without the former key")
		without := decisionlog.NewKeeper(db)
		require.Len(t, export(t, without, routing.RecordFilter{}), 3)
		require.True(t, fault.Is(without.Export(t.Context(), routing.RecordFilter{Number: number}, nil), decisionlog.ReasonNoKey))
		_, err := without.Erase(t.Context(), routing.Erasure{Number: number})
		require.True(t, fault.Is(err, decisionlog.ReasonNoKey))
	})
}

func TestManyDecisionsOfOneMomentAreExportedOnceEach(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		numbers := make([]e164.Number, 1200)
		for i := range numbers {
			numbers[i] = number
		}
		require.NoError(t, k.Store(t.Context(), logged(t, key, noon, numbers...)))
		seen := map[string]bool{}
		for _, r := range export(t, k, routing.RecordFilter{}) {
			seen[r.GetDecisionId()] = true
		}
		require.Len(t, seen, 1200)
	})
}

func outcome(decision string, of uuid.UUID, what routingv1.Outcome, at time.Time) *routingv1.ReportedOutcome {
	r := &routingv1.ReportedOutcome{ReportId: uuid.Must(uuid.NewV7()).String(), DecisionId: decision, Outcome: &routingv1.OutcomeRecord{
		OperatorId: other.String(), Outcome: what, CommandStatus: 0xFFFFFFFF, Segments: 3,
	}}
	r.Outcome.ReportTime = logTime(at)
	if of != uuid.Nil {
		r.AccountId = of.String()
	}
	return r
}

func TestOutcomesJoinTheDecisionsOfTheirAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		batch := logged(t, key, noon, number)
		id := batch.GetDecisions()[0].GetDecisionId()
		late := &routingv1.DecisionBatch{Outcomes: []*routingv1.ReportedOutcome{
			outcome(id, other, routingv1.Outcome_OUTCOME_REJECTED, noon), // by somebody whose decision it is not
			outcome(id, uuid.Nil, routingv1.Outcome_OUTCOME_DELIVERED, noon.Add(2*time.Second)),
			outcome(id, account, routingv1.Outcome_OUTCOME_ACCEPTED, noon.Add(time.Second)),
			outcome(uuid.NewString(), account, routingv1.Outcome_OUTCOME_ACCEPTED, noon), // of no decision
		}}
		// Outcomes may come before the decision, and twice.
		for _, b := range []*routingv1.DecisionBatch{late, batch, late} {
			require.NoError(t, k.Store(t.Context(), b))
		}
		all := export(t, k, routing.RecordFilter{})
		require.Len(t, all, 1)
		require.Len(t, all[0].GetOutcomes(), 2)
		require.Equal(t, routingv1.Outcome_OUTCOME_ACCEPTED, all[0].GetOutcomes()[0].GetOutcome())
		require.True(t, proto.Equal(late.GetOutcomes()[1].GetOutcome(), all[0].GetOutcomes()[1]))

		for i := range 10 {
			require.NoError(t, k.Store(t.Context(), &routingv1.DecisionBatch{Outcomes: []*routingv1.ReportedOutcome{
				outcome(id, account, routingv1.Outcome_OUTCOME_FAILED, noon.Add(time.Duration(i)*time.Minute)),
			}}))
		}
		require.Len(t, export(t, k, routing.RecordFilter{})[0].GetOutcomes(), 8)
	})
}

func TestErasingTakesEveryTraceOfANumber(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key, former)
		batch := logged(t, key, noon, number, "+4915112345678")
		batch.Outcomes = append(batch.Outcomes, outcome(batch.GetDecisions()[0].GetDecisionId(), account, routingv1.Outcome_OUTCOME_FAILED, noon),
			outcome(batch.GetDecisions()[1].GetDecisionId(), account, routingv1.Outcome_OUTCOME_FAILED, noon))
		require.NoError(t, k.Store(t.Context(), batch))
		require.NoError(t, k.Store(t.Context(), logged(t, former, noon, number)))
		n, err := k.Erase(t.Context(), routing.Erasure{Number: number, DryRun: true})
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.Len(t, export(t, k, routing.RecordFilter{}), 3, "only counted")
		n, err = k.Erase(t.Context(), routing.Erasure{Number: number, Actor: "key:1", RequestID: "r-1", At: noon})
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		left := export(t, k, routing.RecordFilter{})
		require.Len(t, left, 1)
		require.Len(t, left[0].GetOutcomes(), 1)
		var outcomes int
		require.NoError(t, db.NewRaw("SELECT count(*) FROM decision_outcomes").Scan(t.Context(), &outcomes))
		require.Equal(t, 1, outcomes)
		var rows []string
		require.NoError(t, db.NewRaw("SELECT actor || ' ' || request_id || ' ' || action || ' ' || after FROM audit_log").Scan(t.Context(), &rows))
		require.Equal(t, []string{`key:1 r-1 decisions.erase {"erased":2}`}, rows, "counting is not audited")

		// Without its audit row nothing is erased.
		_, err = db.NewRaw("DROP TABLE audit_unsealed").Exec(t.Context())
		require.NoError(t, err)
		_, err = k.Erase(t.Context(), routing.Erasure{Number: "+4915112345678", Actor: "key:1", At: noon})
		require.Error(t, err)
		require.Len(t, export(t, k, routing.RecordFilter{}), 1)
	})
}

func TestOldDecisionsGo(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k, r := decisionlog.NewKeeper(db, key), decisionlog.NewRetention(db, 30, clock.System(), quiet)
		day := noon.Truncate(24 * time.Hour)
		for _, at := range []time.Time{day.AddDate(0, 0, -31), day.AddDate(0, 0, -30).Add(-time.Microsecond), day.AddDate(0, 0, -30), noon, noon.AddDate(0, 0, 3)} {
			batch := logged(t, key, at, number)
			batch.Outcomes = append(batch.Outcomes, outcome(batch.GetDecisions()[0].GetDecisionId(), account, routingv1.Outcome_OUTCOME_FAILED, at))
			if at.Equal(noon) { // these come after partitions are made, those before lie in the default partition
				require.NoError(t, r.Ensure(t.Context(), day.AddDate(0, 0, -1)))
			}
			require.NoError(t, k.Store(t.Context(), batch))
		}
		for range 2 {
			require.NoError(t, r.Ensure(t.Context(), noon))
		}
		all := export(t, k, routing.RecordFilter{})
		require.Len(t, all, 3)
		require.Equal(t, day.AddDate(0, 0, -30), all[0].GetDecideTime().AsTime())
		var outcomes int
		require.NoError(t, db.NewRaw("SELECT count(*) FROM decision_outcomes").Scan(t.Context(), &outcomes))
		require.Equal(t, 3, outcomes)

		// A month later everything is gone, partitions too.
		require.NoError(t, r.Ensure(t.Context(), noon.AddDate(0, 2, 0)))
		require.Empty(t, export(t, k, routing.RecordFilter{}))
		if bunstore.DialectOf(db) == bunstore.Postgres {
			var tables int
			require.NoError(t, db.NewRaw(`SELECT count(*) FROM pg_inherits WHERE inhparent = 'decision_log'::regclass`).Scan(t.Context(), &tables))
			require.Equal(t, 4, tables, "three days ahead and the default one")
		}
	})
}

func TestTheLogGoesThroughTheStream(t *testing.T) {
	e, err := jetstream.Embedded(t.TempDir(), "")
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Shutdown()) }()
	conn, err := jetstream.Connect(jetstream.DefaultConfig(), quiet, jetstream.WithInProcessServer(e))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.AwaitConnected(t.Context()))
	require.NoError(t, conn.EnsureStreams(t.Context(), append(decisionlog.Streams(), jetstream.DeadLetterSpec())))

	k := decisionlog.NewKeeper(open(t, pgtest.Database(t), migrations.Postgres, "postgres"), key)
	_, err = k.Consume(t.Context(), conn)
	require.NoError(t, err)
	require.NoError(t, conn.Publish(t.Context(), decisionlog.Subject, []byte("no batch"), "poison"))
	bad, err := proto.Marshal(&routingv1.DecisionBatch{Decisions: []*routingv1.DecisionRecord{{DecisionId: "x"}}})
	require.NoError(t, err)
	require.NoError(t, conn.Publish(t.Context(), decisionlog.Subject, bad, "malformed"))

	w, err := decisionlog.NewWriter(conn, decisionlog.NewHasher(key), time.Now, quiet, prometheus.NewRegistry())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	id := decide(t, w, nil)
	require.NoError(t, w.Report(routing.Report{Decision: id, Operator: other, Outcome: routing.Accepted}))
	require.Eventually(t, func() bool {
		all := export(t, k, routing.RecordFilter{Number: number})
		return len(all) == 1 && len(all[0].GetOutcomes()) == 1
	}, 15*time.Second, 10*time.Millisecond)
	cancel()
	<-done
}

func logTime(at time.Time) *timestamppb.Timestamp { return timestamppb.New(at) }

func BenchmarkLogged(b *testing.B) {
	w, err := decisionlog.NewWriter(&stream{}, decisionlog.NewHasher(key), time.Now, quiet, prometheus.NewRegistry())
	require.NoError(b, err)
	logged := w.Logged(idle{})
	q := routing.Query{To: number, Account: account, Type: routing.SMS, At: noon}
	var d routing.Decision
	require.NoError(b, (&decider{}).Explain(b.Context(), &q, &d, nil))
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	b.ReportAllocs()
	for b.Loop() {
		_ = logged.Explain(ctx, &q, &d, nil)
	}
	cancel()
	<-done
}

// idle has decided already.
type idle struct{}

func (idle) Explain(context.Context, *routing.Query, *routing.Decision, *routing.Trace) error {
	return nil
}
