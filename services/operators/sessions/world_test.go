package sessions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/operators/healthcache"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/natstest"
)

const (
	limit = 60 * time.Second
	tick  = 10 * time.Millisecond
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// world is what replicas of operator-management share: a database and a NATS server with the streams.
type world struct {
	t    *testing.T
	url  string
	db   *bun.DB
	nats *natstest.Server
	js   natsjs.JetStream
	// ids are those of three live operators.
	ids []uuid.UUID
}

func newWorld(t *testing.T, url string) *world {
	t.Helper()
	w := &world{t: t, url: url, nats: natstest.Start(t), db: open(t, url)}
	m, err := bunstore.NewMigrator(w.db, bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	for i := range 3 {
		w.ids = append(w.ids, uuid.Must(uuid.NewV7()))
		_, err := w.db.NewRaw(`INSERT INTO operators (operator_id, name, host, port, system_id, bind_type, max_tps, message_types, status, created_at, updated_at)
			VALUES (?, ?, 'a.example', ?, 'x', 'TRANSCEIVER', 10, 'SMS', 'ACTIVE', now(), now())`, w.ids[i], fmt.Sprint("Operator ", i), i+1).Exec(t.Context())
		require.NoError(t, err)
	}
	connect(t, w.nats.URL())
	nc, err := nats.Connect(w.nats.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	w.js, err = natsjs.New(nc)
	require.NoError(t, err)
	return w
}

func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, quiet)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// connect gives a connection to a server that has the streams.
func connect(t *testing.T, url string) *jetstream.Conn {
	t.Helper()
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{url}
	conn, err := jetstream.Connect(cfg, quiet)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, func() bool { return conn.EnsureStreams(t.Context(), sessions.Streams()) == nil }, limit, tick)
	return conn
}

// replica is one process that consumes when it leads.
type replica struct {
	reg  *prometheus.Registry
	stop func()
}

// options are what tests put in the place of the real parts.
type options struct {
	store func(operators.HealthStore) operators.HealthStore
	cache healthcache.Store
	clock clock.Clock
}

func (w *world) start(o options) *replica {
	w.t.Helper()
	if o.clock == nil {
		o.clock = clock.System()
	}
	if o.cache == nil {
		o.cache = noCache{}
	}
	r := &replica{reg: prometheus.NewRegistry()}
	db := open(w.t, w.url)
	conn := connect(w.t, w.nats.URL())
	var store operators.HealthStore = database.NewHealth(db, bunstore.NewReader(db))
	if o.store != nil {
		store = o.store(store)
	}
	cache, err := healthcache.New(o.cache, sessions.EncodeHealth, o.clock, r.reg, quiet)
	require.NoError(w.t, err)
	metrics, err := sessions.NewMetrics(r.reg)
	require.NoError(w.t, err)
	board := sessions.NewBoard(conn, func(string, error) {}, quiet)
	ingest := operators.NewIngest(store, board, cache, metrics, o.clock.Now, quiet)
	consumer := sessions.NewConsumer(conn, ingest, metrics, quiet)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		bunstore.NewLeader(db, quiet).Run(ctx, sessions.Office, consumer.Run)
	}()
	r.stop = func() { cancel(); <-done }
	w.t.Cleanup(r.stop)
	return r
}

type noCache struct{}

func (noCache) Set(context.Context, string, []byte, time.Duration) error { return nil }

// count gives the value of a counter with these labels, such as "ops_session_reports_total ok".
func (r *replica) count(t *testing.T, want string) float64 {
	t.Helper()
	families, err := r.reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			if name == want {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// connector is a process that reports, by its own client.
type connector struct {
	*world
	id       string
	sequence int64
}

func (w *world) connector(id string) *connector { return &connector{world: w, id: id} }

// reports publishes what the connector sees of an operator, and returns when the stream has it.
func (c *connector) reports(operator uuid.UUID, bind string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return c.tries(operator, bind) == nil }, limit, tick)
}

