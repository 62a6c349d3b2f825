package jetstream

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/natstest"
)

var errBusy = errors.New("the store is down")

// quick retries soon, for tests that wait for it.
func quick(name string) DurableSpec {
	return DurableSpec{Stream: "EVENTS", Name: name, MinDelay: 20 * time.Millisecond, MaxDelay: 50 * time.Millisecond}
}

func consume(t *testing.T, c *Conn, spec DurableSpec, handle func(context.Context, Message) error) *Subscription {
	t.Helper()
	s, err := c.Durable(t.Context(), spec, handle)
	require.NoError(t, err)
	return s
}

// settled waits until the durable has nothing left to deliver or to be answered.
func settled(t *testing.T, c *Conn, name string) *natsjs.ConsumerInfo {
	t.Helper()
	require.Eventually(t, func() bool {
		info := consumerInfo(t, c, "EVENTS", name)
		return info.NumPending == 0 && info.NumAckPending == 0
	}, limit, tick)
	return consumerInfo(t, c, "EVENTS", name)
}

func TestMessageIsAcknowledgedOnlyAfterTheHandlerSucceeded(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	entered, leave := make(chan struct{}), make(chan struct{})
	consume(t, c, quick("d"), func(context.Context, Message) error {
		close(entered)
		<-leave
		return nil
	})
	publish(t, c, "events.a", "one")
	closed(t, entered, "the handler")
	require.Equal(t, 1, consumerInfo(t, c, "EVENTS", "d").NumAckPending)
	close(leave)
	settled(t, c, "d")
}

func TestFailedMessageIsDeliveredAgainUntilItSucceeds(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	var in inbox
	consume(t, c, quick("d"), func(_ context.Context, m Message) error {
		in.add(m)
		if m.Deliveries < 4 {
			return errBusy
		}
		return nil
	})
	publish(t, c, "events.a", "one")
	in.equals(t, "one", "one", "one", "one")
	settled(t, c, "d")
	for i, m := range in.all() {
		require.Equal(t, i+1, m.Deliveries)
		require.EqualValues(t, 1, m.Sequence)
		require.Equal(t, "events.a", m.Subject)
		require.False(t, m.Time.IsZero())
	}
}

func TestRedeliveryOrder(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	for _, text := range []string{"one", "two", "three"} {
		publish(t, c, "events.a", text)
	}
	failOnce := func(in *inbox) func(context.Context, Message) error {
		return func(_ context.Context, m Message) error {
			in.add(m)
			if string(m.Data) == "one" && m.Deliveries == 1 {
				return errBusy
			}
			return nil
		}
	}
	t.Run("a failed message comes back behind those already on their way", func(t *testing.T) {
		var in inbox
		spec := quick("many")
		spec.MinDelay = 200 * time.Millisecond
		consume(t, c, spec, failOnce(&in))
		in.equals(t, "one", "two", "three", "one")
	})
	t.Run("with one in flight nothing overtakes it", func(t *testing.T) {
		var in inbox
		spec := quick("single")
		spec.MaxInFlight = 1
		consume(t, c, spec, failOnce(&in))
		in.equals(t, "one", "one", "two", "three")
	})
}

func TestDelayGrowsWithEachDeliveryUpToItsLimit(t *testing.T) {
	var got []time.Duration
	for n := 1; n <= 6; n++ {
		got = append(got, grow(100*time.Millisecond, time.Second, n))
	}
	require.Equal(t, []time.Duration{100e6, 200e6, 400e6, 800e6, time.Second, time.Second}, got)
	require.Equal(t, time.Hour, grow(time.Second, time.Hour, 1<<30))
}

func TestPanicOfAHandlerIsAFailedDelivery(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	var in inbox
	consume(t, c, quick("d"), func(_ context.Context, m Message) error {
		in.add(m)
		if m.Deliveries == 1 {
			panic("bug")
		}
		return nil
	})
	publish(t, c, "events.a", "one")
	in.equals(t, "one", "one")
	settled(t, c, "d")
}

// letter waits for the only dead letter.
func letter(t *testing.T, c *Conn) *natsjs.RawStreamMsg {
	t.Helper()
	require.Eventually(t, func() bool { return streamState(t, c, DeadLetterStream).Msgs > 0 }, limit, tick)
	require.EqualValues(t, 1, streamState(t, c, DeadLetterStream).Msgs)
	stream, err := c.js.Stream(t.Context(), DeadLetterStream)
	require.NoError(t, err)
	msg, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	return msg
}

