package rediscache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/redistest"
)

// fails calls until the breaker is open, and checks that each call that fails says
// that the cache is unavailable.
func fails(t *testing.T, c *Cache) {
	t.Helper()
	i := 0
	require.Eventually(t, func() bool {
		i++
		_, _, err := c.Get(t.Context(), fmt.Sprintf("fails:%d", i))
		if err != nil {
			require.ErrorIs(t, err, ErrUnavailable)
		}
		return !c.breaker.IsClosed()
	}, limit, time.Millisecond)
	require.ErrorIs(t, c.Check(t.Context()), ErrUnavailable)
	require.InDelta(t, 1, testutil.ToFloat64(c.gauge), 0)
}

// heals waits until calls work again without making one: Check is not a call while
// the breaker is open.
func heals(t *testing.T, c *Cache) {
	t.Helper()
	require.Eventually(t, func() bool { return c.refused() == nil }, limit, tick)
	require.Eventually(t, func() bool {
		return c.Set(t.Context(), "healed", []byte("v"), time.Minute) == nil
	}, limit, tick)
	_, ok, err := c.Get(t.Context(), "healed")
	require.NoError(t, err)
	require.True(t, ok)
}

// node is one server to break, alone or in a cluster.
type node struct {
	addrs  []string
	victim *redistest.Server
	settle func() // waits until the cluster is whole again
}

func topologies(t *testing.T) map[string]func(t *testing.T) node {
	t.Helper()
	return map[string]func(t *testing.T) node{
		"single": func(t *testing.T) node {
			s := redistest.Start(t)
			return node{addrs: []string{s.Addr()}, victim: s, settle: func() {}}
		},
		"cluster": func(t *testing.T) node {
			c := redistest.StartCluster(t)
			return node{addrs: c.Addrs(), victim: c.Nodes[1], settle: func() { c.AwaitOK(t) }}
		},
	}
}

func TestFailureAndRecovery(t *testing.T) {
	for topology, start := range topologies(t) {
		for name, f := range map[string]struct{ breakIt, mend func(*redistest.Server) }{
			"killed": {func(s *redistest.Server) { s.Kill() }, func(s *redistest.Server) { s.Restart() }},
			"hung":   {func(s *redistest.Server) { s.Pause() }, func(s *redistest.Server) { s.Resume() }},
		} {
			t.Run(topology+" "+name, func(t *testing.T) {
				n := start(t)
				cfg := patient(n.addrs...)
				cfg.Budget = 50 * time.Millisecond
				c := open(t, cfg)
				awaitHealthy(t, c)
				require.InDelta(t, 0, testutil.ToFloat64(c.gauge), 0)
				for range 2 {
					f.breakIt(n.victim)
					fails(t, c)
					f.mend(n.victim)
					n.settle()
					heals(t, c)
				}
			})
		}
	}
}

func TestBrokenServerIsLeftAloneWhileTheBreakerIsOpen(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	cfg.Budget, cfg.ProbeInterval = 50*time.Millisecond, time.Hour
	c := open(t, cfg)
	awaitHealthy(t, c)
	s.Pause()
	fails(t, c)
	s.Resume()
	// It would answer, but nobody asks: the refusal is the breaker's own.
	for range 100 {
		_, _, err := c.Get(t.Context(), "k")
		require.Equal(t, errOpen, err)
	}
}

