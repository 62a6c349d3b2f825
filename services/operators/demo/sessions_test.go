package demo

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/jetstream"
)

const (
	limit = 15 * time.Second
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
	require.NoError(t, c.EnsureStreams(t.Context(), []jetstream.StreamSpec{{Name: "OPERATOR_SESSION", Subjects: []string{"operator.session.>"}}}))
	return c
}

// heard is what was reported of each operator, and the sequences in their order.
type heard struct {
	mu        sync.Mutex
	states    map[string][]string
	sequences []string
}

func listen(t *testing.T, c *jetstream.Conn) *heard {
	t.Helper()
	h := &heard{states: map[string][]string{}}
	_, err := c.Follow(t.Context(), jetstream.FollowSpec{Stream: "OPERATOR_SESSION"}, func(_ context.Context, m jetstream.Message) {
		var e struct{ OperatorID, ConnectorID, Sequence, BindState, Submits string }
		if json.Unmarshal(m.Data, &e) != nil || e.ConnectorID != "demo" || e.Submits != "" || m.Subject != "operator.session."+e.OperatorID {
			e.OperatorID, e.BindState = m.Subject, "unreadable"
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.states[e.OperatorID] = append(h.states[e.OperatorID], strings.TrimPrefix(e.BindState, "BIND_STATE_"))
		h.sequences = append(h.sequences, e.Sequence)
	})
	require.NoError(t, err)
	return h
}

func (h *heard) of(id string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.states[id]...)
}

func (h *heard) hears(t *testing.T, id string, want ...string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(h.of(id)) >= len(want) }, limit, tick)
	require.Equal(t, want, h.of(id))
}

func TestSessionsAreReportedUntilTheyEnd(t *testing.T) {
	c := connect(t)
	h := listen(t, c)
	s := NewSessions(c, slog.New(slog.DiscardHandler))
	require.NoError(t, s.Bind(t.Context(), []string{"a", "b"}))
	require.NoError(t, s.Bind(t.Context(), []string{"b", "c"}))
	require.NoError(t, s.Bind(t.Context(), []string{"b"}))
	require.NoError(t, s.Bind(t.Context(), []string{"a", "b"}))
	h.hears(t, "b", "BOUND", "BOUND", "BOUND", "BOUND")
	h.hears(t, "a", "BOUND", "UNBOUND", "BOUND")
	h.hears(t, "c", "BOUND", "UNBOUND")
	h.mu.Lock()
	defer h.mu.Unlock()
	require.IsIncreasing(t, h.sequences)
}

func TestSessionsAreReportedAgainAndAgain(t *testing.T) {
	c := connect(t)
	h := listen(t, c)
	s := NewSessions(c, slog.New(slog.DiscardHandler))
	require.Equal(t, 10*time.Second, s.every)
	s.every = tick
	require.NoError(t, s.Bind(t.Context(), []string{"a"}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	require.Eventually(t, func() bool { return len(h.of("a")) >= 3 }, limit, tick)
	cancel()
	<-done
}

func TestSessionsThatCannotBeReportedAreAnError(t *testing.T) {
	c := connect(t)
	c.Close()
	s := NewSessions(c, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, s.Bind(t.Context(), []string{"a"}), jetstream.ErrUnavailable)
}
