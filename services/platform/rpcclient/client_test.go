package rpcclient_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/certtest"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/platform/telemetry"
)

// A connection of net/http that was left in the middle of a body lingers for half a second by design.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	one = "spiffe://example.org/one"
	two = "two.example.org"
)

type world struct {
	ca          *certtest.Authority
	server, own certtest.Files
	ping        *rpcservertest.Ping
	running     *rpcservertest.Running
	do          atomic.Pointer[func(context.Context) error]
	connections *connections
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{ca: certtest.NewAuthority(t), server: certtest.NewFiles(t), own: certtest.NewFiles(t)}
	w.server.Write(t, w.ca.Issue(t, "127.0.0.1", "ops.example.org"), w.ca)
	w.own.Write(t, w.ca.Issue(t, one), w.ca)
	var err error
	w.ping, err = rpcservertest.NewPing(optionsv1.Audience_AUDIENCE_INTERNAL)
	require.NoError(t, err)
	w.handle(func(context.Context) error { return nil })
	w.running = rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		*c = rpcserver.InternalConfig{Addr: c.Addr, TLS: rpcserver.MutualTLSConfig{
			CertFile: w.server.Cert, KeyFile: w.server.Key, ClientCAFile: w.server.CA,
		}}.Listener(*c)
		o.Audience = optionsv1.Audience_AUDIENCE_INTERNAL
		o.Identities = map[string][]rpcserver.Identity{w.ping.Procedure: {one, two}}
	}, w.ping.Mount(func(ctx context.Context) error { return (*w.do.Load())(ctx) }))
	w.connections = forward(t, w.running.Server.Addr().String())
	return w
}

func (w *world) handle(do func(context.Context) error) { w.do.Store(&do) }

func (w *world) client(t *testing.T, change func(*rpcclient.Config)) *rpcclient.Client {
	t.Helper()
	cfg := rpcclient.DefaultConfig()
	cfg.URL = "https://" + w.connections.addr
	cfg.Timeout = time.Minute
	cfg.TLS = rpcclient.TLSConfig{CertFile: w.own.Cert, KeyFile: w.own.Key, CAFile: w.own.CA}
	if change != nil {
		change(&cfg)
	}
	c, err := rpcclient.New(cfg, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (w *world) call(t *testing.T, c *rpcclient.Client) error {
	t.Helper()
	return w.ping.Call(t.Context(), c, c.URL(), c.Options())
}

// connections passes bytes on and counts who comes.
type connections struct {
	addr  string
	count atomic.Int64
}

func forward(t *testing.T, to string) *connections {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &connections{addr: l.Addr().String()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			c.count.Add(1)
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return c
}

func pipe(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func TestCallsProveWhoTheyAreAndShareAConnection(t *testing.T) {
	w := newWorld(t)
	type seen struct{ name, id string }
	got := make(chan seen, 20)
	w.handle(func(ctx context.Context) error {
		got <- seen{caller.From(ctx).Name, telemetry.RequestID(ctx)}
		return nil
	})
	c := w.client(t, nil)
	for range 10 {
		err := w.ping.Call(telemetry.WithRequestID(t.Context(), "request-7"), c, c.URL(), c.Options())
		require.NoError(t, err)
		require.Equal(t, seen{one, "request-7"}, <-got)
	}
	require.EqualValues(t, 1, w.connections.count.Load())
}

func TestAServerOfAnotherAuthorityOrNameGetsNoCall(t *testing.T) {
	w := newWorld(t)
	w.handle(func(context.Context) error { panic("the handler must not run") })
	stranger := certtest.NewFiles(t)
	stranger.Write(t, w.ca.Issue(t, one), certtest.NewAuthority(t))
	for _, c := range []struct {
		name   string
		change func(*rpcclient.Config)
	}{
		{"an authority that did not sign the server", func(c *rpcclient.Config) { c.TLS.CAFile = stranger.CA }},
		{"a name the server does not have", func(c *rpcclient.Config) { c.TLS.ServerName = "billing.example.org" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, connect.CodeUnavailable, connect.CodeOf(w.call(t, w.client(t, c.change))))
		})
	}
	w.handle(func(context.Context) error { return nil })
	require.NoError(t, w.call(t, w.client(t, func(c *rpcclient.Config) { c.TLS.ServerName = "ops.example.org" })))
}

func TestAReplacedCertificateIsUsedWithoutARestart(t *testing.T) {
	w := newWorld(t)
	names := make(chan string, 1)
	w.handle(func(ctx context.Context) error {
		names <- caller.From(ctx).Name
		return nil
	})
	c := w.client(t, nil)
	require.NoError(t, w.call(t, c))
	require.Equal(t, one, <-names)
	w.own.Write(t, w.ca.Issue(t, two), w.ca)
	require.Eventually(t, func() bool {
		return w.call(t, c) == nil && <-names == two
	}, 15*time.Second, 20*time.Millisecond)

	require.NoError(t, os.Remove(w.own.Key))
	require.NoError(t, w.call(t, c), "a missing file keeps the pair in force")
	require.Equal(t, two, <-names)
}

func TestACertificateThatExpiredIsRefusedUntilItIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.own.Write(t, w.ca.Expired(t, one), w.ca)
	c := w.client(t, nil)
	err := w.call(t, c)
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err), "%v", err)
	w.own.Write(t, w.ca.Issue(t, one), w.ca)
	require.Eventually(t, func() bool { return w.call(t, c) == nil }, 15*time.Second, 20*time.Millisecond)
}

