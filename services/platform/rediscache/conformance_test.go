package rediscache

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/redistest"
)

// store is what callers see of Cache and Memory.
type store interface {
	Get(ctx context.Context, key string) ([]byte, bool, error)
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	MGet(ctx context.Context, keys []string) (map[string][]byte, error)
	Del(ctx context.Context, keys ...string) error
	Check(ctx context.Context) error
}

var (
	_ store = (*Cache)(nil)
	_ store = (*Memory)(nil)
)

func TestMemoryConforms(t *testing.T) {
	m, err := NewMemory(1000, clock.System())
	require.NoError(t, err)
	conforms(t, m)
}

func TestRedisConforms(t *testing.T) {
	s := redistest.Start(t)
	cluster := redistest.StartCluster(t)
	for name, addrs := range map[string][]string{"single": {s.Addr()}, "cluster": cluster.Addrs()} {
		for _, caching := range []bool{true, false} {
			for _, topology := range []string{TopologyAuto, name} {
				t.Run(fmt.Sprintf("%s with topology %s and client-side caching %v", name, topology, caching), func(t *testing.T) {
					cfg := patient(addrs...)
					cfg.ClientSideCaching, cfg.Topology = caching, topology
					c := open(t, cfg)
					awaitHealthy(t, c)
					conforms(t, c)
				})
			}
		}
	}
}