// reportsUntil reports again and again, as connectors do, until engines are told. For a moment two processes may lead, and
// each miss what the other one hears; a report 10 s later makes it good.
func (c *connector) reportsUntil(operator uuid.UUID, bind, want string) {
	c.t.Helper()
	c.reports(operator, bind)
	last := time.Now()
	require.Eventually(c.t, func() bool {
		if time.Since(last) > time.Second {
			last = time.Now()
			_ = c.tries(operator, bind) // the next one comes in a second
		}
		return c.standing(operator).String() == want
	}, limit, tick, "want %s", want)
}

func (c *connector) tries(operator uuid.UUID, bind string) error {
	c.sequence++
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
	defer cancel()
	_, err := c.js.Publish(ctx, "operator.session."+operator.String(), fmt.Appendf(nil,
		`{"operatorId":%q,"connectorId":%q,"sequence":"%d","bindState":"BIND_STATE_%s","submits":"10","later":1}`, operator, c.id, c.sequence, bind))
	return err
}

func (w *world) publish(subject, event string) {
	w.t.Helper()
	_, err := w.js.Publish(w.t.Context(), subject, []byte(event))
	require.NoError(w.t, err)
}

// event is an OperatorHealthEvent as a neighbour reads it.
type event struct {
	OperatorID string `json:"operatorId"`
	Status     string `json:"status"`
	Quality    string `json:"quality"`
	Version    string `json:"version"`
	OccurredAt string `json:"occurredAt"`
}

func (e event) version() int {
	v, _ := strconv.Atoi(e.Version)
	return v
}

func (e event) String() string { return e.Status + " " + e.Quality + " " + e.Version }

// standing is the word on the board; the zero event when there is none.
func (w *world) standing(operator uuid.UUID) (e event) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	stream, err := w.js.Stream(ctx, sessions.HealthStream)
	if err != nil {
		return event{}
	}
	m, err := stream.GetLastMsgForSubject(ctx, "operator.health."+operator.String())
	if err != nil {
		return event{}
	}
	return readEvent(w.t, m.Data)
}

func readEvent(t *testing.T, data []byte) (e event) {
	require.NoError(t, json.Unmarshal(data, &e))
	return e
}

// stands waits for a word.
func (w *world) stands(operator uuid.UUID, want string) event {
	w.t.Helper()
	var got event
	require.Eventually(w.t, func() bool { got = w.standing(operator); return got.String() == want }, limit, tick, "want %s", want)
	require.Equal(w.t, operator.String(), got.OperatorID)
	return got
}

const (
	bound1   = "BIND_STATE_BOUND QUALITY_HEALTHY 1"
	unbound2 = "BIND_STATE_UNBOUND QUALITY_UNHEALTHY 2"
)

// done waits until every report is handled and acknowledged.
func (w *world) done() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		consumer, err := w.js.Consumer(ctx, sessions.SessionStream, "ops-health-consumer")
		if err != nil {
			return false
		}
		info := consumer.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0
	}, limit, tick)
}

func (w *world) health(operator uuid.UUID) operators.Health {
	w.t.Helper()
	h, _, err := database.NewHealth(w.db, bunstore.NewReader(w.db)).Health(w.t.Context(), operator)
	require.NoError(w.t, err)
	return h
}

func (w *world) transitions(operator uuid.UUID) []operators.Transition {
	w.t.Helper()
	all, _, _, err := database.NewHealth(w.db, bunstore.NewReader(w.db)).ListTransitions(w.t.Context(), operators.TransitionFilter{OperatorID: operator, Limit: 1000})
	require.NoError(w.t, err)
	return all
}

// letters waits for as many dead letters as these, and gives their subjects.
func (w *world) letters(n int) (subjects []string) {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), jetstream.DeadLetterStream)
	require.NoError(w.t, err)
	require.Eventually(w.t, func() bool {
		info, err := stream.Info(w.t.Context())
		return err == nil && int(info.State.Msgs) == n
	}, limit, tick)
	for i := range n {
		m, err := stream.GetMsg(w.t.Context(), uint64(i+1))
		require.NoError(w.t, err)
		subjects = append(subjects, m.Header.Get(jetstream.HeaderSubject))
	}
	return subjects
}
