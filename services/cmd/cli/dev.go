package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/uptrace/bun"
	"go.uber.org/fx"

	"trunkline/services/access"
	"trunkline/services/access/accessfx"
	"trunkline/services/console"
	"trunkline/services/console/consolefx"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
	"trunkline/services/routing/routingfx"
)

// devFlags are the settings of dev.
type devFlags struct {
	addr, natsAddr, dataDir, table, logLevel string
	noDemo, auth                             bool
}

func devCommand(version string) *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process on this machine, with demo data",
		Long: `Run the whole platform in one process: SQLite, an embedded NATS JetStream server, an in-process cache
and demo data. No server is needed. Without --data-dir everything is gone when it ends.

It listens on this machine only and asks nobody for a credential: every call is that of an admin. With --auth
it asks as a production process does, and prints the key of an admin.

The console is at /console/ of the address it prints.

With --table release changes of rules and prices count when they are published (trunkline releases); the first
release is made at the start.`,
		Example: `  trunkline dev
  trunkline dev --auth
  trunkline dev --table release
  trunkline dev --addr 127.0.0.1:9090 --data-dir ./data
  trunkline dev --no-demo`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDev(cmd, version, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "loopback `host:port` to serve on; port 0 picks a free one")
	flags.StringVar(&f.natsAddr, "nats-addr", "127.0.0.1:4222", "loopback `host:port` of the embedded NATS server")
	flags.StringVar(&f.dataDir, "data-dir", "", "`folder` to keep data in; without it a temporary one is used and removed")
	flags.StringVar(&f.table, "table", routingfx.TableDatabase, "where rules are kept: database, memory or release")
	flags.StringVar(&f.logLevel, "log-level", "warn", "debug, info, warn or error")
	flags.BoolVar(&f.auth, "auth", false, "ask for credentials, and print the key of an admin")
	flags.BoolVar(&f.noDemo, "no-demo", false, "start without demo data")
	return cmd
}

func runDev(cmd *cobra.Command, version string, f devFlags) (err error) {
	dir, remove, err := devFolder(f.dataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()

	c := platformfx.DefaultConfig()
	c.Server.Addr, c.Server.Reflection, c.Server.Drain.Notice = f.addr, true, 0
	c.Log.Format = telemetry.FormatText
	if err := c.Log.Level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usagef("--log-level %q: choose debug, info, warn or error", f.logLevel)
	}
	if err := loopbackOnly(f.addr); err != nil {
		return err
	}
	engine := routingfx.DefaultConfig()
	engine.Table = f.table
	database := bunstore.DefaultConfig()
	database.URL = config.NewSecret("sqlite:" + filepath.Join(dir, "trunkline.db"))

	control := operatorsfx.DefaultConfig()
	control.Keyring.File = filepath.Join(dir, "secrets")
	if err := devReleases(dir, &control, &engine); err != nil {
		return err
	}
	if err := engine.Validate(); err != nil {
		return usagef("--table %q: choose database, memory or release", f.table)
	}

	edge, err := devAccess(dir, f.auth)
	if err != nil {
		return err
	}
	decisions := routingfx.DefaultDecisionsConfig()
	if decisions.Key, err = devSecret(dir, "decisions.key"); err != nil {
		return err
	}
	engine.DecisionLog.Key = decisions.Key

	pages := consolefx.DefaultConfig()
	pages.Environment = "dev"

	settings, err := devSettings{
		Server: c.Server, Log: c.Log, Trace: c.Trace, Access: edge, Console: pages, Engine: engine, Operators: control, Decisions: decisions,
		Database: database,
	}.origins()
	if err != nil {
		return err
	}

	nats, err := jetstream.Embedded(filepath.Join(dir, "nats"), f.natsAddr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, nats.Shutdown()) }()

	var server *rpcserver.Server
	var keys *access.KeyAdmin
	process := platformfx.Process{Name: "dev", Version: version, Log: cmd.ErrOrStderr()}
	ready := func() {
		devBanner(cmd, server.URL(), nats.URL(), dir, f)
		if f.auth {
			devKey(cmd, server.URL(), keys)
		}
	}
	return runProcess(cmd.Context(), c, process, ready,
		fx.Supply(engine, control, decisions, edge, pages, database, jetstream.DefaultConfig(), nats, settings),
		platformfx.Database,
		platformfx.NATS,
		fx.Provide(
			func(clk clock.Clock) (*rediscache.Memory, error) { return rediscache.NewMemory(devCacheEntries, clk) },
			func(c *rediscache.Memory) routingfx.SharedCache { return c },
			func(c *rediscache.Memory) operatorsfx.HealthCache { return c },
			replayer, consoleAuth,
		),
		fx.Provide(fx.Annotate(func() func(http.Handler) http.Handler { return rpcserver.LoopbackHosts }, fx.ResultTags(`group:"middleware"`))),
		fx.Decorate(migrated),
		accessfx.Module,
		accessfx.Services,
		operatorsfx.Module,
		demoModule(f, operatorsfx.DemoData),
		firstRelease(f),
		routingfx.Module,
		routingfx.Decisions,
		consolefx.Module,
		demoModule(f, operatorsfx.DemoSessions),
		fx.Populate(&server, &keys),
	)
}

