package jetstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	natsjs "github.com/nats-io/nats.go/jetstream"
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
			requireSum(t, c, name, nil)
			require.NoError(t, c.ObjectPut(t.Context(), shelf, name, bytes.NewReader(data)))
			requireSum(t, c, name, sumOf(data))
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
	requireSum(t, c, "a", nil)
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
			sum, err := c.ObjectSum(t.Context(), shelf, "a")
			return err == nil && sum == nil
		}, limit, tick)
		putObject(t, c, "a", data)
		got, err := getObject(t.Context(), c, "a")
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
	t.Run("a deleted store", func(t *testing.T) {
		require.NoError(t, c.js.DeleteObjectStore(t.Context(), shelf))
		_, err := c.ObjectSum(t.Context(), shelf, "a")
		require.ErrorIs(t, err, ErrUnavailable)
		putObject(t, c, "a", []byte("again"))
	})
}

func TestADamagedObjectIsNotThere(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	data := many()
	stream, err := c.js.Stream(t.Context(), objectStreams+shelf)
	require.NoError(t, err)
	firstPiece := func(t *testing.T) *natsjs.RawStreamMsg {
		info, err := c.lookUp(t.Context(), shelf, "a")
		require.NoError(t, err)
		piece, err := stream.GetMsg(t.Context(), 1, natsjs.WithGetMsgSubject(chunkSubject(info)))
		require.NoError(t, err)
		return piece
	}
	for name, damage := range map[string]func(t *testing.T){
		"a piece is lost": func(t *testing.T) {
			require.NoError(t, stream.DeleteMsg(t.Context(), firstPiece(t).Sequence))
		},
		"another piece takes the place of a lost one": func(t *testing.T) {
			piece := firstPiece(t)
			require.NoError(t, stream.DeleteMsg(t.Context(), piece.Sequence))
			_, err := c.js.Publish(t.Context(), piece.Subject, piece.Data)
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			putObject(t, c, "a", data)
			requireSum(t, c, "a", sumOf(data))
			damage(t)
			requireSum(t, c, "a", nil)
			_, err := getObject(t.Context(), c, "a")
			require.True(t, errors.Is(err, ErrUnavailable) || errors.Is(err, ErrDamaged), err)
			putObject(t, c, "a", data)
			requireSum(t, c, "a", sumOf(data))
		})
	}
	t.Run("a link in its place", func(t *testing.T) {
		objects, err := c.js.ObjectStore(t.Context(), shelf)
		require.NoError(t, err)
		other, err := objects.GetInfo(t.Context(), "a")
		require.NoError(t, err)
		_, err = objects.AddLink(t.Context(), "b", other)
		require.NoError(t, err)
		requireSum(t, c, "b", nil)
		putObject(t, c, "b", data)
		requireSum(t, c, "b", sumOf(data))
	})
}

func sumOf(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

func requireSum(t *testing.T, c *Conn, name string, want []byte) {
	t.Helper()
	got, err := c.ObjectSum(t.Context(), shelf, name)
	require.NoError(t, err)
	require.Equal(t, want, got)
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

// TestADamagedObjectIsNamed: whoever waits for NATS instead waits for ever.
func TestADamagedObjectIsNamed(t *testing.T) {
	s := natstest.Start(t)
	c := openObjects(t, s)
	putObject(t, c, "a", []byte("as it was stored"))
	info, err := c.lookUp(t.Context(), shelf, "a")
	require.NoError(t, err)
	stream, err := c.js.Stream(t.Context(), objectStreams+shelf)
	require.NoError(t, err)
	piece, err := stream.GetLastMsgForSubject(t.Context(), chunkSubject(info))
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), piece.Sequence))
	piece.Data[3] ^= 0x10
	_, err = c.js.Publish(t.Context(), chunkSubject(info), piece.Data)
	require.NoError(t, err)
	_, err = getObject(t.Context(), c, "a")
	require.ErrorIs(t, err, ErrDamaged)
	require.NotErrorIs(t, err, ErrUnavailable)
	require.Equal(t, fault.FailedPrecondition, fault.From(err).Kind)

	putObject(t, c, "a", []byte("as it was stored"))
	_, err = getObject(t.Context(), c, "a")
	require.NoError(t, err)
}
