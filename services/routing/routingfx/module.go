package routingfx

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing"
	"trunkline/services/routing/bus"
	"trunkline/services/routing/cache"
	"trunkline/services/routing/control"
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
		newManagement,
		newSupply,
		newReleased,
		newInForce,
		newPoke,
		metrics.New,
		newServerMetrics,
		newObserver,
		newDecisionLog,
		newHandler,
		newHealthCache,
		platformfx.Mount(newMount),
		platformfx.Limits(newLimits),
		platformfx.Dependency(newRulesDependency),
		platformfx.Dependency(newDatabaseDependency),
		fx.Annotate(newReleaseDependencies, fx.ResultTags(`group:"dependencies,flatten"`)),
		fx.Annotate(newManagementDependencies, fx.ResultTags(`group:"dependencies,flatten"`)),
	),
	fx.Invoke(registerGauges, startRefresh, startBus, startHealthPoll),
)

// management is the way to operator-management; it is nil inside when there is none.
type management struct{ *control.Client }

func newManagement(lc fx.Lifecycle, c Config, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (management, error) {
	if c.Control.URL == "" {
		return management{}, nil
	}
	client, err := rpcclient.New(c.Control, log, reg)
	if err != nil {
		return management{}, err
	}
	lc.Append(fx.StopHook(client.Close))
	platformfx.Background(lc, client.Run)
	service := operatorsv1connect.NewInternalOperatorServiceClient(client, client.URL(), client.Options())
	return management{control.New(service, clk)}, nil
}

// poke wakes the health poll: other operators than before may be usable.
type poke chan struct{}

func newPoke() poke { return make(poke, 1) }

func (p poke) tell() {
	select {
	case p <- struct{}{}:
	default: // it is awake already
	}
}

type supplyIn struct {
	fx.In
	Config     Config
	Store      *database.Store
	Management management
	Health     *routing.HealthView
	Metrics    *metrics.Metrics
	Poke       poke
	Clock      clock.Clock
	Log        *slog.Logger
}

func newSupply(in supplyIn) *routing.Supply {
	from := routing.SupplySources{Store: in.Store, Whole: in.Config.Table == TableMemory}
	if in.Management.Client != nil {
		from.Substitute = in.Management
	}
	return routing.NewSupply(from, in.Health, in.Clock.Now, in.Log, func() {
		in.Metrics.ConfigApplied()
		in.Poke.tell()
	})
}

// inForce is what the engine decides by, whichever supply it comes from.
type inForce struct {
	*routing.InForce
	checkReady, checkOrigin func(ctx context.Context) error
	run                     func(ctx context.Context)
}

func newInForce(s *routing.Supply, r released) inForce {
	if r.supply != nil {
		return inForce{r.supply.InForce, r.supply.CheckReady, r.supply.CheckOrigin, r.supply.Run}
	}
	return inForce{s.InForce, s.CheckReady, s.CheckOrigin, s.Run}
}

func registerGauges(reg prometheus.Registerer, s inForce, health *routing.HealthView, clk clock.Clock) error {
	prefixes := func() int {
		if t := s.Table(); t != nil {
			return t.Prefixes()
		}
		return 0
	}
	return metrics.Gauges{
		Health: health, Usable: s.UsableOperators, Prefixes: prefixes, Failures: s.Failures, Origin: s.Origin, Clock: clk,
	}.Register(reg)
}

func newServerMetrics(reg prometheus.Registerer) (rpcserver.Metrics, error) {
	return rpcserver.NewMetrics(reg, "routing_engine_grpc", nil)
}

func newObserver(m *metrics.Metrics) *bunstore.Observer {
	return &bunstore.Observer{Duration: m.QueryDuration, Errors: m.QueryErrors}
}

type handlerIn struct {
	fx.In
	Config   Config
	Store    *database.Store
	Supply   *routing.Supply
	Released released
	Cache    SharedCache
	Metrics  *metrics.Metrics
	Writer   decisionLog
	Clock    clock.Clock
	Tracer   trace.Tracer
	Log      *slog.Logger
}

// newHandler stacks the decision path; from the inside out: store, shared cache, sharing, local cache, supply,
// selector, counting, log.
func newHandler(in handlerIn) (*rpc.Handler, error) {
	var finder routing.Finder
	if in.Config.Table == TableDatabase {
		m := in.Metrics
		cached := cache.NewCached(in.Store, in.Cache,
			m.CacheHits.WithLabelValues("decision"), m.CacheMisses.WithLabelValues("decision"), in.Log)
		// Equal questions share the way to the shared cache too: one reads it and one fills it.
		local, err := cache.NewLocal(cache.NewShared(cached), m.CacheHits.WithLabelValues("local"), m.CacheMisses.WithLabelValues("local"), in.Clock)
		if err != nil {
			return nil, err
		}
		finder = local
	}
	source := in.Supply.Source(finder)
	if in.Released.supply != nil {
		source = in.Released.supply.Source()
	}
	counted := in.Metrics.Count(routing.NewSelector(source))
	if in.Writer.Writer == nil {
		return rpc.NewHandler(counted, nil, in.Clock, in.Tracer), nil
	}
	return rpc.NewHandler(in.Writer.Logged(counted), in.Writer, in.Clock, in.Tracer), nil
}

func newMount(h *rpc.Handler) rpcserver.Mount {
	return rpcserver.Mount{
		Name: routingv1connect.RoutingServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return routingv1connect.NewRoutingServiceHandler(h, opts...)
		},
		Valid: rpc.Valid(),
	}
}

