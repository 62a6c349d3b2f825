package releases_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/routingtest"
)

// memoryBus is a bus in memory, for what is about time only.
type memoryBus struct {
	mu      sync.Mutex
	objects map[string][]byte
	asked   []time.Time
	said    []*eventsv1.ReleaseEvent
	err     error
	hold    chan struct{} // when there is one, an object is given once it is closed
}

func (b *memoryBus) set(change func(b *memoryBus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

func (b *memoryBus) ObjectGet(ctx context.Context, _, name string) (io.ReadCloser, error) {
	b.mu.Lock()
	b.asked = append(b.asked, time.Now())
	content, ok := b.objects[name]
	hold, err := b.hold, b.err
	b.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, jetstream.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (b *memoryBus) Publish(_ context.Context, _ string, data []byte, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	var e eventsv1.ReleaseEvent
	if err := protojson.Unmarshal(data, &e); err != nil {
		return err
	}
	b.said = append(b.said, &e)
	return nil
}

func (b *memoryBus) words() []*eventsv1.ReleaseEvent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*eventsv1.ReleaseEvent{}, b.said...)
}

// timed is a follower in a bubble.
type timed struct {
	t        *testing.T
	bus      *memoryBus
	supply   *routing.ReleaseSupply
	follower *releases.Follower
	// signer and another are both trusted.
	signer, another *release.Signer
	revision        int64
	counts          *counts
	logged          *bytes.Buffer // belongs to the follower, so it is for when that waits
}

// inBubble runs a follower without a manifest.
func inBubble(t *testing.T, check func(t *testing.T, f *timed)) {
	t.Helper()
	inBubbleBy(t, clock.System(), check)
}

func inBubbleBy(t *testing.T, clk clock.Clock, check func(t *testing.T, f *timed)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "releases")
	synctest.Test(t, func(t *testing.T) {
		var signers [2]*release.Signer
		var trusted [2]string
		for i := range signers {
			seed, public := release.GenerateKey()
			signer, err := release.NewSigner(config.NewSecret(seed))
			require.NoError(t, err)
			signers[i], trusted[i] = signer, public
		}
		keys, err := release.NewKeys(trusted[:]...)
		require.NoError(t, err)
		folder, err := releases.OpenFolder(path)
		require.NoError(t, err)
		f := &timed{
			t: t, bus: &memoryBus{objects: map[string][]byte{}}, signer: signers[0], another: signers[1], counts: &counts{}, logged: &bytes.Buffer{},
		}
		view := routing.NewHealthView()
		log := slog.New(slog.NewTextHandler(f.logged, &slog.HandlerOptions{Level: slog.LevelError}))
		f.supply = routing.NewReleaseSupply(&source{}, nil, view, clk.Now, log, func() { f.follower.Wake() })
		settings := releases.Settings{Environment: routingtest.Environment, Keys: keys, MaxBytes: maxBytes, Engine: uuid.New()}
		f.follower = releases.New(settings, f.bus, folder, f.supply, view, clk, log, f.counts)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.follower.Run(ctx)
		}()
		synctest.Wait()
		check(t, f)
		cancel()
		<-done
	})
}

// compile makes a release, and stores its artifact unless it is to be missing.
func (f *timed) compile(n int64, stored bool) routingtest.Published {
	f.t.Helper()
	var out bytes.Buffer
	sealed, err := release.Compile(&out, world(n).Content())
	require.NoError(f.t, err)
	if stored {
		f.bus.set(func(b *memoryBus) { b.objects[sealed.Digest] = out.Bytes() })
	}
	return routingtest.Published{ID: uuid.New(), Sealed: sealed, Bytes: out.Bytes()}
}

func (f *timed) announce(current, scheduled *releasesv1.ManifestEntry) {
	f.t.Helper()
	f.revision++
	signed, err := f.signer.Sign(&releasesv1.Manifest{Environment: routingtest.Environment, Revision: f.revision, Current: current, Scheduled: scheduled})
	require.NoError(f.t, err)
	f.follower.Offer(signed)
	synctest.Wait()
}

func (f *timed) activation() int64 {
	serving, _, _ := f.supply.Serves()
	return serving.Activation
}

func TestAScheduledReleaseServesAtItsMomentAndNotBefore(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		at := time.Now().Add(time.Hour + 123*time.Millisecond)
		f.announce(f.compile(1, true).Entry(1, time.Now()), f.compile(2, true).Entry(2, at))
		require.EqualValues(t, 1, f.activation())
		time.Sleep(time.Until(at) - time.Nanosecond)
		synctest.Wait()
		require.EqualValues(t, 1, f.activation())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 2, f.activation())
	})
}

