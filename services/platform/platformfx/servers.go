package platformfx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
)

// Internal holds the internal listener. Server is nil when internal.addr is empty.
type Internal struct {
	Server *rpcserver.Server
}

type serversIn struct {
	fx.In
	Config     Config
	Log        *slog.Logger
	Health     *rpcserver.Health
	Metrics    rpcserver.Metrics
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	Tracers    trace.TracerProvider
	Mounts     []rpcserver.Mount                 `group:"mounts"`
	Pages      []rpcserver.Page                  `group:"pages"`
	Limits     []map[string]rpcserver.Limits     `group:"limits"`
	Identities []map[string][]rpcserver.Identity `group:"identities"`
	Middleware []func(http.Handler) http.Handler `group:"middleware"`
	// Without Authenticator every public RPC is refused.
	Authenticator rpcserver.Authenticator `optional:"true"`
	Denied        rpcserver.Denied        `optional:"true"`
	Admit         rpcserver.Admit         `optional:"true"`
	Enter         rpcserver.Enter         `optional:"true"`
}

// internalMetrics is the prefix of the metrics of internal calls. They are counted apart, because a method may
// have the same name for both audiences.
const internalMetrics = "trunkline_internal"

// newServers makes the public listener and, where it is configured, the internal one. Both get all mounts, and
// each serves those of its audience.
func newServers(in serversIn) (*rpcserver.Server, Internal, error) {
	options := rpcserver.Options{
		Logger: in.Log, Health: in.Health, Mounts: in.Mounts,
		Limits: map[string]rpcserver.Limits{}, Identities: map[string][]rpcserver.Identity{},
		Registerer: in.Registerer, TracerProvider: in.Tracers, Propagator: telemetry.Propagator(),
		Denied: in.Denied,
	}
	for _, some := range in.Limits {
		maps.Copy(options.Limits, some)
	}
	for _, some := range in.Identities {
		for procedure, who := range some {
			options.Identities[procedure] = append(options.Identities[procedure], who...)
		}
	}
	public := options
	public.Metrics, public.Pages, public.Middleware, public.Gatherer = in.Metrics, in.Pages, in.Middleware, in.Gatherer
	public.Authenticator, public.Admit, public.Enter = in.Authenticator, in.Admit, in.Enter
	server, err := rpcserver.New(in.Config.Server, public)
	if err != nil || !in.Config.Internal.Served() {
		return server, Internal{}, err
	}
	options.Name, options.Audience = "internal", optionsv1.Audience_AUDIENCE_INTERNAL
	if options.Metrics, err = rpcserver.NewMetrics(in.Registerer, internalMetrics, nil); err != nil {
		return nil, Internal{}, err
	}
	inner, err := rpcserver.New(in.Config.Internal.Listener(in.Config.Server), options)
	if err != nil {
		return nil, Internal{}, fmt.Errorf("the internal listener: %w", err)
	}
	return server, Internal{inner}, nil
}

type startIn struct {
	fx.In
	Lifecycle  fx.Lifecycle
	Shutdowner fx.Shutdowner
	Process    Process
	Log        *slog.Logger
	Health     *rpcserver.Health
	Public     *rpcserver.Server
	Internal   Internal
}

// startServers starts the listeners together and drains them together, so that a stop takes one drain and not two.
func startServers(in startIn) {
	servers := []*rpcserver.Server{in.Public}
	if in.Internal.Server != nil {
		servers = append(servers, in.Internal.Server)
	}
	var served sync.WaitGroup
	var failed sync.Once // the shutdowner of fx takes one call at a time
	in.Lifecycle.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			for i, s := range servers {
				if err := s.Listen(ctx); err != nil {
					return errors.Join(err, shutdown(ctx, servers[:i]))
				}
			}
			for _, s := range servers {
				served.Go(func() { // it outlives the context of the start; Shutdown ends it
					if err := s.Serve(context.Background()); err != nil {
						in.Log.Error("the server ended", "error", err)
						failed.Do(func() { _ = in.Shutdowner.Shutdown(fx.ExitCode(1)) }) // fails only when the stop is under way
					}
				})
			}
			in.Health.MarkStarted()
			return nil
		},
		OnStop: func(ctx context.Context) error {
			stopped := make(chan struct{})
			defer close(stopped)
			go func() {
				select {
				case <-in.Process.Force:
					for _, s := range servers {
						s.Force()
					}
				case <-stopped:
				}
			}()
			err := shutdown(ctx, servers)
			served.Wait()
			return err
		},
	})
}

// shutdown drains all servers at the same time.
func shutdown(ctx context.Context, servers []*rpcserver.Server) error {
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { errs[i] = s.Shutdown(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
