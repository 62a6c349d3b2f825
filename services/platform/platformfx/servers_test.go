package platformfx_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/certtest"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// TestMain checks for leaks. A connection of net/http that was left in the middle of a body lingers for half a
// second by design.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const connector = "spiffe://example.org/smpp-connector"

// process is an application with one public and one internal method, whose calls wait when hold is there.
type process struct {
	app            *fxtest.App
	server         *rpcserver.Server
	internal       platformfx.Internal
	gatherer       prometheus.Gatherer
	public, inner  *rpcservertest.Ping
	files          certtest.Files
	ca             *certtest.Authority
	hold           chan struct{}
	entered, names chan string
}

func newProcess(t *testing.T, change func(*platformfx.Config), options ...fx.Option) *process {
	t.Helper()
	p := &process{
		ca: certtest.NewAuthority(t), files: certtest.NewFiles(t),
		hold: make(chan struct{}), entered: make(chan string, 10), names: make(chan string, 10),
	}
	p.files.Write(t, p.ca.Issue(t, "127.0.0.1", connector), p.ca)
	var err error
	p.public, err = rpcservertest.NewPing(optionsv1.Audience_AUDIENCE_PUBLIC)
	require.NoError(t, err)
	p.inner, err = rpcservertest.NewPing(optionsv1.Audience_AUDIENCE_INTERNAL)
	require.NoError(t, err)
	c := platformfx.DefaultConfig()
	c.Server.Addr, c.Server.Drain.Notice, c.Server.Drain.Timeout = "127.0.0.1:0", 0, time.Minute
	c.Internal = rpcserver.InternalConfig{Addr: "127.0.0.1:0", TLS: rpcserver.MutualTLSConfig{
		CertFile: p.files.Cert, KeyFile: p.files.Key, ClientCAFile: p.files.CA,
	}}
	if change != nil {
		change(&c)
	}
	mount := func(ping *rpcservertest.Ping) any {
		return platformfx.Mount(func() rpcserver.Mount {
			return ping.Mount(func(ctx context.Context) error {
				p.entered <- ping.Procedure
				p.names <- caller.From(ctx).Name
				<-p.hold
				return nil
			})
		})
	}
	p.app = fxtest.New(t,
		fx.Supply(c, platformfx.Process{Name: "test"}, slog.New(slog.DiscardHandler), rpcserver.Metrics{}),
		fx.Provide(mount(p.public), mount(p.inner), platformfx.Identities(func() map[string][]rpcserver.Identity {
			return map[string][]rpcserver.Identity{p.inner.Procedure: {connector}}
		})),
		fx.Options(options...),
		platformfx.Module, fx.Populate(&p.server, &p.internal, &p.gatherer))
	return p
}

