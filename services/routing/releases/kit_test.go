package releases_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/routingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, natstest.LostListener()) }

const (
	eventually = 15 * time.Second
	tick       = 5 * time.Millisecond
	maxBytes   = 1 << 20
)

var first, second = routingtest.UID(1), routingtest.UID(2)

// world is a release that sends everything to the first operator, or else to the second, for n billionths of a euro.
func world(n int64) *routingtest.RuleSet {
	rs := &routingtest.RuleSet{}
	for i, id := range []uuid.UUID{first, second} {
		rs.Operators = append(rs.Operators, routing.Operator{
			ID: id, Name: fmt.Sprintf("Operator %d", i+1), Host: "smsc.example.net", Port: 2775, TPSLimit: 10,
			Types: routing.AllMessageTypes, Status: routing.StatusActive,
		})
	}
	rs.Rules = append(rs.Rules, routing.Rule{
		ID: routingtest.UID(10), Prefix: e164.Prefix("44"), Strategy: routing.Failover, Candidates: []routing.Candidate{
			{Operator: first, Priority: 1, Weight: 100, Price: routingtest.Euro(n)}, {Operator: second, Priority: 2, Weight: 100, Price: routingtest.Euro(n)},
		},
	})
	return rs
}

// source holds the live operators. It fails while it has an error.
type source struct {
	mu        sync.Mutex
	config    int64
	suspended bool
	err       error
}

func (s *source) set(change func(s *source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *source) Operators(context.Context) ([]routing.Operator, routing.Versions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	operators := world(0).Operators
	if s.suspended {
		operators[0].Status = routing.StatusSuspended
	}
	return operators, routing.Versions{Config: s.config}, s.err
}

var errDown = fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down")

// counts is what a follower told its observer.
type counts struct {
	mu      sync.Mutex
	refused map[string]int
	applied int
}

func (c *counts) ReleaseRefused(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[string]int{}
	}
	c.refused[reason]++
}

func (c *counts) ReleaseApplied(time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied++
}

func (c *counts) of(reason string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused[reason]
}

func (c *counts) applications() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.applied
}

// connect is a connection of a process.
func connect(t *testing.T, url string) *jetstream.Conn {
	t.Helper()
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{url}
	conn, err := jetstream.Connect(cfg, logger(t))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func connected(t *testing.T, url string) *jetstream.Conn {
	t.Helper()
	conn := connect(t, url)
	reached(t, conn)
	return conn
}

func reached(t *testing.T, conn *jetstream.Conn) {
	t.Helper()
	require.Eventually(t, func() bool { return conn.Check(t.Context()) == nil }, eventually, tick)
}

func logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// bench is what engines of a test have in common.
type bench struct {
	t      *testing.T
	nats   *natstest.Server
	conn   *jetstream.Conn
	folder string
	live   *source
	clock  *clock.Fake
	*routingtest.Publisher
}

func newBench(t *testing.T) *bench {
	t.Helper()
	nats := natstest.Start(t)
	conn := connected(t, nats.URL())
	return &bench{
		t: t, nats: nats, conn: conn, folder: filepath.Join(t.TempDir(), "engine"), live: &source{config: 5}, clock: clock.NewFake(routingtest.Now),
		Publisher: routingtest.NewPublisher(t, conn),
	}
}

// engine is what of an engine follows releases.
type engine struct {
	t        *testing.T
	bench    *bench
	id       uuid.UUID
	supply   *routing.ReleaseSupply
	view     *routing.HealthView
	follower *releases.Follower
	counts   *counts
	stop     func()
}

// start runs an engine until the test ends, or stop.
func (b *bench) start(change ...func(s *releases.Settings)) *engine {
	b.t.Helper()
	t := b.t
	keys, err := release.NewKeys(b.PublicKey)
	require.NoError(t, err)
	settings := releases.Settings{Environment: routingtest.Environment, Keys: keys, MaxBytes: maxBytes, Engine: uuid.New(), Host: "host"}
	for _, c := range change {
		c(&settings)
	}
	folder, err := releases.OpenFolder(b.folder)
	require.NoError(t, err)
	e := &engine{t: t, bench: b, id: settings.Engine, view: routing.NewHealthView(), counts: &counts{}}
	e.supply = routing.NewReleaseSupply(b.live, nil, e.view, b.clock.Now, logger(t), func() { e.follower.Wake() })
	conn := connect(t, b.nats.URL())
	e.follower = releases.New(settings, conn, folder, e.supply, e.view, b.clock, logger(t), e.counts)
	e.follower.Recall(t.Context())
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.supply.Run(ctx) })
	running.Go(func() { e.follower.Run(ctx) })
	<-e.follower.Restored()
	subscription, err := e.follower.Start(ctx, conn)
	require.NoError(t, err)
	e.stop = sync.OnceFunc(func() {
		cancel()
		subscription.Stop()
		running.Wait()
		conn.Close()
	})
	t.Cleanup(e.stop)
	return e
}

