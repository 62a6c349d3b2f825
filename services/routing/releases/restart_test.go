package releases_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/routingtest"
)

// alone makes an engine start without anybody: the bus and the database are gone.
func (b *bench) alone() *engine {
	b.t.Helper()
	b.nats.Kill()
	b.live.set(func(s *source) { s.err = errDown })
	return b.start()
}

// suspendFirst suspends the first operator, and waits until that is in the folder.
func (b *bench) suspendFirst(e *engine) {
	b.t.Helper()
	b.live.set(func(s *source) { s.suspended, s.config = true, 6 })
	before, err := os.ReadFile(filepath.Join(b.folder, "operators"))
	require.NoError(b.t, err)
	e.supply.Changed(6)
	require.Eventually(b.t, func() bool {
		now, err := os.ReadFile(filepath.Join(b.folder, "operators"))
		return err == nil && string(now) != string(before)
	}, eventually, tick)
}

// kept waits until the folder has a release as the one that serves.
func (b *bench) kept(signed []byte) {
	b.t.Helper()
	for _, name := range []string{"newest.manifest", "serving.manifest"} {
		require.Eventually(b.t, func() bool {
			data, err := os.ReadFile(filepath.Join(b.folder, name))
			return err == nil && string(data) == string(signed)
		}, eventually, tick)
	}
}

func TestAnEngineThatStartsAloneServesWhatItServed(t *testing.T) {
	b := newBench(t)
	e := b.start()
	two := b.Create(world(2))
	b.kept(b.Publish(two, 7))
	e.serves(two, 7, 2)
	e.knows(5)
	b.suspendFirst(e)
	e.stop()

	e = b.alone()
	got, v := e.answer()
	require.Equal(t, to(second, 2), got, "a suspended operator stays suspended")
	require.Equal(t, two.ID.String(), v.Release)
	require.EqualValues(t, 7, v.Rules)
	require.EqualValues(t, 6, v.Config)
	require.NoError(t, e.supply.CheckReady(t.Context()))
	e.troubled("")
	e.stop()

	// The others come back, and with them what changed meanwhile.
	b.nats.Restart()
	reached(t, b.conn)
	b.live.set(func(s *source) { s.err, s.suspended, s.config = nil, false, 7 })
	three := b.Create(world(3))
	b.Publish(three, 8)
	e = b.start()
	e.serves(three, 8, 3)
}

// TestARevisionDoesNotGoBackAcrossARestart: also when the newest manifest never served.
func TestARevisionDoesNotGoBackAcrossARestart(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	former := b.Publish(one, 1)
	b.kept(former)
	e.serves(one, 1, 1)
	b.Publish(b.Compile(world(2)), 2)
	e.word(refused, "ARTIFACT_MISSING", 2, 1)
	e.stop()
	b.Put(former)
	e = b.start()
	e.word(refused, "MANIFEST_OLD", 0, 1)
	e.still(one, 1, 1)
}

