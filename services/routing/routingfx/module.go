package routingfx

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing"
	"trunkline/services/routing/bus"
	"trunkline/services/routing/cache"
	"trunkline/services/routing/database"
	"trunkline/services/routing/metrics"
	"trunkline/services/routing/rpc"
)

// SharedCache is what engines share: Redis, or memory in a process that is alone.
type SharedCache interface {
	cache.Store
	cache.HealthStore
}

// BatchBytes is the message limit of BatchSelectOperators: 10,000 questions as JSON, with room.
const BatchBytes = 4 << 20

// Module is the routing engine. It needs Config, a database, a jetstream.Conn, a SharedCache and
// platformfx.Module.
var Module = fx.Module("routing",
	fx.Provide(
		routing.NewHealthView,
		database.NewStore,
		newEngine,
		metrics.New,
		newServerMetrics,
		newObserver,
		newHandler,
		newHealthCache,
		platformfx.Mount(newMount),
		platformfx.Limits(newLimits),
		platformfx.Dependency(newRulesDependency),
		platformfx.Dependency(newDatabaseDependency),
	),
	fx.Invoke(registerGauges, startRefresh, startBus, startHealthPoll),
)

// engine is what the engine serves and how it is brought up to date.
type engine struct {
	store     *database.Store
	health    *routing.HealthView
	table     string
	loading   sync.Mutex // one load at a time, so that states only grow
	memory    routing.Memory
	state     atomic.Pointer[routing.State]
	usable    atomic.Pointer[[]uuid.UUID]
	refresher *routing.Refresher
	applied   func()
}

func (e *engine) usableOperators() []uuid.UUID {
	if ids := e.usable.Load(); ids != nil {
		return *ids
	}
	return nil
}

func newEngine(c Config, store *database.Store, health *routing.HealthView, m *metrics.Metrics, log *slog.Logger) *engine {
	e := &engine{store: store, health: health, table: c.Table, applied: m.ConfigApplied}
	e.refresher = routing.NewRefresher(e.load, log)
	return e
}

// Renew implements routing.States: a lookup found the store at another version before the event of the change
// came.
func (e *engine) Renew(ctx context.Context, version int64) error {
	if state, ok := e.State(); ok && state.Versions.Config >= version {
		return nil
	}
	e.refresher.Changed(version)
	_, err := e.load(ctx)
	return err
}

// load reads the state, and in memory mode everything when the state is new, and puts it in force.
func (e *engine) load(ctx context.Context) (routing.Versions, error) {
	e.loading.Lock()
	defer e.loading.Unlock()
	state, err := e.store.State(ctx)
	if err != nil {
		return routing.Versions{}, err
	}
	old := e.state.Load()
	if old != nil && old.Versions.Config >= state.Versions.Config {
		return old.Versions, nil
	}
	if e.table == TableMemory {
		table, err := e.store.Load(ctx, e.health)
		if err != nil {
			return routing.Versions{}, err
		}
		e.memory.Swap(table)
		state.Versions = table.Versions()
	}
	e.state.Store(&state)
	if old != nil {
		e.applied()
	}
	return state.Versions, nil
}

// State implements routing.States.
func (e *engine) State() (routing.State, bool) {
	if s := e.state.Load(); s != nil {
		return *s, true
	}
	return routing.State{}, false
}

func (e *engine) prefixes() int {
	if t := e.memory.Current(); t != nil {
		return t.Prefixes()
	}
	return 0
}

func registerGauges(reg prometheus.Registerer, e *engine, health *routing.HealthView, clk clock.Clock) error {
	return metrics.Gauges{Health: health, Usable: e.usableOperators, Prefixes: e.prefixes, Failures: e.refresher.Failures, Clock: clk}.Register(reg)
}

func newServerMetrics(reg prometheus.Registerer) (rpcserver.Metrics, error) {
	return rpcserver.NewMetrics(reg, "routing_engine_grpc", nil)
}

func newObserver(m *metrics.Metrics) *bunstore.Observer {
	return &bunstore.Observer{Duration: m.QueryDuration, Errors: m.QueryErrors}
}

type handlerIn struct {
	fx.In
	Engine  *engine
	Config  Config
	Cache   SharedCache
	Health  *routing.HealthView
	Metrics *metrics.Metrics
	Clock   clock.Clock
	Tracer  trace.Tracer
	Log     *slog.Logger
}

// newHandler stacks the decision path; from the inside out: store, sharing, shared cache, local cache, selector,
// counting.
func newHandler(in handlerIn) (*rpc.Handler, error) {
	var source routing.Source = &in.Engine.memory
	if in.Config.Table == TableDatabase {
		m := in.Metrics
		shared := cache.NewCached(cache.NewShared(in.Engine.store), in.Cache,
			m.CacheHits.WithLabelValues("decision"), m.CacheMisses.WithLabelValues("decision"), in.Log)
		local, err := cache.NewLocal(shared, m.CacheHits.WithLabelValues("local"), m.CacheMisses.WithLabelValues("local"), in.Clock)
		if err != nil {
			return nil, err
		}
		source = routing.NewExtracts(local, in.Engine, in.Health)
	}
	return rpc.NewHandler(in.Metrics.Count(routing.NewSelector(source)), in.Clock, in.Tracer), nil
}

