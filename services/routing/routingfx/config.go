// Package routingfx assembles the routing engine.
package routingfx

import (
	"errors"
	"time"

	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/routing/decisionlog"
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
	Control     rpcclient.Config  `koanf:"control"`
	DecisionLog DecisionLogConfig `koanf:"decision_log"`
}

// DecisionLogConfig is what an engine needs to log its decisions.
type DecisionLogConfig struct {
	Key config.Secret `koanf:"key" doc:"Key of at least 32 random bytes under which numbers are hashed in the log of decisions, the same on all engines and in decisions.key of operator-management. Empty: no log is kept and outcomes are refused."`
}

// DecisionsConfig is what operator-management needs to keep the log of decisions.
type DecisionsConfig struct {
	Key       config.Secret `koanf:"key" doc:"The engines' engine.decision_log.key, by which decisions about a number are found and erased. Empty: the log is kept, but not by number."`
	FormerKey config.Secret `koanf:"former_key" doc:"The key before, as long as decisions logged with it are kept."`
	KeepDays  int           `koanf:"keep_days" doc:"Whole days that decisions are kept, besides the present one (1 to 3650)."`
}

// DefaultDecisionsConfig keeps 30 days.
func DefaultDecisionsConfig() DecisionsConfig { return DecisionsConfig{KeepDays: 30} }

// Validate bounds the days and the lengths of keys.
func (c DecisionsConfig) Validate() error {
	var errs []error
	if c.KeepDays < 1 || c.KeepDays > 3650 {
		errs = append(errs, config.Invalid("keep_days", c.KeepDays, "set 1 to 3650"))
	}
	return errors.Join(append(errs, checkKey("key", c.Key), checkKey("former_key", c.FormerKey))...)
}

// Validate wants a key that nobody guesses.
func (c DecisionLogConfig) Validate() error { return checkKey("key", c.Key) }

func checkKey(name string, key config.Secret) error {
	if !key.IsZero() && len(key.Reveal()) < decisionlog.MinKeyBytes {
		return config.Invalid(name, "", "use at least 32 random bytes, such as the output of: openssl rand -hex 32")
	}
	return nil
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
