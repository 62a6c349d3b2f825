// Package routingfx assembles the routing engine.
package routingfx

import (
	"errors"
	"regexp"
	"time"

	"trunkline/services/platform/config"
	"trunkline/services/platform/release"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/routing/decisionlog"
)

// Where an engine keeps its rules.
const (
	// TableDatabase reads what concerns a number from the database and keeps it in the shared cache.
	TableDatabase = "database"
	// TableMemory loads everything into memory and reads it again on every change.
	TableMemory = "memory"
	// TableRelease keeps in memory what is published, and what operators are set to on top.
	TableRelease = "release"
)

// Config is how the engine decides.
type Config struct {
	Table string `koanf:"table" doc:"Where the rules are when a decision needs them: database (looked up by index, kept in the shared cache), memory (all loaded, fastest, and decisions go on while the database is down) or release (what is published, as a whole, in memory and on disk)."`
	// HealthPoll is how often others are asked for health that events did not bring.
	HealthPoll time.Duration `koanf:"health_poll" doc:"How often the health kept in the shared cache is read, and that which operator-management knows where the cache knows nothing: for the time when events do not arrive."`
	// Control is operator-management: it gives the rules while the database is down, and health that nobody else knows.
	Control     rpcclient.Config  `koanf:"control"`
	DecisionLog DecisionLogConfig `koanf:"decision_log"`
	Release     ReleaseConfig     `koanf:"release"`
}

// ReleaseConfig is what an engine needs to serve what is published.
type ReleaseConfig struct {
	Environment      string   `koanf:"environment" doc:"Whose releases are served: operators.releases.environment of operator-management (1 to 64 letters, digits, _ and -)."`
	PublicKeys       []string `koanf:"public_keys" doc:"Public keys whose releases are trusted, in base64, as trunkline releases keygen prints them. Needed with table: release. Two while a key is exchanged."`
	Folder           string   `koanf:"folder" doc:"Folder for the releases that serve and what operators were set to last, so that the engine starts without NATS and database. Needed with table: release. Each engine has its own, and nobody else may write to it."`
	MaxArtifactBytes int64    `koanf:"max_artifact_bytes" doc:"Largest release that is taken, in bytes before compression (1048576 to 17179869184)."`
}

// The bounds of an artifact.
const (
	minArtifactBytes = 1 << 20
	maxArtifactBytes = 16 << 30
)

var environmentForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Validate checks what is not empty. What release mode needs is the Config's to check.
func (c ReleaseConfig) Validate() error {
	var errs []error
	if !environmentForm.MatchString(c.Environment) {
		errs = append(errs, config.Invalid("environment", c.Environment, "use 1 to 64 letters, digits, _ and -"))
	}
	if _, err := release.NewKeys(c.PublicKeys...); err != nil && len(c.PublicKeys) > 0 {
		errs = append(errs, config.Invalid("public_keys", "", "give public keys as trunkline releases keygen prints them: 32 bytes in base64"))
	}
	if c.MaxArtifactBytes < minArtifactBytes || c.MaxArtifactBytes > maxArtifactBytes {
		errs = append(errs, config.Invalid("max_artifact_bytes", c.MaxArtifactBytes, "set 1048576 to 17179869184"))
	}
	return errors.Join(errs...)
}

// needed checks what release mode cannot do without.
func (c ReleaseConfig) needed() error {
	var errs []error
	if len(c.PublicKeys) == 0 {
		errs = append(errs, config.Invalid("release.public_keys", "",
			"with table: release, name the public key that belongs to operators.releases.signing_key of operator-management"))
	}
	if c.Folder == "" {
		errs = append(errs, config.Invalid("release.folder", "", "with table: release, name a folder that only this engine writes to"))
	}
	return errors.Join(errs...)
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
	return Config{
		Table: TableDatabase, HealthPoll: 10 * time.Second, Control: rpcclient.DefaultConfig(),
		Release: ReleaseConfig{Environment: "production", MaxArtifactBytes: 2 << 30},
	}
}

// Validate checks the choices. Control and Release check themselves.
func (c Config) Validate() error {
	switch c.Table {
	case TableDatabase, TableMemory:
	case TableRelease:
		if err := c.Release.needed(); err != nil {
			return err
		}
	default:
		return config.Invalid("table", c.Table, "choose database, memory or release")
	}
	if c.HealthPoll < time.Second || c.HealthPoll > time.Minute {
		return config.Invalid("health_poll", c.HealthPoll, "set a duration from 1s to 1m")
	}
	return nil
}
