package cli

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	Environment string                `koanf:"environment" doc:"production or development. Production refuses settings that are only safe on a laptop."`
	Server      rpcserver.Config      `koanf:"server"`
	Log         telemetry.LogConfig   `koanf:"log"`
	Trace       telemetry.TraceConfig `koanf:"trace"`
	Engine      routingfx.Config      `koanf:"engine"`
	Database    bunstore.Config       `koanf:"database"`
	Redis       rediscache.Config     `koanf:"redis"`
	NATS        jetstream.Config      `koanf:"nats"`
}

func defaultEngineSettings() engineSettings {
	s := engineSettings{
		Environment: environmentProduction,
		Server:      rpcserver.Default(),
		Log:         telemetry.DefaultLogConfig(),
		Trace:       telemetry.DefaultTraceConfig(),
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
func (s engineSettings) Validate() error { return safe(s.Environment, s.Server, s.Database) }

// safe checks what every process must not do in production.
func safe(environment string, server rpcserver.Config, database bunstore.Config) error {
	switch {
	case environment != environmentDevelopment && environment != environmentProduction:
		return config.Invalid("environment", environment, "choose production or development")
	case environment == environmentProduction && server.Reflection:
		return config.Invalid("server.reflection", true, "turn it off, or set environment to development: it shows the whole API to everybody")
	case environment == environmentProduction && database.Dialect() == bunstore.SQLite:
		return config.Invalid("database.url", "sqlite", "use postgres://, or set environment to development: SQLite serves one process on one machine")
	}
	return nil
}

func (s engineSettings) platform() platformfx.Config {
	return platformfx.Config{Server: s.Server, Log: s.Log, Trace: s.Trace}
}

// managementSettings is the configuration of operator-management.
type managementSettings struct {
	Environment string                   `koanf:"environment" doc:"production or development. Production refuses settings that are only safe on a laptop."`
	Server      rpcserver.Config         `koanf:"server"`
	Log         telemetry.LogConfig      `koanf:"log"`
	Trace       telemetry.TraceConfig    `koanf:"trace"`
	Internal    rpcserver.InternalConfig `koanf:"internal"`
	Operators   operatorsfx.Config       `koanf:"operators"`
	Database    bunstore.Config          `koanf:"database"`
	Redis       rediscache.Config        `koanf:"redis"`
	NATS        jetstream.Config         `koanf:"nats"`
}

func defaultManagementSettings() managementSettings {
	e := defaultEngineSettings()
	s := managementSettings{
		Environment: e.Environment, Server: e.Server, Log: e.Log, Trace: e.Trace, Operators: operatorsfx.DefaultConfig(),
		Database: e.Database, Redis: e.Redis, NATS: e.NATS,
	}
	s.Server.Addr = "127.0.0.1:8081"
	s.Database.ReadOnly = false
	return s
}

// Validate refuses what is unsafe in production, and every address but loopback: this process changes data
// and does not ask for a credential yet.
func (s managementSettings) Validate() error {
	if err := loopbackOnly(s.Server.Addr); err != nil {
		return config.Invalid("server.addr", s.Server.Addr,
			"use a loopback address such as 127.0.0.1:8081: changes are not access controlled yet")
	}
	return safe(s.Environment, s.Server, s.Database)
}

func (s managementSettings) platform() platformfx.Config {
	return platformfx.Config{Server: s.Server, Internal: s.Internal, Log: s.Log, Trace: s.Trace}
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
	flags.String("table", "", "where rules are kept: database or memory (engine.table)")
	addRedisFlag(flags)
}

// load reads flags, environment and file of a command over the defaults of a process.
func load[T any](cmd *cobra.Command, defaults T, flags map[string]string) (*config.Loaded[T], error) {
	file, err := cmd.Flags().GetString(configFlag)
	if err != nil {
		return nil, err
	}
	loaded, err := config.Load(defaults, config.Options{
		File: file, Environ: os.Environ(), Flags: cmd.Flags(), FlagKeys: flags,
	})
	if err == nil {
		for _, name := range loaded.IgnoredEnv {
			if name == "TRUNKLINE_SERVER" || name == "TRUNKLINE_ACCOUNT" {
				continue // they are for the client commands
			}
			note(cmd.ErrOrStderr(), "warning: %s names no setting of this process and is ignored", name)
		}
	}
	return loaded, err
}
