package redis

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/redistest"
)

var _ Scripts = (*rediscache.Cache)(nil)

func TestBucketsOverTheConnectionOfTheProcess(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	cfg := rediscache.DefaultConfig()
	cfg.Addrs, cfg.ProbeInterval = []string{server.Addr()}, 50*time.Millisecond
	cache, err := rediscache.Open(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	require.NoError(t, err)
	t.Cleanup(cache.Close)
	l := access.NewLimiter(access.Limits{Principal: slow}, NewBuckets(cache), time.Now)
	require.Eventually(t, func() bool {
		principal := uuid.NewString()
		if err := l.Take(t.Context(), principal, uuid.Nil, 1); err != nil {
			return false
		}
		known, err := client.Do(t.Context(), client.B().Exists().Key(nameOf(principal)).Build()).AsBool()
		return err == nil && known
	}, eventually, tick)
}
