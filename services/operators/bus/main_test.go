package bus_test

import (
	"context"
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/natstest"
)

const (
	limit = 60 * time.Second
	tick  = 10 * time.Millisecond
	// lease is longer than any claim.
	lease = 15 * time.Second
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a database and a NATS server with the stream. Its clock stands still, so claims do not end by themselves.
type world struct {
	url   string
	db    *bun.DB
	nats  *natstest.Server
	conn  *jetstream.Conn
	clock *clock.Fake
}

// onBoth runs a test on both stores.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t, bunstoretest.Postgres(t, migrations.Postgres))) })
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite(t)) })
}

func onPostgres(t testing.TB, url string) *world {
	return newWorld(t, url, migrations.Postgres, "postgres")
}

func onSQLite(t testing.TB) *world {
	return newWorld(t, bunstoretest.SQLite(t, migrations.SQLite), migrations.SQLite, "sqlite")
}

func newWorld(t testing.TB, url string, files fs.FS, dir string) *world {
	t.Helper()
	db, err := open(url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: files, Dir: dir}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	w := &world{url: url, db: db, nats: natstest.Start(t), clock: clock.NewFake(time.Now().Truncate(time.Second))}
	w.conn, err = connect(w.nats.URL())
	require.NoError(t, err)
	t.Cleanup(w.conn.Close)
	require.Eventually(t, func() bool { return w.conn.EnsureStreams(t.Context(), bus.Streams()) == nil }, limit, tick)
	return w
}

func open(url string) (*bun.DB, error) {
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	return bunstore.Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
}

func connect(url string) (*jetstream.Conn, error) {
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{url}
	cfg.PublishTimeout = limit // the relay has its own
	return jetstream.Connect(cfg, slog.New(slog.DiscardHandler))
}

func newPublisher(stream bus.Stream) *bus.Publisher {
	return bus.NewPublisher(stream, noop.NewTracerProvider().Tracer(""))
}

// run starts a relay between the world's database and its stream. stop returns when the relay has ended.
func (w *world) run(t testing.TB, outbox operators.Outbox, publisher operators.OutboxPublisher) (relay *operators.Relay, stop func()) {
	t.Helper()
	relay = operators.NewRelay(outbox, publisher, w.clock.Now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		relay.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return relay, stop
}

// commit makes a change with that many events, and returns their ids.
func (w *world) commit(t testing.TB, n int) []uuid.UUID {
	t.Helper()
	now := w.clock.Now()
	ids := make([]uuid.UUID, n)
	events := make([]operators.Event, n)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
		events[i] = operators.Event{ID: ids[i], Kind: operators.EventUpdated, ConfigVersion: int64(i + 1), OccurredAt: now}
	}
	store := database.New(w.db, bunstore.NewReader(w.db), bus.Encode)
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
		return tx.Record(ctx, operators.Request{Actor: "test", Traceparent: traceparent},
			operators.Entry{Action: "test.change", Entity: "test", Events: events, At: now})
	}))
	return ids
}

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// status counts the outbox.
func (w *world) status(t testing.TB) operators.OutboxStatus {
	t.Helper()
	status, err := database.NewOutbox(w.db).Status(t.Context(), w.clock.Now())
	require.NoError(t, err)
	return status
}

// published waits until the outbox holds this many published events and no others. Meanwhile time passes, ten times
// as fast as it does: on a slow machine a try may fail, and the next one comes after a pause.
func (w *world) published(t testing.TB, n int) {
	t.Helper()
	w.await(t, n, func() { w.clock.Advance(10 * tick) })
}

// await is published with a clock of its own. Each hundred events have their own time limit.
func (w *world) await(t testing.TB, n int, pass func()) {
	t.Helper()
	for step := 0; step < n; {
		step = min(step+100, n)
		require.Eventually(t, func() bool {
			pass()
			status, err := database.NewOutbox(w.db).Status(t.Context(), w.clock.Now())
			return err == nil && int(status.Published) >= step && (step < n || status == operators.OutboxStatus{Published: int64(n)})
		}, limit, tick)
	}
}

// stored reads the whole stream.
func (w *world) stored(t testing.TB) []*natsjs.RawStreamMsg {
	t.Helper()
	nc, err := nats.Connect(w.nats.URL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	stream, err := js.Stream(ctx, "OPERATOR_CONFIG")
	require.NoError(t, err)
	state := stream.CachedInfo().State
	var all []*natsjs.RawStreamMsg
	for sequence := state.FirstSeq; sequence <= state.LastSeq; sequence++ {
		m, err := stream.GetMsg(ctx, sequence)
		require.NoError(t, err)
		all = append(all, m)
	}
	return all
}

// storedIDs gives the ids of the events in the stream, in its order.
func (w *world) storedIDs(t testing.TB) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	for _, m := range w.stored(t) {
		id, err := uuid.Parse(m.Header.Get(nats.MsgIdHdr))
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

// publishFunc is a publisher.
type publishFunc func(ctx context.Context, e operators.Outgoing) error

func (f publishFunc) Publish(ctx context.Context, e operators.Outgoing) error { return f(ctx, e) }
