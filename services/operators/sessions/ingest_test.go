package sessions_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/redistest"
)

func openRedis(t *testing.T, server *redistest.Server) *rediscache.Cache {
	t.Helper()
	cfg := rediscache.DefaultConfig()
	cfg.Addrs, cfg.ClientSideCaching = []string{server.Addr()}, false
	cfg.Budget, cfg.ProbeInterval = time.Second, 50*time.Millisecond
	cache, err := rediscache.Open(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	require.NoError(t, err)
	t.Cleanup(cache.Close)
	require.Eventually(t, func() bool { return cache.Check(t.Context()) == nil }, limit, tick)
	return cache
}

func TestAReportBecomesHealthForEverybody(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	redis := openRedis(t, redistest.Start(t))
	r := w.start(options{cache: redis})
	a, id := w.connector("a"), w.ids[0]

	a.reports(id, "BOUND")
	said := w.stands(id, bound1)
	w.done()
	h := w.health(id)
	require.Equal(t, []any{operators.Bound, operators.Healthy, int64(1)}, []any{h.Bind, h.Quality, h.Version})
	observed, err := time.Parse(time.RFC3339Nano, said.OccurredAt)
	require.NoError(t, err)
	require.Equal(t, observed, h.ObservedAt)
	cached, ok, err := redis.Get(t.Context(), "ops:health:"+id.String())
	require.NoError(t, err)
	require.True(t, ok)
	require.JSONEq(t, `{"operatorId":"`+id.String()+`","status":"BIND_STATE_BOUND","quality":"QUALITY_HEALTHY","version":"1","occurredAt":"`+said.OccurredAt+`"}`, string(cached))

	a.reports(id, "UNBOUND")
	w.stands(id, unbound2)
	w.done()
	log := w.transitions(id)
	require.Len(t, log, 2)
	require.Equal(t, "bind lost", log[0].Cause)
	require.Equal(t, "first bind", log[1].Cause)
	require.Equal(t, w.health(id).ChangedAt, log[0].OccurredAt)
	for name, want := range map[string]float64{
		"ops_session_reports_total ok":                  2,
		"ops_health_transition_total UNKNOWN BOUND":     1,
		"ops_health_transition_total UNKNOWN HEALTHY":   1,
		"ops_health_transition_total BOUND UNBOUND":     1,
		"ops_health_transition_total HEALTHY UNHEALTHY": 1,
		"ops_redis_set_total ok":                        2,
	} {
		require.InDelta(t, want, r.count(t, name), 0, name)
	}
	require.Empty(t, w.standing(w.ids[1]), "nothing is said of others")
}

func TestWhatCannotBeReadGoesToTheDeadLetters(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	r := w.start(options{})
	id, other := w.ids[0].String(), w.ids[1].String()
	poison := []struct{ subject, event string }{
		{id, `not json`},
		{id, `[]`},
		{id, `{"connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND"}`},
		{id, `{"operatorId":"x","connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND"}`},
		{id, `{"operatorId":"` + other + `","connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND"}`},
		{"x", `{"operatorId":"` + id + `","connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND"}`},
		{id, `{"operatorId":"` + id + `","sequence":"1","bindState":"BIND_STATE_BOUND"}`},
		{id, `{"operatorId":"` + id + `","connectorId":"a","bindState":"BIND_STATE_BOUND"}`},
		{id, `{"operatorId":"` + id + `","connectorId":"a","sequence":"1"}`},
		{id, `{"operatorId":"` + id + `","connectorId":"a","sequence":"1","bindState":"SLEEPY"}`},
		{id, `{"operatorId":"` + id + `","connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND","submits":"-1"}`},
		{id, `{"operatorId":"` + id + `","connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND","submits":"1","errors":"2"}`},
		{id, `{"operatorId":"` + id + `","connectorId":"a","sequence":"1","bindState":"BIND_STATE_BOUND","submits":"1000000001"}`},
	}
	for _, p := range poison {
		w.publish("operator.session."+p.subject, p.event)
	}
	var subjects []string
	for _, p := range poison {
		subjects = append(subjects, "operator.session."+p.subject)
	}
	require.ElementsMatch(t, subjects, w.letters(len(poison)))
	w.done()
	require.InDelta(t, len(poison), r.count(t, "ops_session_reports_total poison"), 0)
	require.Zero(t, w.health(w.ids[0]).Version)
}

func TestReportsAboutNoLiveOperatorAreDropped(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	_, err := w.db.NewRaw("UPDATE operators SET deleted_at = now() WHERE operator_id = ?", w.ids[0]).Exec(t.Context())
	require.NoError(t, err)
	r := w.start(options{})
	a := w.connector("a")
	a.reports(w.ids[0], "BOUND")
	a.reports(uuid.New(), "BOUND")
	a.reports(w.ids[1], "BOUND")
	w.stands(w.ids[1], bound1)
	w.done()
	require.InDelta(t, 2, r.count(t, "ops_session_reports_total dropped"), 0)
	require.Empty(t, w.letters(0))
	require.Empty(t, w.standing(w.ids[0]))
}

// hooked lets a test step between the database and the ingest.
type hooked struct {
	operators.HealthStore
	before, after func()
}

func (h *hooked) ChangeHealth(ctx context.Context, next operators.Health, from int64, t *operators.Transition) error {
	if h.before != nil {
		h.before()
	}
	err := h.HealthStore.ChangeHealth(ctx, next, from, t)
	if err == nil && h.after != nil {
		h.after()
		return context.DeadlineExceeded // the answer is lost with the server
	}
	return err
}

func TestADatabaseThatDiesLosesNoChange(t *testing.T) {
	for _, tt := range []struct {
		name string
		hook func(h *hooked, kill func())
	}{
		{"between the verdict and the commit", func(h *hooked, kill func()) { h.before = kill }},
		{"between the commit and the acknowledgement", func(h *hooked, kill func()) { h.after = kill }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := pgtest.Start(t)
			w := newWorld(t, server.URL())
			killed := make(chan struct{})
			w.start(options{store: func(s operators.HealthStore) operators.HealthStore {
				h := &hooked{HealthStore: s}
				var once sync.Once
				tt.hook(h, func() {
					once.Do(func() {
						server.Kill(t)
						close(killed)
						h.before, h.after = nil, nil
					})
				})
				return h
			}})
			w.connector("a").reports(w.ids[0], "BOUND")
			<-killed
			require.Empty(t, w.standing(w.ids[0]), "nobody is told of what may not be stored")
			server.Restart(t)
			w.stands(w.ids[0], bound1)
			w.done()
			require.Len(t, w.transitions(w.ids[0]), 1)
			require.EqualValues(t, 1, w.health(w.ids[0]).Version)
		})
	}
}

