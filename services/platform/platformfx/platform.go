// Package platformfx assembles what every process has: log, traces, metrics, health and the server, and
// the connections a process asks for.
package platformfx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
)

// Config is the part of the configuration that every process has.
type Config struct {
	Server    rpcserver.Config         `koanf:"server"`
	Internal  rpcserver.InternalConfig `koanf:"internal"`
	Log       telemetry.LogConfig      `koanf:"log"`
	Trace     telemetry.TraceConfig    `koanf:"trace"`
	Profiling ProfilingConfig          `koanf:"profiling"`
}

// DefaultConfig returns the settings of a process nobody configured.
func DefaultConfig() Config {
	return Config{
		Server: rpcserver.Default(),
		Log:    telemetry.DefaultLogConfig(),
		Trace:  telemetry.DefaultTraceConfig(),
	}
}

// Process says which process this is and where its log goes.
type Process struct {
	Name    string // such as routing-engine
	Version string
	Log     io.Writer
	// Force ends a graceful stop at once when it is closed; nil never does.
	Force <-chan struct{}
}

// The groups that modules add to.
const (
	groupMounts       = `group:"mounts"`
	groupPages        = `group:"pages"`
	groupAllPages     = `group:"pages,flatten"`
	groupDependencies = `group:"dependencies"`
	groupLimits       = `group:"limits"`
	groupIdentities   = `group:"identities"`
	groupReloads      = `group:"reloads"`
)

// Mount annotates a constructor of an rpcserver.Mount.
func Mount(constructor any) any { return fx.Annotate(constructor, fx.ResultTags(groupMounts)) }

// Page annotates a constructor of an rpcserver.Page.
func Page(constructor any) any { return fx.Annotate(constructor, fx.ResultTags(groupPages)) }

// Pages annotates a constructor of any number of them.
func Pages(constructor any) any { return fx.Annotate(constructor, fx.ResultTags(groupAllPages)) }

// Dependency annotates a constructor of an rpcserver.Dependency.
func Dependency(constructor any) any {
	return fx.Annotate(constructor, fx.ResultTags(groupDependencies))
}

// Limits annotates a constructor of a map of rpcserver.Limits by procedure.
func Limits(constructor any) any { return fx.Annotate(constructor, fx.ResultTags(groupLimits)) }

// Identities annotates a constructor of a map of rpcserver.Identity lists by procedure: who may call an
// internal procedure. Lists of one procedure from several modules add up.
func Identities(constructor any) any { return fx.Annotate(constructor, fx.ResultTags(groupIdentities)) }

// Module is what every process has. It needs Config, Process, the logger of NewLogger and rpcserver.Metrics.
var Module = fx.Module("platform",
	fx.Provide(
		clock.System,
		newTracing,
		func(p Process) *prometheus.Registry { return telemetry.NewRegistry(p.Version) },
		func(r *prometheus.Registry) (prometheus.Registerer, prometheus.Gatherer) { return r, r },
		newHealth,
		newServers,
		newProfiling,
		Reloads(logLevel),
	),
	fx.Invoke(func(*Profiling) {}, startServers, startReload),
)

// Quiet sends fx's own events to the log, failures as errors and the rest for debugging.
func Quiet(log *slog.Logger) fx.Option {
	return fx.WithLogger(func() fxevent.Logger {
		events := &fxevent.SlogLogger{Logger: log}
		events.UseLogLevel(slog.LevelDebug)
		events.UseErrorLevel(slog.LevelDebug) // whoever runs the process tells its failure once
		return events
	})
}

// NewLogger makes the log of a process. Faults of the tracing library go there too.
func NewLogger(c Config, p Process) *slog.Logger {
	out := p.Log
	if out == nil {
		out = os.Stdout
	}
	c.Log.Service = p.Name
	log := telemetry.NewLogger(out, c.Log)
	otel.SetErrorHandler(telemetry.ErrorHandler(log))
	return log
}

func newTracing(lc fx.Lifecycle, c Config, p Process) (trace.TracerProvider, trace.Tracer, error) {
	c.Trace.Service, c.Trace.Version = p.Name, p.Version
	provider, shutdown, err := telemetry.NewTracing(context.Background(), c.Trace)
	if err != nil {
		return nil, nil, fmt.Errorf("tracing: %w", err)
	}
	lc.Append(fx.StopHook(shutdown))
	return provider, provider.Tracer("trunkline/" + p.Name), nil
}

type healthIn struct {
	fx.In
	Lifecycle    fx.Lifecycle
	Log          *slog.Logger
	Clock        clock.Clock
	Dependencies []rpcserver.Dependency `group:"dependencies"`
}

func newHealth(in healthIn) (*rpcserver.Health, error) {
	h, err := rpcserver.NewHealth(in.Dependencies, rpcserver.HealthOptions{Logger: in.Log, Now: in.Clock.Now})
	if err != nil {
		return nil, err
	}
	Background(in.Lifecycle, h.Run)
	return h, nil
}

// Background runs a loop from start to stop of the process. The loop must return when its context ends.
func Background(lc fx.Lifecycle, run func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() {
				defer close(done)
				run(ctx)
			}()
			return nil
		},
		OnStop: func(stop context.Context) error {
			cancel()
			select {
			case <-done:
				return nil
			case <-stop.Done():
				return errors.New("a background task did not stop in time")
			}
		},
	})
}

// StopTimeout is how long a process may take to stop: its drain and a margin for the rest.
func (c Config) StopTimeout() time.Duration {
	return c.Server.Drain.Notice + c.Server.Drain.Timeout + 15*time.Second
}
