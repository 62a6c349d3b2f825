package cli

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

func production() exposure {
	e := exposure{environment: environmentProduction, server: rpcserver.Default(), database: bunstore.DefaultConfig()}
	e.server.Reflection = false
	e.database.URL = config.NewSecret("postgres://engine@db/trunkline")
	return e
}

// unsafe is everything that production refuses.
func unsafe() exposure {
	e := production()
	e.developmentAuth = true
	e.plainIssuer = true
	e.server.Reflection = true
	e.server.Addr = "0.0.0.0:8080"
	e.profiling = platformfx.ProfilingConfig{Addr: "127.0.0.1:6060"}
	e.database.URL = config.NewSecret("sqlite:x.db")
	e.weakSecrets = []error{config.Invalid("redis.password", "", "is a placeholder")}
	return e
}

func keysOf(err error) (keys []string) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, one := range joined.Unwrap() {
		var p *config.Problem
		if errors.As(one, &p) {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

func TestProductionNamesAllThatIsUnsafeAtOnce(t *testing.T) {
	require.NoError(t, production().problems())
	require.Equal(t, []string{
		"access.development", "access.jwt.allow_http", "server.reflection", "profiling.addr", "server.addr", "database.url", "redis.password",
	}, keysOf(unsafe().problems()))
	e := unsafe()
	e.environment = environmentDevelopment
	require.ErrorContains(t, e.problems(), "use a loopback address", "in every environment")
	e.developmentAuth = false
	require.NoError(t, e.problems())
	e.developmentAuth, e.server.Addr = true, "127.0.0.1:8080"
	require.NoError(t, e.problems())
	e.environment = "prod"
	require.ErrorContains(t, e.problems(), "choose production or development")
}

func TestPlaintextIsForLoopbackOrForThoseWhoSaySo(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*exposure)
		refused bool
	}{
		{"IPv4 loopback", func(e *exposure) { e.server.Addr = "127.0.0.2:80" }, false},
		{"IPv6 loopback", func(e *exposure) { e.server.Addr = "[::1]:80" }, false},
		{"localhost", func(e *exposure) { e.server.Addr = "localhost:80" }, false},
		{"every address", func(e *exposure) { e.server.Addr = "0.0.0.0:80" }, true},
		{"every address, in short", func(e *exposure) { e.server.Addr = ":80" }, true},
		{"every address of IPv6", func(e *exposure) { e.server.Addr = "[::]:80" }, true},
		{"a private network", func(e *exposure) { e.server.Addr = "10.0.0.1:80" }, true},
		{"a name", func(e *exposure) { e.server.Addr = "gateway:80" }, true},
		{"TLS", func(e *exposure) { e.server.Addr, e.server.TLS.CertFile = ":80", "a.crt" }, false},
		{"acknowledged", func(e *exposure) { e.server.Addr, e.allowPlaintext = ":80", true }, false},
		{"no address, which is another problem", func(e *exposure) { e.server.Addr = "80" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := production()
			c.change(&e)
			err := e.problems()
			if !c.refused {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "allow_plaintext")
			require.ErrorContains(t, err, "server.tls.cert_file")
		})
	}
}
