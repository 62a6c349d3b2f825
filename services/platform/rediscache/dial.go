package rediscache

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/redis/rueidis"
)

const (
	// dialTimeout bounds a connection attempt including the log-in. It is also the
	// interval of the pings on an idle connection and the time for their answer: a
	// silent server is noticed within two of it.
	dialTimeout = time.Second
	// topologyRefresh makes up for a lost message about a new Sentinel master.
	topologyRefresh = 5 * time.Second
)

// options are the settings of the client library.
func (c *Cache) options() rueidis.ClientOption {
	cfg := c.cfg
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}
	return rueidis.ClientOption{
		InitAddress:       cfg.Addrs,
		ForceSingleClient: cfg.Topology == TopologySingle,
		Username:          cfg.Username,
		Password:          cfg.Password.Reveal(),
		SelectDB:          cfg.Database,
		Dialer:            dialer,
		DialCtxFn:         c.dial,
		ConnWriteTimeout:  dialTimeout,
		Sentinel: rueidis.SentinelOption{
			MasterSet: cfg.SentinelMaster,
			Username:  cfg.SentinelUsername, Password: cfg.SentinelPassword.Reveal(),
			Dialer:                  dialer,
			TopologyRefreshInterval: topologyRefresh,
		},
		ClientName:        "trunkline",
		DisableCache:      !cfg.ClientSideCaching,
		CacheSizeEachConn: cfg.ClientSideBytes,
		// One connection per node, so that a probe proves the one that calls use.
		PipelineMultiplex: -1,
		// Without it a call that runs out of time closes the connection, and with it
		// go the local copies and the calls of others.
		AlwaysPipelining: true,
		// A retry would use up the budget and more.
		DisableRetry: true,
	}
}

// dial makes one connection, but none after Close. Certificates are read here to
// notice renewed ones.
func (c *Cache) dial(ctx context.Context, addr string, dialer *net.Dialer, _ *tls.Config) (net.Conn, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	if !c.cfg.TLS.Enabled {
		return dialer.DialContext(ctx, "tcp", addr)
	}
	settings, err := c.cfg.TLS.load(addr)
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{NetDialer: dialer, Config: settings}).DialContext(ctx, "tcp", addr)
}

func (t TLSConfig) load(addr string) (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if settings.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		settings.ServerName = host
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("tls.ca_file holds no PEM certificate")
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert_file: %w", err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return settings, nil
}
