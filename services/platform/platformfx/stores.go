package platformfx

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
)

// Database opens the database of bunstore.Config and the reader that goes to its replica while the primary is down.
// A bunstore.Observer, when there is one, sees the queries of both. With a replica, readiness shows both servers,
// and neither is required: whoever needs one of them asks through the reader.
var Database = fx.Module("database", fx.Provide(
	newDatabase,
	newReader,
	fx.Annotate(newReaderDependencies, fx.ResultTags(`group:"dependencies,flatten"`)),
))

type databaseIn struct {
	fx.In
	Lifecycle fx.Lifecycle
	Config    bunstore.Config
	Log       *slog.Logger
	Tracer    trace.Tracer
	Observer  *bunstore.Observer `optional:"true"`
}

func newDatabase(in databaseIn) (*bun.DB, error) {
	db, err := bunstore.Open(context.Background(), in.Config, in.Log)
	if err != nil {
		return nil, err
	}
	if in.Observer != nil {
		in.Observer.Tracer = in.Tracer
		db = db.WithQueryHook(in.Observer)
	}
	in.Lifecycle.Append(fx.StopHook(db.Close))
	return db, nil
}

type readerIn struct {
	fx.In
	Lifecycle  fx.Lifecycle
	Config     bunstore.Config
	Primary    *bun.DB
	Clock      clock.Clock
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Observer   *bunstore.Observer `optional:"true"`
}

func newReader(in readerIn) (*bunstore.Reader, error) {
	reader, err := bunstore.OpenReader(context.Background(), in.Config, in.Primary,
		bunstore.ReaderOptions{Clock: in.Clock, Log: in.Log, Observer: in.Observer})
	if err != nil {
		return nil, err
	}
	in.Lifecycle.Append(fx.StopHook(reader.Close))
	if reader.HasReplica() {
		Background(in.Lifecycle, reader.Run)
	}
	return reader, reader.Register(in.Registerer)
}

func newReaderDependencies(r *bunstore.Reader) []rpcserver.Dependency {
	if !r.HasReplica() {
		return nil
	}
	return []rpcserver.Dependency{
		{Name: "database primary", Check: r.CheckPrimary},
		{Name: "database replica", Check: r.CheckReplica},
	}
}

// NATS connects to the servers of jetstream.Config, or to an embedded one when the process has it.
var NATS = fx.Module("nats",
	fx.Provide(newNATS),
	fx.Provide(Dependency(func(c *jetstream.Conn) rpcserver.Dependency {
		return rpcserver.Dependency{Name: "nats", Check: c.Check}
	})),
)

type natsIn struct {
	fx.In
	Lifecycle fx.Lifecycle
	Config    jetstream.Config
	Log       *slog.Logger
	Embedded  *jetstream.EmbeddedServer `optional:"true"`
}

func newNATS(in natsIn) (*jetstream.Conn, error) {
	opts := []jetstream.Option{jetstream.WithPropagator(telemetry.Propagator())}
	if in.Embedded != nil {
		opts = append(opts, jetstream.WithInProcessServer(in.Embedded))
	}
	conn, err := jetstream.Connect(in.Config, in.Log, opts...)
	if err != nil {
		return nil, err
	}
	in.Lifecycle.Append(fx.StopHook(conn.Close))
	return conn, nil
}

// Redis opens the cache of rediscache.Config.
var Redis = fx.Module("redis",
	fx.Provide(newRedis),
	fx.Provide(Dependency(func(c *rediscache.Cache) rpcserver.Dependency {
		return rpcserver.Dependency{Name: "redis", Check: c.Check}
	})),
)

func newRedis(lc fx.Lifecycle, c rediscache.Config, log *slog.Logger, reg prometheus.Registerer) (*rediscache.Cache, error) {
	cache, err := rediscache.Open(c, log, reg)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(cache.Close))
	return cache, nil
}

// InternalClient gives a client of the internal API of rpcclient.Config, or nil when it has no URL.
var InternalClient = fx.Module("internal client", fx.Provide(newInternalClient))

func newInternalClient(lc fx.Lifecycle, c rpcclient.Config, log *slog.Logger, reg prometheus.Registerer) (*rpcclient.Client, error) {
	if c.URL == "" {
		return nil, c.Validate()
	}
	client, err := rpcclient.New(c, log, reg)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(client.Close))
	Background(lc, client.Run)
	return client, nil
}
