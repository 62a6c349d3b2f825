package accesstest

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/access/accessfx"
	accessdb "trunkline/services/access/database"
	"trunkline/services/operators"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/certtest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing/routingfx"
)

const (
	connectorID = "spiffe://example.org/smpp-connector"
	engineID    = "spiffe://example.org/routing-engine"
	strangerID  = "spiffe://example.org/billing"

	eventually = 60 * time.Second
	tick       = 20 * time.Millisecond
)

// console is the one web page of another origin that may call.
const console = "https://console.example.org"

// The secrets of the platform. Nothing that it tells anybody holds one of them.
const (
	pepperText = "Canary-pepper-4c1d9e0b7a26f358-and-more"
	hashKey    = "Canary-hash-key-91be77d2c0a3-and-more"
	signSeed   = "Canary-sign-seed-e8d21b6047-more"
)

// signingKey is the seed as it is configured.
var signingKey = base64.StdEncoding.EncodeToString([]byte(signSeed))

// settings is what one platform differs in from another.
type settings struct {
	config  platformfx.Config
	access  accessfx.Config
	options []fx.Option
}

// toldSettings is what the platform tells of its settings.
type toldSettings struct {
	Access    accessfx.Config           `koanf:"access"`
	Operators operatorsfx.Config        `koanf:"operators"`
	Decisions routingfx.DecisionsConfig `koanf:"decisions"`
	Database  bunstore.Config           `koanf:"database"`
}

// database is a migrated database that several platforms may share.
type database struct {
	url string
	// conn is a look from outside.
	conn *pgx.Conn
	// everything is the query for all rows.
	everything string
}

func newDatabase(t *testing.T) database {
	t.Helper()
	d := database{url: bunstoretest.Postgres(t, migrations.Postgres)}
	var err error
	d.conn, err = pgx.Connect(t.Context(), d.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.conn.Close(context.Background()) })
	return d
}

func (d database) config() bunstore.Config {
	c := bunstore.DefaultConfig()
	c.URL = config.NewSecret(d.url)
	return c
}

// watched collects output that others read while it grows.
type watched struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// platform is every service in one process.
type platform struct {
	*database
	url, inner string
	ca         *certtest.Authority
	issuer     *issuer
	log        *watched
	spans      *tracetest.InMemoryExporter
	// plain shows no certificate.
	plain *http.Client

	db       *bun.DB
	keys     *access.KeyAdmin
	accounts *access.AccountAdmin
	store    *accessdb.Store
	importer *operators.Importer
	gatherer prometheus.Gatherer
	nats     *jetstream.EmbeddedServer
	app      *fxtest.App
}

