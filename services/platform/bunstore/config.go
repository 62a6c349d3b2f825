package bunstore

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"trunkline/services/platform/config"
)

// Dialect is the kind of database.
type Dialect uint8

const (
	// Postgres is PostgreSQL 15 or newer.
	Postgres Dialect = iota + 1
	// SQLite is the embedded database, for one process on one machine.
	SQLite
)

// String returns "postgres" or "sqlite", or "" for the zero value.
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "postgres"
	case SQLite:
		return "sqlite"
	}
	return ""
}

// Config says which database to use and how many resources it may take.
type Config struct {
	// URL holds credentials for PostgreSQL.
	URL config.Secret `koanf:"url" doc:"postgres://user:password@host:port/database, sqlite:PATH or sqlite::memory:."`
	// ReplicaURL holds credentials too.
	ReplicaURL config.Secret `koanf:"replica_url" doc:"Streaming replica of the same PostgreSQL database, postgres://..., that answers reads while the primary is down. Empty: there is none."`
	// Schema is ignored by SQLite.
	Schema string `koanf:"schema" doc:"PostgreSQL schema that holds the tables; it comes before public in the search path."`
	// MaxOpen is the size of the pool. sqlite::memory: always uses 1.
	MaxOpen int `koanf:"max_open_conns" doc:"Most connections at the same time (1 to 1000)."`
	MaxIdle int `koanf:"max_idle_conns" doc:"Most connections kept open without use (0 to max_open_conns)."`
	// MaxLifetime lets a pool move to new servers behind one name.
	MaxLifetime time.Duration `koanf:"conn_max_lifetime" doc:"A connection older than this is replaced."`
	// MaxIdleTime gives connections back after a burst.
	MaxIdleTime      time.Duration `koanf:"conn_max_idle_time" doc:"A connection unused for this time is closed."`
	ConnectTimeout   time.Duration `koanf:"connect_timeout" doc:"Longest time for opening one connection."`
	StatementTimeout time.Duration `koanf:"statement_timeout" doc:"PostgreSQL ends a statement that takes longer. Migrations are exempt."`
	IdleTxTimeout    time.Duration `koanf:"idle_transaction_timeout" doc:"PostgreSQL ends a session that does nothing inside a transaction for this time."`
	ReadOnly         bool          `koanf:"read_only" doc:"Refuse writes. A role without write rights is the real guard."`
}

// DefaultConfig returns the settings of a process nobody configured. It has no URL.
func DefaultConfig() Config {
	return Config{
		Schema:           "ops_routing",
		MaxOpen:          20,
		MaxIdle:          10,
		MaxLifetime:      30 * time.Minute,
		MaxIdleTime:      5 * time.Minute,
		ConnectTimeout:   5 * time.Second,
		StatementTimeout: 10 * time.Second,
		IdleTxTimeout:    time.Minute,
	}
}

const (
	maxConns    = 1000
	maxDuration = 24 * time.Hour
	memoryPath  = ":memory:"
)

// Validate returns every problem at once, each with its key and how to fix it.
func (c Config) Validate() error {
	var found []error
	bad := func(key string, value any, fix string) { found = append(found, config.Invalid(key, value, fix)) }
	if dialect, rest := split(c.URL); dialect == 0 || rest == "" {
		bad("url", c.URL, "set postgres://user@host/database, sqlite:PATH or sqlite::memory:")
	}
	if c.HasReplica() {
		switch dialect, _ := split(c.ReplicaURL); {
		case dialect != Postgres:
			bad("replica_url", c.ReplicaURL, "set postgres://user@host/database, or nothing")
		case c.Dialect() != Postgres:
			bad("replica_url", c.ReplicaURL, "set it only together with a PostgreSQL url: SQLite has no replica")
		case c.ReplicaURL.Reveal() == c.URL.Reveal():
			bad("replica_url", c.ReplicaURL, "name another server than url")
		}
	}
	if !plainName(c.Schema) {
		bad("schema", c.Schema, "use 1 to 63 lower-case letters, digits and underscores")
	}
	if c.MaxOpen < 1 || c.MaxOpen > maxConns {
		bad("max_open_conns", c.MaxOpen, "set 1 to 1000")
	}
	if c.MaxIdle < 0 || c.MaxIdle > c.MaxOpen {
		bad("max_idle_conns", c.MaxIdle, "set 0 to max_open_conns")
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"conn_max_lifetime", c.MaxLifetime}, {"conn_max_idle_time", c.MaxIdleTime},
		{"connect_timeout", c.ConnectTimeout}, {"statement_timeout", c.StatementTimeout},
		{"idle_transaction_timeout", c.IdleTxTimeout},
	} {
		// PostgreSQL counts whole milliseconds and reads 0 as no limit.
		if d.value < time.Millisecond || d.value > maxDuration {
			bad(d.key, d.value, "set a duration from 1ms to 24h")
		}
	}
	return errors.Join(found...)
}

// Dialect tells the kind of database from the URL, or 0 when the URL names none.
func (c Config) Dialect() Dialect {
	dialect, _ := split(c.URL)
	return dialect
}

// HasReplica reports whether a replica is configured.
func (c Config) HasReplica() bool { return !c.ReplicaURL.IsZero() }

// replica returns the settings of the replica as a database of its own.
func (c Config) replica() Config {
	c.URL, c.ReplicaURL, c.ReadOnly = c.ReplicaURL, config.Secret{}, true
	return c
}

// split returns the dialect and what to hand to its driver: the whole URL for
// PostgreSQL, the path for SQLite.
func split(address config.Secret) (Dialect, string) {
	text := address.Reveal()
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok {
		return SQLite, path
	}
	if u, err := url.Parse(text); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		return Postgres, text
	}
	return 0, ""
}

// plainName accepts what PostgreSQL takes as an identifier without quotes.
func plainName(s string) bool {
	if s == "" || len(s) > 63 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
