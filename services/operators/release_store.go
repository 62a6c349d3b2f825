package operators

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// ReleaseStore is what ReleaseAdmin needs to be kept.
type ReleaseStore interface {
	Store
	Viewer
	// ReadReleases runs do on one state, which may be that of a replica, and says so. do may run twice.
	ReadReleases(ctx context.Context, do func(ctx context.Context, r ReleaseReader) error) (Freshness, error)
	// Snapshot is as RuleReader has it.
	Snapshot(ctx context.Context, operatorsOnly bool, now time.Time, give func(Snapshot) error) error
}

// ReleaseReader reads releases and what was done with them. It leaves Release.State to others.
type ReleaseReader interface {
	// Release gives one release, or a NotFound fault.
	Release(ctx context.Context, id uuid.UUID) (Release, error)
	// Releases gives releases with lower numbers than before, newest first; 0 is from the newest.
	Releases(ctx context.Context, before int64, limit int) ([]Release, error)
	// Activation gives one activation, or a NotFound fault.
	Activation(ctx context.Context, number int64) (Activation, error)
	// Activations gives activations, newest first.
	Activations(ctx context.Context, filter ActivationFilter) ([]Activation, error)
	// ReleaseRevisions gives those of the manifest.
	ReleaseRevisions(ctx context.Context) (ReleaseRevisions, error)
	// ConfigVersion gives the version of the live configuration.
	ConfigVersion(ctx context.Context) (int64, error)
}

// ActivationFilter says which activations are wanted.
type ActivationFilter struct {
	// Release is the one they are of; uuid.Nil is any.
	Release uuid.UUID
	// Valid leaves out what was called off.
	Valid bool
	Limit int
}

// ReleaseRevisions are revisions of the manifest.
type ReleaseRevisions struct {
	// Wanted is the one that belongs to the last change, Announced the last one that was published.
	Wanted, Announced int64
}

// ReleaseTx changes releases.
type ReleaseTx interface {
	ReleaseReader
	ReleaseWriter
	ReleaseUpkeep
}

// ReleaseWriter stores what becomes of releases.
type ReleaseWriter interface {
	// AddRelease stores a new release and its artifact, unless that is stored already, and gives it its number and the
	// size of what is stored.
	AddRelease(ctx context.Context, r Release, parts [][]byte) (Release, error)
	// ApproveRelease stores version and approval.
	ApproveRelease(ctx context.Context, r Release) error
	// AddActivation stores an activation under the next number and the next revision of the manifest, which it gives.
	AddActivation(ctx context.Context, a Activation) (Activation, error)
	// CancelActivation stores that it was called off.
	CancelActivation(ctx context.Context, number int64, at time.Time) error
}

// ReleaseUpkeep clears away what nobody needs.
type ReleaseUpkeep interface {
	// Stock gives the releases that are not expired, newest first.
	Stock(ctx context.Context) ([]Release, error)
	// Expire marks releases as expired and deletes their artifacts. No other release may need one of them.
	Expire(ctx context.Context, gone []Release, at time.Time) error
	// RaiseReleaseRevision sets the revision that is wanted to a higher one.
	RaiseReleaseRevision(ctx context.Context, revision int64) error
	// Leftovers gives those of the digests that only expired releases have.
	Leftovers(ctx context.Context, digests []string) ([]string, error)
}