func TestCallReturnsAfterItsBudgetAlthoughTheClientLibraryDoesNot(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	cfg.Budget, cfg.MaxInFlight = time.Millisecond, 2
	c := open(t, cfg)
	awaitHealthy(t, c)
	stuck := make(chan struct{})
	for range cfg.MaxInFlight {
		_, err := call(t.Context(), c, func(context.Context, rueidis.Client) (int, error) {
			<-stuck
			return 0, nil
		})
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	// Both are still running, so there is no place for a third.
	_, _, err := c.Get(t.Context(), "k")
	require.Equal(t, errFull, err)
	close(stuck)
	require.Eventually(t, func() bool { return len(c.slots) == 0 }, limit, tick)
}

func TestManyCallersMeetAHungServer(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	cfg.Budget = 50 * time.Millisecond
	c := open(t, cfg)
	awaitHealthy(t, c)
	s.Pause()
	var callers sync.WaitGroup
	for i := range 2000 {
		callers.Go(func() {
			ctx := t.Context()
			_, _, err := c.Get(ctx, fmt.Sprintf("k%d", i))
			assert.ErrorIs(t, err, ErrUnavailable)
			assert.ErrorIs(t, c.Set(ctx, "k", nil, time.Minute), ErrUnavailable)
			_, err = c.MGet(ctx, []string{"a", "b"})
			assert.ErrorIs(t, err, ErrUnavailable)
			assert.ErrorIs(t, c.Del(ctx, "k"), ErrUnavailable)
		})
	}
	callers.Wait()
	s.Resume()
	heals(t, c)
}

func TestOpenWithoutRedisSucceedsAndConnectsLater(t *testing.T) {
	t.Run("the server is down", func(t *testing.T) {
		s := redistest.Start(t)
		s.Kill()
		c := open(t, patient(s.Addr()))
		_, _, err := c.Get(t.Context(), "k")
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorIs(t, c.Check(t.Context()), ErrUnavailable)
		require.InDelta(t, 1, testutil.ToFloat64(c.gauge), 0)
		s.Restart()
		heals(t, c)
	})
	t.Run("the server hangs", func(t *testing.T) {
		s := redistest.Start(t)
		s.Pause()
		c := open(t, patient(s.Addr()))
		require.ErrorIs(t, c.Check(t.Context()), ErrUnavailable)
		s.Resume()
		heals(t, c)
	})
	t.Run("the server never comes", func(t *testing.T) {
		s := redistest.Start(t)
		s.Kill()
		c := open(t, patient(s.Addr()))
		c.Close()
		c.Close()
	})
	t.Run("the server accepts and stays silent", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		c := open(t, patient(l.Addr().String()))
		conn, err := l.Accept()
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		c.Close()
	})
}

func TestCloseWhileTheServerHangs(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	c := open(t, cfg)
	awaitHealthy(t, c)
	s.Pause()
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() { _, _, _ = c.Get(t.Context(), "k") })
	}
	require.Eventually(t, func() bool { return len(c.slots) > 0 }, limit, time.Millisecond)
	c.Close()
	callers.Wait()
	_, _, err := c.Get(t.Context(), "k")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, c.Check(t.Context()), ErrUnavailable)
}

func TestCallersThatGiveUpDoNotOpenTheBreaker(t *testing.T) {
	s := redistest.Start(t)
	c := open(t, patient(s.Addr()))
	awaitHealthy(t, c)
	s.Pause()
	for range 2 * window {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, _, err := c.Get(ctx, "k")
		cancel()
		require.True(t, fault.Is(err, fault.ReasonDeadline), "%v: %v", err, errors.Unwrap(err))
	}
	require.True(t, c.breaker.IsClosed())
}

func TestCallerThatGivesUpDoesNotFailOthersThatWantTheSameKey(t *testing.T) {
	s := redistest.Start(t)
	c := open(t, patient(s.Addr()))
	awaitHealthy(t, c)
	s.Pause()
	inFlight := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(c.slots) == n }, limit, time.Millisecond)
	}
	hasty, giveUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, _, err := c.Get(hasty, "k"); first <- err }()
	inFlight(1)
	second := make(chan error, 1)
	go func() { _, _, err := c.Get(t.Context(), "k"); second <- err }()
	inFlight(2)
	giveUp()
	require.True(t, fault.Is(<-first, fault.ReasonCanceled))
	s.Resume()
	require.NoError(t, <-second)
}

func TestComplaintsOfTheServerDoNotOpenTheBreaker(t *testing.T) {
	s := redistest.Start(t)
	c := open(t, patient(s.Addr()))
	awaitHealthy(t, c)
	client := *c.client.Load()
	require.NoError(t, client.Do(t.Context(), client.B().Lpush().Key("list").Element("x").Build()).Error())
	for range 2 * window {
		_, _, err := c.Get(t.Context(), "list")
		require.ErrorIs(t, err, ErrUnavailable)
	}
	require.True(t, c.breaker.IsClosed())
}

