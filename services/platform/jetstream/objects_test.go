package jetstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/natstest"
)

func openObjects(t *testing.T, s *natstest.Server) *Conn {
	t.Helper()
	c := open(t, s)
	require.NoError(t, c.EnsureObjects(t.Context(), shelf, 0))
	return c
}

// many are bytes of several pieces, more than are on their way at once.
func many() []byte {
	b := make([]byte, (2*objectPrefetch+1)*128<<10+17)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func putObject(t *testing.T, c *Conn, name string, data []byte) {
	t.Helper()
	require.Eventually(t, func() bool {
		return c.ObjectPut(t.Context(), shelf, name, bytes.NewReader(data)) == nil
	}, limit, tick)
}

func getObject(ctx context.Context, c *Conn, name string) ([]byte, error) {
	r, err := c.ObjectGet(ctx, shelf, name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func TestAnObjectIsReadAsItWasStored(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	for name, data := range map[string][]byte{"empty": {}, "one byte": {7}, "many pieces": many()} {
		t.Run(name, func(t *testing.T) {
			there, err := c.ObjectExists(t.Context(), shelf, name)
			require.NoError(t, err)
			require.False(t, there)
			require.NoError(t, c.ObjectPut(t.Context(), shelf, name, bytes.NewReader(data)))
			there, err = c.ObjectExists(t.Context(), shelf, name)
			require.NoError(t, err)
			require.True(t, there)
			got, err := getObject(t.Context(), c, name)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))
		})
	}
	names, err := c.ObjectNames(t.Context(), shelf)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"empty", "one byte", "many pieces"}, names)
	stream, err := c.js.Stream(t.Context(), objectStreams+shelf)
	require.NoError(t, err)
	require.Zero(t, stream.CachedInfo().State.Consumers, "a closed reader leaves nothing behind")
}

func TestObjectsAreReplacedAndDeleted(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	names, err := c.ObjectNames(t.Context(), shelf)
	require.NoError(t, err)
	require.Empty(t, names)
	putObject(t, c, "a", []byte("one"))
	putObject(t, c, "a", []byte("two"))
	got, err := getObject(t.Context(), c, "a")
	require.NoError(t, err)
	require.Equal(t, "two", string(got))
	require.EqualValues(t, 2, streamState(t, c, objectStreams+shelf).Msgs, "what was replaced takes no room")

	require.NoError(t, c.ObjectDelete(t.Context(), shelf, "a"))
	require.NoError(t, c.ObjectDelete(t.Context(), shelf, "a"), "nothing is left to do")
	require.NoError(t, c.ObjectDelete(t.Context(), shelf, "never there"))
	_, err = getObject(t.Context(), c, "a")
	require.ErrorIs(t, err, ErrNotFound)
	there, err := c.ObjectExists(t.Context(), shelf, "a")
	require.NoError(t, err)
	require.False(t, there)
	names, err = c.ObjectNames(t.Context(), shelf)
	require.NoError(t, err)
	require.Empty(t, names)
	putObject(t, c, "a", []byte("three"))
	got, err = getObject(t.Context(), c, "a")
	require.NoError(t, err)
	require.Equal(t, "three", string(got))
}

func TestObjectsSurvive(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	data := many()
	putObject(t, c, "a", data)
	t.Run("a killed server", func(t *testing.T) {
		s.Kill()
		s.Restart()
		require.Eventually(t, func() bool {
			got, err := getObject(t.Context(), c, "a")
			return err == nil && bytes.Equal(data, got)
		}, limit, tick)
	})
	t.Run("a server that lost its disk takes them again", func(t *testing.T) {
		s.Kill()
		s.WipeStore()
		s.Restart()
		require.Eventually(t, func() bool {
			there, err := c.ObjectExists(t.Context(), shelf, "a")
			return err == nil && !there
		}, limit, tick)
		putObject(t, c, "a", data)
		got, err := getObject(t.Context(), c, "a")
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
	t.Run("a deleted store", func(t *testing.T) {
		require.NoError(t, c.js.DeleteObjectStore(t.Context(), shelf))
		_, err := c.ObjectExists(t.Context(), shelf, "a")
		require.ErrorIs(t, err, ErrUnavailable)
		putObject(t, c, "a", []byte("again"))
	})
}

func TestAnObjectThatLostAPieceIsNotThere(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	putObject(t, c, "a", many())
	stream, err := c.js.Stream(t.Context(), objectStreams+shelf)
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), 2))
	there, err := c.ObjectExists(t.Context(), shelf, "a")
	require.NoError(t, err)
	require.False(t, there)
	_, err = getObject(t.Context(), c, "a")
	require.ErrorIs(t, err, ErrUnavailable)
	putObject(t, c, "a", many())
	there, err = c.ObjectExists(t.Context(), shelf, "a")
	require.NoError(t, err)
	require.True(t, there)
}

func TestAReaderOfAnObjectEnds(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	putObject(t, c, "a", many())
	begin := func(ctx context.Context, t *testing.T) io.ReadCloser {
		r, err := c.ObjectGet(ctx, shelf, "a")
		require.NoError(t, err)
		_, err = io.ReadFull(r, make([]byte, 1000))
		require.NoError(t, err)
		return r
	}
	t.Run("with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := begin(ctx, t)
		cancel()
		_, err := io.Copy(io.Discard, r)
		require.Equal(t, fault.Canceled, fault.From(err).Kind)
		require.NoError(t, r.Close())
	})
	t.Run("with Close", func(t *testing.T) {
		r := begin(t.Context(), t)
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		_, err := io.Copy(io.Discard, r)
		require.Error(t, err)
	})
	t.Run("with the connection", func(t *testing.T) {
		r := begin(t.Context(), t)
		s.Kill()
		s.Restart()
		_, err := io.Copy(io.Discard, r)
		require.ErrorIs(t, err, ErrUnavailable)
		require.NoError(t, r.Close())
	})
}

func TestAnUploadThatFailsLeavesWhatWasThere(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	putObject(t, c, "a", []byte("before"))
	broken := errors.New("the disk broke")
	err := c.ObjectPut(t.Context(), shelf, "a", io.MultiReader(bytes.NewReader(many()), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	got, err := getObject(t.Context(), c, "a")
	require.NoError(t, err)
	require.Equal(t, "before", string(got))
	require.EqualValues(t, 2, streamState(t, c, objectStreams+shelf).Msgs, "half an object takes no room")
}
