// Package consolefx puts the console on the server of a process.
package consolefx

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcserver"
)

// Config says whether a process serves the console and what the console is told.
type Config struct {
	Enabled     bool   `koanf:"enabled" doc:"Serve the web console at /console/."`
	EngineURL   string `koanf:"engine_url" doc:"Origin at which browsers reach the routing engines, such as https://engine.example.org: https, or http on this machine. The engines need the console's origin in server.cors.allowed_origins. Empty: the console's own origin, for dev and for an ingress that sends /trunkline.routing.v1.RoutingService/ to the engines."`
	Environment string `koanf:"environment" doc:"Word that the console shows at the top of every screen, such as production, so that nobody takes one installation for another (at most 32 characters). Empty: none."`
}

// DefaultConfig serves it for engines on the same origin.
func DefaultConfig() Config { return Config{Enabled: true} }

// longestEnvironment is what the header of the console has room for, in characters.
const longestEnvironment = 32

// Validate wants an address that browsers may be sent to with a credential.
func (c Config) Validate() error {
	var errs []error
	if c.EngineURL != "" {
		if err := rpcserver.CheckOrigin(c.EngineURL); err != nil {
			errs = append(errs, config.Invalid("engine_url", c.EngineURL, err.Error()))
		}
	}
	if utf8.RuneCountInString(c.Environment) > longestEnvironment || strings.ContainsFunc(c.Environment, unicode.IsControl) {
		errs = append(errs, config.Invalid("environment", c.Environment, "write at most 32 characters in one line, such as production, or nothing"))
	}
	return errors.Join(errs...)
}
