package cli

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trunkline/services/access/accessfx"
	"trunkline/services/console/consolefx"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
	"trunkline/services/routing/routingfx"
)

// Environments.
const (
	environmentDevelopment = "development"
	environmentProduction  = "production"
)

// engineSettings is the configuration of a routing engine.
type engineSettings struct {
	Environment    string                     `koanf:"environment" doc:"production or development. Production refuses settings that are only safe on a laptop."`
	AllowPlaintext bool                       `koanf:"allow_plaintext" doc:"Serve without TLS where others can reach it, in production: true when a mesh or an ingress on the way encrypts."`
	Server         rpcserver.Config           `koanf:"server"`
	Log            telemetry.LogConfig        `koanf:"log"`
	Trace          telemetry.TraceConfig      `koanf:"trace"`
	Profiling      platformfx.ProfilingConfig `koanf:"profiling"`
	Access         accessfx.Config            `koanf:"access"`
	Engine         routingfx.Config           `koanf:"engine"`
	Database       bunstore.Config            `koanf:"database"`
	Redis          rediscache.Config          `koanf:"redis"`
	NATS           jetstream.Config           `koanf:"nats"`
}

func defaultEngineSettings() engineSettings {
	s := engineSettings{
		Environment: environmentProduction,
		Server:      rpcserver.Default(),
		Log:         telemetry.DefaultLogConfig(),
		Trace:       telemetry.DefaultTraceConfig(),
		Access:      accessfx.DefaultConfig(),
		Engine:      routingfx.DefaultConfig(),
		Database:    bunstore.DefaultConfig(),
		Redis:       rediscache.DefaultConfig(),
		NATS:        jetstream.DefaultConfig(),
	}
	s.Server.Reflection = false
	s.Database.ReadOnly = true
	return s
}

// Validate refuses what is unsafe in production.
func (s engineSettings) Validate() error {
	return exposure{
		environment: s.Environment, allowPlaintext: s.AllowPlaintext, server: s.Server, profiling: s.Profiling, database: s.Database,
		developmentAuth: s.Access.Development, plainIssuer: s.Access.JWT.AllowHTTP, weakSecrets: config.WeakSecrets(s),
	}.problems()
}

func (s engineSettings) platform() platformfx.Config {
	return platformfx.Config{Server: s.Server, Log: s.Log, Trace: s.Trace, Profiling: s.Profiling}
}

// managementSettings is the configuration of operator-management.
type managementSettings struct {
	Environment    string                     `koanf:"environment" doc:"production or development. Production refuses settings that are only safe on a laptop."`
	AllowPlaintext bool                       `koanf:"allow_plaintext" doc:"Serve without TLS where others can reach it, in production: true when a mesh or an ingress on the way encrypts."`
	Server         rpcserver.Config           `koanf:"server"`
	Log            telemetry.LogConfig        `koanf:"log"`
	Trace          telemetry.TraceConfig      `koanf:"trace"`
	Profiling      platformfx.ProfilingConfig `koanf:"profiling"`
	Internal       rpcserver.InternalConfig   `koanf:"internal"`
	Access         accessfx.Config            `koanf:"access"`
	Console        consolefx.Config           `koanf:"console"`
	Operators      operatorsfx.Config         `koanf:"operators"`
	Decisions      routingfx.DecisionsConfig  `koanf:"decisions"`
	Database       bunstore.Config            `koanf:"database"`
	Redis          rediscache.Config          `koanf:"redis"`
	NATS           jetstream.Config           `koanf:"nats"`
}

func defaultManagementSettings() managementSettings {
	e := defaultEngineSettings()
	s := managementSettings{
		Environment: e.Environment, Server: e.Server, Log: e.Log, Trace: e.Trace, Access: e.Access, Console: consolefx.DefaultConfig(), Operators: operatorsfx.DefaultConfig(),
		Decisions: routingfx.DefaultDecisionsConfig(), Database: e.Database, Redis: e.Redis, NATS: e.NATS,
	}
	s.Server.Addr = "127.0.0.1:8081"
	s.Database.ReadOnly = false
	return s
}

