package jetstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	minReconnect = 20 * time.Millisecond
	maxReconnect = 2 * time.Second
	missedPings  = 2
)

// errDeferred is what the first attempt fails with; see backgroundDialer.
var errDeferred = errors.New("connecting in the background")

// backgroundDialer refuses to dial until it is opened. nats.Connect makes its
// first attempt in the caller's goroutine, where name lookups and a server that
// accepts but stays silent would hold up the start of the process. Refusing that
// attempt moves all of it to the reconnect loop.
//
// Its connections end with ctx: the client library holds its lock while it waits
// for a silent server, and so could not be closed before its timeout.
type backgroundDialer struct {
	net.Dialer
	ctx  context.Context
	open atomic.Bool
}

// Dial implements nats.CustomDialer.
func (d *backgroundDialer) Dial(network, address string) (net.Conn, error) {
	if !d.open.Load() {
		return nil, errDeferred
	}
	conn, err := d.DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &boundConn{Conn: conn, release: context.AfterFunc(d.ctx, func() { _ = conn.Close() })}, nil
}

type boundConn struct {
	net.Conn
	release func() bool
}

// Close closes the connection and forgets that the context would.
func (c *boundConn) Close() error {
	c.release()
	return c.Conn.Close()
}

// reconnectDelay doubles from minReconnect to maxReconnect; the jitter takes off
// up to half, so that processes that lost the same server do not return at once.
func reconnectDelay(attempt int) time.Duration {
	return jittered(grow(minReconnect, maxReconnect, attempt))
}

// grow returns first doubled attempt-1 times, at most limit.
func grow(first, limit time.Duration, attempt int) time.Duration {
	d := first
	for i := 1; i < attempt && d < limit; i++ {
		d *= 2
	}
	return min(d, limit)
}

func jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}

// natsOptions are the settings that every connection gets.
func (c *Conn) natsOptions() []nats.Option {
	cfg := c.cfg
	opts := []nats.Option{
		nats.Name("trunkline"),
		nats.Timeout(cfg.ConnectTimeout),
		nats.PingInterval(cfg.PingInterval),
		nats.MaxPingsOutstanding(missedPings),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		// A password that is rotated must not end the process.
		nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(reconnectDelay),
		// Nothing is buffered while disconnected: a publish fails at once, and no
		// message is sent after its caller was told that it failed.
		nats.ReconnectBufSize(-1),
		nats.ConnectHandler(c.connected),
		nats.ReconnectHandler(c.connected),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.disconnected(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { c.attemptFailed(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.log.Warn("NATS reported an error", "error", err)
		}),
	}
	if cfg.CredsFile != "" {
		opts = append(opts, nats.UserCredentials(cfg.CredsFile))
	}
	if cfg.Username != "" {
		opts = append(opts, nats.UserInfo(cfg.Username, cfg.Password.Reveal()))
	}
	if cfg.TLS.CAFile != "" {
		opts = append(opts, nats.RootCAs(cfg.TLS.CAFile))
	}
	if cfg.TLS.CertFile != "" {
		opts = append(opts, nats.ClientCert(cfg.TLS.CertFile, cfg.TLS.KeyFile))
	}
	return opts
}
