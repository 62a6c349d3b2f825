package releases

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

const (
	// SweepEvery is how often an artifact that was refused is tried again, what serves is told again, and what could not
	// be kept on disk is written again.
	SweepEvery = 30 * time.Second
	// An artifact that is not there, or out of reach, is tried again after retryFirst, doubled up to SweepEvery: it may
	// be on its way.
	retryFirst = 250 * time.Millisecond
	// What was missing is tried again at most this often while one manifest comes again and again: anybody on the bus can
	// repeat one.
	repeatEvery = time.Second
	// clockEvery is how often the clock is looked at while a release waits for its moment: it can step.
	clockEvery = time.Second
	// maxTables is how many tables are in memory at once, the one under construction among them.
	maxTables = 3
)

// Observer counts what a follower does.
type Observer interface {
	// ReleaseRefused is told the reason of each refusal.
	ReleaseRefused(reason string)
	// ReleaseApplied is told how long it took from the manifest, or the moment that it names, until a release served.
	ReleaseApplied(took time.Duration)
}

// Settings is what a follower follows.
type Settings struct {
	// Environment names the manifest.
	Environment string
	Keys        release.Keys
	// MaxBytes bounds an artifact, before compression and as stored.
	MaxBytes int64
	// Engine names this process on the bus, and Host the machine for people.
	Engine uuid.UUID
	Host   string
}

// Follower puts in force what the manifest says.
type Follower struct {
	settings  Settings
	supply    *routing.ReleaseSupply
	folder    *Folder
	artifacts *artifacts
	clock     clock.Clock
	log       *slog.Logger
	observer  Observer
	words     *words

	// offered is the newest manifest that came, and wake tells that it or something else is new.
	offered atomic.Pointer[[]byte]
	again   atomic.Bool // what was refused may be better now
	wake    chan struct{}
	trouble atomic.Pointer[refusal] // what is wrong, for the health pages

	restored chan struct{} // closed once what the folder holds serves, or cannot

	// The rest belongs to Recall and then to Run.
	manifest *manifest // the newest that was accepted
	arrived  time.Time // when it came
	refused  *refusal  // what is wrong with the last manifest that was offered
	serving  *entry
	servedBy *manifest
	former   string // digest of what served before
	tables   map[string]*routing.Table
	failures map[string]*refusal  // by digest
	unstored map[string]time.Time // by digest, what could not be kept on disk, and when it is tried again
	building *building
	built    chan outcome
	unkept   bool  // the folder is behind
	keepErr  error // why it is
	saved    asOf  // of the operators in the folder
}

// refusal is why something does not come into force.
type refusal struct {
	err   error
	entry *entry // nil for a manifest
	tries int
	at    time.Time // when it was tried last
	next  time.Time
}

func (r *refusal) reason() string { return fault.From(r.err).Reason }

// final tells a refusal from something that is out of reach.
func (r *refusal) final() bool { return errors.Is(r.err, release.ErrMissing) || r.lasting() }

// lasting tells that only other bytes would help.
func (r *refusal) lasting() bool { return fault.From(r.err).Kind == fault.FailedPrecondition }

// building is a table under construction.
type building struct {
	entry  *entry
	cancel context.CancelFunc
}

type outcome struct {
	entry *entry
	obtained
	err error
}

// New gives a follower that serves nothing before Run.
func New(
	settings Settings, bus Bus, folder *Folder, supply *routing.ReleaseSupply, health *routing.HealthView,
	clk clock.Clock, log *slog.Logger, observer Observer,
) *Follower {
	f := &Follower{
		settings: settings, supply: supply, folder: folder, clock: clk, log: log, observer: observer,
		words: newWords(bus, settings, clk, log), wake: make(chan struct{}, 1),
		tables: map[string]*routing.Table{}, failures: map[string]*refusal{}, unstored: map[string]time.Time{},
		restored: make(chan struct{}), built: make(chan outcome, 1),
	}
	f.artifacts = &artifacts{bus: bus, folder: folder, health: health, maxBytes: settings.MaxBytes, refused: f.name}
	return f
}

// Offer hands over a manifest as it came from the bus. It never waits.
func (f *Follower) Offer(signed []byte) {
	signed = bytes.Clone(signed)
	f.offered.Store(&signed)
	f.Wake()
}

