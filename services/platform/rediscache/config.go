package rediscache

import (
	"errors"
	"net"
	"strconv"
	"time"

	"trunkline/services/platform/config"
)

// Topologies of Config.
const (
	TopologyAuto    = "auto"
	TopologySingle  = "single"
	TopologyCluster = "cluster"
)

// Config says how to reach Redis and how long it may take.
type Config struct {
	Addrs            []string      `koanf:"addrs" doc:"Addresses host:port of Redis, of some Cluster nodes or of the Sentinels."`
	Topology         string        `koanf:"topology" doc:"auto (ask the server), single or cluster."`
	SentinelMaster   string        `koanf:"sentinel_master" doc:"Name of the master set; addrs are Sentinels then."`
	SentinelUsername string        `koanf:"sentinel_username" doc:"User name for the Sentinels."`
	SentinelPassword config.Secret `koanf:"sentinel_password" doc:"Password for the Sentinels."`
	Username         string        `koanf:"username" doc:"User name (ACL). Empty with a password means the user default."`
	Password         config.Secret `koanf:"password" doc:"Password for Redis."`
	Database         int           `koanf:"database" doc:"Number of the database; must be 0 with a Cluster."`
	TLS              TLSConfig     `koanf:"tls" doc:"Encryption, server check and client certificate."`

	Budget        time.Duration `koanf:"budget" doc:"Longest time for one call. After it the caller goes on without the cache."`
	ProbeInterval time.Duration `koanf:"probe_interval" doc:"Time between attempts to find Redis again while calls are refused."`
	MaxInFlight   int           `koanf:"max_in_flight" doc:"Calls at the same time; more are refused (1 to 512)."`

	ClientSideCaching bool          `koanf:"client_side_caching" doc:"Keep values that were read in this process until Redis invalidates them."`
	ClientSideTTL     time.Duration `koanf:"client_side_ttl" doc:"Longest time a value is kept in this process."`
	ClientSideBytes   int           `koanf:"client_side_bytes" doc:"Memory for values kept in this process, in bytes, per Redis node (at least 1048576)."`
}

// TLSConfig names PEM files. They are read again on every connect, so renewed
// certificates need no restart.
type TLSConfig struct {
	Enabled    bool   `koanf:"enabled" doc:"Encrypt the connection."`
	CAFile     string `koanf:"ca_file" doc:"PEM certificates that may sign the server's certificate. Empty uses those of the system."`
	CertFile   string `koanf:"cert_file" doc:"PEM client certificate chain."`
	KeyFile    string `koanf:"key_file" doc:"PEM private key of cert_file."`
	ServerName string `koanf:"server_name" doc:"Name expected in the server's certificate. Empty uses the host of the address."`
}

const (
	// maxInFlight stays below the 1,024 commands that the client library queues for
	// one connection: its callers would wait without a limit for a free place.
	maxInFlight        = 512
	minClientSideBytes = 1 << 20
)

// DefaultConfig returns the settings for one Redis on this machine.
func DefaultConfig() Config {
	return Config{
		Addrs:             []string{"127.0.0.1:6379"},
		Topology:          TopologyAuto,
		Budget:            20 * time.Millisecond,
		ProbeInterval:     time.Second,
		MaxInFlight:       256,
		ClientSideCaching: true,
		ClientSideTTL:     30 * time.Second,
		ClientSideBytes:   32 << 20,
	}
}

// Validate returns every problem, each with what to do about it.
func (c Config) Validate() error {
	var errs []error
	bad := func(key string, value any, fix string) { errs = append(errs, config.Invalid(key, value, fix)) }

	if len(c.Addrs) == 0 {
		bad("addrs", "", "name at least one server, such as 127.0.0.1:6379")
	}
	for _, a := range c.Addrs {
		host, port, err := net.SplitHostPort(a)
		if n, numErr := strconv.Atoi(port); err != nil || numErr != nil || host == "" || n < 1 || n > 65535 {
			bad("addrs", a, "write every address as host:port, without a scheme")
		}
	}
	switch c.Topology {
	case TopologyAuto:
	case TopologySingle:
		if len(c.Addrs) > 1 && c.SentinelMaster == "" {
			bad("addrs", c.Addrs, "name one server with the topology single, or choose auto")
		}
	case TopologyCluster:
		if c.SentinelMaster != "" {
			bad("sentinel_master", c.SentinelMaster, "leave it empty with the topology cluster: Sentinels do not watch over a Cluster")
		}
		if c.Database != 0 {
			bad("database", c.Database, "set 0: a Cluster has one database")
		}
	default:
		bad("topology", c.Topology, "set auto, single or cluster")
	}
	if c.Database < 0 {
		bad("database", c.Database, "set 0 or above")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		bad("tls.cert_file", c.TLS.CertFile, "set tls.cert_file and tls.key_file, or neither")
	}
	if !c.TLS.Enabled && (c.TLS.CAFile != "" || c.TLS.CertFile != "" || c.TLS.ServerName != "") {
		bad("tls.enabled", c.TLS.Enabled, "set true, or remove the other keys of tls: without it nothing is encrypted")
	}
	if c.Budget <= 0 || c.Budget > time.Second {
		bad("budget", c.Budget, "set a duration above 0 up to 1s, such as 20ms")
	}
	if c.ProbeInterval <= 0 {
		bad("probe_interval", c.ProbeInterval, "set a duration above 0, such as 1s")
	}
	if c.MaxInFlight < 1 || c.MaxInFlight > maxInFlight {
		bad("max_in_flight", c.MaxInFlight, "set a number from 1 to 512")
	}
	if c.ClientSideCaching && c.ClientSideTTL <= 0 {
		bad("client_side_ttl", c.ClientSideTTL, "set a duration above 0, or turn client_side_caching off")
	}
	if c.ClientSideCaching && c.ClientSideBytes < minClientSideBytes {
		bad("client_side_bytes", c.ClientSideBytes, "set at least 1048576, or turn client_side_caching off")
	}
	return errors.Join(errs...)
}