func newMount(h *rpc.Handler) rpcserver.Mount {
	return rpcserver.Mount{
		Name: routingv1connect.RoutingServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return routingv1connect.NewRoutingServiceHandler(h, opts...)
		},
	}
}

func newLimits() map[string]rpcserver.Limits {
	return map[string]rpcserver.Limits{
		routingv1connect.RoutingServiceBatchSelectOperatorsProcedure: {MaxBytes: BatchBytes, Timeout: time.Minute},
	}
}

var errNoRules = errors.New("the routing rules were not read yet")

func newRulesDependency(e *engine) rpcserver.Dependency {
	return rpcserver.Dependency{Name: "rules", Required: true, Check: func(context.Context) error {
		if e.refresher.Serving() == 0 {
			return errNoRules
		}
		return nil
	}}
}

// newDatabaseDependency is optional: an engine with rules goes on from cache or memory.
func newDatabaseDependency(s *database.Store) rpcserver.Dependency {
	return rpcserver.Dependency{Name: "database", Check: s.Check}
}

func newHealthCache(c SharedCache, clk clock.Clock) (*cache.Health, bus.Saver) {
	h := cache.NewHealth(c, cache.Codec{Encode: bus.EncodeHealth, Decode: bus.DecodeHealth}, clk)
	return h, h
}

// firstLoad bounds how long a start waits for the rules. An engine that does not get them starts all the same
// and becomes ready when they come.
const firstLoad = 2 * time.Second

func startRefresh(lc fx.Lifecycle, e *engine) {
	platformfx.Background(lc, e.refresher.Run)
	lc.Append(fx.StartHook(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, firstLoad)
		defer cancel()
		e.refresher.Await(ctx, 1)
	}))
}

// streamsTimeout bounds how long a start waits for NATS; afterwards streams are made in the background.
const streamsTimeout = 2 * time.Second

type busIn struct {
	fx.In
	Lifecycle fx.Lifecycle
	Conn      *jetstream.Conn
	View      *routing.HealthView
	Saver     bus.Saver
	Engine    *engine
	Metrics   *metrics.Metrics
	Clock     clock.Clock
	Log       *slog.Logger
}

func startBus(in busIn) {
	health := bus.NewHealth(in.Conn, in.View, in.Saver, in.Metrics, in.Clock, in.Log)
	changes := bus.NewConfig(in.Conn, in.Engine.refresher, in.Log)
	life, end := context.WithCancel(context.Background())
	in.Lifecycle.Append(fx.StopHook(end))
	in.Lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, streamsTimeout)
		defer cancel()
		_ = in.Conn.AwaitConnected(ctx) // EnsureStreams tells better what is wrong
		if err := in.Conn.EnsureStreams(ctx, bus.Streams()); errors.Is(err, jetstream.ErrStreamMismatch) {
			return err
		} else if err != nil {
			in.Log.Warn("NATS is out of reach; the engine starts without events and goes on trying", "error", err)
		}
		subscriptions, err := health.Start(life)
		if err != nil {
			return err
		}
		if _, err := changes.Start(life); err != nil {
			return err
		}
		// An engine that answers before it knows who is out would name operators that are.
		select {
		case <-subscriptions[0].Synced():
		case <-ctx.Done():
			in.Log.Warn("the health of operators is not known yet; the engine starts with what the shared cache knows")
		}
		return nil
	}))
}

type pollIn struct {
	fx.In
	Lifecycle fx.Lifecycle
	Config    Config
	Engine    *engine
	Store     *database.Store
	View      *routing.HealthView
	Cache     *cache.Health
	Log       *slog.Logger
}

// pollHealth asks for the operators of the store, or for the last ones known while it is out of reach.
func pollHealth(ctx context.Context, in pollIn) error {
	operators, err := in.Store.UsableOperators(ctx)
	if err != nil {
		operators = in.Engine.usableOperators()
	} else {
		in.Engine.usable.Store(&operators)
		in.View.Know(operators)
	}
	return in.Cache.Fill(ctx, in.View, operators)
}

// startHealthPoll fills the view from the shared cache, at start and then regularly: the second source of
// health when events do not arrive.
func startHealthPoll(in pollIn) {
	platformfx.Background(in.Lifecycle, func(ctx context.Context) {
		ticker := time.NewTicker(in.Config.HealthPoll)
		defer ticker.Stop()
		for {
			if err := pollHealth(ctx, in); err != nil && ctx.Err() == nil {
				in.Log.DebugContext(ctx, "health could not be read from the shared cache", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}