// start runs a platform on the database until the test ends.
func start(t *testing.T, d database, change ...func(*settings)) *platform {
	t.Helper()
	p := &platform{database: &d, ca: certtest.NewAuthority(t), log: new(watched), spans: tracetest.NewInMemoryExporter()}
	p.issuer = newIssuer(t, p.ca)
	p.plain = p.ca.Client(t)
	files := certtest.NewFiles(t)
	files.Write(t, p.ca.Issue(t, "127.0.0.1"), p.ca)

	s := settings{config: platformfx.DefaultConfig(), access: accessfx.DefaultConfig()}
	s.config.Server.Addr, s.config.Server.Drain.Notice, s.config.Server.Reflection = "127.0.0.1:0", 0, false
	s.config.Server.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA}
	s.config.Server.CORS.AllowedOrigins = []string{console}
	s.config.Internal = rpcserver.InternalConfig{Addr: "127.0.0.1:0", TLS: rpcserver.MutualTLSConfig{
		CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA,
	}}
	s.access.Keys.Pepper = config.NewSecret(pepperText)
	s.access.JWT = p.issuer.config(files.CA)
	s.access.Limits.PerPrincipal, s.access.Limits.PerAccount = access.Limit{}, access.Limit{}
	require.NoError(t, s.config.Log.Level.UnmarshalText([]byte("debug")))
	for _, c := range change {
		c(&s)
	}
	require.NoError(t, s.config.Server.Validate())

	control := operatorsfx.DefaultConfig()
	control.Keyring.File = filepath.Join(t.TempDir(), "secrets")
	control.Connectors, control.Engines = []rpcserver.Identity{connectorID}, []rpcserver.Identity{engineID}
	control.Releases.SigningKey = config.NewSecret(signingKey)
	engine, decisions := routingfx.DefaultConfig(), routingfx.DefaultDecisionsConfig()
	engine.Table = routingfx.TableMemory
	engine.DecisionLog.Key, decisions.Key = config.NewSecret(hashKey), config.NewSecret(hashKey)

	loaded, err := config.Load(toldSettings{s.access, control, decisions, d.config()}, config.Options{})
	require.NoError(t, err)
	p.nats, err = jetstream.Embedded(filepath.Join(t.TempDir(), "nats"), "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.nats.Shutdown()) })
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(p.spans), sdktrace.WithSampler(sdktrace.AlwaysSample()))

	process := platformfx.Process{Name: "test", Version: "test", Log: p.log}
	log := platformfx.NewLogger(s.config, process)
	var server *rpcserver.Server
	var internal platformfx.Internal
	p.app = fxtest.New(t,
		fx.Supply(s.config, process, log, s.access, control, engine, decisions, d.config(), jetstream.DefaultConfig(), p.nats, operatorsfx.Settings(loaded.Origins())),
		platformfx.Quiet(log),
		fx.StartTimeout(eventually),
		fx.StopTimeout(eventually),
		platformfx.Database,
		platformfx.NATS,
		fx.Provide(
			func(clk clock.Clock) (*rediscache.Memory, error) { return rediscache.NewMemory(1000, clk) },
			func(c *rediscache.Memory) routingfx.SharedCache { return c },
			func(c *rediscache.Memory) operatorsfx.HealthCache { return c },
			func(r *routingfx.Replayer) operatorsfx.Replayer { return r },
		),
		fx.Decorate(func(trace.TracerProvider) trace.TracerProvider { return tracers }),
		fx.Decorate(func(trace.Tracer) trace.Tracer { return tracers.Tracer("test") }),
		accessfx.Module,
		accessfx.Services,
		operatorsfx.Module,
		routingfx.Module,
		routingfx.Decisions,
		fx.Options(s.options...),
		platformfx.Module,
		fx.Populate(&server, &internal, &p.db, &p.keys, &p.accounts, &p.store, &p.importer, &p.gatherer),
	)
	p.app.RequireStart()
	t.Cleanup(p.app.RequireStop)
	p.url = "https://" + server.Addr().String()
	if internal.Server != nil {
		p.inner = "https://" + internal.Server.Addr().String()
	}
	t.Cleanup(func() {
		if t.Failed() {
			text := p.log.String()
			t.Logf("the end of the log:\n%s", text[max(0, len(text)-6000):])
		}
	})
	return p
}

// host is the address of the public listener.
func (p *platform) host() string { return strings.TrimPrefix(p.url, "https://") }

// key makes an API key as an admin of everything would, and gives its text.
func (p *platform) key(t *testing.T, wanted access.NewAPIKey) (access.APIKey, string) {
	t.Helper()
	return p.keyAt(t, time.Now, wanted)
}

// keyAt makes a key at another time.
func (p *platform) keyAt(t *testing.T, now func() time.Time, wanted access.NewAPIKey) (access.APIKey, string) {
	t.Helper()
	pepper, err := access.NewPepper(config.NewSecret(pepperText))
	require.NoError(t, err)
	k, text, err := access.NewKeyAdmin(p.store, pepper, now).Create(context.Background(), request(), wanted)
	require.NoError(t, err)
	return k, text.Reveal()
}

// account makes an account.
func (p *platform) account(t *testing.T, name string) access.Account {
	t.Helper()
	a, err := p.accounts.Create(context.Background(), request(), access.Account{Name: name})
	require.NoError(t, err)
	return a
}

// request is one of somebody beyond all limits, for what a test needs to be there.
func request() access.Request {
	return access.Request{Caller: caller.Caller{Name: "test", Role: caller.Admin}}
}
