package jetstream

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublishAfterDoesNotOverwriteWhatWasNotRead(t *testing.T) {
	e, err := Embedded(t.TempDir(), "")
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Shutdown()) }()
	c, err := Connect(DefaultConfig(), slog.New(slog.DiscardHandler), WithInProcessServer(e))
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.AwaitConnected(t.Context()))
	require.NoError(t, c.EnsureStreams(t.Context(), []StreamSpec{{Name: "STATES", Subjects: []string{"state.>"}, MaxPerSubject: 1}}))

	require.NoError(t, c.PublishAfter(t.Context(), "state.a", []byte("first"), "", 0), "the subject is empty")
	require.ErrorIs(t, c.PublishAfter(t.Context(), "state.a", []byte("again"), "", 0), ErrWrongSequence)
	require.NoError(t, c.PublishAfter(t.Context(), "state.b", []byte("other"), "", 0), "each subject counts for itself")
	require.NoError(t, c.PublishAfter(t.Context(), "state.a", []byte("second"), "", 1))
	require.ErrorIs(t, c.PublishAfter(t.Context(), "state.a", []byte("late"), "", 1), ErrWrongSequence)
	require.ErrorIs(t, c.PublishAfter(t.Context(), "state.a", make([]byte, 300<<10), "", 3), ErrTooLarge)

	last, err := c.Last(t.Context(), "STATES", "state.a")
	require.NoError(t, err)
	require.Equal(t, "second", string(last.Data))
	require.Equal(t, uint64(3), last.Sequence)
	last, err = c.Last(t.Context(), "STATES", "state.c")
	require.NoError(t, err)
	require.Zero(t, last.Sequence, "nothing was published there")
	_, err = c.Last(t.Context(), "NONE", "state.a")
	require.ErrorIs(t, err, ErrUnavailable)
}
