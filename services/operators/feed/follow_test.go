package feed

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/release"
)

const (
	limit = 60 * time.Second
	tick  = 10 * time.Millisecond
)

// streams are like those that the others make.
func streams() []jetstream.StreamSpec {
	return append(release.Streams(),
		jetstream.StreamSpec{Name: healthStream, Subjects: []string{healthSubject + ">"}, MaxPerSubject: 1},
		jetstream.StreamSpec{Name: configStream, Subjects: []string{"operator.config.>"}})
}

func connect(t *testing.T, url string) *jetstream.Conn {
	t.Helper()
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{url}
	conn, err := jetstream.Connect(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	_ = conn.EnsureStreams(t.Context(), streams()) // they are made when the server can be reached
	return conn
}

func ready(t *testing.T, conn *jetstream.Conn) {
	t.Helper()
	require.Eventually(t, func() bool { return conn.EnsureStreams(t.Context(), streams()) == nil }, limit, tick)
}

// run hears from the server until the test ends.
func run(t *testing.T, conn *jetstream.Conn) *world {
	t.Helper()
	f, err := New(conn, clock.System(), prometheus.NewPedanticRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return &world{Feed: f}
}

// until reads what a guest is told until it was told all of the texts, in any order: the streams are read side by side. It
// gives everything that was told.
func (g *guest) until(t *testing.T, texts ...string) (told []string) {
	t.Helper()
	late := time.After(limit)
	for len(texts) > 0 {
		select {
		case text := <-g.told:
			told = append(told, text)
			texts = slices.DeleteFunc(texts, func(wanted string) bool { return wanted == text })
		case <-late:
			require.Fail(t, "waited in vain", "%q; told were %q", texts, told)
		}
	}
	return told
}

func publish(t *testing.T, conn *jetstream.Conn, subject, data string) {
	t.Helper()
	require.Eventually(t, func() bool { return conn.Publish(t.Context(), subject, []byte(data), "") == nil }, limit, tick)
}

func TestEventsComeFromTheStreams(t *testing.T) {
	server := natstest.Start(t)
	conn := connect(t, server.URL())
	ready(t, conn)
	publish(t, conn, healthSubject+one.String(), healthOf(one, "UNBOUND"))
	publish(t, conn, healthSubject+one.String(), healthOf(one, "BOUND"))
	publish(t, conn, release.EngineSubject(two.String()), fmt.Sprintf(`{"engineId":%q,"servingActivation":"7"}`, two))
	publish(t, conn, "operator.config.created", `{"configVersion":"1"}`)

	w := run(t, conn)
	// Who comes before the streams were read is told when they are.
	early := w.visit(nil)
	defer early.leaves(t)
	require.NotContains(t, early.until(t, "1 BOUND", "engine 2 serves 7", "heartbeat"), "config 1")
	late := w.visit(nil)
	defer late.leaves(t)
	require.NotContains(t, late.until(t, "1 BOUND", "engine 2 serves 7", "heartbeat"), "config 1")

	publish(t, conn, "operator.config.deleted", fmt.Sprintf(`{"configVersion":"2","operatorId":%q}`, one))
	publish(t, conn, healthSubject+two.String(), "{")
	publish(t, conn, healthSubject+two.String(), healthOf(two, "FAILBACK"))
	for _, g := range []*guest{early, late} {
		g.until(t, "2 FAILBACK", "config 2 of 1 version 0")
	}
}

func TestWatchersOutliveALossOfNATS(t *testing.T) {
	server := natstest.Start(t)
	conn := connect(t, server.URL())
	ready(t, conn)
	w := run(t, conn)
	publish(t, conn, healthSubject+one.String(), healthOf(one, "BOUND"))
	g := w.visit(nil)
	defer g.leaves(t)
	g.until(t, "1 BOUND", "heartbeat")

	server.Kill()
	g.until(t, "heartbeat without NATS")
	server.Restart()
	// Said while nobody here could hear it.
	other := connect(t, server.URL())
	publish(t, other, healthSubject+two.String(), healthOf(two, "UNBOUND"))
	publish(t, other, "operator.config.updated", `{"configVersion":"9"}`)
	require.NotContains(t, g.until(t, "config 9", "2 UNBOUND", "heartbeat"), "1 BOUND", "what was told before is not told again")
}

func TestWatchersWaitForNATS(t *testing.T) {
	server := natstest.Start(t)
	server.Kill()
	conn := connect(t, server.URL())
	w := run(t, conn)
	g := w.visit(nil)
	defer g.leaves(t)
	require.Len(t, g.until(t, "heartbeat without NATS"), 1)
	server.Restart()
	id := uuid.New()
	publish(t, conn, healthSubject+id.String(), healthOf(id, "BOUND"))
	g.until(t, id.String()[35:]+" BOUND", "heartbeat")
}

func TestAFeedOfAClosedConnectionHearsNothing(t *testing.T) {
	server := natstest.Start(t)
	conn := connect(t, server.URL())
	conn.Close()
	w := run(t, conn)
	g := w.visit(nil)
	defer g.leaves(t)
	require.Len(t, g.until(t, "heartbeat without NATS"), 1)
}
