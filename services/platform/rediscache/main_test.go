package rediscache

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const (
	limit = 20 * time.Second
	tick  = 5 * time.Millisecond
)

// The client library delays the refresh of a Cluster's topology in a goroutine that
// ends by itself within a second, also after Close.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

// patient is a configuration whose budget a busy test machine does not use up.
func patient(addrs ...string) Config {
	cfg := DefaultConfig()
	cfg.Addrs = addrs
	cfg.Budget = time.Second
	cfg.ProbeInterval = 50 * time.Millisecond
	return cfg
}

func open(t testing.TB, cfg Config) *Cache {
	t.Helper()
	c, err := Open(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func awaitHealthy(t *testing.T, c *Cache) {
	t.Helper()
	require.Eventually(t, func() bool { return c.Check(t.Context()) == nil }, limit, tick)
}