func TestChangesByOthersReachClientSideCopies(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	cfg.ClientSideTTL = time.Hour
	reader, writer := open(t, cfg), open(t, cfg)
	awaitHealthy(t, reader)
	awaitHealthy(t, writer)
	reads := func(want string) func() bool {
		return func() bool {
			got, _, err := reader.Get(t.Context(), "k")
			return err == nil && string(got) == want
		}
	}
	require.NoError(t, writer.Set(t.Context(), "k", []byte("1"), time.Hour))
	require.Eventually(t, reads("1"), limit, tick)
	hits := keyspaceReads(t, writer)
	require.True(t, reads("1")())
	require.Equal(t, hits, keyspaceReads(t, writer), "the copy must have answered")
	require.NoError(t, writer.Set(t.Context(), "k", []byte("2"), time.Hour))
	require.Eventually(t, reads("2"), limit, tick)
	require.NoError(t, writer.Del(t.Context(), "k"))
	require.Eventually(t, reads(""), limit, tick)
	// A restarted server is empty, and so must be the copies.
	require.NoError(t, writer.Set(t.Context(), "k", []byte("3"), time.Hour))
	require.Eventually(t, reads("3"), limit, tick)
	s.Kill()
	s.Restart()
	require.Eventually(t, reads(""), limit, tick)
}

// keyspaceReads asks Redis how many reads have found a key.
func keyspaceReads(t *testing.T, c *Cache) string {
	t.Helper()
	client := *c.client.Load()
	info, err := client.Do(t.Context(), client.B().Info().Section("stats").Build()).ToString()
	require.NoError(t, err)
	_, rest, found := bytes.Cut([]byte(info), []byte("keyspace_hits:"))
	require.True(t, found)
	hits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(hits)
}

func TestMemoryPolicyIsCheckedWhenConnected(t *testing.T) {
	for policy, warned := range map[string]bool{
		"noeviction": true, "allkeys-random": true, "allkeys-lru": false, "volatile-lru": false,
	} {
		t.Run(policy, func(t *testing.T) {
			s := redistest.Start(t, "--maxmemory-policy", policy)
			var out lockedBuffer
			c, err := Open(patient(s.Addr()), slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry())
			require.NoError(t, err)
			awaitHealthy(t, c)
			c.Close() // waits for the check
			require.Equal(t, warned, bytes.Contains(out.Bytes(), []byte("policy="+policy)), "%s", out.Bytes())
		})
	}
}

func TestPasswordIsUsedAndNeverShown(t *testing.T) {
	s := redistest.Start(t, "--requirepass", "opensesame")
	t.Run("right", func(t *testing.T) {
		cfg := patient(s.Addr())
		cfg.Password = config.NewSecret("opensesame")
		awaitHealthy(t, open(t, cfg))
	})
	t.Run("wrong", func(t *testing.T) {
		cfg := patient(s.Addr())
		cfg.Password = config.NewSecret("hunter2")
		var out lockedBuffer
		c, err := Open(cfg, slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry())
		require.NoError(t, err)
		t.Cleanup(c.Close)
		require.Eventually(t, func() bool { return c.lastErr.Load() != nil }, limit, tick)
		err = c.Check(t.Context())
		require.ErrorIs(t, err, ErrUnavailable)
		require.NotContains(t, fmt.Sprint(err, (*c.lastErr.Load()).Error(), string(out.Bytes())), "hunter2")
	})
}

func TestTopologyClusterRefusesASingleServer(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	cfg.Topology = TopologyCluster
	c := open(t, cfg)
	require.Eventually(t, func() bool { return c.lastErr.Load() != nil }, limit, tick)
	require.ErrorContains(t, *c.lastErr.Load(), "not a Cluster")
}

func TestMetricIsRegisteredOnceAndRemovedByClose(t *testing.T) {
	s := redistest.Start(t)
	reg := prometheus.NewRegistry()
	log := slog.New(slog.DiscardHandler)
	c, err := Open(patient(s.Addr()), log, reg)
	require.NoError(t, err)
	_, err = Open(patient(s.Addr()), log, reg)
	require.Error(t, err)
	count, err := testutil.GatherAndCount(reg, "trunkline_redis_breaker_open")
	require.NoError(t, err)
	require.Equal(t, 1, count)
	c.Close()
	c, err = Open(patient(s.Addr()), log, reg)
	require.NoError(t, err)
	c.Close()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}