func TestDeadLetters(t *testing.T) {
	for name, test := range map[string]struct {
		data       string
		maxDeliver int
		handle     func(context.Context, Message) error
		reason     string
		deliveries string
	}{
		"poison goes there at once": {
			data: "bad", reason: "no such field", deliveries: "1",
			handle: func(context.Context, Message) error { return Poison("no such\nfield", errBusy) },
		},
		"a message that fails too often goes there": {
			data: "bad", maxDeliver: 3, reason: "delivered too often", deliveries: "3",
			handle: func(context.Context, Message) error { return errBusy },
		},
		"a message that is too large never reaches the handler": {
			data: strings.Repeat("x", 200), reason: "larger than 100 bytes", deliveries: "1",
			handle: func(context.Context, Message) error { return Poison("handled", nil) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t)
			c := open(t, s, func(cfg *Config) { cfg.MaxMessageBytes = 100 })
			ensure(t, c, events, DeadLetterSpec())
			_, err := c.js.PublishMsg(t.Context(), &nats.Msg{
				Subject: "events.a", Data: []byte(test.data),
				Header: nats.Header{"X": {"kept"}, "Nats-Msg-Id": {"mine"}},
			})
			require.NoError(t, err)
			spec := quick("d")
			spec.MaxDeliver = test.maxDeliver
			consume(t, c, spec, test.handle)

			msg := letter(t, c)
			require.Equal(t, "dead_letter.EVENTS.d", msg.Subject)
			require.Equal(t, test.data, string(msg.Data))
			h := Header(msg.Header)
			require.Equal(t, "events.a", h.Get(HeaderSubject))
			require.Equal(t, "EVENTS", h.Get(HeaderStream))
			require.Equal(t, "1", h.Get(HeaderSequence))
			require.Equal(t, test.reason, h.Get(HeaderReason))
			require.Equal(t, test.deliveries, h.Get(HeaderDeliveries))
			require.Equal(t, "kept", h.Get("X"))
			require.NotEqual(t, "mine", h.Get("Nats-Msg-Id"))

			// The next message is handled: the poison is out of the way.
			settled(t, c, "d")
		})
	}
}

func TestMessageStaysUntilItsDeadLetterIsStored(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s, func(cfg *Config) { cfg.PublishTimeout = 200 * time.Millisecond })
	ensure(t, c, events) // and no dead letter stream
	var calls atomic.Int32
	consume(t, c, quick("d"), func(context.Context, Message) error {
		calls.Add(1)
		return Poison("bad", nil)
	})
	publish(t, open(t, s), "events.a", "bad") // by one that has more time
	require.Eventually(t, func() bool { return calls.Load() >= 3 }, limit, tick, "it must be delivered again")
	require.Equal(t, 1, consumerInfo(t, c, "EVENTS", "d").NumAckPending)
	ensure(t, c, DeadLetterSpec())
	letter(t, c)
	settled(t, c, "d")
}

func TestMessageThatCrashedItsHandlersIsMovedWithoutAnotherTry(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events, DeadLetterSpec())
	publish(t, c, "events.a", "crash")
	spec := quick("d")
	spec.AckWait, spec.MaxDeliver = 50*time.Millisecond, 2
	// A consumer that takes the message and never answers, as a crash does.
	consumer, err := c.js.CreateConsumer(t.Context(), "EVENTS", natsjs.ConsumerConfig{
		Durable: "d", AckPolicy: natsjs.AckExplicitPolicy, AckWait: spec.AckWait, MaxAckPending: 64, MaxDeliver: -1,
	})
	require.NoError(t, err)
	for range spec.MaxDeliver {
		_, err := consumer.Next(natsjs.FetchMaxWait(limit))
		require.NoError(t, err)
	}
	var in inbox
	consume(t, c, spec, func(_ context.Context, m Message) error { in.add(m); return nil })
	require.Equal(t, "delivered too often", Header(letter(t, c).Header).Get(HeaderReason))
	require.Empty(t, in.all())
}

