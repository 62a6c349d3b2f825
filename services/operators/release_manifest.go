package operators

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"
)

// Manifest says what engines serve. The same activations always give the same manifest: it does not depend on the time of
// day.
type Manifest struct {
	// Revision grows with each manifest; 0 is none.
	Revision int64
	// Current is served from its time on, Scheduled takes its place at its own. Without a release there is none.
	Current, Scheduled ManifestEntry
}

// ManifestEntry is one activation as engines need it.
type ManifestEntry struct {
	ReleaseID  uuid.UUID
	Activation int64
	Digest     string
	// Size and StoredSize are bytes of the artifact, before and after compression.
	Size, StoredSize       int64
	ActivateAt, CompiledAt time.Time
}

// same reports whether engines read the same from both.
func (m Manifest) same(other Manifest) bool {
	return m.Revision == other.Revision && m.Current.same(other.Current) && m.Scheduled.same(other.Scheduled)
}

func (e ManifestEntry) same(other ManifestEntry) bool {
	times := e.ActivateAt.Equal(other.ActivateAt) && e.CompiledAt.Equal(other.CompiledAt)
	e.ActivateAt, e.CompiledAt, other.ActivateAt, other.CompiledAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return times && e == other
}

// entries are those that name a release.
func (m Manifest) entries() (all []ManifestEntry) {
	for _, e := range []ManifestEntry{m.Current, m.Scheduled} {
		if e.ReleaseID != uuid.Nil {
			all = append(all, e)
		}
	}
	return all
}

// readManifest builds the manifest that belongs to what is stored, and gives the last revision that was announced.
func readManifest(ctx context.Context, r ReleaseReader) (m Manifest, announced int64, err error) {
	revisions, err := r.ReleaseRevisions(ctx)
	if err != nil {
		return Manifest{}, 0, err
	}
	last, err := lastValid(ctx, r)
	if err != nil || len(last) == 0 {
		return Manifest{}, revisions.Announced, err
	}
	m.Revision = revisions.Wanted
	current, scheduled := announcedOf(last)
	if m.Current, err = readEntry(ctx, r, current); err != nil {
		return Manifest{}, 0, err
	}
	m.Scheduled, err = readEntry(ctx, r, scheduled)
	return m, revisions.Announced, err
}

// announcedOf gives the activations that a manifest names: of the last two that were not called off, newest first, the last and,
// when that was scheduled, the one before it too. It is named also when the time has come since.
func announcedOf(last []Activation) (current, scheduled *Activation) {
	if last[0].immediate() {
		return &last[0], nil
	}
	if len(last) > 1 {
		current = &last[1]
	}
	return current, &last[0]
}

func readEntry(ctx context.Context, r ReleaseReader, a *Activation) (ManifestEntry, error) {
	if a == nil {
		return ManifestEntry{}, nil
	}
	release, err := r.Release(ctx, a.ReleaseID)
	return ManifestEntry{
		ReleaseID: a.ReleaseID, Activation: a.Number, Digest: release.Digest, Size: release.Size, StoredSize: release.StoredSize,
		ActivateAt: a.ActivateAt, CompiledAt: release.CreatedAt,
	}, err
}

// Bulletin is where engines read the manifest.
type Bulletin interface {
	// Signs reports whether there is a key to post with.
	Signs() bool
	// Standing gives the manifest that is there and its place, for Post. What is missing, or cannot be read, is the zero
	// Manifest. It makes anew what holds manifests and artifacts when that was lost.
	Standing(ctx context.Context) (m Manifest, place uint64, err error)
	// Post replaces what is at the place. When that changed since, it is an Aborted fault.
	Post(ctx context.Context, m Manifest, place uint64) error
}

// Shelf is where engines fetch artifacts, by digest.
type Shelf interface {
	// Sum reads an artifact and gives the SHA-256 of its bytes as they are stored; nil for one that is not there whole.
	Sum(ctx context.Context, digest string) ([]byte, error)
	// Put stores an artifact in place of what is there; what a failed one leaves is not there for Sum.
	Put(ctx context.Context, digest string, content io.Reader) error
	// Remove takes an artifact away. One that is not there is no error.
	Remove(ctx context.Context, digest string) error
	// Digests lists what is there.
	Digests(ctx context.Context) ([]string, error)
}