// The alarm says UNBOUND while the database is down. The operator comes back before the database does, so that there is
// no change to store that could take the word's place.
func TestAnOperatorThatCameBackBeforeTheDatabaseIsUsable(t *testing.T) {
	server := pgtest.Start(t)
	w := newWorld(t, server.URL())
	w.start(options{})
	a, id := w.connector("a"), w.ids[0]
	a.reports(id, "BOUND")
	w.stands(id, bound1)
	w.done()
	alarm := sessions.NewAlarm(connect(t, w.nats.URL()), func(ctx context.Context) bool { return w.db.PingContext(ctx) != nil }, quiet)
	ctx, cancel := context.WithCancel(t.Context())
	listens := make(chan struct{})
	go func() {
		defer close(listens)
		alarm.Run(ctx)
	}()
	defer func() { cancel(); <-listens }()

	server.Kill(t)
	require.Eventually(t, func() bool { // until the alarm listens
		return a.tries(id, "UNBOUND") == nil && w.standing(id).String() == "BIND_STATE_UNBOUND  "
	}, limit, 20*tick)
	a.reports(id, "BOUND")
	server.Restart(t)
	require.Eventually(t, func() bool { e := w.standing(id); return e.Status == "BIND_STATE_BOUND" && e.version() >= 2 }, limit, tick)
}

// What connectors said before the process started counts: one that lost its session is not the only one.
func TestAnAlarmThatJustStartedKnowsTheOtherConnectors(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	a, b := w.connector("a"), w.connector("b")
	held, alone, last := w.ids[0], w.ids[1], w.ids[2]
	a.reports(held, "UNBOUND")
	b.reports(held, "BOUND")
	a.reports(held, "BOUND")
	alarm := sessions.NewAlarm(connect(t, w.nats.URL()), func(context.Context) bool { return true }, quiet)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		alarm.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	require.Eventually(t, func() bool { // until the alarm listens
		return a.tries(alone, "UNBOUND") == nil && w.standing(alone).String() == "BIND_STATE_UNBOUND  "
	}, limit, 20*tick)
	a.reports(held, "UNBOUND")
	a.reports(last, "UNBOUND")
	require.Eventually(t, func() bool { return w.standing(last).String() == "BIND_STATE_UNBOUND  " }, limit, tick)
	require.Empty(t, w.standing(held), "b has a session; and what was lost in the past is told to nobody")
	b.reports(held, "UNBOUND")
	require.Eventually(t, func() bool { return w.standing(held).String() == "BIND_STATE_UNBOUND  " }, limit, tick)
}