// devAccess asks for credentials only when told to.
func devAccess(dir string, auth bool) (c accessfx.Config, err error) {
	c = accessfx.DefaultConfig()
	c.Development = !auth
	c.Keys.Pepper, err = devSecret(dir, "access.pepper")
	return c, err
}

// devSecret reads a secret of this installation, and makes it at the first start.
func devSecret(dir, name string) (config.Secret, error) {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text = []byte(rand.Text() + rand.Text()) // 260 random bits
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return config.Secret{}, fmt.Errorf("--data-dir: %w", err)
	}
	return config.NewSecret(string(text)), nil
}

// devKeyLife is longer than anybody keeps a development process.
const devKeyLife = 7 * 24 * time.Hour

// devKey makes the key of an admin for this run.
func devKey(cmd *cobra.Command, url string, keys *access.KeyAdmin) {
	w := cmd.OutOrStdout()
	_, text, err := keys.Bootstrap(cmd.Context(), access.NewAPIKey{Name: "trunkline dev", Role: caller.Admin, Lifetime: devKeyLife}, true)
	if err != nil {
		note(w, "\nThe key of an admin could not be made: %s", err)
		return
	}
	note(w, `
Every call needs a credential. This is the key of an admin, for a week; it is not shown again:

  export TRUNKLINE_SERVER=%s TRUNKLINE_API_KEY=%s
  trunkline keys create --name reader --role viewer`, url, text.Reveal())
}

// devCacheEntries bounds the in-process cache; an entry is about 2 KiB.
const devCacheEntries = 50_000

// migrated gives the database only once its schema is up to date.
func migrated(db *bun.DB) (*bun.DB, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	m, err := newMigrator(db)
	if err == nil {
		_, err = m.Up(ctx)
	}
	return db, err
}

func devFolder(dir string) (path string, remove func() error, err error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, fmt.Errorf("--data-dir: %w", err)
		}
		return dir, func() error { return nil }, nil
	}
	if path, err = os.MkdirTemp("", "trunkline-dev-"); err != nil {
		return "", nil, err
	}
	return path, func() error { return os.RemoveAll(path) }, nil
}

// loopbackOnly refuses addresses that others could reach: dev asks nobody for a credential.
func loopbackOnly(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef("--addr %q: write host:port, such as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usagef("--addr %q: dev asks for no credential, so it listens on loopback only, such as 127.0.0.1:8080", addr)
}

// demoModule is a part of the demo, or nothing with --no-demo.
func demoModule(f devFlags, part fx.Option) fx.Option {
	if f.noDemo {
		return fx.Options()
	}
	return part
}

func devBanner(cmd *cobra.Command, url, natsURL, dir string, f devFlags) {
	w := cmd.OutOrStdout()
	asks, header := "No credential is asked for: every call is that of an admin.", ""
	if f.auth {
		asks, header = "Credentials are asked for.", "\n    -H \"authorization: Bearer $TRUNKLINE_API_KEY\" \\"
	}
	note(w, "trunkline is up. %s It listens on this machine only.\n", asks)
	note(w, "  API      %s   (gRPC, gRPC-Web and JSON; /ready, /health/detailed, /metrics)", url)
	note(w, "  Console  %s%s", url, console.Root)
	note(w, "  NATS     %s", natsURL)
	if f.dataDir == "" {
		note(w, "  Data     %s (removed at the end; --data-dir keeps it)", dir)
	} else {
		note(w, "  Data     %s", dir)
	}
	if f.table == routingfx.TableRelease {
		note(w, "  Rules    those of the release in force; trunkline releases create, diff and publish")
	}
	note(w, `
Ask which operator carries a message:

  curl -s -X POST %s/trunkline.routing.v1.RoutingService/SelectOperator \
    -H 'content-type: application/json' \%s
    -d '{"to":"+447911123456","accountId":"00000000-0000-0000-0000-000000000001","messageType":"MESSAGE_TYPE_SMS"}'

Press Ctrl-C to stop.`, url, header)
}