func conforms(t *testing.T, s store) {
	ctx := t.Context()
	// reads waits for a value: a process may see its former one for a moment.
	reads := func(t *testing.T, key string, want []byte) {
		t.Helper()
		require.Eventually(t, func() bool {
			got, ok, err := s.Get(ctx, key)
			return err == nil && ok == (want != nil) && string(got) == string(want)
		}, limit, tick)
	}
	t.Run("what was set is read", func(t *testing.T) {
		require.NoError(t, s.Set(ctx, "set", []byte("v\x00\xff"), time.Minute))
		got, ok, err := s.Get(ctx, "set")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, []byte("v\x00\xff"), got)
	})
	t.Run("what was never set is not there", func(t *testing.T) {
		got, ok, err := s.Get(ctx, "never")
		require.NoError(t, err)
		require.False(t, ok)
		require.Nil(t, got)
	})
	t.Run("an empty value is a value", func(t *testing.T) {
		require.NoError(t, s.Set(ctx, "empty", nil, time.Minute))
		got, ok, err := s.Get(ctx, "empty")
		require.NoError(t, err)
		require.True(t, ok)
		require.Empty(t, got)
		found, err := s.MGet(ctx, []string{"empty"})
		require.NoError(t, err)
		require.Contains(t, found, "empty")
	})
	t.Run("the last value counts", func(t *testing.T) {
		require.NoError(t, s.Set(ctx, "twice", []byte("1"), time.Minute))
		reads(t, "twice", []byte("1"))
		require.NoError(t, s.Set(ctx, "twice", []byte("2"), time.Minute))
		reads(t, "twice", []byte("2"))
	})
	t.Run("a value read may be changed", func(t *testing.T) {
		require.NoError(t, s.Set(ctx, "mine", []byte("abc"), time.Minute))
		for range 3 {
			got, _, err := s.Get(ctx, "mine")
			require.NoError(t, err)
			require.Equal(t, "abc", string(got))
			got[0] = 'X'
			found, err := s.MGet(ctx, []string{"mine"})
			require.NoError(t, err)
			require.Equal(t, "abc", string(found["mine"]))
			found["mine"][0] = 'Y'
		}
	})
	t.Run("a value given may be changed", func(t *testing.T) {
		value := []byte("abc")
		require.NoError(t, s.Set(ctx, "yours", value, time.Minute))
		value[0] = 'X'
		reads(t, "yours", []byte("abc"))
	})
	t.Run("a value ends with its time", func(t *testing.T) {
		require.NoError(t, s.Set(ctx, "short", []byte("v"), 30*time.Millisecond))
		reads(t, "short", nil)
	})
	t.Run("many keys are read together", func(t *testing.T) {
		var keys []string
		want := map[string][]byte{}
		for i := range 200 {
			key := fmt.Sprintf("many:%d", i)
			keys = append(keys, key)
			if i%2 == 0 {
				want[key] = []byte(key)
				require.NoError(t, s.Set(ctx, key, want[key], time.Minute))
			}
		}
		for range 2 { // the second time perhaps from this process
			got, err := s.MGet(ctx, keys)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		require.NoError(t, s.Del(ctx, keys...))
		require.Eventually(t, func() bool {
			got, err := s.MGet(ctx, keys)
			return err == nil && len(got) == 0
		}, limit, tick)
	})
	t.Run("what was deleted is gone", func(t *testing.T) {
		require.NoError(t, s.Set(ctx, "del", []byte("v"), time.Minute))
		reads(t, "del", []byte("v"))
		require.NoError(t, s.Del(ctx, "del", "del:other"))
		reads(t, "del", nil)
	})
	t.Run("no keys are fine", func(t *testing.T) {
		got, err := s.MGet(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, got)
		require.NoError(t, s.Del(ctx))
	})
	t.Run("it is healthy", func(t *testing.T) { require.NoError(t, s.Check(ctx)) })
	t.Run("a call out of bounds is invalid", func(t *testing.T) {
		long := strings.Repeat("k", MaxKeyBytes+1)
		many := make([]string, MaxKeys+1)
		for i := range many {
			many[i] = "k"
		}
		_, _, err := s.Get(ctx, "")
		requireInvalid(t, err)
		_, _, err = s.Get(ctx, long)
		requireInvalid(t, err)
		_, err = s.MGet(ctx, many)
		requireInvalid(t, err)
		_, err = s.MGet(ctx, []string{"k", long})
		requireInvalid(t, err)
		requireInvalid(t, s.Del(ctx, many...))
		requireInvalid(t, s.Set(ctx, "", nil, time.Minute))
		requireInvalid(t, s.Set(ctx, "k", make([]byte, MaxValueBytes+1), time.Minute))
		requireInvalid(t, s.Set(ctx, "k", nil, 0))
		require.NoError(t, s.Set(ctx, long[:MaxKeyBytes], make([]byte, MaxValueBytes), time.Minute))
	})
	t.Run("a caller that gave up gets its own error", func(t *testing.T) {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		_, _, err := s.Get(gone, "k")
		require.True(t, fault.Is(err, fault.ReasonCanceled))
		_, err = s.MGet(gone, []string{"k"})
		require.True(t, fault.Is(err, fault.ReasonCanceled))
		require.True(t, fault.Is(s.Set(gone, "k", nil, time.Minute), fault.ReasonCanceled))
		require.True(t, fault.Is(s.Del(gone, "k"), fault.ReasonCanceled))
	})
}

func requireInvalid(t *testing.T, err error) {
	t.Helper()
	require.True(t, fault.Is(err, "CACHE_CALL_INVALID"), "%v", err)
}

func TestMemoryIsBounded(t *testing.T) {
	clk := clock.NewFake(time.Unix(0, 0))
	m, err := NewMemory(2, clk)
	require.NoError(t, err)
	ctx := t.Context()
	has := func(key string) bool { _, ok, _ := m.Get(ctx, key); return ok }
	require.NoError(t, m.Set(ctx, "a", nil, time.Second))
	require.NoError(t, m.Set(ctx, "b", nil, time.Second))
	require.True(t, has("a"))
	require.NoError(t, m.Set(ctx, "c", nil, 2*time.Second))
	require.True(t, has("a"))
	require.False(t, has("b"), "the least recently used one makes room")
	clk.Advance(time.Second)
	require.False(t, has("a"), "the end of its time is exclusive")
	require.True(t, has("c"))
	_, err = NewMemory(0, clk)
	require.Error(t, err)
}
