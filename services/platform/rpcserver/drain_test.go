package rpcserver_test

import (
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// held is a service whose calls wait for the test.
type held struct {
	echo
	entered  chan struct{}
	release  chan struct{}
	canceled chan struct{}
}

func newHeld() *held {
	h := &held{entered: make(chan struct{}, 10), release: make(chan struct{}), canceled: make(chan struct{}, 10)}
	h.do = func(ctx context.Context, _ *dynamicpb.Message) error {
		h.entered <- struct{}{}
		select {
		case <-h.release:
			return nil
		case <-ctx.Done():
			h.canceled <- struct{}{}
			return ctx.Err()
		}
	}
	return h
}

func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		require.FailNow(t, "nothing happened", what)
		panic("unreachable")
	}
}

func listening(addr net.Addr) bool {
	c, err := net.Dial("tcp", addr.String())
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func TestADrainLetsCallsFinishAndRefusesNewOnes(t *testing.T) {
	for _, p := range protocols() {
		for name, pick := range map[string]func(*rpcservertest.Running) *http.Client{
			"HTTP/1": func(r *rpcservertest.Running) *http.Client { return r.HTTP1 },
			"HTTP/2": func(r *rpcservertest.Running) *http.Client { return r.HTTP2 },
		} {
			t.Run(p.name+" over "+name, func(t *testing.T) {
				h := newHeld()
				r := rpcservertest.Start(t, nil, h.mount())
				client := newClient(pick(r), r.URL, check, p.options...)
				result := make(chan error, 1)
				ctx := within(t)
				go func() {
					_, err := call(ctx, client, to(number))
					result <- err
				}()
				await(t, h.entered, "the call arrives")
				down := make(chan error, 1)
				go func() { down <- r.Server.Shutdown(context.Background()) }()
				require.Eventually(t, func() bool { return !listening(r.Server.Addr()) }, time.Minute, 5*time.Millisecond)
				require.False(t, r.Health.Readiness().Ready)
				_, err := call(within(t), newClient(fresh(t, pick(r)), r.URL, check, p.options...), to(number))
				require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err), err)
				close(h.release)
				require.NoError(t, await(t, result, "the call in flight finishes"))
				require.NoError(t, await(t, down, "the drain ends"))
				require.NoError(t, await(t, r.Stopped, "Serve returns"))
			})
		}
	}
}

// fresh is a client like h with no open connection.
func fresh(t *testing.T, h *http.Client) *http.Client {
	t.Helper()
	c := &http.Client{Transport: h.Transport.(*http.Transport).Clone()}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestAnIdleHTTP2ConnectionDoesNotHoldUpTheDrain(t *testing.T) {
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Timeout = time.Minute }, (&echo{}).mount())
	_, err := call(within(t), newClient(r.HTTP2, r.URL, check, connect.WithGRPC()), to(number))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, r.Server.Shutdown(ctx))
	require.NoError(t, await(t, r.Stopped, "Serve returns"))
}

func TestNoticeKeepsServingWhileReadinessIsOff(t *testing.T) {
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Notice = time.Hour }, (&echo{}).mount())
	go func() { _ = r.Server.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool { return !r.Health.Readiness().Ready }, time.Minute, time.Millisecond)
	res, err := r.HTTP1.Get(r.URL + "/ready")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 503, res.StatusCode)
	_, err = call(within(t), newClient(r.HTTP2, r.URL, check, connect.WithGRPC()), to(number))
	require.NoError(t, err, "calls are served during the notice")
	r.Server.Force()
	require.NoError(t, await(t, r.Stopped, "the second signal ends the notice"))
}

func TestForceCutsCallsInFlight(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			h := newHeld()
			r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Timeout = time.Hour }, h.mount())
			result := make(chan error, 1)
			ctx := within(t)
			go func() {
				_, err := call(ctx, newClient(r.HTTP2, r.URL, check, p.options...), to(number))
				result <- err
			}()
			await(t, h.entered, "the call arrives")
			go func() { _ = r.Server.Shutdown(context.Background()) }()
			require.Eventually(t, func() bool { return !listening(r.Server.Addr()) }, time.Minute, 5*time.Millisecond)
			r.Server.Force()
			require.Error(t, await(t, result, "the call is cut"))
			await(t, h.canceled, "the handler's context ends")
			require.ErrorContains(t, await(t, r.Stopped, "Serve returns"), "1 calls in flight")
		})
	}
}