func TestDurableSurvives(t *testing.T) {
	for name, breakIt := range map[string]func(t *testing.T, s *natstest.Server, c *Conn){
		"a killed server": func(_ *testing.T, s *natstest.Server, _ *Conn) {
			s.Kill()
			s.Restart()
		},
		"a server that lost its disk": func(_ *testing.T, s *natstest.Server, _ *Conn) {
			s.Kill()
			s.WipeStore()
			s.Restart()
		},
		"a server that hung": func(t *testing.T, s *natstest.Server, c *Conn) {
			s.Pause()
			awaitUnhealthy(t, c)
			s.Resume()
		},
		"a deleted consumer": func(t *testing.T, _ *natstest.Server, c *Conn) {
			require.NoError(t, c.js.DeleteConsumer(t.Context(), "EVENTS", "d"))
		},
		"a deleted stream": func(t *testing.T, _ *natstest.Server, c *Conn) {
			require.NoError(t, c.js.DeleteStream(t.Context(), "EVENTS"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t)
			c := open(t, s)
			ensure(t, c, events)
			var in inbox
			consume(t, c, quick("d"), func(_ context.Context, m Message) error { in.add(m); return nil })
			publish(t, c, "events.a", "before")
			in.has(t, "before")
			breakIt(t, s, c)
			require.Eventually(t, func() bool {
				return c.Publish(t.Context(), "events.a", []byte("after"), "") == nil
			}, limit, tick)
			in.has(t, "before", "after")
		})
	}
}

func TestDurableWaitsForItsStream(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	var in inbox
	sub := consume(t, c, quick("d"), func(_ context.Context, m Message) error { in.add(m); return nil })
	ensure(t, c, events)
	publish(t, c, "events.a", "one")
	closed(t, sub.Synced(), "the consumer")
	in.has(t, "one")
}

func TestCloseLetsTheHandlerFinishAndAcknowledge(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	other := open(t, s)
	ensure(t, c, events)
	entered, leave := make(chan struct{}), make(chan struct{})
	var finished atomic.Bool
	consume(t, c, quick("d"), func(ctx context.Context, _ Message) error {
		close(entered)
		<-leave
		finished.Store(ctx.Err() == nil)
		return nil
	})
	publish(t, c, "events.a", "one")
	closed(t, entered, "the handler")
	done := make(chan struct{})
	go func() { c.Close(); close(done) }()
	require.Eventually(t, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.closed }, limit, tick)
	select {
	case <-done:
		require.Fail(t, "Close returned while a handler was running")
	default:
	}
	close(leave)
	closed(t, done, "Close")
	require.True(t, finished.Load(), "the context of the handler must not end")
	require.Zero(t, consumerInfo(t, other, "EVENTS", "d").NumAckPending)
}

func TestHandlerThatIgnoresTheStopIsCutOff(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s, func(cfg *Config) { cfg.DrainTimeout = 50 * time.Millisecond })
	ensure(t, c, events)
	entered := make(chan struct{})
	sub := consume(t, c, quick("d"), func(ctx context.Context, _ Message) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	})
	publish(t, c, "events.a", "one")
	closed(t, entered, "the handler")
	done := make(chan struct{})
	go func() { sub.Stop(); close(done) }()
	closed(t, done, "Stop")
	// It was given back: another process gets it without waiting for AckWait.
	var in inbox
	consume(t, c, quick("d"), func(_ context.Context, m Message) error { in.add(m); return nil })
	in.has(t, "one")
}

func TestCloseWhileTheServerIsGone(t *testing.T) {
	for name, breakIt := range map[string]func(s *natstest.Server){
		"killed": func(s *natstest.Server) { s.Kill() },
		"hung":   func(s *natstest.Server) { s.Pause() },
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t)
			c := open(t, s, func(cfg *Config) { cfg.DrainTimeout = 500 * time.Millisecond })
			ensure(t, c, events)
			sub := consume(t, c, quick("d"), func(context.Context, Message) error { return nil })
			f, err := c.Follow(t.Context(), FollowSpec{Stream: "EVENTS"}, func(context.Context, Message) {})
			require.NoError(t, err)
			closed(t, sub.Synced(), "the consumer")
			closed(t, f.Synced(), "the follower")
			breakIt(s)
			done := make(chan struct{})
			go func() { c.Close(); close(done) }()
			closed(t, done, "Close")
		})
	}
}

func TestDurableRefusesBadSpecs(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	for name, spec := range map[string]DurableSpec{
		"no stream":         {Name: "d"},
		"no name":           {Stream: "EVENTS"},
		"a dot in the name": {Stream: "EVENTS", Name: "a.b"},
		"a negative limit":  {Stream: "EVENTS", Name: "d", MaxDeliver: -1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Durable(t.Context(), spec, nil)
			require.Error(t, err)
		})
	}
}
