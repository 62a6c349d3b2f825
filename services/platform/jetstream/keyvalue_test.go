package jetstream

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/natstest"
)

const shelf = "SHELF"

func openBucket(t *testing.T, s *natstest.Server, change ...func(*Config)) *Conn {
	t.Helper()
	c := open(t, s, change...)
	require.NoError(t, c.EnsureBucket(t.Context(), shelf, 0))
	return c
}

func TestBucketsAndObjectStoresAreAsTheClientLibraryMakesThem(t *testing.T) {
	s := natstest.Start(t)
	c := openBucket(t, s)
	require.NoError(t, c.EnsureObjects(t.Context(), shelf, 0))
	_, err := c.js.CreateKeyValue(t.Context(), natsjs.KeyValueConfig{Bucket: "REFERENCE"})
	require.NoError(t, err)
	_, err = c.js.CreateObjectStore(t.Context(), natsjs.ObjectStoreConfig{Bucket: "REFERENCE"})
	require.NoError(t, err)
	for _, kind := range []string{bucketStreams, objectStreams} {
		have, err := c.js.Stream(t.Context(), kind+shelf)
		require.NoError(t, err)
		want, err := c.js.Stream(t.Context(), kind+"REFERENCE")
		require.NoError(t, err)
		is, should := have.CachedInfo().Config, want.CachedInfo().Config
		should.Name, should.Subjects = is.Name, is.Subjects
		should.Duplicates, is.Duplicates = 0, 0
		require.Equal(t, should, is)
	}
}

func TestAKeyIsWrittenOnlyOverWhatWasRead(t *testing.T) {
	s := natstest.Start(t)
	c := openBucket(t, s)
	_, _, err := c.KeyGet(t.Context(), shelf, "a")
	require.ErrorIs(t, err, ErrNotFound)
	one, err := c.KeyPut(t.Context(), shelf, "a", []byte("one"), 0)
	require.NoError(t, err)
	_, err = c.KeyPut(t.Context(), shelf, "a", []byte("again"), 0)
	require.ErrorIs(t, err, ErrWrongSequence)
	two, err := c.KeyPut(t.Context(), shelf, "a", []byte("two"), one)
	require.NoError(t, err)
	require.Greater(t, two, one)
	_, err = c.KeyPut(t.Context(), shelf, "a", []byte("late"), one)
	require.ErrorIs(t, err, ErrWrongSequence)
	value, revision, err := c.KeyGet(t.Context(), shelf, "a")
	require.NoError(t, err)
	require.Equal(t, "two", string(value))
	require.Equal(t, two, revision)
	_, _, err = c.KeyGet(t.Context(), shelf, "b")
	require.ErrorIs(t, err, ErrNotFound, "each key is its own")
}

func TestOfManyWritersWithTheSameRevisionOneWins(t *testing.T) {
	s := natstest.Start(t)
	conns := []*Conn{openBucket(t, s), openBucket(t, s)}
	var revision uint64
	for round := range 10 {
		var wg sync.WaitGroup
		next, errs := make([]uint64, len(conns)), make([]error, len(conns))
		for i, c := range conns {
			wg.Go(func() {
				next[i], errs[i] = c.KeyPut(t.Context(), shelf, "a", []byte(strconv.Itoa(i)), revision)
			})
		}
		wg.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		require.NoError(t, errs[winner], "round %d", round)
		require.ErrorIs(t, errs[1-winner], ErrWrongSequence)
		revision = next[winner]
		value, _, err := conns[0].KeyGet(t.Context(), shelf, "a")
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(winner), string(value))
	}
}

func TestKeysAndBucketsWithOtherNamesAreRefused(t *testing.T) {
	s := natstest.Start(t)
	c := openBucket(t, s, func(cfg *Config) { cfg.MaxMessageBytes = 10 })
	for _, name := range []string{"", "a.b", "a*", ">", "a b", "a/b", "ä"} {
		_, _, err := c.KeyGet(t.Context(), shelf, name)
		require.Equal(t, fault.InvalidArgument, fault.From(err).Kind, name)
		_, err = c.KeyPut(t.Context(), name, "a", nil, 0)
		require.Equal(t, fault.InvalidArgument, fault.From(err).Kind, name)
		_, err = c.KeyFollow(t.Context(), shelf, name, nil)
		require.Error(t, err, name)
		require.Error(t, c.EnsureBucket(t.Context(), name, 0), name)
		require.Error(t, c.EnsureObjects(t.Context(), name, 0), name)
	}
	_, err := c.KeyPut(t.Context(), shelf, "a", make([]byte, 11), 0)
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestWithoutAServerKeysAndObjectsAreUnavailable(t *testing.T) {
	s := natstest.Start(t)
	c := openBucket(t, s)
	require.NoError(t, c.EnsureObjects(t.Context(), shelf, 0))
	s.Kill()
	awaitUnhealthy(t, c)
	_, _, err := c.KeyGet(t.Context(), shelf, "a")
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = c.KeyPut(t.Context(), shelf, "a", nil, 0)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, c.ObjectPut(t.Context(), shelf, "a", bytes.NewReader([]byte("x"))), ErrUnavailable)
	_, err = c.ObjectGet(t.Context(), shelf, "a")
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = c.ObjectSum(t.Context(), shelf, "a")
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = c.ObjectNames(t.Context(), shelf)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, c.ObjectDelete(t.Context(), shelf, "a"), ErrUnavailable)
}

