package releases_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/operators/releases"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/money"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/release"
)

const (
	limit = 15 * time.Second
	tick  = 10 * time.Millisecond
	// environment is the one that tests publish to.
	environment = "test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, natstest.LostListener()) }

var quiet = slog.New(slog.DiscardHandler)

// world is what processes of the control plane share: a database, a NATS server and a key.
type world struct {
	url    string
	nats   *natstest.Server
	seed   string
	keys   release.Keys
	prices int
}

func newWorld(t *testing.T, url string, files bunstore.Migrations) *world {
	t.Helper()
	w := &world{url: url, nats: natstest.Start(t)}
	var public string
	var err error
	w.seed, public = release.GenerateKey()
	w.keys, err = release.NewKeys(public)
	require.NoError(t, err)
	m, err := bunstore.NewMigrator(open(t, url), files, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	return w
}

func onSQLite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, bunstoretest.SQLite(t, migrations.SQLite), bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"})
}

func onPostgres(t *testing.T) *world {
	t.Helper()
	return newWorld(t, bunstoretest.Postgres(t, migrations.Postgres), bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"})
}

func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	cfg.StatementTimeout = time.Minute
	db, err := bunstore.Open(t.Context(), cfg, quiet)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (w *world) connect(t *testing.T) *jetstream.Conn {
	t.Helper()
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{w.nats.URL()}
	conn, err := jetstream.Connect(cfg, quiet)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// connected has a connection and the stream of engines.
func (w *world) connected(t *testing.T) *jetstream.Conn {
	t.Helper()
	conn := w.connect(t)
	require.Eventually(t, func() bool { return conn.EnsureStreams(t.Context(), release.Streams()) == nil }, limit, tick)
	return conn
}

// process is one process of the control plane.
type process struct {
	conn      *jetstream.Conn
	store     *database.Store
	announcer *operators.Announcer
	admin     *operators.ReleaseAdmin
	importer  *operators.Importer
}

type asleep struct{}

func (asleep) Wake() {}

func (w *world) process(t *testing.T) *process {
	t.Helper()
	db := open(t, w.url)
	p := &process{conn: w.connected(t), store: database.New(db, bunstore.NewReader(db), bus.Encode)}
	bulletin, err := releases.NewBulletin(p.conn, environment, config.NewSecret(w.seed), quiet)
	require.NoError(t, err)
	now := clock.System().Now
	p.announcer = operators.NewAnnouncer(p.store, bulletin, releases.NewShelf(p.conn), 2, now, quiet)
	p.admin = operators.NewReleaseAdmin(p.store, releases.NewDraft, p.announcer, operators.ReleasePolicy{Signs: bulletin.Signs()}, now, quiet)
	p.importer = operators.NewImporter(p.store, asleep{}, now, quiet, money.Money{})
	return p
}

// run announces until the test, or what is returned, ends it.
func (p *process) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.announcer.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

var (
	maker = operators.Request{Actor: "maker"}
	admin = operators.Request{Actor: "admin"}
)

// next makes a release with another content than the one before.
func (w *world) next(t *testing.T, p *process) operators.Release {
	t.Helper()
	if w.prices == 0 {
		_, err := p.importer.ImportOperators(t.Context(), maker, []byte(
			"name,host,port,system_id,bind_type,max_tps,message_types,status\nAlpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|FLASH,ACTIVE\n"), nil)
		require.NoError(t, err)
	}
	w.prices++
	result, err := p.importer.ImportRules(t.Context(), maker, []byte(
		"account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"+
			",+44,GB,,PRIORITY,FAIL,Alpha,1,,"+money.Money{Nanos: int64(w.prices) * 1_000_000}.Decimal()+",EUR\n"), nil)
	require.NoError(t, err)
	require.Empty(t, result.BadLines)
	r, _, err := p.admin.CreateRelease(t.Context(), maker, "", nil)
	require.NoError(t, err)
	return r
}

func (p *process) publish(t *testing.T, r operators.Release) operators.Activation {
	t.Helper()
	_, activation, err := p.admin.PublishRelease(t.Context(), admin, operators.Publication{Target: operators.Target{ID: r.ID}})
	require.NoError(t, err)
	return activation
}

// tell publishes and tells engines, also when the machine is too slow for the answer to say so.
func (p *process) tell(t *testing.T, r operators.Release) operators.Activation {
	t.Helper()
	activation := p.publish(t, r)
	require.Eventually(t, func() bool {
		visible, err := p.announcer.Announce(t.Context())
		return err == nil && visible >= activation.Revision
	}, limit, tick)
	return activation
}

// manifest reads as an engine does; nil when there is none.
func (w *world) manifest(ctx context.Context, conn *jetstream.Conn) *releasesv1.Manifest {
	signed, _, err := conn.KeyGet(ctx, release.Bucket, environment)
	if err != nil {
		return nil
	}
	m, err := w.keys.Open(signed, environment)
	if err != nil {
		return nil
	}
	return m
}

// serves fetches and verifies what the manifest says as an engine does, and reports whether it is the release.
func (w *world) serves(ctx context.Context, conn *jetstream.Conn, want operators.Release) bool {
	entry := w.manifest(ctx, conn).GetCurrent()
	if entry.GetReleaseId() != want.ID.String() {
		return false
	}
	content, err := conn.ObjectGet(ctx, release.Store, entry.GetDigest())
	if err != nil {
		return false
	}
	defer func() { _ = content.Close() }()
	stored, err := io.ReadAll(content)
	if err != nil || int64(len(stored)) != entry.GetStoredBytes() {
		return false
	}
	reader, err := release.NewReader(bytes.NewReader(stored), entry.GetDigest(), entry.GetSizeBytes())
	return err == nil && reader.Close() == nil
}

// neighbour is a plain client of the bus.
func (w *world) neighbour(t *testing.T) natsjs.JetStream {
	t.Helper()
	nc, err := nats.Connect(w.nats.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	return js
}
