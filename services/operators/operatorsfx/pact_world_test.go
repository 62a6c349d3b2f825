//go:build pact

package operatorsfx_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/credentials"
	"trunkline/services/operators/database"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/operators/releases"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/release"
	"trunkline/services/platform/rpcserver"
)

// environment is the one whose engines follow the releases of a world.
const environment = "production"

// world is a whole operator-management process with a database, a keyring and a bus of its own.
type world struct {
	trust *trust
	dir   string
	nats  *jetstream.EmbeddedServer
	app   *fx.App
	// front has both listeners under one URL.
	front *httptest.Server
	// neighbour is a plain client of the bus, as other processes have one.
	neighbour *nats.Conn
	bus       natsjs.JetStream

	public   *rpcserver.Server
	internal platformfx.Internal
	conn     *jetstream.Conn
	store    *database.Store
	health   *database.Health
	secrets  *credentials.Store

	announcer *operators.Announcer
	engines   *releases.Engines
	// publicKey is what engines trust manifests by.
	publicKey string

	// refused is the identity that internal calls show instead of the one that may make them; "" is none.
	refused rpcserver.Identity
	// role is that of public calls, an admin's unless a state says otherwise.
	role atomic.Uint32
	// event is what the states had published last.
	event *jetstream.Message
}

func newWorld(ctx context.Context, t *trust) (w *world, err error) {
	w = &world{trust: t}
	w.role.Store(uint32(caller.Admin))
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "pact-"); err != nil {
		return w, err
	}
	if w.nats, err = jetstream.Embedded(filepath.Join(w.dir, "nats"), ""); err != nil {
		return w, err
	}
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	platform.Internal = t.listener()
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(w.dir, "pact.db"))
	control := operatorsfx.DefaultConfig()
	control.Keyring.File = filepath.Join(w.dir, "secrets")
	control.Connectors, control.Engines = []rpcserver.Identity{connector}, []rpcserver.Identity{engine}
	control.Releases.Environment = environment
	var seed string
	seed, w.publicKey = release.GenerateKey()
	control.Releases.SigningKey = config.NewSecret(seed)
	settings, err := settingsOf("TRUNKLINE_DATABASE_URL="+store.URL.Reveal(), "TRUNKLINE_OPERATORS_KEYRING_FILE="+control.Keyring.File)
	if err != nil {
		return w, err
	}
	w.app = fx.New(
		fx.NopLogger,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "operator-management", Version: "1.2.3"}),
		fx.Supply(store, control, jetstream.DefaultConfig(), w.nats),
		platformfx.Module, platformfx.Database, platformfx.NATS, fx.Decorate(migrated), fx.Provide(newCache, newReplayer),
		fx.Supply(settings), fx.Provide(func() rpcserver.Authenticator { return w }), operatorsfx.Module, operatorsfx.Standalone,
		fx.Populate(&w.public, &w.internal, &w.conn, &w.store, &w.health, &w.secrets, &w.announcer, &w.engines),
	)
	if err = w.app.Start(ctx); err != nil {
		return w, err
	}
	// The process does not wait long for its streams; the states need them.
	err = errors.Join(
		w.conn.EnsureStreams(ctx, slices.Concat(bus.Streams(), sessions.Streams(), release.Streams())),
		w.conn.EnsureBucket(ctx, release.Bucket, 0), w.conn.EnsureObjects(ctx, release.Store, 0),
	)
	if err != nil {
		return w, err
	}
	if w.neighbour, err = nats.Connect("", nats.InProcessServer(w.nats)); err != nil {
		return w, err
	}
	if w.bus, err = natsjs.New(w.neighbour); err != nil {
		return w, err
	}
	w.front, err = w.listeners()
	return w, err
}

// listeners serves the public listener, and the internal one to who has no certificate: the verifier has none.
func (w *world) listeners() (*httptest.Server, error) {
	public, err := url.Parse(w.public.URL())
	if err != nil {
		return nil, err
	}
	internal, err := url.Parse(w.internal.Server.URL())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", to(public, http.DefaultTransport))
	mux.HandleFunc("/"+operatorsv1connect.InternalOperatorServiceName+"/", func(rw http.ResponseWriter, r *http.Request) {
		to(internal, w.trust.clients[w.shown(r.URL.Path)].Transport).ServeHTTP(rw, r)
	})
	return httptest.NewServer(mux), nil
}

func to(target *url.URL, through http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }, Transport: through}
}

// shown is the identity for a procedure: the one that has no more rights than it needs.
func (w *world) shown(procedure string) rpcserver.Identity {
	switch {
	case w.refused != "":
		return w.refused
	case procedure == operatorsv1connect.InternalOperatorServiceGetOperatorCredentialsProcedure:
		return connector
	}
	return engine
}

// Authenticate implements rpcserver.Authenticator.
func (w *world) Authenticate(context.Context, http.Header) (caller.Caller, error) {
	return caller.Caller{Name: "test", Kind: caller.Development, Role: caller.Role(w.role.Load())}, nil
}

// settingsOf are those of a process with this environment.
func settingsOf(environ ...string) (operatorsfx.Settings, error) {
	defaults := processSettings{operatorsfx.DefaultConfig(), bunstore.DefaultConfig(), jetstream.DefaultConfig()}
	loaded, err := config.Load(defaults, config.Options{Environ: environ})
	if err != nil {
		return nil, err
	}
	return loaded.Origins(), nil
}

// URL implements pacttest.World.
func (w *world) URL() string { return w.front.URL }

// Close implements pacttest.World.
func (w *world) Close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if w.front != nil {
		w.front.Close()
	}
	w.trust.disconnect()
	if w.neighbour != nil {
		w.neighbour.Close()
	}
	if w.app != nil {
		err = w.app.Stop(ctx)
	}
	return errors.Join(err, w.silence(), os.RemoveAll(w.dir))
}

// silence ends the bus.
func (w *world) silence() error {
	if w.nats == nil {
		return nil
	}
	defer func() { w.nats = nil }()
	return w.nats.Shutdown()
}
