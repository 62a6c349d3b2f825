package jwks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfigurationsThatAreFine(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"as it is":                          func(*Config) {},
		"nothing at all":                    func(c *Config) { *c = DefaultConfig() },
		"one algorithm":                     func(c *Config) { c.Algorithms = []string{ES256} },
		"no skew":                           func(c *Config) { c.Skew = 0 },
		"a scope without a role":            func(c *Config) { c.RoleClaim = "" },
		"a port":                            func(c *Config) { c.JWKSURL = "https://issuer.example:8443/keys?v=1" },
		"a listed host in other letters":    func(c *Config) { c.AllowedHosts = []string{"x.example", "ISSUER.example"} },
		"http for this machine with leave":  func(c *Config) { c.JWKSURL, c.AllowHTTP = "http://localhost:8080/keys", true },
		"http for this machine by IPv6":     func(c *Config) { c.JWKSURL, c.AllowHTTP = "http://[::1]:8080/keys", true },
		"https for another machine at once": func(c *Config) { c.AllowHTTP = true },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := ourConfig()
			change(&cfg)
			require.NoError(t, cfg.Validate())
		})
	}
}

func TestConfigurationsThatAreRefusedSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"an issuer without an address", func(c *Config) { c.JWKSURL = "" }, "jwks_url"},
		{"no issuer", func(c *Config) { c.Issuer = "" }, "issuer"},
		{"no audience", func(c *Config) { c.Audience = "" }, "audience"},
		{"no algorithm", func(c *Config) { c.Algorithms = nil }, "algorithms"},
		{"the algorithm none", func(c *Config) { c.Algorithms = []string{RS256, "none"} }, "algorithms"},
		{"a shared secret's algorithm", func(c *Config) { c.Algorithms = []string{"HS256"} }, "algorithms"},
		{"a negative skew", func(c *Config) { c.Skew = -time.Second }, "skew"},
		{"a skew of minutes", func(c *Config) { c.Skew = 5*time.Minute + 1 }, "skew"},
		{"neither role nor scope", func(c *Config) { c.RoleClaim, c.ScopeClaim = "", "" }, "role_claim"},
		{"http", func(c *Config) { c.JWKSURL = "http://issuer.example/keys" }, "use https"},
		{"http for this machine without leave", func(c *Config) { c.JWKSURL = "http://127.0.0.1/keys" }, "use https"},
		{"http for another machine with leave", func(c *Config) { c.JWKSURL, c.AllowHTTP = "http://10.0.0.1/keys", true }, "use https"},
		{"http for a name that only starts like this machine", func(c *Config) { c.JWKSURL, c.AllowHTTP = "http://localhost.attacker.example/keys", true }, "use https"},
		{"a file", func(c *Config) { c.JWKSURL = "file:///etc/passwd" }, "https://host"},
		{"another scheme", func(c *Config) { c.JWKSURL = "ftp://issuer.example/keys" }, "https://"},
		{"an address with a password", func(c *Config) { c.JWKSURL = "https://user:hunter2@issuer.example/keys" }, "without user"},
		{"no address", func(c *Config) { c.JWKSURL = "issuer.example" }, "https://host"},
		{"a host that is not listed", func(c *Config) { c.AllowedHosts = []string{"other.example"} }, "allowed_hosts"},
		{"a host below a listed one", func(c *Config) { c.AllowedHosts = []string{"example"} }, "allowed_hosts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := ourConfig()
			c.change(&cfg)
			err := cfg.Validate()
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