// TestWhatIsWrongInTheFolderIsLeftOut: it is named and does not serve, and what is published heals it.
func TestWhatIsWrongInTheFolderIsLeftOut(t *testing.T) {
	change := func(t *testing.T, path string, how func(data []byte) []byte) {
		t.Helper()
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, how(data), 0o600))
	}
	flipLast := func(data []byte) []byte { data[len(data)-1] ^= 1; return data }
	cut := func(data []byte) []byte { return data[:len(data)/2] }
	for name, test := range map[string]struct {
		reason string
		wrong  func(t *testing.T, b *bench, artifact string)
	}{
		"a flipped bit in the artifact": {"ARTIFACT_DIGEST", func(t *testing.T, _ *bench, artifact string) { change(t, artifact, flipLast) }},
		"an artifact that was cut":      {"ARTIFACT_CUT", func(t *testing.T, _ *bench, artifact string) { change(t, artifact, cut) }},
		"an artifact of no bytes": {"ARTIFACT_CUT", func(t *testing.T, _ *bench, artifact string) {
			change(t, artifact, func([]byte) []byte { return nil })
		}},
		"manifests that were cut": {"MANIFEST_LAYOUT", func(t *testing.T, b *bench, _ string) {
			change(t, filepath.Join(b.folder, "newest.manifest"), cut)
			change(t, filepath.Join(b.folder, "serving.manifest"), cut)
		}},
		"manifests that were changed": {"MANIFEST_SIGNATURE", func(t *testing.T, b *bench, _ string) {
			for _, name := range []string{"newest.manifest", "serving.manifest"} {
				change(t, filepath.Join(b.folder, name), func(data []byte) []byte { data[10] ^= 1; return data })
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			e := b.start()
			one := b.Create(world(1))
			b.kept(b.Publish(one, 1))
			e.serves(one, 1, 1)
			e.stop()
			test.wrong(t, b, b.artifact(one.Digest))
			e = b.alone()
			require.Positive(t, e.counts.of(test.reason))
			require.Error(t, e.supply.CheckReady(t.Context()))
			b.nats.Restart()
			e.serves(one, 1, 1)
			e.troubled("")
		})
	}
}

func TestDamagedOperatorsInTheFolderAreLeftOut(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.kept(b.Publish(one, 1))
	e.serves(one, 1, 1)
	e.knows(5)
	b.suspendFirst(e)
	e.stop()
	path := filepath.Join(b.folder, "operators")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := bytes.Replace(data, []byte("SUSPENDED"), []byte("INACTIVE"), 1)
	require.NotEqual(t, data, changed)
	require.NoError(t, os.WriteFile(path, changed, 0o600))
	e = b.alone()
	got, v := e.answer()
	require.Equal(t, to(first, 1), got)
	require.Zero(t, v.Config)
}

// TestAnEngineStartsFromTheReleaseBeforeABadOne: the newest manifest is known, and cannot serve.
func TestAnEngineStartsFromTheReleaseBeforeABadOne(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Compile(world(2))
	b.kept(b.Publish(one, 1))
	e.serves(one, 1, 1)
	b.Publish(two, 2)
	e.word(refused, "ARTIFACT_MISSING", 2, 1)
	e.stop()

	e = b.alone()
	e.still(one, 1, 1)
	b.nats.Restart()
	e.word(refused, "ARTIFACT_MISSING", 2, 1)
	b.Store(two.Digest, two.Bytes)
	b.clock.Advance(time.Minute)
	e.serves(two, 2, 2)
}

func TestAMomentThatPassedWhileTheEngineWasDownCounts(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	at := routingtest.Now.Add(time.Hour)
	signed := b.Sign(b.Manifest(one.Entry(1, routingtest.Now), two.Entry(2, at)))
	b.Put(signed)
	e.word(prepared, "", 2, 1)
	b.kept(signed)
	e.stop()
	b.clock.Set(at)
	b.alone().still(two, 2, 2)
}

func TestAScheduledReleaseThatServedStaysAcrossARestartWhateverTheClockSays(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	signed := b.schedule(one, 1, two, 2)
	e.word(prepared, "", 2, 1)
	b.kept(signed)
	b.clock.Set(routingtest.Now.Add(time.Hour))
	e.serves(two, 2, 2)
	e.stop()
	b.clock.Set(routingtest.Now)
	e = b.alone()
	e.still(two, 2, 2)
	e.stop()

	// Without the word on what served, the clock decides.
	require.NoError(t, os.WriteFile(filepath.Join(b.folder, "serving.activation"), []byte("2"), 0o600))
	b.start().still(one, 1, 1)
}

