package operators

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"trunkline/services/platform/fault"
)

const (
	// announcePoll is the backstop for wakes: it finds the changes of other processes.
	announcePoll = time.Second
	// announceUpkeep is the time between two looks at whether engines can still fetch what the manifest names. Each look
	// reads those artifacts, at most two, where engines fetch them.
	announceUpkeep = 30 * time.Second
	// announceCall bounds one look at the database, announceUpload the whole of one announcement.
	announceCall   = 5 * time.Second
	announceUpload = 2 * time.Minute
	// announceTries is how often an announcement begins anew because another process was faster.
	announceTries = 3
)

// AnnouncedStore is what the announcer tells of.
type AnnouncedStore interface {
	Store
	Viewer
	// Announced notes that engines can see a revision of the manifest. A higher one stays.
	Announced(ctx context.Context, revision int64) error
	// OpenArtifact gives the bytes of an artifact as they are stored. The caller closes it.
	OpenArtifact(ctx context.Context, digest string) (io.ReadCloser, error)
}

// Announcer keeps the manifest equal to what is stored. The database has the truth: every change of what is in force
// raises the revision there, and any process may bring it to the bulletin, after the artifacts that it names. The manifest
// never goes back. What was lost or damaged there is put back within announceUpkeep. A process without a key to sign with
// leaves all that to those that have one.
type Announcer struct {
	store    AnnouncedStore
	bulletin Bulletin
	shelf    Shelf
	keep     int
	now      func() time.Time
	log      *slog.Logger

	// turn lets one announcement run at a time.
	turn    chan struct{}
	wake    chan struct{}
	look    atomic.Bool
	pending atomic.Int64
	// sums has the SHA-256 of the artifacts that the manifest names, as the database stores them: they are read there
	// once. Whoever has the turn uses it.
	sums map[string][]byte
	// down tells that the last try failed; only Run uses it.
	down bool
}

var _ ReleaseTeller = (*Announcer)(nil)

// NewAnnouncer returns an announcer that keeps the last keep releases which were in force. Run makes it work.
func NewAnnouncer(store AnnouncedStore, bulletin Bulletin, shelf Shelf, keep int, now func() time.Time, log *slog.Logger) *Announcer {
	return &Announcer{
		store: store, bulletin: bulletin, shelf: shelf, keep: keep, now: now, log: log,
		turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), sums: make(map[string][]byte),
	}
}

// Wake makes the announcer look at once. It never blocks.
func (a *Announcer) Wake() {
	select {
	case a.wake <- struct{}{}:
	default: // it will look, and see this change too
	}
}

// Recheck makes it look also at what was announced before. Call it when the bulletin is back; it never blocks.
func (a *Announcer) Recheck() {
	a.look.Store(true)
	a.Wake()
}

// Pending is how many revisions engines could not see at the last look.
func (a *Announcer) Pending() int64 { return a.pending.Load() }

// Announce brings the newest revision to the bulletin unless it is there, and gives the last one that is.
func (a *Announcer) Announce(ctx context.Context) (int64, error) { return a.announce(ctx, false) }

// Restore is Announce that also looks whether everything that was announced is still there.
func (a *Announcer) Restore(ctx context.Context) error {
	_, err := a.announce(ctx, true)
	return err
}

func (a *Announcer) announce(ctx context.Context, whole bool) (int64, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, announceUpload)
	defer cancel()
	wanted, visible, err := a.wanted(ctx)
	if err != nil {
		return 0, err
	}
	a.pending.Store(max(wanted.Revision-visible, 0))
	if !a.bulletin.Signs() || wanted.Revision == 0 || !whole && visible >= wanted.Revision {
		return visible, nil
	}
	for try := 1; ; try++ {
		revision, err := a.bring(ctx)
		if err == nil {
			a.pending.Store(0)
			return revision, nil
		}
		if fault.From(err).Kind != fault.Aborted || try == announceTries {
			return visible, err
		}
	}
}

// wanted reads the manifest that belongs to what is stored.
func (a *Announcer) wanted(ctx context.Context) (m Manifest, announced int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, announceCall)
	defer cancel()
	err = a.store.View(ctx, func(ctx context.Context, tx Tx) error {
		m, announced, err = readManifest(ctx, tx)
		return err
	})
	return m, announced, err
}

