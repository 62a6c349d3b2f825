package releases_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

func TestTheFirstReleaseServes(t *testing.T) {
	b := newBench(t)
	e := b.start()
	e.troubled("RELEASE_NONE")
	require.ErrorIs(t, e.supply.CheckReady(t.Context()), routing.ErrNotReady)
	got, _ := e.answer()
	require.Equal(t, routing.ReasonNotReady, got)
	e.word(serving, "", 0, 0)

	one := b.Create(world(1))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	e.troubled("")
	require.NoError(t, e.supply.CheckReady(t.Context()))
	word := e.word(serving, "", 1, 1)
	require.Equal(t, one.ID.String(), word.GetReleaseId())
	require.Equal(t, one.ID.String(), word.GetServingReleaseId())
	require.Equal(t, e.id.String(), word.GetEngineId())
	require.Equal(t, "host", word.GetHost())
	require.Equal(t, routingtest.Now, word.GetServingSince().AsTime())
	require.Equal(t, routing.FromRelease, e.supply.Origin())
}

func TestARollbackTakesNoBuilding(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	b.Publish(two, 2)
	e.serves(two, 2, 2)

	b.lose(one.Digest)
	b.Publish(one, 3)
	e.serves(one, 3, 1)
	b.lose(two.Digest)
	b.Publish(two, 4)
	e.serves(two, 4, 2)
	require.Zero(t, e.counts.of("ARTIFACT_MISSING"))
}

func TestAReleaseOfTheSameContentServesFromTheSameTable(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	b.lose(one.Digest)
	again := one
	again.ID = uuid.New()
	b.Publish(again, 2)
	e.serves(again, 2, 1)
}

// TestWhatIsWrongIsRefused: it is named, counted, shown and told, and what serves goes on serving.
func TestWhatIsWrongIsRefused(t *testing.T) {
	flip := func(content []byte, at int) []byte {
		content = bytes.Clone(content)
		content[at] ^= 0x10
		return content
	}
	// about gives the next manifest about a new release whose entry is changed.
	about := func(b *bench, r routingtest.Published, change func(e *releasesv1.ManifestEntry)) []byte {
		entry := r.Entry(2, routingtest.Now)
		change(entry)
		return b.Sign(b.Manifest(entry, nil))
	}
	same := func(*releasesv1.ManifestEntry) {}
	for name, test := range map[string]struct {
		reason string
		// value stores what is wrong and gives what to put into the bucket. former is the manifest by which the engine serves.
		value func(b *bench, former []byte) []byte
		// unnamed is true when the manifest is refused, so that nothing it says can be told.
		unnamed bool
	}{
		"a flipped bit in the artifact": {reason: "ARTIFACT_DIGEST", value: func(b *bench, _ []byte) []byte {
			r := b.Compile(world(2))
			b.Store(r.Digest, flip(r.Bytes, len(r.Bytes)-1))
			return about(b, r, same)
		}},
		"the artifact of another release": {reason: "ARTIFACT_DIGEST", value: func(b *bench, _ []byte) []byte {
			r, other := b.Compile(world(2)), b.Compile(world(3))
			b.Store(r.Digest, other.Bytes)
			return about(b, r, same)
		}},
		"an artifact that was cut": {reason: "ARTIFACT_CUT", value: func(b *bench, _ []byte) []byte {
			r := b.Compile(world(2))
			b.Store(r.Digest, r.Bytes[:len(r.Bytes)-len(r.Bytes)/3])
			return about(b, r, same)
		}},
		"an artifact of another size than the manifest says": {reason: "ARTIFACT_SIZE", value: func(b *bench, _ []byte) []byte {
			return about(b, b.Create(world(2)), func(e *releasesv1.ManifestEntry) { e.SizeBytes-- })
		}},
		"an artifact that is larger than allowed": {reason: "ARTIFACT_SIZE", value: func(b *bench, _ []byte) []byte {
			return about(b, b.Create(world(2)), func(e *releasesv1.ManifestEntry) { e.SizeBytes = maxBytes + 1 })
		}},
		"stored bytes that are more than allowed": {reason: "ARTIFACT_SIZE", value: func(b *bench, _ []byte) []byte {
			return about(b, b.Create(world(2)), func(e *releasesv1.ManifestEntry) { e.StoredBytes = maxBytes + 1 })
		}},
		"a manifest that points nowhere": {reason: "ARTIFACT_MISSING", value: func(b *bench, _ []byte) []byte {
			return about(b, b.Compile(world(2)), same)
		}},
		"a wrong signature": {reason: "MANIFEST_SIGNATURE", unnamed: true, value: func(b *bench, _ []byte) []byte {
			signed := about(b, b.Create(world(2)), same)
			at := bytes.Index(signed, []byte(routingtest.Environment)) + len(routingtest.Environment) + 1
			return flip(signed, at) // of the revision, which is signed
		}},
		"a key that is not trusted": {reason: "MANIFEST_KEY", unnamed: true, value: func(b *bench, _ []byte) []byte {
			r := b.Create(world(2))
			return routingtest.NewPublisher(b.t, b.conn).Sign(b.Manifest(r.Entry(2, routingtest.Now), nil))
		}},
		"another environment": {reason: "MANIFEST_ENVIRONMENT", unnamed: true, value: func(b *bench, _ []byte) []byte {
			m := b.Manifest(b.Create(world(2)).Entry(2, routingtest.Now), nil)
			m.Environment = "production"
			return b.Sign(m)
		}},
		"an older revision": {reason: "MANIFEST_OLD", unnamed: true, value: func(b *bench, _ []byte) []byte {
			m := b.Manifest(b.Create(world(2)).Entry(2, routingtest.Now), nil)
			m.Revision = 1
			return b.Sign(m)
		}},
		"other content under the same revision": {reason: "MANIFEST_OLD", unnamed: true, value: func(b *bench, _ []byte) []byte {
			m := b.Manifest(b.Create(world(2)).Entry(2, routingtest.Now), nil)
			m.Revision = 2
			return b.Sign(m)
		}},
		"no manifest at all":      {reason: "MANIFEST_LAYOUT", unnamed: true, value: func(*bench, []byte) []byte { return []byte("garbage") }},
		"half a manifest":         {reason: "MANIFEST_LAYOUT", unnamed: true, value: func(_ *bench, former []byte) []byte { return former[:len(former)/2] }},
		"a manifest of no bytes":  {reason: "MANIFEST_LAYOUT", unnamed: true, value: func(*bench, []byte) []byte { return nil }},
		"a manifest without name": {reason: "MANIFEST_KEY", unnamed: true, value: func(*bench, []byte) []byte { return []byte{0x0a, 0} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			e := b.start()
			b.Sign(b.Manifest(b.Compile(world(9)).Entry(1, routingtest.Now), nil)) // revision 1 is never told
			one := b.Create(world(1))
			former := b.Publish(one, 1)
			e.serves(one, 1, 1)

			b.Put(test.value(b, former))
			about := int64(2)
			if test.unnamed {
				about = 0
			}
			word := e.word(refused, test.reason, about, 1)
			require.Equal(t, test.unnamed, word.GetReleaseId() == "")
			e.troubled(test.reason)
			require.Positive(t, e.counts.of(test.reason))
			e.still(one, 1, 1)
			require.NoError(t, e.supply.CheckReady(t.Context()))

			// The next good one heals it, and so does the same as before.
			if test.unnamed {
				b.Put(former)
				e.word(serving, "", 1, 1)
				e.troubled("")
			}
			three := b.Create(world(3))
			b.Publish(three, 3)
			e.serves(three, 3, 3)
			e.word(serving, "", 3, 3)
			e.troubled("")
		})
	}
}