// TestOperatorsOfADatabaseThatWasPutBackAreKept: under the version before, and an engine that starts has them.
func TestOperatorsOfADatabaseThatWasPutBackAreKept(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.kept(b.Publish(one, 1))
	e.serves(one, 1, 1)
	e.knows(5)
	before, err := os.ReadFile(filepath.Join(b.folder, "operators"))
	require.NoError(t, err)
	b.live.set(func(s *source) { s.suspended, s.config = true, 3 })
	require.Eventually(t, func() bool {
		b.clock.Advance(10 * time.Second)
		e.supply.Changed(0)
		now, err := os.ReadFile(filepath.Join(b.folder, "operators"))
		return err == nil && !bytes.Equal(now, before)
	}, eventually, tick)
	e.stop()
	e = b.alone()
	got, v := e.answer()
	require.Equal(t, to(second, 1), got)
	require.EqualValues(t, 5, v.Config)
	require.Equal(t, routing.ReasonBehind, fault.From(e.supply.CheckLive(t.Context())).Reason)
}

func TestNATSIsKilledAndComesBack(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	e.word(serving, "", 1, 1)
	b.nats.Kill()
	e.still(one, 1, 1)
	b.nats.Restart()
	reached(t, b.conn)
	two := b.Create(world(2))
	b.Publish(two, 2)
	e.serves(two, 2, 2)
	e.word(serving, "", 2, 2)
}

func TestNATSLosesEverything(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	b.nats.Kill()
	b.nats.WipeStore()
	b.nats.Restart()
	reached(t, b.conn)
	b.Ensure()
	e.still(one, 1, 1)
	e.word(serving, "", 1, 1) // it tells those who lost it
	two := b.Create(world(2))
	b.Publish(two, 2)
	e.serves(two, 2, 2)
}

func TestTheFolderHoldsWhatIsNeeded(t *testing.T) {
	b := newBench(t)
	e := b.start()
	var made []routingtest.Published
	for n := range int64(5) {
		r := b.Create(world(n + 1))
		made = append(made, r)
		b.Publish(r, n+1)
		e.serves(r, n+1, n+1)
	}
	next := b.Create(world(9))
	b.kept(b.schedule(made[4], 5, next, 6))
	e.word(prepared, "", 6, 5)
	holds := func(want ...routingtest.Published) {
		t.Helper()
		var paths []string
		for _, r := range want {
			paths = append(paths, b.artifact(r.Digest))
		}
		require.Eventually(t, func() bool {
			found, err := filepath.Glob(b.artifact("*"))
			return err == nil && len(found) == len(paths) && subset(found, paths)
		}, eventually, tick)
	}
	holds(made[3], made[4], next)
	e.stop()

	// After a restart what served before is still told from what nobody needs.
	e = b.start()
	e.word(prepared, "", 6, 5)
	holds(made[3], made[4], next)
	b.Publish(next, 7)
	e.serves(next, 7, 9)
	holds(made[4], next)
}

func TestAFolderThatCannotBeWrittenEndsTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, path := range map[string]string{"it is a file": file, "it is below a file": filepath.Join(file, "folder")} {
		t.Run(name, func(t *testing.T) {
			_, err := releases.OpenFolder(path)
			require.ErrorContains(t, err, "give this process a folder of its own that it may write to")
		})
	}
}

func TestWhatWasLeftHalfWrittenIsClearedAway(t *testing.T) {
	folder := t.TempDir()
	half := filepath.Join(folder, "123.part")
	require.NoError(t, os.WriteFile(half, []byte("half"), 0o600))
	_, err := releases.OpenFolder(folder)
	require.NoError(t, err)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// TestAFolderThatIsLostDoesNotKeepAReleaseFromServing: it is shown, and written as soon as it can be.
func TestAFolderThatIsLostDoesNotKeepAReleaseFromServing(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	b.kept(b.Publish(one, 1))
	e.serves(one, 1, 1)
	e.knows(5) // nothing is about to be written
	require.NoError(t, os.RemoveAll(b.folder))
	signed := b.Publish(two, 2)
	e.serves(two, 2, 2)
	e.troubled(releases.ReasonDisk)
	e.word(serving, "", 2, 2)
	require.NoError(t, os.Mkdir(b.folder, 0o700))
	b.clock.Advance(releases.SweepEvery)
	e.follower.Wake()
	b.kept(signed)
	e.troubled("")
	e.stop()
	b.alone().still(two, 2, 2)
}