// Validate refuses what is unsafe in production.
func (s managementSettings) Validate() error {
	return exposure{
		environment: s.Environment, allowPlaintext: s.AllowPlaintext, server: s.Server, profiling: s.Profiling, database: s.Database,
		developmentAuth: s.Access.Development, plainIssuer: s.Access.JWT.AllowHTTP, weakSecrets: config.WeakSecrets(s),
	}.problems()
}

func (s managementSettings) platform() platformfx.Config {
	return platformfx.Config{Server: s.Server, Internal: s.Internal, Log: s.Log, Trace: s.Trace, Profiling: s.Profiling}
}

// devSettings is what dev runs with. It is made of defaults and a few flags, not loaded; this is to show it.
type devSettings struct {
	Server    rpcserver.Config          `koanf:"server"`
	Log       telemetry.LogConfig       `koanf:"log"`
	Trace     telemetry.TraceConfig     `koanf:"trace"`
	Access    accessfx.Config           `koanf:"access"`
	Console   consolefx.Config          `koanf:"console"`
	Engine    routingfx.Config          `koanf:"engine"`
	Operators operatorsfx.Config        `koanf:"operators"`
	Decisions routingfx.DecisionsConfig `koanf:"decisions"`
	Database  bunstore.Config           `koanf:"database"`
}

// origins lists every setting as one of dev.
func (s devSettings) origins() (operatorsfx.Settings, error) {
	loaded, err := config.Load(s, config.Options{})
	if err != nil {
		return nil, err
	}
	all := loaded.Origins()
	for i := range all {
		all[i].Origin = "dev"
	}
	return all, nil
}

// The flags of processes and their keys. Everything else is set by file or environment.
var (
	managementFlags = map[string]string{
		"addr":          "server.addr",
		"internal-addr": "internal.addr",
		"log-level":     "log.level",
		"nats-urls":     "nats.urls",
		"redis":         "redis.addrs",
	}
	engineFlags = map[string]string{
		"addr":      "server.addr",
		"log-level": "log.level",
		"nats-urls": "nats.urls",
		"table":     "engine.table",
		"redis":     "redis.addrs",
	}
)

const configFlag = "config"

func addProcessFlags(flags *pflag.FlagSet) {
	flags.String(configFlag, "", "YAML configuration `file`; `trunkline config print` shows every key")
	flags.String("addr", "", "`host:port` to serve on (server.addr)")
	flags.String("log-level", "", "debug, info, warn or error (log.level)")
	flags.String("nats-urls", "", "NATS servers, separated by commas (nats.urls)")
}

func addManagementFlags(flags *pflag.FlagSet) {
	addProcessFlags(flags)
	flags.String("internal-addr", "", "`host:port` of the internal API, by mutual TLS (internal.addr)")
	addRedisFlag(flags)
}

func addRedisFlag(flags *pflag.FlagSet) {
	flags.String("redis", "", "Redis servers host:port, separated by commas (redis.addrs)")
}

func addEngineFlags(flags *pflag.FlagSet) {
	addProcessFlags(flags)
	flags.String("table", "", "where rules are kept: database, memory or release (engine.table)")
	addRedisFlag(flags)
}

// read reads flags, environment and file of a command over the defaults of a process.
func read[T any](cmd *cobra.Command, defaults T, flags map[string]string) (*config.Loaded[T], error) {
	file, err := cmd.Flags().GetString(configFlag)
	if err != nil {
		return nil, err
	}
	return config.Load(defaults, config.Options{File: file, Environ: os.Environ(), Flags: cmd.Flags(), FlagKeys: flags})
}

// load is read, and warns of what may be a typing mistake.
func load[T any](cmd *cobra.Command, defaults T, flags map[string]string) (*config.Loaded[T], error) {
	loaded, err := read(cmd, defaults, flags)
	if err != nil {
		return nil, err
	}
	for _, name := range loaded.IgnoredEnv {
		switch name {
		case serverEnv, "TRUNKLINE_ACCOUNT", keyEnv, keyFileEnv:
			continue // they are for the client commands
		}
		note(cmd.ErrOrStderr(), "warning: %s names no setting of this process and is ignored", name)
	}
	return loaded, nil
}
