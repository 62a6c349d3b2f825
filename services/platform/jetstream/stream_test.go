package jetstream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/natstest"
)

func TestEnsureStreamsUpdatesWhatLosesNothing(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	base := StreamSpec{Name: "S", Subjects: []string{"s.a", "s.b"}, MaxAge: time.Hour, MaxPerSubject: 5}
	ensure(t, c, base)
	ensure(t, c, base)
	publish(t, c, "s.a", "kept")

	for name, change := range map[string]func(*StreamSpec){
		"subject added":     func(s *StreamSpec) { s.Subjects = []string{"s.a", "s.b", "s.c"} },
		"longer age":        func(s *StreamSpec) { s.MaxAge = 2 * time.Hour },
		"no age":            func(s *StreamSpec) { s.MaxAge = 0 },
		"more per subject":  func(s *StreamSpec) { s.MaxPerSubject = 6 },
		"no limit":          func(s *StreamSpec) { s.MaxPerSubject = 0 },
		"duplicates window": func(s *StreamSpec) { s.Duplicates = time.Minute },
		"bounds of all":     func(s *StreamSpec) { s.MaxMessages, s.MaxBytes, s.MaxMessageBytes = 1, 1<<20, 10 },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.js.DeleteStream(t.Context(), "S"))
			ensure(t, c, base)
			publish(t, c, "s.a", "kept")
			next := base
			change(&next)
			ensure(t, c, next)
			have, err := c.js.Stream(t.Context(), "S")
			require.NoError(t, err)
			_, changed, err := merge(have.CachedInfo(), next.config(), next.Replicas)
			require.NoError(t, err)
			require.False(t, changed, "the update must have been made")
			require.EqualValues(t, 1, have.CachedInfo().State.Msgs)
		})
	}
}

func TestEnsureStreamsRefusesWhatLosesMessagesAndNamesTheField(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	base := StreamSpec{Name: "S", Subjects: []string{"s.a", "s.b"}, MaxAge: time.Hour, MaxPerSubject: 5}
	ensure(t, c, base)
	publish(t, c, "s.a", "kept")
	publish(t, c, "s.a", "kept")
	for field, change := range map[string]func(*StreamSpec){
		"subjects":        func(s *StreamSpec) { s.Subjects = []string{"s.a"} },
		"retention":       func(s *StreamSpec) { s.Retention = WorkQueue },
		"storage":         func(s *StreamSpec) { s.Storage = Memory },
		"max age":         func(s *StreamSpec) { s.MaxAge = time.Minute },
		"max per subject": func(s *StreamSpec) { s.MaxPerSubject = 1 },
		"max messages":    func(s *StreamSpec) { s.MaxMessages = 1 },
		"max bytes":       func(s *StreamSpec) { s.MaxBytes = 10 },
	} {
		t.Run(field, func(t *testing.T) {
			next := base
			change(&next)
			other := StreamSpec{Name: "OTHER", Subjects: []string{"other.>"}}
			err := c.EnsureStreams(t.Context(), []StreamSpec{next, other})
			require.ErrorIs(t, err, ErrStreamMismatch)
			require.Contains(t, cause(err), field+" is ")
			streamState(t, c, "OTHER") // one refusal does not hold up the rest
		})
	}
}

func TestStreamsStayWithinTheirBounds(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	bounded := StreamSpec{Name: "S", Subjects: []string{"s.*"}, MaxMessages: 3, MaxBytes: 1 << 20, MaxMessageBytes: 10}
	ensure(t, c, bounded)
	require.Error(t, c.Publish(t.Context(), "s.a", []byte("eleven bytes"), ""))
	for _, subject := range []string{"s.a", "s.b", "s.c", "s.d"} {
		publish(t, c, subject, "kept")
	}
	require.EqualValues(t, 3, streamState(t, c, "S").Msgs)
	without := bounded
	without.MaxMessages, without.MaxBytes, without.MaxMessageBytes = 0, 0, 0
	ensure(t, c, without)
	have, err := c.js.Stream(t.Context(), "S")
	require.NoError(t, err)
	require.Equal(t, []int64{3, 1 << 20, 10}, []int64{have.CachedInfo().Config.MaxMsgs, have.CachedInfo().Config.MaxBytes, int64(have.CachedInfo().Config.MaxMsgSize)})
}

func TestEnsureStreamsNeedsANameAndSubjects(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	require.Error(t, c.EnsureStreams(t.Context(), []StreamSpec{{Name: "S"}}))
	require.Error(t, c.EnsureStreams(t.Context(), []StreamSpec{{Subjects: []string{"s"}}}))
}

func TestLostStreamsAreCreatedAgain(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	ensure(t, c, events)
	t.Run("after the server lost its disk", func(t *testing.T) {
		s.Kill()
		s.WipeStore()
		s.Restart()
		// Looking it up, unlike a publish, does not itself ask for the stream.
		require.Eventually(t, func() bool {
			_, err := c.js.Stream(t.Context(), "EVENTS")
			return err == nil
		}, limit, tick)
	})
	t.Run("when a publish finds no stream", func(t *testing.T) {
		require.NoError(t, c.js.DeleteStream(t.Context(), "EVENTS"))
		require.ErrorIs(t, c.Publish(t.Context(), "events.a", nil, ""), ErrUnavailable)
		require.Eventually(t, func() bool { return c.Publish(t.Context(), "events.a", nil, "") == nil }, limit, tick)
	})
}

// cause returns the hidden text of every error below err.
func cause(err error) string {
	text := err.Error()
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			text += "; " + cause(inner)
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			text += "; " + cause(inner)
		}
	}
	return text
}