func TestACallEndsAtItsDeadline(t *testing.T) {
	w := newWorld(t)
	w.handle(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	c := w.client(t, func(c *rpcclient.Config) { c.Timeout = 200 * time.Millisecond })
	require.Equal(t, connect.CodeDeadlineExceeded, connect.CodeOf(w.call(t, c)))
}

func TestAServerThatIsDownIsUnavailable(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, nil)
	require.NoError(t, w.call(t, c))
	w.running.Server.Force()
	require.NoError(t, <-w.running.Stopped)
	require.Eventually(t, func() bool { return connect.CodeOf(w.call(t, c)) == connect.CodeUnavailable }, 15*time.Second, 20*time.Millisecond)
}

// The server goes away in the middle of a call, which the library calls CANCELED.
func TestAConnectionThatBreaksIsUnavailable(t *testing.T) {
	w := newWorld(t)
	entered := make(chan struct{})
	w.handle(func(ctx context.Context) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	})
	c := w.client(t, nil)
	result := make(chan error, 1)
	go func() { result <- w.ping.Call(context.Background(), c, c.URL(), c.Options()) }()
	<-entered
	w.running.Server.Force()
	err := <-result
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err), "%v", err)
	require.Error(t, <-w.running.Stopped)

	// Who cancels is told so.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, connect.CodeCanceled, connect.CodeOf(w.ping.Call(ctx, c, c.URL(), c.Options())))
}

func TestTheEndOfTheCertificateIsShown(t *testing.T) {
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	cfg := rpcclient.DefaultConfig()
	cfg.URL, cfg.TLS = "https://127.0.0.1:1", rpcclient.TLSConfig{CertFile: w.own.Cert, KeyFile: w.own.Key, CAFile: w.own.CA}
	c, err := rpcclient.New(cfg, slog.New(slog.DiscardHandler), reg)
	require.NoError(t, err)
	c.Close()
	require.Equal(t, 2, testutil.CollectAndCount(reg, "trunkline_certificate_expiry_seconds"))

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	stop()
	<-ended
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	require.NoError(t, rpcclient.DefaultConfig().Validate())
	for _, c := range []struct {
		name, key string
		change    func(*rpcclient.Config)
	}{
		{"clear text", "url", func(c *rpcclient.Config) { c.URL = "http://ops:8443" }},
		{"a path", "url", func(c *rpcclient.Config) { c.URL = "https://ops:8443/api" }},
		{"a slash at the end", "url", func(c *rpcclient.Config) { c.URL = "https://ops:8443/" }},
		{"a user", "url", func(c *rpcclient.Config) { c.URL = "https://me@ops:8443" }},
		{"no host", "url", func(c *rpcclient.Config) { c.URL = "https://" }},
		{"no certificate", "tls.cert_file", func(c *rpcclient.Config) { c.TLS.CertFile = "" }},
		{"no key", "tls.key_file", func(c *rpcclient.Config) { c.TLS.KeyFile = "" }},
		{"no authority", "tls.ca_file", func(c *rpcclient.Config) { c.TLS.CAFile = "" }},
		{"no timeout", "timeout", func(c *rpcclient.Config) { c.Timeout = 0 }},
		{"an endless timeout", "timeout", func(c *rpcclient.Config) { c.Timeout = time.Hour }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := rpcclient.DefaultConfig()
			cfg.URL, cfg.TLS = "https://ops:8443", rpcclient.TLSConfig{CertFile: "a", KeyFile: "b", CAFile: "c"}
			require.NoError(t, cfg.Validate())
			c.change(&cfg)
			require.ErrorContains(t, cfg.Validate(), c.key)
			_, err := rpcclient.New(cfg, slog.New(slog.DiscardHandler), nil)
			require.Error(t, err)
		})
	}
}
