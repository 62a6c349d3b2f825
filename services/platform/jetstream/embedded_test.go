package jetstream

import (
	"log/slog"
	"net"
	"os"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

func embedded(t *testing.T, dir, addr string) (*EmbeddedServer, *Conn) {
	t.Helper()
	e, err := Embedded(dir, addr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Shutdown()) })
	c, err := Connect(DefaultConfig(), slog.New(slog.DiscardHandler), WithInProcessServer(e))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.NoError(t, c.AwaitConnected(t.Context()))
	return e, c
}

func TestEmbeddedServerKeepsItsStreamsInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		e, c := embedded(t, dir, "")
		require.Empty(t, e.URL())
		ensure(t, c, events)
		require.EqualValues(t, i, streamState(t, c, "EVENTS").Msgs)
		publish(t, c, "events.a", "x")
		c.Close()
		require.NoError(t, e.Shutdown())
	}
}

func TestEmbeddedServerWithoutADirectoryRemovesItsOwn(t *testing.T) {
	e, c := embedded(t, "", "")
	ensure(t, c, events)
	require.DirExists(t, e.temporary)
	c.Close()
	require.NoError(t, e.Shutdown())
	_, err := os.Stat(e.temporary)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnyClientCanPublishToAListeningEmbeddedServer(t *testing.T) {
	e, c := embedded(t, t.TempDir(), "127.0.0.1:0")
	ensure(t, c, events)
	in, sub := follow(t, c, FollowSpec{Stream: "EVENTS", Policy: New})
	closed(t, sub.Synced(), "the start")
	nc, err := nats.Connect(e.URL())
	require.NoError(t, err)
	defer nc.Close()
	require.NoError(t, nc.Publish("events.a", []byte("by hand")))
	in.equals(t, "by hand")
}

func TestEmbeddedServerRefusesBadAddresses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = busy.Close() }()
	for name, c := range map[string]struct{ addr, want string }{
		"no port":         {"127.0.0.1", "host:port"},
		"all interfaces":  {"0.0.0.0:4222", "no access control"},
		"another machine": {"192.0.2.1:4222", "no access control"},
		"port in use":     {busy.Addr().String(), "in use"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Embedded(t.TempDir(), c.addr)
			require.ErrorContains(t, err, c.want)
		})
	}
}
