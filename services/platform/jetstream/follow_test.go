package jetstream

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/natstest"
)

func follow(t *testing.T, c *Conn, spec FollowSpec) (*inbox, *Subscription) {
	t.Helper()
	in := &inbox{}
	s, err := c.Follow(t.Context(), spec, in.follow)
	require.NoError(t, err)
	return in, s
}

func TestFollowStartsWhereItsPolicySays(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	publish(t, c, "events.a", "a1")
	publish(t, c, "events.b", "b1")
	publish(t, c, "events.a", "a2")
	for name, test := range map[string]struct {
		spec FollowSpec
		want []string
	}{
		"all":                           {FollowSpec{Stream: "EVENTS"}, []string{"a1", "b1", "a2"}},
		"new":                           {FollowSpec{Stream: "EVENTS", Policy: New}, nil},
		"last per subject":              {FollowSpec{Stream: "EVENTS", Policy: LastPerSubject}, []string{"b1", "a2"}},
		"all of one subject":            {FollowSpec{Stream: "EVENTS", FilterSubjects: []string{"events.a"}}, []string{"a1", "a2"}},
		"last of two subjects":          {FollowSpec{Stream: "EVENTS", Policy: LastPerSubject, FilterSubjects: []string{"events.a", "events.b"}}, []string{"b1", "a2"}},
		"last of a subject with no one": {FollowSpec{Stream: "EVENTS", Policy: LastPerSubject, FilterSubjects: []string{"events.z"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in, sub := follow(t, c, test.spec)
			closed(t, sub.Synced(), "the replay")
			require.Equal(t, test.want, in.texts(), "synced means that all of it has been handled")
			sub.Stop()
		})
	}
}

func TestEveryFollowerSeesEveryMessage(t *testing.T) {
	s := natstest.Start(t)
	c, other := open(t, s), open(t, s)
	ensure(t, c, events)
	one, sub1 := follow(t, c, FollowSpec{Stream: "EVENTS", Policy: New})
	two, sub2 := follow(t, other, FollowSpec{Stream: "EVENTS", Policy: New})
	closed(t, sub1.Synced(), "the first follower")
	closed(t, sub2.Synced(), "the second follower")
	publish(t, c, "events.a", "x")
	one.equals(t, "x")
	two.equals(t, "x")
}

func TestSyncedComesOnlyAfterALongReplay(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	const many = 2000 // several requests to the server
	for i := range many {
		_, err := c.js.PublishAsync("events.a", []byte(strconv.Itoa(i)))
		require.NoError(t, err)
	}
	<-c.js.PublishAsyncComplete()
	in, sub := follow(t, c, FollowSpec{Stream: "EVENTS"})
	closed(t, sub.Synced(), "the replay")
	require.Len(t, in.all(), many)
	for i, m := range in.all() {
		require.EqualValues(t, i+1, m.Sequence)
	}
}

func TestSyncedAlthoughTheRestOfTheReplayWasPurged(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	const many = 2 * followPrefetch
	for range many {
		_, err := c.js.PublishAsync("events.a", nil)
		require.NoError(t, err)
	}
	<-c.js.PublishAsyncComplete()
	first, leave := make(chan struct{}), make(chan struct{})
	handled := 0
	sub, err := c.Follow(t.Context(), FollowSpec{Stream: "EVENTS"}, func(context.Context, Message) {
		if handled++; handled == 1 {
			close(first)
			<-leave
		}
	})
	require.NoError(t, err)
	closed(t, first, "the first message")
	stream, err := c.js.Stream(t.Context(), "EVENTS")
	require.NoError(t, err)
	require.NoError(t, stream.Purge(t.Context()))
	close(leave)
	closed(t, sub.Synced(), "the replay")
	sub.Stop()
	require.Less(t, handled, many)
}

func TestFollowSurvives(t *testing.T) {
	// gone is called while the server is away, if it is ever away.
	type fault struct {
		storage Storage
		breakIt func(t *testing.T, s *natstest.Server, c *Conn)
	}
	restart := func(_ *testing.T, s *natstest.Server, _ *Conn) { s.Kill(); s.Restart() }
	for name, f := range map[string]fault{
		"a killed server":                         {File, restart},
		"a killed server with a stream in memory": {Memory, restart},
		"a server that lost its disk": {File, func(_ *testing.T, s *natstest.Server, _ *Conn) {
			s.Kill()
			s.WipeStore()
			s.Restart()
		}},
		"a server that hung": {File, func(t *testing.T, s *natstest.Server, c *Conn) {
			s.Pause()
			awaitUnhealthy(t, c)
			s.Resume()
		}},
		"a deleted stream": {File, func(t *testing.T, _ *natstest.Server, c *Conn) {
			require.NoError(t, c.js.DeleteStream(t.Context(), "EVENTS"))
		}},
		"deleted consumers": {File, func(t *testing.T, _ *natstest.Server, c *Conn) {
			stream, err := c.js.Stream(t.Context(), "EVENTS")
			require.NoError(t, err)
			for name := range stream.ConsumerNames(t.Context()).Name() {
				require.NoError(t, stream.DeleteConsumer(t.Context(), name))
			}
		}},
	} {
		for policyName, policy := range map[string]Policy{"all": All, "new": New, "last per subject": LastPerSubject} {
			t.Run(name+" following "+policyName, func(t *testing.T) {
				s := natstest.Start(t)
				c, publisher := open(t, s), open(t, s)
				spec := events
				spec.Storage = f.storage
				ensure(t, c, spec)
				ensure(t, publisher, spec)
				in, sub := follow(t, c, FollowSpec{Stream: "EVENTS", Policy: policy})
				closed(t, sub.Synced(), "the start")
				publish(t, c, "events.a", "before")
				in.has(t, "before")

				f.breakIt(t, s, c)
				// The publisher may be back long before the follower: nothing that it
				// stores in between may be missed.
				for i := range 3 {
					require.Eventually(t, func() bool {
						return publisher.Publish(t.Context(), "events."+strconv.Itoa(i), []byte("after"+strconv.Itoa(i)), "") == nil
					}, limit, tick)
				}
				in.has(t, "before", "after0", "after1", "after2")
			})
		}
	}
}

func TestFollowDoesNotRepeatWhatWasHandledBeforeARestart(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	in, sub := follow(t, c, FollowSpec{Stream: "EVENTS"})
	closed(t, sub.Synced(), "the start")
	publish(t, c, "events.a", "one")
	in.has(t, "one")
	s.Kill()
	s.Restart()
	require.Eventually(t, func() bool { return c.Publish(t.Context(), "events.a", []byte("two"), "") == nil }, limit, tick)
	in.equals(t, "one", "two")
}

func TestFollowSkipsLargeMessagesAndOutlivesPanics(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s, func(cfg *Config) { cfg.MaxMessageBytes = 10 })
	ensure(t, c, events)
	var in inbox
	sub, err := c.Follow(t.Context(), FollowSpec{Stream: "EVENTS"}, func(_ context.Context, m Message) {
		in.add(m)
		panic("bug")
	})
	require.NoError(t, err)
	_, err = c.js.Publish(t.Context(), "events.a", make([]byte, 11))
	require.NoError(t, err)
	publish(t, c, "events.a", "one")
	publish(t, c, "events.a", "two")
	in.equals(t, "one", "two")
	closed(t, sub.Synced(), "the start")
}

func TestFollowEndsWithItsContextAndLeavesNoConsumer(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	ctx, cancel := context.WithCancel(t.Context())
	sub, err := c.Follow(ctx, FollowSpec{Stream: "EVENTS"}, func(context.Context, Message) {})
	require.NoError(t, err)
	closed(t, sub.Synced(), "the start")
	cancel()
	closed(t, sub.done, "the end")
	require.Zero(t, streamState(t, c, "EVENTS").Consumers)
}