func TestRedisMayBeDown(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	server := redistest.Start(t)
	redis := openRedis(t, server)
	r := w.start(options{cache: redis})
	a, id := w.connector("a"), w.ids[0]
	a.reports(id, "BOUND")
	w.stands(id, bound1)
	w.done()
	server.Kill()
	a.reports(id, "UNBOUND")
	w.stands(id, unbound2)
	w.done()
	require.GreaterOrEqual(t, r.count(t, "ops_redis_set_total error"), 1.0)
	server.Restart()
	require.Eventually(t, func() bool { return redis.Check(t.Context()) == nil }, limit, tick)
	a.reports(id, "BOUND")
	w.stands(id, "BIND_STATE_BOUND QUALITY_HEALTHY 3")
	w.done()
	value, _, err := redis.Get(t.Context(), "ops:health:"+id.String())
	require.NoError(t, err)
	require.Contains(t, string(value), "BOUND")
}

func TestReportsOutliveNATS(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	w.start(options{})
	a, id := w.connector("a"), w.ids[0]
	a.reports(id, "BOUND")
	w.stands(id, bound1)
	w.done()
	w.nats.Kill()
	w.nats.Restart()
	a.reports(id, "UNBOUND")
	w.stands(id, unbound2)
	// The server may have forgotten acknowledgements: what it delivers again changes nothing.

	w.nats.Kill()
	w.nats.WipeStore()
	w.nats.Restart()
	require.Eventually(t, func() bool { return w.standing(id) == event{} && a.tries(id, "BOUND") == nil }, limit, tick)
	w.stands(id, "BIND_STATE_BOUND QUALITY_HEALTHY 3")
}