// Wake makes the follower look for something to do: other operators are live. It never waits.
func (f *Follower) Wake() {
	select {
	case f.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Reconnected tells that the bus can be reached again: what was missing is tried at once, and what serves is told.
func (f *Follower) Reconnected() {
	f.again.Store(true)
	f.words.repeat()
	f.Wake()
}

// Check gives nil unless the manifest asks for something that does not serve.
func (f *Follower) Check(context.Context) error {
	if r := f.trouble.Load(); r != nil {
		return r.err
	}
	return nil
}

// Restored is closed once Run has put in force what the folder holds, as far as it can be used.
func (f *Follower) Restored() <-chan struct{} { return f.restored }

// Run puts in force what the folder holds, which takes as long as the build of a table, and then follows until ctx ends. It
// may be called once.
func (f *Follower) Run(ctx context.Context) {
	f.restore(ctx)
	close(f.restored)
	if ctx.Err() != nil {
		return
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { f.words.run(ctx) })
	for {
		pause := time.NewTimer(f.step(ctx, &running))
		select {
		case <-ctx.Done():
			pause.Stop()
			f.stop(ctx)
			return
		case <-f.wake:
		case done := <-f.built:
			f.finish(ctx, done)
		case <-pause.C:
		}
		pause.Stop()
	}
}

// step does what can be done without waiting, and tells how long nothing else is to do.
func (f *Follower) step(ctx context.Context, running *sync.WaitGroup) time.Duration {
	if signed := f.offered.Swap(nil); signed != nil {
		f.accept(ctx, *signed)
	}
	now := f.clock.Now()
	if f.again.Swap(false) {
		for _, r := range f.failures {
			r.next = now
		}
	}
	f.swap(ctx, now)
	f.construct(ctx, now, running)
	trouble := f.troubled(now)
	f.words.say(f.word(now, trouble))
	f.keep(ctx)
	f.show(trouble)
	return f.pause(f.clock.Now())
}

// accept takes over a manifest, unless it is refused.
func (f *Follower) accept(ctx context.Context, signed []byte) {
	next, err := open(f.settings.Keys, f.settings.Environment, signed)
	if err == nil && f.manifest != nil && !next.follows(f.manifest) {
		err = release.ErrOld
	}
	if err != nil {
		f.refuse(ctx, err)
		return
	}
	f.refused = nil
	f.arrived = f.clock.Now()
	if f.manifest != nil && bytes.Equal(next.signed, f.manifest.signed) {
		f.repeat()
		return
	}
	next.begun = f.serving != nil && next.scheduled != nil && next.scheduled.same(f.serving)
	f.manifest, f.failures, f.unkept = next, map[string]*refusal{}, true
	maps.DeleteFunc(f.unstored, func(digest string, _ time.Time) bool { return !f.needs(digest) })
}

// repeat tries again what was missing: whoever sent the manifest once more may have restored it. What was refused for its
// bytes waits all the same, or a few bytes on the bus would cost a build each.
func (f *Follower) repeat() {
	for _, r := range f.failures {
		if again := r.at.Add(repeatEvery); !r.lasting() && again.Before(r.next) {
			r.next = again
		}
	}
}

// swap puts in force what should serve, if its table is there.
func (f *Follower) swap(ctx context.Context, now time.Time) {
	for _, e := range f.manifest.wanted(now) {
		if f.serving != nil && f.serving.same(e) {
			return
		}
		if table := f.tables[e.digest]; table != nil {
			f.serve(ctx, e, table)
			f.observer.ReleaseApplied(f.clock.Now().Sub(f.began(e)))
			return
		}
		// While what should serve cannot, what serves goes on; without any, the next best does.
		if f.failures[e.digest] == nil || f.serving != nil {
			return
		}
	}
}

func (f *Follower) serve(ctx context.Context, e *entry, table *routing.Table) {
	if f.serving != nil && f.serving.digest != e.digest {
		f.former = f.serving.digest
	}
	f.serving = e
	f.manifest.begin(e)
	f.supply.Serve(e.Release, table)
	f.unkept = true
	f.retain(nil)
	f.log.InfoContext(ctx, "a release is in force", "release_id", e.ID, "activation", e.Activation)
}

// began is since when the release should serve.
func (f *Follower) began(e *entry) time.Time {
	if e == f.manifest.scheduled && e.activateAt.After(f.arrived) {
		return e.activateAt
	}
	return f.arrived
}

// retain forgets the tables that nobody needs. While one more is built, what served before makes room for it.
func (f *Follower) retain(next *entry) {
	needed := map[string]bool{}
	if f.serving != nil {
		needed[f.serving.digest] = true
	}
	for _, e := range f.named() {
		needed[e.digest] = true
	}
	held := 0
	for digest := range f.tables {
		if needed[digest] && digest != f.former {
			held++
		}
	}
	if next != nil {
		held++
	}
	if held < maxTables {
		needed[f.former] = true
	}
	maps.DeleteFunc(f.tables, func(digest string, _ *routing.Table) bool { return !needed[digest] })
}

// needs tells whether the artifact serves or is named.
func (f *Follower) needs(digest string) bool {
	return f.serving != nil && f.serving.digest == digest || slices.ContainsFunc(f.named(), func(e *entry) bool { return e.digest == digest })
}

// named gives the releases that the manifest names.
func (f *Follower) named() (entries []*entry) {
	if f.manifest == nil {
		return nil
	}
	for _, e := range []*entry{f.manifest.current, f.manifest.scheduled} {
		if e != nil {
			entries = append(entries, e)
		}
	}
	return entries
}

// stop gives up what is built, which is not wanted any more, and keeps what came into force last.
func (f *Follower) stop(ctx context.Context) {
	if f.building != nil {
		f.building.cancel()
	}
	f.keep(ctx)
}
