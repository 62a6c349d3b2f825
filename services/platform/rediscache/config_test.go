package rediscache

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestConfigProblemsAreNamed(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no address":                      {func(c *Config) { c.Addrs = nil }, "addrs"},
		"address with a scheme":           {func(c *Config) { c.Addrs = []string{"redis://h"} }, "addrs"},
		"unknown topology":                {func(c *Config) { c.Topology = "ring" }, "topology"},
		"two single servers":              {func(c *Config) { c.Topology, c.Addrs = "single", []string{"a:1", "b:1"} }, "addrs"},
		"Sentinel with a Cluster":         {func(c *Config) { c.Topology, c.SentinelMaster = "cluster", "m" }, "sentinel_master"},
		"database of a Cluster":           {func(c *Config) { c.Topology, c.Database = "cluster", 1 }, "database"},
		"negative database":               {func(c *Config) { c.Database = -1 }, "database"},
		"certificate without key":         {func(c *Config) { c.TLS.Enabled, c.TLS.CertFile = true, "c.pem" }, "tls.cert_file"},
		"certificates without encryption": {func(c *Config) { c.TLS.CAFile = "ca.pem" }, "tls.enabled"},
		"no budget":                       {func(c *Config) { c.Budget = 0 }, "budget"},
		"a budget of minutes":             {func(c *Config) { c.Budget = time.Minute }, "budget"},
		"no probes":                       {func(c *Config) { c.ProbeInterval = 0 }, "probe_interval"},
		"more calls than fit":             {func(c *Config) { c.MaxInFlight = 513 }, "max_in_flight"},
		"local copies for ever":           {func(c *Config) { c.ClientSideTTL = 0 }, "client_side_ttl"},
		"local copies without memory":     {func(c *Config) { c.ClientSideBytes = 1 }, "client_side_bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			require.ErrorContains(t, cfg.Validate(), c.want)
			_, err := Open(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			require.Error(t, err)
		})
	}
}