// bring makes the bulletin say what is wanted, notes it and gives the revision. What is wanted is read after the place of
// what stands there: whatever another process posted before belongs to a change that this reading sees, and what it posts
// later moves the place. So a manifest never takes the place of a later one.
func (a *Announcer) bring(ctx context.Context) (int64, error) {
	standing, place, err := a.bulletin.Standing(ctx)
	if err != nil {
		return 0, err
	}
	wanted, _, err := a.wanted(ctx)
	if err != nil {
		return 0, err
	}
	same := standing.same(wanted)
	// No revision is given twice: another content under the same one is from before the database was put back.
	if standing.Revision > wanted.Revision || standing.Revision == wanted.Revision && !same {
		return 0, a.overtake(ctx, standing.Revision)
	}
	entries := wanted.entries()
	for _, entry := range entries {
		if err := a.upload(ctx, entry.Digest); err != nil {
			return 0, err
		}
	}
	maps.DeleteFunc(a.sums, func(digest string, _ []byte) bool {
		return !slices.ContainsFunc(entries, func(e ManifestEntry) bool { return e.Digest == digest })
	})
	if !same {
		if err := a.bulletin.Post(ctx, wanted, place); err != nil {
			return 0, err
		}
		a.log.InfoContext(ctx, "manifest announced", "revision", wanted.Revision, "activation", wanted.Current.Activation,
			"scheduled_activation", wanted.Scheduled.Activation)
	}
	ctx, cancel := context.WithTimeout(ctx, announceCall)
	defer cancel()
	return wanted.Revision, a.store.Announced(ctx, wanted.Revision)
}

// overtake is called when the bulletin has a later manifest than the database has changes, or another one of the same
// revision: the database was put back to an older state. No engine would take another manifest with a revision that it
// had, so the next one is above. The fault asks to begin anew.
func (a *Announcer) overtake(ctx context.Context, revision int64) error {
	err := a.store.InTx(ctx, func(ctx context.Context, tx Tx) error { return tx.RaiseReleaseRevision(ctx, revision+1) })
	if err != nil {
		return err
	}
	a.log.ErrorContext(ctx, "the manifest in NATS is newer than the database, which must have been put back: what the database says is announced again",
		"revision", revision)
	return fault.New(fault.Aborted, ReasonReleaseMoved, "The manifest was newer than the database.")
}

// upload puts an artifact on the shelf unless the very bytes that the database stores are there.
func (a *Announcer) upload(ctx context.Context, digest string) error {
	there, err := a.shelf.Sum(ctx, digest)
	if err != nil {
		return err
	}
	if there != nil {
		if a.sums[digest] == nil {
			err := a.open(ctx, digest, func(content io.Reader) error {
				_, err := io.Copy(io.Discard, content)
				return err
			})
			if err != nil {
				return err
			}
		}
		if bytes.Equal(there, a.sums[digest]) {
			return nil
		}
		a.log.WarnContext(ctx, "an artifact in NATS is not the one that is stored; it is replaced", "digest", digest)
	}
	return a.open(ctx, digest, func(content io.Reader) error { return a.shelf.Put(ctx, digest, content) })
}

// open gives an artifact as the database stores it to somebody who reads it whole, and notes its sum.
func (a *Announcer) open(ctx context.Context, digest string, read func(io.Reader) error) (err error) {
	content, err := a.store.OpenArtifact(ctx, digest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	sum := sha256.New()
	if err := read(io.TeeReader(content, sum)); err != nil {
		return err
	}
	a.sums[digest] = sum.Sum(nil)
	return nil
}

// Run announces until ctx ends. Run it once.
func (a *Announcer) Run(ctx context.Context) {
	poll := time.NewTicker(announcePoll)
	defer poll.Stop()
	upkeep := time.NewTicker(announceUpkeep)
	defer upkeep.Stop()
	clearance := time.NewTicker(clearEvery)
	defer clearance.Stop()
	for a.look.Store(true); ctx.Err() == nil; {
		a.step(ctx)
		select {
		case <-ctx.Done():
		case <-a.wake:
		case <-poll.C:
		case <-upkeep.C:
			a.look.Store(true)
		case <-clearance.C:
			if err := a.Clear(ctx); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "old releases could not be cleared away", "error", err)
			}
			a.look.Store(true)
		}
	}
}

// step announces once, and says when that begins or ends to fail.
func (a *Announcer) step(ctx context.Context) {
	whole := a.look.Swap(false)
	_, err := a.announce(ctx, whole)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		if whole {
			a.look.Store(true)
		}
		if !a.down {
			a.log.WarnContext(ctx, "engines cannot be told which release is in force; it is tried again", "error", err)
		}
	case a.down:
		a.log.InfoContext(ctx, "engines can be told again which release is in force")
	}
	a.down = err != nil
}