func TestAReleaseIsScheduledBeforeThereIsAny(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		f.announce(nil, f.compile(1, true).Entry(1, time.Now().Add(time.Hour)))
		require.Zero(t, f.activation())
		words := f.bus.words()
		require.Equal(t, prepared, words[len(words)-1].GetState())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.EqualValues(t, 1, f.activation())
	})
}

func TestTheLastWordIsRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		f.announce(f.compile(1, true).Entry(1, time.Now()), nil)
		before := len(f.bus.words())
		for n := range 5 {
			time.Sleep(releases.SweepEvery)
			synctest.Wait()
			words := f.bus.words()
			require.Len(t, words, before+n+1)
			require.Equal(t, serving, words[len(words)-1].GetState())
			require.True(t, time.Now().Equal(words[len(words)-1].GetOccurredAt().AsTime()))
		}

		// While it cannot be said it is tried more often.
		f.bus.set(func(b *memoryBus) { b.err = jetstream.ErrUnavailable })
		f.announce(f.compile(1, true).Entry(2, time.Now()), nil)
		time.Sleep(time.Minute)
		f.bus.set(func(b *memoryBus) { b.err = nil })
		time.Sleep(time.Second)
		synctest.Wait()
		words := f.bus.words()
		require.EqualValues(t, 2, words[len(words)-1].GetServingActivation())
	})
}

// TestWhatIsMissingIsAskedForAgain: soon at first, and then less and less; what is wrong only with the sweep.
func TestWhatIsMissingIsAskedForAgain(t *testing.T) {
	gaps := func(times []time.Time) (list []time.Duration) {
		for i := range times[1:] {
			list = append(list, times[i+1].Sub(times[i]))
		}
		return list
	}
	for name, test := range map[string]struct {
		wrong func(f *timed) routingtest.Published
		want  []time.Duration
	}{
		"missing": {
			func(f *timed) routingtest.Published { return f.compile(1, false) },
			[]time.Duration{
				250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second,
				30 * time.Second, 30 * time.Second,
			},
		},
		"damaged": {
			func(f *timed) routingtest.Published {
				r := f.compile(1, false)
				f.bus.set(func(b *memoryBus) { b.objects[r.Digest] = r.Bytes[:20] })
				return r
			},
			[]time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *timed) {
				r := test.wrong(f)
				f.announce(r.Entry(1, time.Now()), nil)
				time.Sleep(100 * time.Second)
				synctest.Wait()
				f.bus.mu.Lock()
				asked := f.bus.asked
				f.bus.mu.Unlock()
				require.Equal(t, test.want, gaps(asked))
				require.Equal(t, len(asked), f.counts.of("ARTIFACT_MISSING")+f.counts.of("ARTIFACT_CUT"))

				// A new connection may find it, and so may whoever announces it once more.
				f.bus.set(func(b *memoryBus) { b.objects[r.Digest] = r.Bytes })
				f.follower.Reconnected()
				synctest.Wait()
				require.EqualValues(t, 1, f.activation())
				require.NoError(t, f.follower.Check(t.Context()))
			})
		})
	}
}

// TestABusThatIsOutOfReachIsNoRefusal: nothing is wrong with the release.
func TestABusThatIsOutOfReachIsNoRefusal(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		f.announce(f.compile(1, true).Entry(1, time.Now()), nil)
		two := f.compile(2, true)
		f.bus.set(func(b *memoryBus) { b.err = jetstream.ErrUnavailable })
		f.announce(two.Entry(2, time.Now()), nil)
		require.ErrorIs(t, f.follower.Check(t.Context()), jetstream.ErrUnavailable)
		require.Zero(t, f.counts.of("MESSAGING_UNAVAILABLE"))
		f.bus.set(func(b *memoryBus) { b.err = nil })
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 2, f.activation())
		for _, word := range f.bus.words() {
			require.Equal(t, serving, word.GetState())
		}
	})
}

// TestARollbackDoesNotWaitForWhatIsBuilt: a release that is on its way is given up.
func TestARollbackDoesNotWaitForWhatIsBuilt(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		one, two := f.compile(1, true), f.compile(2, true)
		f.announce(one.Entry(1, time.Now()), nil)
		f.announce(two.Entry(2, time.Now()), nil)
		three := f.compile(3, true)
		f.bus.set(func(b *memoryBus) { b.hold = make(chan struct{}) })
		f.announce(three.Entry(3, time.Now()), nil)
		require.EqualValues(t, 2, f.activation())
		f.announce(one.Entry(4, time.Now()), nil)
		require.EqualValues(t, 4, f.activation())
		f.bus.set(func(b *memoryBus) { b.hold = nil })
		f.announce(three.Entry(5, time.Now()), nil)
		require.EqualValues(t, 5, f.activation())
		require.Empty(t, f.counts.refused, "nothing was wrong")
	})
}

func TestAtMostThreeTablesAreHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		for n := range int64(6) {
			later := f.compile(100+n, true).Entry(100+n, time.Now().Add(time.Hour))
			next := f.compile(n+1, true).Entry(n+1, time.Now())
			if n%2 == 0 {
				later = nil
			}
			f.announce(next, later)
			require.Equal(t, n+1, f.activation())
			require.LessOrEqual(t, f.follower.Tables(), 3)

			// What is under construction counts too.
			hold := make(chan struct{})
			f.bus.set(func(b *memoryBus) { b.hold = hold })
			f.announce(f.compile(50+n, true).Entry(50+n, time.Now()), later)
			require.LessOrEqual(t, f.follower.Tables(), 2)
			f.bus.set(func(b *memoryBus) { b.hold = nil })
			close(hold)
			synctest.Wait()
			require.Equal(t, 50+n, f.activation())
			require.LessOrEqual(t, f.follower.Tables(), 3)
		}
	})
}

func TestAScheduledReleaseThatServedStaysWhateverTheClockSays(t *testing.T) {
	clk := clock.NewFake(routingtest.Now)
	inBubbleBy(t, clk, func(t *testing.T, f *timed) {
		at := routingtest.Now.Add(time.Hour)
		one, two := f.compile(1, true).Entry(1, routingtest.Now), f.compile(2, true).Entry(2, at)
		says := func(now time.Time, want int64) {
			t.Helper()
			clk.Set(now)
			f.follower.Wake()
			synctest.Wait()
			require.Equal(t, want, f.activation())
		}
		f.announce(one, two)
		says(at.Add(-time.Second), 1)
		says(at.Add(time.Second), 2)
		says(at.Add(-time.Second), 2)
		words := f.bus.words()
		require.Equal(t, serving, words[len(words)-1].GetState())
		require.EqualValues(t, 2, words[len(words)-1].GetActivation())
		f.announce(one, two) // under the next revision
		says(at.Add(-time.Second), 2)
		// A manifest that does not name it ends it.
		f.announce(one, f.compile(3, true).Entry(3, at))
		says(at.Add(-time.Second), 1)
	})
}

// TestAManifestThatIsRepeatedCostsLittle: what was refused for its bytes waits for its time, and what is missing is looked
// for about once a second.
func TestAManifestThatIsRepeatedCostsLittle(t *testing.T) {
	for name, test := range map[string]struct {
		content     func(f *timed) []byte // of the object; nil is none
		least, most int
	}{
		"other bytes": {func(f *timed) []byte { return f.compile(2, false).Bytes }, 1, 1},
		"no bytes":    {func(*timed) []byte { return nil }, 20, 30},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *timed) {
				r := f.compile(1, false)
				if content := test.content(f); content != nil {
					f.bus.set(func(b *memoryBus) { b.objects[r.Digest] = content })
				}
				for range 200 {
					f.revision = 0
					f.announce(r.Entry(1, routingtest.Now), nil)
					time.Sleep(100 * time.Millisecond)
				}
				synctest.Wait()
				f.bus.mu.Lock()
				asked := len(f.bus.asked)
				f.bus.mu.Unlock()
				require.GreaterOrEqual(t, asked, test.least)
				require.LessOrEqual(t, asked, test.most)
			})
		})
	}
}

// TestWhatIsNoManifestIsInTheLogOnce: whoever can write to the bus could fill the disk otherwise.
func TestWhatIsNoManifestIsInTheLogOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		for n := range byte(200) {
			f.follower.Offer([]byte{0xff, n})
			synctest.Wait()
		}
		require.Equal(t, 200, f.counts.of("MANIFEST_LAYOUT"))
		require.Equal(t, 1, bytes.Count(f.logged.Bytes(), []byte("\n")), f.logged)
		f.follower.Offer([]byte{0x0a, 0}) // another reason
		synctest.Wait()
		require.Equal(t, 2, bytes.Count(f.logged.Bytes(), []byte("\n")), f.logged)
	})
}

// TestTheSameManifestBySomebodyElseIsFollowed: keys are exchanged without a publish.
func TestTheSameManifestBySomebodyElseIsFollowed(t *testing.T) {
	inBubble(t, func(t *testing.T, f *timed) {
		one := f.compile(1, true).Entry(1, routingtest.Now)
		f.announce(one, nil)
		f.revision, f.signer = 0, f.another
		f.announce(one, nil)
		require.NoError(t, f.follower.Check(t.Context()))
		require.Empty(t, f.counts.refused)
		require.EqualValues(t, 1, f.activation())
	})
}