func newLimits() map[string]rpcserver.Limits {
	return map[string]rpcserver.Limits{
		routingv1connect.RoutingServiceBatchSelectOperatorsProcedure: {MaxBytes: BatchBytes, Timeout: time.Minute},
	}
}

func newRulesDependency(s inForce) rpcserver.Dependency {
	return rpcserver.Dependency{Name: "rules", Required: true, Check: s.checkReady}
}

// newManagementDependencies are optional too. The second one is down while the database is bypassed, so that the
// health pages and the log say where the rules came from, and since when.
func newManagementDependencies(m management, s inForce) []rpcserver.Dependency {
	if m.Client == nil {
		return nil
	}
	return []rpcserver.Dependency{
		{Name: "operator-management", Check: m.Check},
		{Name: "rules-from-database", Check: s.checkOrigin},
	}
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

func startRefresh(lc fx.Lifecycle, s inForce, r released) {
	r.restore(lc)
	platformfx.Background(lc, s.run)
	lc.Append(fx.StartHook(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, firstLoad)
		defer cancel()
		s.Await(ctx, 1)
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
	Supply    inForce
	Released  released
	Metrics   *metrics.Metrics
	Writer    decisionLog
	Clock     clock.Clock
	Log       *slog.Logger
}

func startBus(in busIn) {
	health := bus.NewHealth(in.Conn, in.View, in.Saver, in.Metrics, in.Clock, in.Log)
	changes := bus.NewConfig(in.Conn, in.Supply, in.Log)
	life, end := context.WithCancel(context.Background())
	in.Lifecycle.Append(fx.StopHook(end))
	platformfx.Background(in.Lifecycle, changes.Poll)
	in.Lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, streamsTimeout)
		defer cancel()
		_ = in.Conn.AwaitConnected(ctx) // EnsureStreams tells better what is wrong
		err := errors.Join(in.Conn.EnsureStreams(ctx, append(bus.Streams(), in.Writer.streams()...)), in.Released.ensure(ctx, in.Conn))
		if errors.Is(err, jetstream.ErrStreamMismatch) {
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
		if err := in.Released.follow(ctx, life, in.Conn); err != nil {
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
	Lifecycle  fx.Lifecycle
	Config     Config
	Supply     inForce
	Released   released
	View       *routing.HealthView
	Cache      *cache.Health
	Management management
	Poke       poke
	Clock      clock.Clock
	Log        *slog.Logger
}

// firstPoll bounds how long a start waits for what others know of the operators' health.
const firstPoll = 2 * time.Second

// startHealthPoll fills the view from the shared cache and operator-management, at start, regularly and when
// operators change: the sources of health when events do not arrive.
func startHealthPoll(in pollIn) {
	var last routing.HealthSource
	if in.Management.Client != nil {
		last = in.Management
	}
	recall := routing.NewRecall(in.View, in.Cache, last, in.Clock.Now)
	poll := func(ctx context.Context) {
		if err := recall.Poll(ctx, in.Supply.UsableOperators()); err != nil && ctx.Err() == nil {
			in.Log.DebugContext(ctx, "health could not be read", "error", err)
		}
	}
	// Before the loop below: an engine that answers before it asked would name operators that are out.
	in.Lifecycle.Append(fx.StartHook(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, firstPoll)
		defer cancel()
		poll(ctx)
	}))
	platformfx.Background(in.Lifecycle, func(ctx context.Context) {
		if !in.Released.await(ctx) || in.Released.supply == nil && !in.Supply.Await(ctx, 1) {
			return
		}
		ticker := time.NewTicker(in.Config.HealthPoll)
		defer ticker.Stop()
		for {
			poll(ctx)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-in.Poke:
			}
		}
	})
}
