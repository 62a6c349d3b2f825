// Package accesstest calls, as every kind of caller and as an attacker, a whole platform in one process: every service,
// the public listener over TLS and the internal one over mutual TLS, API keys, tokens, limits, the audit log and the
// log of decisions, on a real Postgres. It holds tests only.
package accesstest
