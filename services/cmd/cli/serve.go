package cli

import (
	"log/slog"

	"github.com/spf13/cobra"
	"go.uber.org/fx"

	"trunkline/services/access"
	"trunkline/services/access/accessfx"
	"trunkline/services/console/consolefx"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/routing/routingfx"
)

// The processes.
const (
	processEngine     = "routing-engine"
	processManagement = "operator-management"
)

func serveCommand(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a process of the platform",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(serveEngineCommand(version), serveManagementCommand(version))
	return cmd
}

func serveEngineCommand(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   processEngine,
		Short: "Run the data plane: decides which operator carries a message",
		Long: `Run the data plane. It keeps no state of its own: run as many as you need behind a balancer.

It reads the rules with a read-only role from Postgres (TRUNKLINE_DATABASE_URL), shares candidate
sets through Redis and hears of health and changes through NATS. Without Redis or NATS it goes on
deciding and /ready names what is degraded; it comes back by itself.

With --table release it serves what was published and nothing else, from memory, and from engine.release.folder when
it starts alone.

SIGHUP, or a change of the file of --config, makes it take up what is safe to change; the log names what
needs a restart.`,
		Example: `  TRUNKLINE_DATABASE_URL=postgres://engine@db/trunkline TRUNKLINE_ALLOW_PLAINTEXT=true \
    trunkline serve routing-engine --addr 0.0.0.0:8080 --redis redis:6379 --nats-urls nats://nats:4222
  trunkline serve routing-engine --config engine.yaml --table memory`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, platformfx.Process{Name: processEngine, Version: version}, defaultEngineSettings(), engineFlags, engineOptions)
		},
	}
	addEngineFlags(cmd.Flags())
	return cmd
}

// engineOptions is the routing engine as a process of its own.
func engineOptions(s engineSettings) fx.Option {
	return fx.Options(
		fx.Supply(s.Engine, s.Access, s.Database, s.NATS, s.Redis),
		platformfx.Database,
		platformfx.NATS,
		platformfx.Redis,
		fx.Provide(sharedLimits, func(c *rediscache.Cache) routingfx.SharedCache { return c }),
		accessfx.Module,
		routingfx.Module,
		fx.Invoke(func(log *slog.Logger) {
			if s.Database.HasReplica() {
				log.Warn("database.replica_url does nothing in a routing engine: remove it")
			}
		}),
	)
}

func serveManagementCommand(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   processManagement,
		Short: "Run the control plane: operators, credentials, rules, rates and health",
		Long: `Run the control plane. It writes to the database of TRUNKLINE_DATABASE_URL, whose schema must be up to
date (trunkline migrate up), keeps passwords in Vault (operators.vault) or in an encrypted file
(operators.keyring), tells the engines of every change through NATS and reduces what connectors
report to one health per operator. Run two or more; one of them at a time reduces health.

The web console is at /console/ (console.enabled). Its route explorer asks the routing engines: tell it where browsers
reach them (console.engine_url).

Callers need an API key (access.keys.pepper) or a token (access.jwt); "trunkline keys bootstrap" makes the first
key. The internal API (internal.addr) is for engines and connectors, by mutual TLS.

SIGHUP, or a change of the file of --config, makes it take up what is safe to change; the log names what
needs a restart.`,
		Example: `  TRUNKLINE_DATABASE_URL=postgres://ops@db/trunkline TRUNKLINE_OPERATORS_KEYRING_FILE=./secrets \
    TRUNKLINE_ACCESS_KEYS_PEPPER_FILE=./pepper \
    trunkline serve operator-management --nats-urls nats://nats:4222 --redis redis:6379
  trunkline rules import rules.csv --server http://127.0.0.1:8081`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, platformfx.Process{Name: processManagement, Version: version}, defaultManagementSettings(), managementFlags, managementOptions)
		},
	}
	addManagementFlags(cmd.Flags())
	return cmd
}

// managementOptions is operator-management as a process of its own.
func managementOptions(s managementSettings) fx.Option {
	return fx.Options(
		fx.Supply(s.Operators, s.Decisions, s.Access, s.Console, s.Database, s.NATS, s.Redis),
		platformfx.Database,
		platformfx.NATS,
		platformfx.Redis,
		fx.Provide(sharedLimits, func(c *rediscache.Cache) operatorsfx.HealthCache { return c }, replayer, consoleAuth),
		accessfx.Module,
		accessfx.Services,
		operatorsfx.Module,
		operatorsfx.Standalone,
		routingfx.Decisions,
		consolefx.Module,
	)
}

// sharedLimits makes the limits of callers hold over all processes.
func sharedLimits(c *rediscache.Cache) access.Shared { return accessfx.SharedBuckets(c) }

// consoleAuth tells the console whether calls need a credential.
func consoleAuth(c accessfx.Config) consolefx.Auth { return consolefx.Auth(!c.Development) }

// replayer lets releases be tried on the log of decisions, which is routing's.
func replayer(r *routingfx.Replayer) operatorsfx.Replayer { return r }