func TestAnOpenStreamIsCutAfterTheDrainTimeout(t *testing.T) {
	h := newHeld()
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Timeout = 50 * time.Millisecond }, h.mount())
	stream, err := newClient(r.HTTP2, r.URL, watch, connect.WithGRPC()).CallServerStream(within(t), connect.NewRequest(to(number)))
	require.NoError(t, err)
	require.True(t, stream.Receive())
	await(t, h.entered, "the stream is open")
	require.NoError(t, r.Server.Shutdown(context.Background()))
	require.False(t, stream.Receive())
	require.Error(t, stream.Err())
	_ = stream.Close()
	require.Error(t, await(t, r.Stopped, "Serve says that a call was cut"))
}

func TestAStreamThatWatchesDrainingEndsInOrder(t *testing.T) {
	entered := make(chan struct{}, 1)
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		entered <- struct{}{}
		<-rpcserver.Draining(ctx)
		return nil
	}}
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Timeout = time.Minute }, e.mount())
	stream, err := newClient(r.HTTP2, r.URL, watch, connect.WithGRPC()).CallServerStream(within(t), connect.NewRequest(to(number)))
	require.NoError(t, err)
	require.True(t, stream.Receive())
	await(t, entered, "the stream is open")
	go func() { _ = r.Server.Shutdown(context.Background()) }()
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	require.NoError(t, await(t, r.Stopped, "Serve returns"))
}

func TestTheEndOfTheServingContextDoesNotCancelCalls(t *testing.T) {
	h := newHeld()
	health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
	require.NoError(t, err)
	cfg := rpcserver.Default()
	cfg.Addr, cfg.Drain.Notice = "127.0.0.1:0", 0
	s, err := rpcserver.New(cfg, rpcserver.Options{
		Health: health, Mounts: []rpcserver.Mount{h.mount()}, Authenticator: rpcservertest.Everybody(),
	})
	require.NoError(t, err)
	require.NoError(t, s.Listen(context.Background()))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(ctx) }()
	result := make(chan answer, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		result <- send(t, client, http.MethodPost, s.URL()+check, "application/json", nil, strings.NewReader("{}"))
	}()
	await(t, h.entered, "the call arrives")
	cancel()
	require.Eventually(t, func() bool { return !listening(s.Addr()) }, time.Minute, 5*time.Millisecond)
	close(h.release)
	require.Equal(t, 200, await(t, result, "the call finishes").status)
	require.NoError(t, await(t, stopped, "Serve returns"))
	require.Error(t, s.Serve(context.Background()), "a server serves once")
	require.NoError(t, s.Shutdown(context.Background()), "a second stop is harmless")
}

func TestShutdownBeforeServeReleasesThePort(t *testing.T) {
	health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
	require.NoError(t, err)
	cfg := rpcserver.Default()
	cfg.Addr = "127.0.0.1:0"
	s, err := rpcserver.New(cfg, rpcserver.Options{Health: health})
	require.NoError(t, err)
	require.Empty(t, s.URL())
	require.NoError(t, s.Listen(context.Background()))
	require.NoError(t, s.Shutdown(context.Background()))
	require.False(t, listening(s.Addr()))
	require.NoError(t, s.Serve(context.Background()), "there is nothing to serve any more")
}

func TestShutdownCutsWhenItsContextEnds(t *testing.T) {
	h := newHeld()
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Timeout = time.Hour }, h.mount())
	ctx := within(t)
	go func() { _, _ = call(ctx, newClient(r.HTTP2, r.URL, check), to(number)) }()
	await(t, h.entered, "the call arrives")
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, r.Server.Shutdown(short), context.DeadlineExceeded)
	await(t, h.canceled, "the handler's context ends")
	require.Error(t, await(t, r.Stopped, "Serve returns"))
}

func TestAForcedStopWaitsForHandlersToNotice(t *testing.T) {
	entered := make(chan struct{}, 1)
	var finished atomic.Bool
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		entered <- struct{}{}
		<-ctx.Done()
		sum := sha256.Sum256(nil)
		for range 3_000 { // the work of tidying up
			sum = sha256.Sum256(sum[:])
		}
		finished.Store(true)
		return ctx.Err()
	}}
	r := rpcservertest.Start(t, nil, e.mount())
	ctx := within(t)
	go func() { _, _ = call(ctx, newClient(r.HTTP2, r.URL, check), to(number)) }()
	await(t, entered, "the call arrives")
	r.Server.Force()
	_ = await(t, r.Stopped, "Serve returns")
	require.True(t, finished.Load())
}
