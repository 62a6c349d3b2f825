package jetstream

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/natstest"
)

func TestConfigProblemsAreNamed(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no address":                 {func(c *Config) { c.URLs = nil }, "urls"},
		"address without scheme":     {func(c *Config) { c.URLs = []string{"localhost:4222"} }, "urls"},
		"password in the address":    {func(c *Config) { c.URLs = []string{"nats://u:hunter2@h:1"} }, "username and password"},
		"certificate without key":    {func(c *Config) { c.TLS.CertFile = "c.pem" }, "tls.cert_file"},
		"two ways to log in":         {func(c *Config) { c.CredsFile, c.Username = "f", "u" }, "creds_file"},
		"password without user":      {func(c *Config) { c.Password = config.NewSecret("p") }, "username"},
		"no time to publish":         {func(c *Config) { c.PublishTimeout = 0 }, "publish_timeout"},
		"messages larger than NATS'": {func(c *Config) { c.MaxMessageBytes = 2 << 20 }, "max_message_bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			err := cfg.Validate()
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
			_, err = Connect(cfg, slog.New(slog.DiscardHandler))
			require.Error(t, err)
		})
	}
}

func TestConnectWithoutAServerSucceedsAndConnectsLater(t *testing.T) {
	s := natstest.Start(t)
	s.Kill()
	c, err := Connect(configFor(s.URL()), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.ErrorIs(t, c.Check(t.Context()), ErrUnavailable)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.AwaitConnected(soon), ErrUnavailable)
	require.ErrorIs(t, c.Publish(t.Context(), "events.a", nil, ""), ErrUnavailable)
	require.ErrorIs(t, c.EnsureStreams(t.Context(), []StreamSpec{events}), ErrUnavailable)
	s.Restart()
	require.NoError(t, c.AwaitConnected(t.Context()))
	// The spec was remembered.
	require.Eventually(t, func() bool { return c.Publish(t.Context(), "events.a", nil, "") == nil }, limit, tick)
}

func TestConnectAndCloseDoNotWaitForASilentServer(t *testing.T) {
	var dials atomic.Int32
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for { // accepts and stays silent
			conn, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	cfg := configFor("nats://" + l.Addr().String())
	cfg.ConnectTimeout = time.Hour
	returned := make(chan *Conn)
	go func() {
		c, _ := Connect(cfg, slog.New(slog.DiscardHandler))
		returned <- c
	}()
	select {
	case c := <-returned:
		require.NotNil(t, c)
		require.Eventually(t, func() bool { return dials.Load() > 0 }, limit, tick)
		c.Close()
	case <-time.After(limit):
		require.FailNow(t, "Connect waits for a server that does not answer")
	}
}

func TestHooksRunOnEveryConnect(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	var late, early atomic.Int32
	c.OnConnect(func() { early.Add(1) })
	require.Eventually(t, func() bool { return early.Load() == 1 }, limit, tick, "connected already: runs at once")
	s.Kill()
	// The loss must be known: until then a hook runs at once, and again after the reconnect.
	require.Eventually(t, func() bool { return c.connection() != nil }, limit, tick)
	c.OnConnect(func() { late.Add(1) })
	s.Restart()
	require.Eventually(t, func() bool { return early.Load() == 2 && late.Load() == 1 }, limit, tick)
}

func TestCheckFailsWhileTheServerHangs(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Check(ctx), ErrUnavailable)
	s.Resume()
	awaitHealthy(t, c)
}

func TestCloseTwiceAndUseAfterClose(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	c.Close()
	c.Close()
	require.ErrorIs(t, c.AwaitConnected(t.Context()), ErrUnavailable)
	require.ErrorIs(t, c.Check(t.Context()), ErrUnavailable)
	_, err := c.Durable(t.Context(), DurableSpec{Stream: "EVENTS", Name: "d"}, nil)
	require.True(t, fault.Is(err, "MESSAGING_CLOSED"))
	_, err = c.Follow(t.Context(), FollowSpec{Stream: "EVENTS"}, nil)
	require.True(t, fault.Is(err, "MESSAGING_CLOSED"))
}

func TestPublishFailsWithinItsTimeWhileTheServerHangs(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s, func(cfg *Config) { cfg.PublishTimeout = 100 * time.Millisecond })
	ensure(t, c, events)
	s.Pause()
	require.ErrorIs(t, c.Publish(t.Context(), "events.a", nil, "one"), ErrUnavailable)
	s.Resume()
	// It may or may not have been stored; the same id makes it once.
	require.Eventually(t, func() bool { return c.Publish(t.Context(), "events.a", nil, "one") == nil }, limit, tick)
	require.EqualValues(t, 1, streamState(t, c, "EVENTS").Msgs)
}

func TestPublish(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	t.Run("the same message id is stored once and acknowledged twice", func(t *testing.T) {
		require.NoError(t, c.Publish(t.Context(), "events.a", []byte("x"), "id-1"))
		require.NoError(t, c.Publish(t.Context(), "events.a", []byte("x"), "id-1"))
		require.NoError(t, c.Publish(t.Context(), "events.a", []byte("x"), "id-2"))
		require.EqualValues(t, 2, streamState(t, c, "EVENTS").Msgs)
	})
	t.Run("a message that is too large is not sent", func(t *testing.T) {
		require.ErrorIs(t, c.Publish(t.Context(), "events.a", make([]byte, 256<<10+1), ""), ErrTooLarge)
		require.NoError(t, c.Publish(t.Context(), "events.a", make([]byte, 256<<10), ""))
	})
	t.Run("a subject of no stream is unavailable", func(t *testing.T) {
		require.ErrorIs(t, c.Publish(t.Context(), "other.a", nil, ""), ErrUnavailable)
	})
	t.Run("a caller that gives up gets its own error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.True(t, fault.Is(c.Publish(ctx, "events.a", nil, ""), fault.ReasonCanceled))
	})
}

func TestTraceContextTravelsWithMessages(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	parent := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, 2, 3}, SpanID: trace.SpanID{4, 5, 6}, TraceFlags: trace.FlagsSampled,
	})
	require.NoError(t, c.Publish(trace.ContextWithSpanContext(t.Context(), parent), "events.a", nil, ""))
	ids := make(chan trace.TraceID, 2)
	_, err := c.Durable(t.Context(), DurableSpec{Stream: "EVENTS", Name: "d"}, func(ctx context.Context, _ Message) error {
		ids <- trace.SpanContextFromContext(ctx).TraceID()
		return nil
	})
	require.NoError(t, err)
	_, err = c.Follow(t.Context(), FollowSpec{Stream: "EVENTS"}, func(ctx context.Context, _ Message) {
		ids <- trace.SpanContextFromContext(ctx).TraceID()
	})
	require.NoError(t, err)
	require.Equal(t, parent.TraceID(), <-ids)
	require.Equal(t, parent.TraceID(), <-ids)
}

func TestHeaderFindsNamesInAnyCase(t *testing.T) {
	h := Header{"Traceparent": {"x"}}
	require.Equal(t, "x", h.Get("traceparent"))
	require.Empty(t, h.Get("tracestate"))
}
