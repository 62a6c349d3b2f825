package releases_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/releases"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
)

func TestEnginesCanReadWhatIsPublished(t *testing.T) {
	w := onSQLite(t)
	p := w.process(t)
	first, second := w.next(t, p), w.next(t, p)
	activation := p.tell(t, first)
	require.True(t, w.serves(t.Context(), p.conn, first))
	require.Equal(t, activation.ActivateAt, w.manifest(t.Context(), p.conn).GetCurrent().GetActivateTime().AsTime())
	p.tell(t, second)
	require.True(t, w.serves(t.Context(), p.conn, second))
	_, back, err := p.admin.RollbackRelease(t.Context(), admin, operators.Rollback{})
	require.NoError(t, err)
	require.Equal(t, int64(3), back.Revision)
	require.Eventually(t, func() bool { return p.announcer.Restore(t.Context()) == nil }, limit, tick)
	require.True(t, w.serves(t.Context(), p.conn, first))
	require.Equal(t, int64(3), w.manifest(t.Context(), p.conn).GetRevision())
	require.NoError(t, p.announcer.Restore(t.Context()))
	require.Equal(t, int64(3), w.manifest(t.Context(), p.conn).GetRevision())
}

func TestWhatIsPublishedWithoutNATSIsAnnouncedByItself(t *testing.T) {
	w := onSQLite(t)
	p := w.process(t)
	p.conn.OnConnect(p.announcer.Recheck)
	p.run(t)
	release := w.next(t, p)
	w.nats.Kill()
	activation := p.publish(t, release)
	require.False(t, activation.Announced)
	w.nats.Restart()
	require.Eventually(t, func() bool { return w.serves(t.Context(), p.conn, release) }, limit, tick)
	require.Eventually(t, func() bool {
		_, history, _, _, err := p.admin.GetRelease(t.Context(), release.ID)
		return err == nil && history[0].Announced
	}, limit, tick)
}

func TestAProcessThatDiesBeforeItAnnouncesIsReplacedByAnother(t *testing.T) {
	w := onPostgres(t)
	doomed := w.process(t)
	release := w.next(t, doomed)
	doomed.conn.Close() // it commits, and ends before anybody is told
	require.False(t, doomed.publish(t, release).Announced)
	other := w.process(t)
	other.run(t)
	require.Eventually(t, func() bool { return w.serves(t.Context(), other.conn, release) }, limit, tick)
}

func TestABucketAndAStoreThatAreGoneAreMadeAnew(t *testing.T) {
	w := onSQLite(t)
	p := w.process(t)
	release := w.next(t, p)
	p.tell(t, release)
	for name, lose := range map[string]func(t *testing.T){
		"deleted by hand": func(t *testing.T) {
			js := w.neighbour(t)
			require.NoError(t, js.DeleteKeyValue(t.Context(), "RELEASE_MANIFESTS"))
			require.NoError(t, js.DeleteObjectStore(t.Context(), "RELEASE_ARTIFACTS"))
		},
		"a disk that is lost": func(t *testing.T) {
			w.nats.Kill()
			w.nats.WipeStore()
			w.nats.Restart()
			require.NoError(t, p.conn.AwaitConnected(t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			lose(t)
			require.Eventually(t, func() bool { return p.announcer.Restore(t.Context()) == nil }, limit, tick)
			require.True(t, w.serves(t.Context(), p.conn, release))
		})
	}
}

func TestAnArtifactThatIsNotTheOneStoredIsReplaced(t *testing.T) {
	w := onSQLite(t)
	p := w.process(t)
	first, second := w.next(t, p), w.next(t, p)
	p.tell(t, first)
	p.tell(t, second)
	objects, err := w.neighbour(t).ObjectStore(t.Context(), release.Store)
	require.NoError(t, err)
	good, err := objects.GetBytes(t.Context(), second.Digest)
	require.NoError(t, err)
	for name, damage := range map[string]func(t *testing.T){
		"one bit is another": func(t *testing.T) {
			bad := bytes.Clone(good)
			bad[len(bad)/2] ^= 1
			_, err := objects.PutBytes(t.Context(), second.Digest, bad)
			require.NoError(t, err)
		},
		"nothing is in it": func(t *testing.T) {
			_, err := objects.PutBytes(t.Context(), second.Digest, nil)
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			damage(t)
			require.False(t, w.serves(t.Context(), p.conn, second))
			require.NoError(t, p.announcer.Restore(t.Context()))
			require.True(t, w.serves(t.Context(), p.conn, second))
		})
	}
	// What is there when it is published is looked at too.
	_, err = objects.PutBytes(t.Context(), first.Digest, []byte("x"))
	require.NoError(t, err)
	p.tell(t, first)
	require.True(t, w.serves(t.Context(), p.conn, first))
}

