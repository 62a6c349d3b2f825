package healthcache_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/healthcache"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/rediscache"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type store struct {
	key   string
	value string
	ttl   time.Duration
	err   error
}

func (s *store) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	s.key, s.value, s.ttl = key, string(value), ttl
	return s.err
}

// Both kinds of cache fit.
var _, _ healthcache.Store = (*rediscache.Cache)(nil), (*rediscache.Memory)(nil)

func count(t *testing.T, reg *prometheus.Registry) (sets string) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		require.Equal(t, "ops_redis_set_total", family.GetName())
		for range int(family.GetMetric()[0].GetCounter().GetValue()) {
			sets += family.GetMetric()[0].GetLabel()[0].GetValue()
		}
	}
	return sets
}

func TestHealthIsKeptForWhatIsLeftOfItsMinute(t *testing.T) {
	id := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	down := errors.New("down")
	for _, tt := range []struct {
		name   string
		age    time.Duration
		encode error
		set    error
		ttl    time.Duration
		count  string
	}{
		{"one that was observed now", 0, nil, nil, time.Minute, "ok"},
		{"one that was observed by a clock ahead of ours", -time.Hour, nil, nil, time.Minute, "ok"},
		{"one that was observed before", 59 * time.Second, nil, nil, time.Second, "ok"},
		{"one that is too old is not kept", time.Minute, nil, nil, 0, ""},
		{"a cache that is down is counted", 0, nil, down, time.Minute, "error"},
		{"a health that cannot be written too", 0, down, nil, 0, "error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, reg := &store{err: tt.set}, prometheus.NewRegistry()
			encode := func(h operators.Health) ([]byte, error) { return []byte(h.Bind.String()), tt.encode }
			c, err := healthcache.New(s, encode, clock.NewFake(noon), reg, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			c.KeepHealth(t.Context(), operators.Health{OperatorID: id, Bind: operators.Bound, ObservedAt: noon.Add(-tt.age)})
			require.Equal(t, tt.ttl, s.ttl)
			if tt.ttl > 0 {
				require.Equal(t, "ops:health:01890a5d-ac96-774b-bcce-b302099a8057", s.key)
				require.Equal(t, "BOUND", s.value)
			}
			require.Equal(t, tt.count, count(t, reg))
			_, err = healthcache.New(s, encode, clock.NewFake(noon), reg, slog.New(slog.DiscardHandler))
			require.Error(t, err, "the metric is registered once")
		})
	}
}