func TestAnArtifactThatComesLaterIsFound(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	two := b.Compile(world(2))
	b.Publish(two, 2)
	e.word(refused, "ARTIFACT_MISSING", 2, 1)
	b.Store(two.Digest, two.Bytes)
	b.clock.Advance(time.Second)
	e.serves(two, 2, 2)
	e.word(serving, "", 2, 2)
}

func TestAScheduledReleaseIsReadyBeforeItsMoment(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	at := routingtest.Now.Add(time.Hour)
	b.Put(b.Sign(b.Manifest(one.Entry(1, routingtest.Now), two.Entry(2, at))))
	e.serves(one, 1, 1)
	word := e.word(prepared, "", 2, 1)
	require.Equal(t, two.ID.String(), word.GetReleaseId())
	require.Equal(t, one.ID.String(), word.GetServingReleaseId())
	b.lose(two.Digest)
	b.clock.Set(at)
	e.serves(two, 2, 2)
	e.word(serving, "", 2, 2)
	// What served before is there too.
	b.lose(one.Digest)
	b.Publish(one, 3)
	e.serves(one, 3, 1)
}

func TestAScheduledReleaseThatIsCalledOffNeverServes(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	at := routingtest.Now.Add(time.Hour)
	b.Put(b.Sign(b.Manifest(one.Entry(1, routingtest.Now), two.Entry(2, at))))
	e.word(prepared, "", 2, 1)
	b.Publish(one, 3)
	e.word(serving, "", 3, 3)
	b.clock.Set(at)
	// The next release shows that the moment was passed over.
	three := b.Create(world(3))
	b.Publish(three, 4)
	e.serves(three, 4, 3)
	require.Equal(t, 3, e.counts.applications())
}

func TestAScheduledReleaseThatIsWrongIsNamedAheadAndNeverServes(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Compile(world(2))
	b.Store(two.Digest, one.Bytes)
	at := routingtest.Now.Add(time.Hour)
	b.Put(b.Sign(b.Manifest(one.Entry(1, routingtest.Now), two.Entry(2, at))))
	e.word(refused, "ARTIFACT_DIGEST", 2, 1)
	b.clock.Set(at)
	e.word(refused, "ARTIFACT_DIGEST", 2, 1)
	e.still(one, 1, 1)
	b.Store(two.Digest, two.Bytes)
	b.clock.Advance(time.Minute)
	e.serves(two, 2, 2)
}

// TestLiveOperatorsComeOnTop: without a release, and also under one that says otherwise.
func TestLiveOperatorsComeOnTop(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one := b.Create(world(1))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	operator := func(want uuid.UUID, n, config int64) {
		t.Helper()
		require.Eventually(t, func() bool {
			got, v := e.answer()
			return got == to(want, n) && v.Config == config
		}, eventually, tick)
	}
	operator(first, 1, 5)
	b.live.set(func(s *source) { s.suspended, s.config = true, 6 })
	e.supply.Changed(6)
	operator(second, 1, 6)

	two := b.Create(world(2))
	b.Publish(two, 2)
	operator(second, 2, 6)
	b.live.set(func(s *source) { s.suspended, s.config = false, 4 }) // a replica that lags
	e.supply.Changed(0)
	b.Publish(one, 3)
	operator(second, 1, 6)
	b.live.set(func(s *source) { s.config = 7 })
	e.supply.Changed(7)
	operator(first, 1, 7)

	e.view.Apply(routing.HealthEvent{Operator: first, Bind: routing.Unbound, ObservedAt: b.clock.Now()})
	operator(second, 1, 7)
}