// Two replicas share the work of one: what the leader knew, the next one knows.
func TestAnotherReplicaTakesOver(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	first := w.start(options{})
	a, b, id := w.connector("a"), w.connector("b"), w.ids[0]
	a.reports(id, "BOUND")
	w.stands(id, bound1)
	second := w.start(options{})
	// Every word on the board, in its order.
	var mu sync.Mutex
	var versions []int
	follower, err := w.js.OrderedConsumer(t.Context(), sessions.HealthStream, natsjs.OrderedConsumerConfig{})
	require.NoError(t, err)
	consuming, err := follower.Consume(func(m natsjs.Msg) {
		e := readEvent(t, m.Data())
		mu.Lock()
		defer mu.Unlock()
		if e.OperatorID == id.String() {
			versions = append(versions, e.version())
		}
	})
	require.NoError(t, err)
	defer func() { consuming.Stop(); <-consuming.Closed() }()

	reported := func(r *replica) float64 { return r.count(t, "ops_session_reports_total ok") }
	for round := range 3 {
		pgtest.Exec(t, w.url, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		// The other connector has no session. It must not be taken for a lost bind by whoever leads now.
		b.reports(id, "UNBOUND")
		a.reportsUntil(id, "FAILBACK", fmt.Sprintf("BIND_STATE_FAILBACK QUALITY_HEALTHY %d", 2*round+2))
		a.reportsUntil(id, "BOUND", fmt.Sprintf("BIND_STATE_BOUND QUALITY_HEALTHY %d", 2*round+3))
		w.done()
	}
	first.stop()
	a.reports(id, "UNBOUND")
	w.stands(id, "BIND_STATE_UNBOUND QUALITY_UNHEALTHY 8")
	w.done()
	require.Len(t, w.transitions(id), 8)
	require.GreaterOrEqual(t, reported(first)+reported(second), 11.0)
	mu.Lock()
	defer mu.Unlock()
	require.IsNonDecreasing(t, versions)
	require.EqualValues(t, 8, w.health(id).Version)
}

func TestAWordByHandHolds(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	first := w.start(options{})
	a, id := w.connector("a"), w.ids[0]
	a.reports(id, "BOUND")
	w.stands(id, bound1)
	w.done()
	byHand := `{"operatorId":"` + id.String() + `","status":"UNBOUND"}`
	w.publish("operator.health."+id.String(), byHand)
	// A process that begins says at its first report what it knows.
	first.stop()
	second := w.start(options{})
	a.reports(id, "BOUND")
	require.Eventually(t, func() bool { return second.count(t, "ops_session_reports_total ok") == 1 }, limit, tick)
	w.done()
	w.stands(id, "UNBOUND  ")
	a.reports(id, "FAILBACK")
	w.stands(id, "BIND_STATE_FAILBACK QUALITY_HEALTHY 2")
}

func TestAWordIsReplacedOnlyByWhoeverHasReadIt(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	var told []error
	board := sessions.NewBoard(connect(t, w.nats.URL()), func(event string, err error) {
		require.Equal(t, "operator.health", event)
		told = append(told, err)
	}, quiet)
	id := w.ids[0]
	h := operators.Health{OperatorID: id, Bind: operators.Bound, Quality: operators.Healthy, Version: 1}
	nothing, err := board.Standing(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, operators.Word{}, nothing)
	require.NoError(t, board.Replace(t.Context(), h, nothing))
	require.True(t, fault.Is(board.Replace(t.Context(), h, nothing), operators.ReasonNewWord))
	standing, err := board.Standing(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, board.Replace(t.Context(), h, standing))
	w.nats.Kill()
	require.Eventually(t, func() bool { return board.Replace(t.Context(), h, standing) != nil }, limit, tick)
	_, err = board.Standing(t.Context(), id)
	require.Error(t, err)
	require.NoError(t, told[1], "a word that another came before was not tried")
	require.Error(t, told[2])
}

func TestTheBoardHearsTheLastWordAboutEachOperator(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	board := sessions.NewBoard(connect(t, w.nats.URL()), func(string, error) {}, quiet)
	w.publish("operator.health."+w.ids[0].String(), `{"operatorId":"`+w.ids[0].String()+`","status":"BOUND"}`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); board.Listen(ctx) }()
	defer func() { cancel(); <-done }()
	heard := func(id uuid.UUID) operators.BindState { return board.Heard(id).Bind }
	require.Eventually(t, func() bool { return heard(w.ids[0]) == operators.Bound }, limit, tick)
	require.Zero(t, board.Heard(w.ids[1]))
	w.publish("operator.health.nobody", `{}`)
	w.publish("operator.health."+w.ids[0].String(), `{"operatorId":"`+w.ids[0].String()+`","status":"UNBOUND"}`)
	w.publish("operator.health."+w.ids[1].String(), `{"operatorId":"`+w.ids[1].String()+`","status":"FAILBACK"}`)
	require.Eventually(t, func() bool { return heard(w.ids[1]) == operators.Failback }, limit, tick)
	require.Equal(t, operators.Unbound, heard(w.ids[0]))
	standing, err := board.Standing(t.Context(), w.ids[0])
	require.NoError(t, err)
	require.Equal(t, standing.Place, board.Heard(w.ids[0]).Place)
	require.True(t, standing.At.Equal(board.Heard(w.ids[0]).At))
}

// The process was down for so long that its reports say nothing about now.
func TestLateReportsAreHistory(t *testing.T) {
	w := newWorld(t, bunstoretest.Postgres(t, migrations.Postgres))
	a, b := w.connector("a"), w.connector("b")
	a.reports(w.ids[0], "BOUND")
	b.reports(w.ids[1], "BOUND")
	b.reports(w.ids[1], "UNBOUND")
	later := clock.NewFake(time.Now().Add(10 * time.Minute))
	first := w.start(options{clock: later})
	w.stands(w.ids[1], "BIND_STATE_UNBOUND  1") // the BOUND before it is known to be over
	w.stands(w.ids[0], bound1)
	w.done()
	first.stop()
	at := w.lastPlace()
	second := w.start(options{clock: later})
	a.reports(w.ids[0], "BOUND")
	require.Eventually(t, func() bool { return second.count(t, "ops_session_reports_total ok") == 1 }, limit, tick)
	require.Equal(t, at, w.lastPlace(), "what is late is no heartbeat")
}

// lastPlace is how many words there ever were.
func (w *world) lastPlace() uint64 {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), sessions.HealthStream)
	require.NoError(w.t, err)
	return stream.CachedInfo().State.LastSeq
}