// call starts calls of both methods and returns what becomes of them.
func (p *process) call(t *testing.T) (results chan error) {
	t.Helper()
	results = make(chan error, 2)
	cfg := rpcclient.DefaultConfig()
	cfg.Timeout, cfg.URL = time.Minute, p.internal.Server.URL()
	cfg.TLS = rpcclient.TLSConfig{CertFile: p.files.Cert, KeyFile: p.files.Key, CAFile: p.files.CA}
	client, err := rpcclient.New(cfg, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	outside := p.ca.Client(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	go func() { results <- p.inner.Call(ctx, client, client.URL(), client.Options()) }()
	go func() { results <- p.public.Call(ctx, outside, p.server.URL()) }()
	for range 2 {
		<-p.entered
	}
	return results
}

func listening(s *rpcserver.Server) bool {
	c, err := net.Dial("tcp", s.Addr().String())
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func TestBothListenersServeAndDrainTogether(t *testing.T) {
	p := newProcess(t, nil, fx.Provide(rpcservertest.Everybody))
	p.app.RequireStart()
	results := p.call(t)
	require.ElementsMatch(t, []string{"test", connector}, []string{<-p.names, <-p.names})

	stopped := make(chan error, 1)
	go func() { stopped <- p.app.Stop(context.Background()) }()
	// Both stop listening although each still has a call in flight.
	require.Eventually(t, func() bool { return !listening(p.server) && !listening(p.internal.Server) }, 15*time.Second, 10*time.Millisecond)
	close(p.hold)
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	require.NoError(t, <-stopped)
	require.NoError(t, testutil.GatherAndCompare(p.gatherer, strings.NewReader(`
# HELP trunkline_internal_requests_total Finished calls by method and canonical status code.
# TYPE trunkline_internal_requests_total counter
trunkline_internal_requests_total{method="Ping",status_code="OK"} 1
trunkline_internal_requests_total{method="unknown",status_code="OK"} 0
`), "trunkline_internal_requests_total"))
}

func TestASecondSignalCutsBothListeners(t *testing.T) {
	force := make(chan struct{})
	p := newProcess(t, nil, fx.Provide(rpcservertest.Everybody), fx.Decorate(func(p platformfx.Process) platformfx.Process {
		p.Force = force
		return p
	}))
	p.app.RequireStart()
	results := p.call(t)
	stopped := make(chan error, 1)
	go func() { stopped <- p.app.Stop(context.Background()) }()
	close(force)
	require.Error(t, <-results)
	require.Error(t, <-results)
	close(p.hold) // the handlers end only now
	require.NoError(t, <-stopped)
}

func TestWithoutAnAddressNoInternalCallIsServed(t *testing.T) {
	p := newProcess(t, func(c *platformfx.Config) { c.Internal = rpcserver.InternalConfig{} })
	p.app.RequireStart()
	require.Nil(t, p.internal.Server)
	err := p.inner.Call(t.Context(), p.ca.Client(t), p.server.URL())
	require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(err))
	p.app.RequireStop()
}

func TestAnAddressInUseStopsTheStartAndLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	p := newProcess(t, func(c *platformfx.Config) { c.Internal.Addr = taken.Addr().String() })
	require.Error(t, p.app.Start(t.Context()))
	require.False(t, listening(p.server))
}

func TestTheInternalListenerDoesNotStartWithoutGoodFiles(t *testing.T) {
	c := platformfx.DefaultConfig()
	c.Internal.Addr = "127.0.0.1:0"
	app := fx.New(fx.NopLogger,
		fx.Supply(c, platformfx.Process{Name: "test"}, slog.New(slog.DiscardHandler), rpcserver.Metrics{}), platformfx.Module)
	require.ErrorContains(t, app.Err(), "tls.")
}

func TestAPublicCallIsRefusedWhileTheProcessNamesNoAuthenticator(t *testing.T) {
	denials := make(chan rpcserver.Denial, 1)
	p := newProcess(t, nil, fx.Provide(func() rpcserver.Denied {
		return func(_ context.Context, d rpcserver.Denial) { denials <- d }
	}))
	p.app.RequireStart()
	err := p.public.Call(t.Context(), p.ca.Client(t), p.server.URL())
	require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err))
	require.Equal(t, p.public.Procedure, (<-denials).Procedure)

	// The internal listener tells its refusals too.
	err = p.inner.Call(t.Context(), p.ca.Client(t, p.ca.Issue(t, "billing.example.org")), p.internal.Server.URL())
	require.Equal(t, connect.CodePermissionDenied, connect.CodeOf(err))
	require.Equal(t, p.inner.Procedure, (<-denials).Procedure)
	p.app.RequireStop()
}

func TestLimitsAreForPublicCalls(t *testing.T) {
	p := newProcess(t, nil, fx.Provide(rpcservertest.Everybody, func() rpcserver.Admit {
		return func(context.Context, caller.Caller, string) (func(), error) {
			return nil, fault.New(fault.ResourceExhausted, "RATE_LIMITED", "Slow down.")
		}
	}))
	p.app.RequireStart()
	close(p.hold)
	err := p.public.Call(t.Context(), p.ca.Client(t), p.server.URL())
	require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(err))
	require.NoError(t, p.inner.Call(t.Context(), p.ca.Client(t, p.ca.Issue(t, connector)), p.internal.Server.URL()))
	p.app.RequireStop()
}

func TestPlacesAreForPublicCalls(t *testing.T) {
	p := newProcess(t, nil, fx.Provide(rpcservertest.Everybody, func() rpcserver.Enter {
		return func(context.Context, caller.Caller, string, any) (func(), error) {
			return nil, fault.New(fault.Unavailable, "OVERLOADED", "Too much to do.")
		}
	}))
	p.app.RequireStart()
	close(p.hold)
	err := p.public.Call(t.Context(), p.ca.Client(t), p.server.URL())
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err))
	require.NoError(t, p.inner.Call(t.Context(), p.ca.Client(t, p.ca.Issue(t, connector)), p.internal.Server.URL()))
	p.app.RequireStop()
}
