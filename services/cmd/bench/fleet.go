package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/release"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing/routingfx"
)

// fleetEngines is how many engines follow the releases of one control plane.
const fleetEngines = 3

// fleetEnvironment is what the fleet's releases are for.
const fleetEnvironment = "bench"

// fleet is a control plane and engines in release mode, each assembled as a process of its own with its own connection
// to one NATS server; the server, the SQLite file and the cores they share.
type fleet struct {
	bench    *bench
	log      *slog.Logger
	dir      string
	database string
	carrier  *carrier
	nats     *jetstream.EmbeddedServer
	apps     []*fx.App
	clients  []*http.Client

	releases releasesv1connect.ReleaseServiceClient
	engines  []*selectClient
	public   string
}

// startFleet starts the control plane on a database of n prefixes. Engines come by startEngines.
func startFleet(ctx context.Context, b *bench, n int, log *slog.Logger) (f *fleet, err error) {
	f = &fleet{bench: b, log: log, dir: filepath.Join(b.dir, "fleet"), carrier: newCarrier(n), database: filepath.Join(b.dir, "fleet.db")}
	b.note("database of %d prefixes", n)
	if err := seed(ctx, f.database, f.carrier); err != nil {
		return nil, err
	}
	if f.nats, err = jetstream.Embedded(filepath.Join(f.dir, "nats"), "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if err := f.startControl(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), f.stop())
	}
	return f, nil
}

func (f *fleet) startControl(ctx context.Context) error {
	seed, public := release.GenerateKey()
	f.public = public
	control := operatorsfx.DefaultConfig()
	control.Keyring.File = filepath.Join(f.dir, "secrets")
	control.Releases.Environment, control.Releases.SigningKey = fleetEnvironment, config.NewSecret(seed)
	decisions := routingfx.DefaultDecisionsConfig()
	decisions.Key = randomSecret()
	url, err := f.start(ctx, "bench-control",
		fx.Supply(control, decisions),
		fx.Provide(
			everybody(caller.Admin),
			func(clk clock.Clock) (operatorsfx.HealthCache, error) {
				return rediscache.NewMemory(f.bench.options.cacheItems, clk)
			},
			func(r *routingfx.Replayer) operatorsfx.Replayer { return r },
		),
		operatorsfx.Module, operatorsfx.Standalone, routingfx.Decisions, operatorsfx.DemoSessions,
	)
	if err != nil {
		return err
	}
	f.releases = releasesv1connect.NewReleaseServiceClient(f.connect()[0], url, protocols[0].options...)
	return nil
}

// startEngines starts the engines. Each serves what is in force by then.
func (f *fleet) startEngines(ctx context.Context) error {
	for i := range fleetEngines {
		name := fmt.Sprintf("bench-engine-%d", i+1)
		engine := routingfx.DefaultConfig()
		engine.Table = routingfx.TableRelease
		engine.Release.Environment, engine.Release.PublicKeys = fleetEnvironment, []string{f.public}
		engine.Release.Folder = filepath.Join(f.dir, name)
		url, err := f.start(ctx, name,
			fx.Supply(engine),
			fx.Provide(
				everybody(caller.Viewer),
				func(clk clock.Clock) (routingfx.SharedCache, error) {
					return rediscache.NewMemory(f.bench.options.cacheItems, clk)
				},
			),
			routingfx.Module,
		)
		if err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		f.engines = append(f.engines, selectClients(protocols[0], f.connect(), url)...)
	}
	return nil
}

// connect gives one HTTP/2 client with connections of its own.
func (f *fleet) connect() []*http.Client {
	one := httpClients(true, 1)
	f.clients = append(f.clients, one...)
	return one
}

func everybody(role caller.Role) func() rpcserver.Authenticator {
	return func() rpcserver.Authenticator {
		return rpcserver.Everybody(caller.Caller{Name: "bench", Kind: caller.Development, Role: role})
	}
}

// start runs one process of the fleet and gives its address.
func (f *fleet) start(ctx context.Context, name string, parts ...fx.Option) (url string, err error) {
	c, bus := platformfx.DefaultConfig(), jetstream.DefaultConfig()
	c.Server.Addr, c.Server.Drain.Notice = "127.0.0.1:0", 0
	bus.URLs = []string{f.nats.URL()}
	var server *rpcserver.Server
	app := fx.New(
		fx.Supply(c, platformfx.Process{Name: name, Log: io.Discard}, f.log, databaseConfig(f.database), bus),
		platformfx.Quiet(f.log),
		platformfx.Module, platformfx.Database, platformfx.NATS,
		fx.Options(parts...),
		fx.Populate(&server),
		fx.StartTimeout(startLimit), fx.StopTimeout(stopLimit),
	)
	if err := app.Err(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := app.Start(ctx); err != nil {
		return "", err
	}
	f.apps = append(f.apps, app)
	return server.URL(), nil
}

// ready waits until every engine knows how every operator of the numbers is, and gives the answers.
func (f *fleet) ready(ctx context.Context, numbers []e164.Number) (answers []*routingv1.SelectOperatorResponse, err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, engine := range f.engines {
		for answers = nil; len(answers) < len(numbers); {
			res, err := engine.CallUnary(ctx, connect.NewRequest(question(numbers[len(answers)])))
			if err == nil && !res.Msg.GetMeta().GetHealthUnknown() {
				answers = append(answers, res.Msg)
				continue
			}
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("an engine did not become ready: %w", errors.Join(err, ctx.Err()))
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return answers, nil
}

// stop ends the engines first.
func (f *fleet) stop() error {
	closeIdle(f.clients)
	var errs []error
	for i := len(f.apps) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		errs = append(errs, f.apps[i].Stop(ctx))
		cancel()
	}
	return errors.Join(append(errs, f.nats.Shutdown())...)
}
