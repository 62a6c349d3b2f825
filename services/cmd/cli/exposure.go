package cli

import (
	"errors"
	"net"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// exposure is what decides whether a process may run in production.
type exposure struct {
	environment    string
	allowPlaintext bool
	// developmentAuth is true where callers without a credential may do everything.
	developmentAuth bool
	// plainIssuer is true where the keys of tokens may be fetched without TLS.
	plainIssuer bool
	server      rpcserver.Config
	profiling   platformfx.ProfilingConfig
	database    bunstore.Config
	// weakSecrets are the findings of config.WeakSecrets.
	weakSecrets []error
}

// problems returns all at once, each with what to do about it. Outside production only what lets strangers in is refused.
func (e exposure) problems() error {
	switch e.environment {
	case environmentDevelopment:
		if e.developmentAuth && reachable(e.server.Addr) {
			return config.Invalid("server.addr", e.server.Addr,
				"use a loopback address such as 127.0.0.1:8080, or turn access.development off: others can reach this one, and nobody is asked for a credential")
		}
		return nil
	case environmentProduction:
	default:
		return config.Invalid("environment", e.environment, "choose production or development")
	}
	var found []error
	bad := func(key string, value any, fix string) { found = append(found, config.Invalid(key, value, fix)) }
	if e.developmentAuth {
		bad("access.development", true, "turn it off, or set environment to development: it lets everybody do everything without a credential")
	}
	if e.plainIssuer {
		bad("access.jwt.allow_http", true, "turn it off, or set environment to development: whoever sits on the way could send keys of his own")
	}
	if e.server.Reflection {
		bad("server.reflection", true, "turn it off, or set environment to development: it shows the whole API to everybody")
	}
	if e.profiling.Enabled() {
		bad("profiling.addr", e.profiling.Addr, "remove it, or set environment to development: every user of the machine could read the memory of the process")
	}
	if !e.server.TLS.Enabled() && !e.allowPlaintext && reachable(e.server.Addr) {
		bad("server.addr", e.server.Addr, "others can reach this address and nothing is encrypted: set server.tls.cert_file and "+
			"server.tls.key_file, or allow_plaintext to true when a mesh or an ingress on the way encrypts")
	}
	if e.database.Dialect() == bunstore.SQLite {
		bad("database.url", "sqlite", "use postgres://, or set environment to development: SQLite serves one process on one machine")
	}
	return errors.Join(append(found, e.weakSecrets...)...)
}

// reachable reports whether an address is more than this machine's own. One that cannot be read is refused elsewhere.
func reachable(addr string) bool {
	_, _, err := net.SplitHostPort(addr)
	return err == nil && loopbackOnly(addr) != nil
}
