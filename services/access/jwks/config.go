package jwks

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"trunkline/services/platform/config"
)

// The algorithms that tokens may be signed with.
const (
	RS256 = "RS256"
	ES256 = "ES256"
	EdDSA = "EdDSA"
)

// maxSkew bounds how wrong clocks may be.
const maxSkew = 5 * time.Minute

// Config says whose tokens are accepted and what their claims mean.
type Config struct {
	JWKSURL    string        `koanf:"jwks_url" doc:"Address of the issuer's keys (JWKS), https://. Empty: no tokens are accepted."`
	Issuer     string        `koanf:"issuer" doc:"The exact claim iss of accepted tokens."`
	Audience   string        `koanf:"audience" doc:"What the claim aud of accepted tokens must be or hold."`
	Algorithms []string      `koanf:"algorithms" doc:"Accepted signatures: RS256, ES256, EdDSA or some of them."`
	Skew       time.Duration `koanf:"skew" doc:"How far the issuer's clock may be off when times of a token are judged (0 to 5m)."`

	RoleClaim    string `koanf:"role_claim" doc:"Claim with one role or a list: viewer, operator, admin. A path with dots reaches into objects, such as realm_access.roles. Empty: none."`
	ScopeClaim   string `koanf:"scope_claim" doc:"Claim with scopes, where ops:read makes a viewer and ops:admin an admin. Empty: none."`
	AccountClaim string `koanf:"account_claim" doc:"Claim with the UUID of the account that the caller is bound to. A token without it is bound to none. Empty: none is."`

	AllowedHosts []string `koanf:"allowed_hosts" doc:"Hosts that keys may be fetched from. Empty: the host of jwks_url."`
	CAFile       string   `koanf:"ca_file" doc:"PEM certificates that may sign that of jwks_url, read again at every fetch. Empty uses those of the system."`
	AllowHTTP    bool     `koanf:"allow_http" doc:"Accept http:// in jwks_url for this machine only, for development."`
}

// DefaultConfig accepts no tokens: it lacks address, issuer and audience.
func DefaultConfig() Config {
	return Config{
		Algorithms:   []string{RS256, ES256, EdDSA},
		Skew:         30 * time.Second,
		RoleClaim:    "roles",
		ScopeClaim:   "scope",
		AccountClaim: "account_id",
	}
}

// Enabled reports whether tokens are accepted.
func (c Config) Enabled() bool { return c.JWKSURL != "" }

// Validate returns every problem, each with what to do about it.
func (c Config) Validate() error {
	var errs []error
	bad := func(key string, value any, fix string) { errs = append(errs, config.Invalid(key, value, fix)) }
	if !c.Enabled() {
		if c.Issuer != "" || c.Audience != "" {
			bad("jwks_url", "", "set the address of the issuer's keys, or remove issuer and audience: without it no tokens are accepted")
		}
		return errors.Join(errs...)
	}
	if fix := c.wrongURL(); fix != "" {
		// The value is not repeated: it may hold a password.
		bad("jwks_url", "", fix)
	}
	if c.Issuer == "" {
		bad("issuer", "", "set what the issuer writes in the claim iss, to the last character")
	}
	if c.Audience == "" {
		bad("audience", "", "set what the issuer writes in the claim aud for this service: without it tokens made for others would be accepted")
	}
	if len(c.Algorithms) == 0 {
		bad("algorithms", "", "name at least one of RS256, ES256, EdDSA")
	}
	for _, name := range c.Algorithms {
		if !slices.Contains([]string{RS256, ES256, EdDSA}, name) {
			bad("algorithms", name, "use RS256, ES256 and EdDSA only")
		}
	}
	if c.Skew < 0 || c.Skew > maxSkew {
		bad("skew", c.Skew, "set a duration from 0 to 5m, such as 30s")
	}
	if c.RoleClaim == "" && c.ScopeClaim == "" {
		bad("role_claim", "", "name a claim here or in scope_claim: without a role no caller may do anything")
	}
	return errors.Join(errs...)
}

// wrongURL says what to do about the address, nothing when it is right.
func (c Config) wrongURL() string {
	address, err := url.Parse(c.JWKSURL)
	switch {
	case err != nil || address.Hostname() == "" || address.User != nil || address.Fragment != "":
		return "write https://host/path, without user and #"
	case address.Scheme == "http" && (!c.AllowHTTP || !loopback(address.Hostname())):
		return "use https: who can change the keys on their way can sign tokens; only with allow_http may a server on this machine do without"
	case address.Scheme != "http" && address.Scheme != "https":
		return "start it with https://"
	case len(c.AllowedHosts) > 0 && !slices.ContainsFunc(c.AllowedHosts, func(host string) bool {
		return strings.EqualFold(host, address.Hostname())
	}):
		return "its host is not in allowed_hosts; add it there if the keys are to come from it"
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