func TestAHungServerIsGivenUpInTime(t *testing.T) {
	s := natstest.Start(t)
	c := openBucket(t, s)
	s.Pause()
	defer s.Resume()
	_, _, err := c.KeyGet(t.Context(), shelf, "a")
	require.ErrorIs(t, err, ErrUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.KeyPut(ctx, shelf, "a", nil, 0)
	require.Error(t, err)
}

// keyInbox collects what KeyFollow gives.
type keyInbox struct{ inbox }

func (i *keyInbox) handle(_ context.Context, value []byte, revision uint64) {
	text := "deleted"
	if value != nil {
		text = string(value)
	}
	i.add(Message{Data: []byte(text), Sequence: revision})
}

func put(t *testing.T, c *Conn, key, value string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, revision, err := c.KeyGet(t.Context(), shelf, key)
		if err != nil && !isNotFound(err) {
			return false
		}
		_, err = c.KeyPut(t.Context(), shelf, key, []byte(value), revision)
		return err == nil
	}, limit, tick)
}

func isNotFound(err error) bool { return fault.From(err).Kind == fault.NotFound }

func TestKeyFollowGivesTheValueAndEveryChange(t *testing.T) {
	s := natstest.Start(t)
	c := openBucket(t, s)
	put(t, c, "a", "old")
	put(t, c, "a", "first")
	put(t, c, "b", "another key")
	var in keyInbox
	sub, err := c.KeyFollow(t.Context(), shelf, "a", in.handle)
	require.NoError(t, err)
	closed(t, sub.Synced(), "the value")
	put(t, c, "a", "second")
	put(t, c, "b", "another key again")
	in.equals(t, "first", "second")
	_, revision, err := c.KeyGet(t.Context(), shelf, "a")
	require.NoError(t, err)
	require.Equal(t, revision, in.all()[1].Sequence)

	kv, err := c.js.KeyValue(t.Context(), shelf)
	require.NoError(t, err)
	require.NoError(t, kv.Delete(t.Context(), "a"))
	in.equals(t, "first", "second", "deleted")
	_, _, err = c.KeyGet(t.Context(), shelf, "a")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = c.KeyPut(t.Context(), shelf, "a", []byte("third"), 0)
	require.NoError(t, err, "a deleted key does not exist")
	in.equals(t, "first", "second", "deleted", "third")
}

func TestKeyFollowSurvives(t *testing.T) {
	for name, breakIt := range map[string]func(t *testing.T, s *natstest.Server, c *Conn){
		"a killed server": func(_ *testing.T, s *natstest.Server, _ *Conn) { s.Kill(); s.Restart() },
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
		"a deleted bucket": func(t *testing.T, _ *natstest.Server, c *Conn) {
			require.NoError(t, c.js.DeleteKeyValue(t.Context(), shelf))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t)
			c, writer := openBucket(t, s), openBucket(t, s)
			var in keyInbox
			sub, err := c.KeyFollow(t.Context(), shelf, "a", in.handle)
			require.NoError(t, err)
			closed(t, sub.Synced(), "the start")
			put(t, writer, "a", "before")
			in.has(t, "before")
			breakIt(t, s, c)
			put(t, writer, "a", "after")
			in.has(t, "before", "after")
		})
	}
}

func TestAFollowerMayComeBeforeTheBucket(t *testing.T) {
	s := natstest.Start(t)
	c := open(t, s)
	var in keyInbox
	_, err := c.KeyFollow(t.Context(), shelf, "a", in.handle)
	require.NoError(t, err)
	writer := openBucket(t, s)
	put(t, writer, "a", "first")
	in.has(t, "first")
}
