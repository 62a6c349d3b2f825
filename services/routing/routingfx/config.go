// Package routingfx assembles the routing engine.
package routingfx

import (
	"time"

	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcclient"
)

// Where an engine keeps its rules.
const (
	// TableDatabase reads what concerns a number from the database and keeps it in the shared cache.
	TableDatabase = "database"
	// TableMemory loads everything into memory and reads it again on every change.
	TableMemory = "memory"
)

// Config is how the engine decides.
type Config struct {
	Table string `koanf:"table" doc:"Where the rules are when a decision needs them: database (looked up by index, kept in the shared cache) or memory (all loaded, fastest, and decisions go on while the database is down)."`
	// HealthPoll is how often others are asked for health that events did not bring.
	HealthPoll time.Duration `koanf:"health_poll" doc:"How often the health kept in the shared cache is read, and that which operator-management knows where the cache knows nothing: for the time when events do not arrive."`
	// Control is operator-management: it gives the rules while the database is down, and health that nobody else knows.
	Control rpcclient.Config `koanf:"control"`
}

// DefaultConfig returns database mode without operator-management to fall back to.
func DefaultConfig() Config {
	return Config{Table: TableDatabase, HealthPoll: 10 * time.Second, Control: rpcclient.DefaultConfig()}
}

// Validate checks the choices. Control checks itself.
func (c Config) Validate() error {
	if c.Table != TableDatabase && c.Table != TableMemory {
		return config.Invalid("table", c.Table, "choose database or memory")
	}
	if c.HealthPoll < time.Second || c.HealthPoll > time.Minute {
		return config.Invalid("health_poll", c.HealthPoll, "set a duration from 1s to 1m")
	}
	return nil
}
