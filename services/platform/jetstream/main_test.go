package jetstream

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"trunkline/services/platform/natstest"
)

const (
	limit = 60 * time.Second
	tick  = 10 * time.Millisecond
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, natstest.LostListener()) }

func configFor(urls ...string) Config {
	cfg := DefaultConfig()
	cfg.URLs = urls
	return cfg
}

// open connects to s and waits until the connection is there.
func open(t *testing.T, s *natstest.Server, change ...func(*Config)) *Conn {
	t.Helper()
	cfg := configFor(s.URL())
	for _, f := range change {
		f(&cfg)
	}
	c, err := Connect(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	awaitHealthy(t, c)
	return c
}

func awaitHealthy(t *testing.T, c *Conn) {
	t.Helper()
	require.Eventually(t, func() bool { return c.Check(t.Context()) == nil }, limit, tick)
}

func awaitUnhealthy(t *testing.T, c *Conn) {
	t.Helper()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		return c.Check(ctx) != nil
	}, limit, tick)
}

func ensure(t *testing.T, c *Conn, specs ...StreamSpec) {
	t.Helper()
	require.NoError(t, c.EnsureStreams(t.Context(), specs))
}

func publish(t *testing.T, c *Conn, subject, data string) {
	t.Helper()
	require.NoError(t, c.Publish(t.Context(), subject, []byte(data), ""))
}

func closed(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(limit):
		require.Fail(t, "waited in vain", what)
	}
}

// inbox collects what a handler was given.
type inbox struct {
	mu   sync.Mutex
	msgs []Message
}

func (i *inbox) add(m Message) {
	i.mu.Lock()
	defer i.mu.Unlock()
	m.Data = append([]byte(nil), m.Data...)
	i.msgs = append(i.msgs, m)
}

func (i *inbox) follow(_ context.Context, m Message) { i.add(m) }

func (i *inbox) all() []Message {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Message(nil), i.msgs...)
}

func (i *inbox) texts() []string {
	var texts []string
	for _, m := range i.all() {
		texts = append(texts, string(m.Data))
	}
	return texts
}

// has waits until the texts were received, in this order but possibly with
// repetitions and others between them.
func (i *inbox) has(t *testing.T, want ...string) {
	t.Helper()
	ok := func() bool {
		rest := want
		for _, got := range i.texts() {
			if len(rest) > 0 && got == rest[0] {
				rest = rest[1:]
			}
		}
		return len(rest) == 0
	}
	require.Eventually(t, ok, limit, tick, "want %v", want)
}

// equals waits until exactly the texts were received.
func (i *inbox) equals(t *testing.T, want ...string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(i.all()) >= len(want) }, limit, tick, "want %v", want)
	require.Equal(t, want, i.texts())
}

func streamState(t *testing.T, c *Conn, name string) natsjs.StreamState {
	t.Helper()
	s, err := c.js.Stream(t.Context(), name)
	require.NoError(t, err)
	return s.CachedInfo().State
}

func consumerInfo(t *testing.T, c *Conn, stream, name string) *natsjs.ConsumerInfo {
	t.Helper()
	consumer, err := c.js.Consumer(t.Context(), stream, name)
	require.NoError(t, err)
	return consumer.CachedInfo()
}

var events = StreamSpec{Name: "EVENTS", Subjects: []string{"events.>"}}
