// Package accessfx assembles the edge of a process: who calls, how much, and what is written down of refusals.
package accessfx

import (
	"errors"

	"trunkline/services/access"
	"trunkline/services/access/jwks"
	"trunkline/services/platform/config"
)

// Config says whose calls are served.
type Config struct {
	// Development is refused in production by whoever validates the whole configuration.
	Development bool               `koanf:"development" doc:"Ask nobody for a credential: every call is that of an admin. For development on this machine only."`
	Keys        KeysConfig         `koanf:"keys"`
	JWT         jwks.Config        `koanf:"jwt"`
	Limits      access.LimitConfig `koanf:"limits"`
}

// KeysConfig is what API keys are checked with.
type KeysConfig struct {
	Pepper       config.Secret `koanf:"pepper" doc:"Secret of at least 32 random bytes under which API keys are stored, the same in all processes. Empty: no API keys are accepted."`
	FormerPepper config.Secret `koanf:"former_pepper" doc:"The pepper before: keys made under it are accepted too, until they are rotated."`
}

// DefaultConfig accepts nobody.
func DefaultConfig() Config {
	return Config{JWT: jwks.DefaultConfig(), Limits: access.DefaultLimitConfig()}
}

// Validate wants a way to know callers. The parts check themselves.
func (c Config) Validate() error {
	if !c.Development && c.Keys.Pepper.IsZero() && !c.JWT.Enabled() {
		return config.Invalid("keys.pepper", "",
			"give the secret of API keys (at least 32 random bytes, such as the output of: openssl rand -hex 32), or jwt.jwks_url: otherwise nobody can call")
	}
	return nil
}

// Validate wants peppers that nobody guesses.
func (c KeysConfig) Validate() error {
	var errs []error
	for key, pepper := range map[string]config.Secret{"pepper": c.Pepper, "former_pepper": c.FormerPepper} {
		if pepper.IsZero() {
			continue
		}
		if _, err := access.NewPepper(pepper); err != nil {
			errs = append(errs, config.Invalid(key, "", "use at least 32 random bytes, such as the output of: openssl rand -hex 32"))
		}
	}
	if c.Pepper.IsZero() && !c.FormerPepper.IsZero() {
		errs = append(errs, config.Invalid("former_pepper", "", "set pepper too: new keys need it"))
	}
	return errors.Join(errs...)
}

// peppers gives the present one and the former ones; ok is false when there is none.
func (c KeysConfig) peppers() (current access.Pepper, former []access.Pepper, ok bool, err error) {
	if c.Pepper.IsZero() {
		return access.Pepper{}, nil, false, nil
	}
	if current, err = access.NewPepper(c.Pepper); err != nil {
		return access.Pepper{}, nil, false, err
	}
	if !c.FormerPepper.IsZero() {
		before, err := access.NewPepper(c.FormerPepper)
		if err != nil {
			return access.Pepper{}, nil, false, err
		}
		former = append(former, before)
	}
	return current, former, true, nil
}
