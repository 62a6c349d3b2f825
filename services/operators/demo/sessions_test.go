package demo

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/jetstream"
)

const (
	saidBefore = `{"operatorId":"b","status":"UNBOUND"}`

	limit = 10 * time.Second
	tick  = 5 * time.Millisecond
)

func connect(t *testing.T) *jetstream.Conn {
	t.Helper()
	e, err := jetstream.Embedded(t.TempDir(), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Shutdown()) })
	c, err := jetstream.Connect(jetstream.DefaultConfig(), slog.New(slog.DiscardHandler), jetstream.WithInProcessServer(e))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.NoError(t, c.AwaitConnected(t.Context()))
	require.NoError(t, c.EnsureStreams(t.Context(), []jetstream.StreamSpec{{Name: healthStream, Subjects: []string{"operator.health.>"}, MaxPerSubject: 1}}))
	return c
}

func TestSessionsRepeatWhatWasSaidLast(t *testing.T) {
	c := connect(t)
	s := NewSessions(c, slog.New(slog.DiscardHandler))
	require.NoError(t, c.Publish(t.Context(), "operator.health.b", []byte(saidBefore), ""))
	require.NoError(t, s.Bind(t.Context(), []string{"a", "b"}))

	var mu sync.Mutex
	heard := map[string][]string{}
	_, err := c.Follow(t.Context(), jetstream.FollowSpec{Stream: healthStream, Policy: jetstream.LastPerSubject}, func(_ context.Context, m jetstream.Message) {
		mu.Lock()
		defer mu.Unlock()
		heard[m.Subject] = append(heard[m.Subject], string(m.Data))
	})
	require.NoError(t, err)
	words := func(subject string) []string {
		mu.Lock()
		defer mu.Unlock()
		return heard[subject]
	}
	require.Eventually(t, func() bool { return len(words("operator.health.a")) == 1 && len(words("operator.health.b")) == 1 }, limit, tick)
	require.Contains(t, words("operator.health.a")[0], `"status":"BOUND"`)
	require.Equal(t, []string{saidBefore}, words("operator.health.b"), "a state that was there stays")

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	known := func(n int) func() bool {
		return func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.last) == n
		}
	}
	require.Eventually(t, known(2), limit, tick)
	require.NoError(t, c.Publish(t.Context(), "operator.health.c", []byte("not a state"), ""))
	s.repeat(t.Context())
	require.Eventually(t, func() bool { return len(words("operator.health.b")) == 2 }, limit, tick)

	// A state that the sessions have not read yet is not overwritten by their heartbeat.
	s.mu.Lock()
	stale := s.last["operator.health.b"]
	stale.sequence = 1
	s.last["operator.health.b"] = stale
	s.mu.Unlock()
	s.repeat(t.Context())
	require.NoError(t, c.Publish(t.Context(), "operator.health.b", []byte("the end"), ""))
	require.Eventually(t, func() bool { w := words("operator.health.b"); return w[len(w)-1] == "the end" }, limit, tick)
	require.Len(t, words("operator.health.b"), 3, "no heartbeat in between")
	require.Len(t, words("operator.health.c"), 1, "what is no state is not repeated")
	cancel()
	<-done
}