// answer is what a decision says, as text: release, activation, price and operator.
func (e *engine) answer() (string, routing.Versions) {
	q, err := routing.ParseQuery("+447911123456", routingtest.UID(99).String(), routing.SMS, "", nil)
	require.NoError(e.t, err)
	q.At = e.bench.clock.Now()
	var d routing.Decision
	if err := routing.NewSelector(e.supply.Source()).Select(e.t.Context(), &q, &d); err != nil {
		return fault.From(err).Reason, d.Versions
	}
	return d.Choices[0].ID.String() + " " + strconv.FormatInt(d.Choices[0].Price.Nanos, 10), d.Versions
}

func to(operator uuid.UUID, n int64) string {
	return operator.String() + " " + strconv.FormatInt(n, 10)
}

// serves waits until a release serves under an activation, for a price.
func (e *engine) serves(r routingtest.Published, activation, n int64) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		_, v := e.answer()
		return v.Release == r.ID.String() && v.Rules == activation
	}, eventually, tick, "release %s under activation %d does not serve", r.ID, activation)
	e.still(r, activation, n)
}

// still wants what serves to be unchanged.
func (e *engine) still(r routingtest.Published, activation, n int64) {
	e.t.Helper()
	got, v := e.answer()
	require.Equal(e.t, to(first, n), got)
	require.Equal(e.t, r.ID.String(), v.Release)
	require.Equal(e.t, activation, v.Rules)
}

// word waits for the engine's last word on the bus.
func (e *engine) word(state eventsv1.ReleaseEngineState, reason string, activation, serving int64) *eventsv1.ReleaseEvent {
	e.t.Helper()
	var got *eventsv1.ReleaseEvent
	require.Eventually(e.t, func() bool {
		got = e.lastWord()
		return got != nil && got.GetState() == state && got.GetReason() == reason && got.GetActivation() == activation && got.GetServingActivation() == serving
	}, eventually, tick, "no word %s %s about %d while serving %d; the last is %s", state, reason, activation, serving, got)
	return got
}

func (e *engine) lastWord() *eventsv1.ReleaseEvent {
	m, err := e.bench.conn.Last(e.t.Context(), release.Stream, release.EngineSubject(e.id.String()))
	if err != nil || m.Sequence == 0 {
		return nil
	}
	var event eventsv1.ReleaseEvent
	require.NoError(e.t, protojson.Unmarshal(m.Data, &event))
	return &event
}

const (
	serving  = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING
	refused  = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED
	prepared = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED
)

// troubled waits until the health pages would show a reason; "" is none.
func (e *engine) troubled(reason string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		err := e.follower.Check(e.t.Context())
		return err == nil && reason == "" || err != nil && fault.From(err).Reason == reason
	}, eventually, tick, "the trouble is not %q but %v", reason, e.follower.Check(e.t.Context()))
}

// lose takes an artifact away from the bus and from the folder.
func (b *bench) lose(digest string) {
	b.t.Helper()
	require.NoError(b.t, b.conn.ObjectDelete(b.t.Context(), release.Store, digest))
	require.Eventually(b.t, func() bool { return os.Remove(b.artifact(digest)) == nil }, eventually, tick)
}

// artifact is where the folder has one.
func (b *bench) artifact(digest string) string { return filepath.Join(b.folder, digest+".artifact") }

// knows waits until operators of a version are live, and in the folder.
func (e *engine) knows(config int64) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), eventually)
	defer cancel()
	require.True(e.t, e.supply.Await(ctx, config))
	require.Eventually(e.t, func() bool {
		_, err := os.Stat(filepath.Join(e.bench.folder, "operators"))
		return err == nil
	}, eventually, tick)
}

// schedule publishes a release for an hour later, and gives the manifest.
func (b *bench) schedule(current routingtest.Published, activation int64, next routingtest.Published, later int64) []byte {
	b.t.Helper()
	signed := b.Sign(b.Manifest(current.Entry(activation, routingtest.Now), next.Entry(later, routingtest.Now.Add(time.Hour))))
	b.Put(signed)
	return signed
}

func subset(found, wanted []string) bool {
	return !slices.ContainsFunc(found, func(path string) bool { return !slices.Contains(wanted, path) })
}
