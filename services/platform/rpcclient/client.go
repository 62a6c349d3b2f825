// Package rpcclient is how one Trunkline process calls the internal API of
// another: mutual TLS whose files may be replaced at any time, one connection
// for many calls, and a deadline on each.
package rpcclient

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/platform/tlsfiles"
)

const (
	connectTimeout = 3 * time.Second
	idleTimeout    = 90 * time.Second
	pingAfter      = 10 * time.Second // a silent server is asked for a sign of life
	pingTimeout    = 5 * time.Second
	maxHeaderBytes = 64 << 10
	maxAnswerBytes = 16 << 20 // one message
)

// Client calls one internal API. Hand it to a generated client together with
// its URL and Options:
//
//	operatorsv1connect.NewInternalOperatorServiceClient(c, c.URL(), c.Options())
//
// It is safe for concurrent use. Create it with New.
type Client struct {
	cfg   Config
	files *tlsfiles.Source

	mu        sync.Mutex
	tls       *tls.Config // what transport was made with
	transport *http.Transport
}

var _ connect.HTTPClient = (*Client)(nil)

// New reads the files of a valid cfg that has a URL. The server is not contacted:
// one that is down shows at the first call, as UNAVAILABLE.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	expiry, err := tlsfiles.NewExpiry(reg, "internal", "client", "server_ca")
	if err != nil {
		return nil, err
	}
	files := tlsfiles.Files{Cert: cfg.TLS.CertFile, Key: cfg.TLS.KeyFile, CA: cfg.TLS.CAFile}
	source, err := tlsfiles.Open(files, func(m tlsfiles.Material) *tls.Config {
		return &tls.Config{
			MinVersion:   tls.VersionTLS13,
			Certificates: []tls.Certificate{m.Certificate},
			RootCAs:      m.Authorities,
			ServerName:   cfg.TLS.ServerName,
		}
	}, log, expiry)
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, files: source}, nil
}

// URL is the base URL of the API.
func (c *Client) URL() string { return c.cfg.URL }

// Options bound each unary call by Config.Timeout, each message by 16 MiB, pass
// request id and trace on, and make a lost connection UNAVAILABLE. A stream has
// the deadline of its context only.
func (c *Client) Options() connect.ClientOption {
	return connect.WithClientOptions(
		connect.WithReadMaxBytes(maxAnswerBytes),
		connect.WithInterceptors(&outgoing{timeout: c.cfg.Timeout}),
	)
}

// Do implements connect.HTTPClient.
func (c *Client) Do(r *http.Request) (*http.Response, error) { return c.current().RoundTrip(r) }

// Run looks at the files until ctx ends, so that their expiry is shown while
// nothing is called. Calls look by themselves.
func (c *Client) Run(ctx context.Context) { c.files.Run(ctx) }

// Close closes connections without calls.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// current returns the transport for the files in force. New files mean a new
// transport, because a connection would go on with the old ones for as long as
// it is used; calls in flight finish on the old transport.
func (c *Client) current() *http.Transport {
	cfg := c.files.Config()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tls != cfg {
		if c.transport != nil {
			c.transport.CloseIdleConnections()
		}
		c.tls, c.transport = cfg, newTransport(cfg.Clone())
	}
	return c.transport
}

func newTransport(cfg *tls.Config) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Protocols:              &protocols,
		TLSClientConfig:        cfg,
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}