func TestAManifestOfAnotherHandIsReplaced(t *testing.T) {
	w := onSQLite(t)
	p := w.process(t)
	first := w.next(t, p)
	p.tell(t, first)
	for name, forged := range map[string][]byte{"garbage": []byte("garbage"), "nothing": nil} {
		_, revision, err := p.conn.KeyGet(t.Context(), release.Bucket, environment)
		require.NoError(t, err)
		_, err = p.conn.KeyPut(t.Context(), release.Bucket, environment, forged, revision)
		require.NoError(t, err)
		require.Nil(t, w.manifest(t.Context(), p.conn), name)
		require.NoError(t, p.announcer.Restore(t.Context()), name)
		require.True(t, w.serves(t.Context(), p.conn, first), name)
	}
	// A new key takes the place of the old one.
	var public string
	w.seed, public = release.GenerateKey()
	var err error
	w.keys, err = release.NewKeys(public)
	require.NoError(t, err)
	require.NoError(t, w.process(t).announcer.Restore(t.Context()))
	require.True(t, w.serves(t.Context(), p.conn, first))
}

// TestManyAnnouncersAtOnceNeverGoBack lets three processes publish and announce in each other's way.
func TestManyAnnouncersAtOnceNeverGoBack(t *testing.T) {
	w := onPostgres(t)
	watcher := w.process(t)
	kept := []operators.Release{w.next(t, watcher), w.next(t, watcher), w.next(t, watcher)}
	p := []*process{w.process(t), w.process(t), w.process(t)}
	require.NoError(t, watcher.conn.EnsureBucket(t.Context(), release.Bucket, 0))
	var mu sync.Mutex
	var seen []int64
	follower, err := watcher.conn.KeyFollow(t.Context(), release.Bucket, environment, func(_ context.Context, value []byte, _ uint64) {
		if m, err := w.keys.Open(value, environment); err == nil {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, m.GetRevision())
		}
	})
	require.NoError(t, err)
	defer follower.Stop()
	var group sync.WaitGroup
	for i, one := range p {
		group.Go(func() {
			for round := range 5 {
				_, _, err := one.admin.PublishRelease(t.Context(), admin, operators.Publication{Target: operators.Target{ID: kept[(i+round)%len(kept)].ID}})
				if err != nil && !fault.Is(err, operators.ReasonAlreadyActive) {
					t.Errorf("publish: %v", err)
				}
				_ = one.announcer.Restore(t.Context()) // it may lose to another
			}
		})
	}
	group.Wait()
	require.NoError(t, watcher.announcer.Restore(t.Context()))
	_, _, force, _, err := watcher.admin.GetRelease(t.Context(), kept[0].ID)
	require.NoError(t, err)
	last := w.manifest(t.Context(), watcher.conn)
	require.Equal(t, force.InForce.Number, last.GetCurrent().GetActivation())
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) > 0 && seen[len(seen)-1] == last.GetRevision()
	}, limit, tick)
	mu.Lock()
	defer mu.Unlock()
	require.True(t, slices.IsSorted(seen), "%v", seen)
}

func TestArtifactsAreClearedAwayFromNATSToo(t *testing.T) {
	w := onPostgres(t)
	p := w.process(t)
	var digests []string
	for range 3 {
		r := w.next(t, p)
		p.tell(t, r)
		digests = append(digests, r.Digest)
	}
	others := []string{"no digest", "a\x00b", strings.Repeat("0", 64)}
	for _, name := range others {
		require.NoError(t, p.conn.ObjectPut(t.Context(), release.Store, name, strings.NewReader("x")))
	}
	require.NoError(t, p.announcer.Clear(t.Context()))
	names, err := p.conn.ObjectNames(t.Context(), release.Store)
	require.NoError(t, err)
	require.ElementsMatch(t, append(others, digests[1:]...), names, "what this database does not know is left alone")
}

func TestWithoutAKeyNothingIsPosted(t *testing.T) {
	w := onSQLite(t)
	conn := w.connected(t)
	bulletin, err := releases.NewBulletin(conn, environment, config.Secret{}, quiet)
	require.NoError(t, err)
	require.False(t, bulletin.Signs())
	require.True(t, fault.Is(bulletin.Post(t.Context(), operators.Manifest{Revision: 1}, 0), operators.ReasonNoSigningKey))
	_, err = releases.NewBulletin(conn, environment, config.NewSecret("short"), quiet)
	require.ErrorContains(t, err, "32 bytes")
}
