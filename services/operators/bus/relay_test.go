package bus_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pgtest"
)

// The connection of platform/jetstream is the stream in every process.
var _ bus.Stream = (*jetstream.Conn)(nil)

func TestAnEventReachesItsStreamWithItsIDAndTrace(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		relay, _ := w.run(t, database.NewOutbox(w.db), newPublisher(w.conn))
		ids := w.commit(t, 3)
		relay.Wake()
		w.published(t, 3)
		require.ElementsMatch(t, ids, w.storedIDs(t))
		first := w.stored(t)[0]
		require.Equal(t, "operator.config.updated", first.Subject)
		require.Equal(t, traceparent, first.Header.Get("traceparent"))
		require.Contains(t, string(first.Data), `"configVersion"`)
	})
}

// together lets each of several relays claim a batch before any of them goes on, so that they work at the same time.
// It has no time limits: after a call that was given up, events would wait for the end of a claim, and the clock stands.
type together struct {
	operators.Outbox
	claimed *sync.WaitGroup
	once    sync.Once
}

func (o *together) Settle(ctx context.Context, owner string, published []uuid.UUID, setbacks []operators.Setback, at time.Time) error {
	return o.Outbox.Settle(context.WithoutCancel(ctx), owner, published, setbacks, at)
}

func (o *together) Claim(ctx context.Context, c operators.OutboxClaim) ([]operators.Outgoing, error) {
	batch, err := o.Outbox.Claim(context.WithoutCancel(ctx), c)
	if len(batch) > 0 {
		o.once.Do(func() {
			o.claimed.Done()
			o.claimed.Wait()
		})
	}
	return batch, err
}

func TestTwoRelaysPublishEachEventOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const events = 500
		ids := w.commit(t, events)
		var (
			mu           sync.Mutex
			acknowledged = map[uuid.UUID]int{}
			by           = map[uuid.UUID][]string{}
			claimed      sync.WaitGroup
		)
		claimed.Add(2)
		for _, name := range []string{"a", "b"} {
			// As in two processes, each has a pool and a connection of its own.
			db, err := open(w.url)
			require.NoError(t, err)
			defer func() { _ = db.Close() }()
			conn, err := connect(w.nats.URL())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.AwaitConnected(t.Context()))
			next := newPublisher(conn)
			_, stop := w.run(t, &together{Outbox: database.NewOutbox(db), claimed: &claimed},
				publishFunc(func(ctx context.Context, e operators.Outgoing) error {
					err := next.Publish(context.WithoutCancel(ctx), e)
					mu.Lock()
					defer mu.Unlock()
					if !slices.Contains(by[e.ID], name) {
						by[e.ID] = append(by[e.ID], name)
					}
					if err == nil {
						acknowledged[e.ID]++
					}
					return err
				}))
			defer stop()
		}
		w.await(t, events, func() {}) // no claim ends
		mu.Lock()
		defer mu.Unlock()
		shares := map[string]int{}
		for _, id := range ids {
			require.Equal(t, 1, acknowledged[id])
			require.Len(t, by[id], 1, "no claim overlaps")
			shares[by[id][0]]++
		}
		require.Len(t, shares, 2, "both worked")
		require.ElementsMatch(t, ids, w.storedIDs(t))
	})
}

func TestEventsComeOutByThemselvesAfterNATSWasDownForAMinute(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		relay, _ := w.run(t, database.NewOutbox(w.db), newPublisher(w.conn))
		w.conn.OnConnect(relay.Hasten)
		ids := w.commit(t, 2)
		relay.Wake()
		w.published(t, 2)

		w.nats.Kill()
		for range 3 {
			ids = append(ids, w.commit(t, 10)...)
			relay.Wake()
			require.Eventually(t, func() bool { return w.status(t).Pending == 0 }, limit, tick)
			w.clock.Advance(20 * time.Second)
		}
		status := w.status(t)
		require.EqualValues(t, 30, status.PendingPublish)
		require.EqualValues(t, 2, status.Published)
		require.Equal(t, time.Minute, status.Oldest)
		require.NotEmpty(t, status.LastError)
		require.NotContains(t, status.LastError, "127.0.0.1")

		w.nats.Restart()
		w.published(t, len(ids))
		require.ElementsMatch(t, ids, w.storedIDs(t))
	})
}

// A server that hangs keeps what it was sent, and stores it when it goes on: the tries before must not count twice.
func TestEventsComeOutOnceAfterNATSHung(t *testing.T) {
	w := onSQLite(t)
	relay, _ := w.run(t, database.NewOutbox(w.db), newPublisher(w.conn))
	w.nats.Pause()
	ids := w.commit(t, 10)
	relay.Wake()
	require.Eventually(t, func() bool { return w.status(t).PendingPublish == 10 }, limit, tick)
	w.nats.Resume()
	w.published(t, 10)
	require.ElementsMatch(t, ids, w.storedIDs(t))
}

func TestEventsSurviveADatabaseThatDiesBetweenAcknowledgementAndMark(t *testing.T) {
	server := pgtest.Start(t)
	w := onPostgres(t, server.URL())
	stored, killed := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	tries := 0
	next := newPublisher(w.conn)
	relay, _ := w.run(t, database.NewOutbox(w.db), publishFunc(func(ctx context.Context, e operators.Outgoing) error {
		err := next.Publish(ctx, e)
		mu.Lock()
		tries++
		first := tries == 1
		mu.Unlock()
		if first {
			close(stored)
			<-killed
		}
		return err
	}))
	ids := w.commit(t, 1)
	relay.Wake()
	<-stored
	server.Kill(t)
	close(killed)
	server.Restart(t)
	require.Equal(t, ids, w.storedIDs(t))
	require.Eventually(t, func() bool { // the first statements may find connections to the dead server
		status, err := database.NewOutbox(w.db).Status(t.Context(), w.clock.Now())
		return err == nil && status.Pending == 1 // the mark was lost
	}, limit, tick)
	w.clock.Advance(lease)
	w.published(t, 1)
	mu.Lock()
	require.Greater(t, tries, 1)
	mu.Unlock()
	require.Equal(t, ids, w.storedIDs(t), "the stream knew it")
}

func TestEventsGoOutThoughTheClockSteps(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		down := true
		next := newPublisher(w.conn)
		relay, _ := w.run(t, database.NewOutbox(w.db), publishFunc(func(ctx context.Context, e operators.Outgoing) error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return jetstream.ErrUnavailable
			}
			return next.Publish(ctx, e)
		}))
		ids := w.commit(t, 1)
		relay.Wake()
		require.Eventually(t, func() bool { return w.status(t).PendingPublish == 1 }, limit, tick)
		mu.Lock()
		down = false
		mu.Unlock()
		w.clock.Advance(-time.Hour) // its next try is an hour away now
		w.published(t, 1)
		ids = append(ids, w.commit(t, 1)...)
		relay.Wake()
		w.published(t, 2)
		w.clock.Advance(2 * time.Hour)
		ids = append(ids, w.commit(t, 1)...)
		w.clock.Advance(-time.Hour) // committed in the future
		relay.Wake()
		w.published(t, 3)
		require.Equal(t, ids, w.storedIDs(t))
	})
}
