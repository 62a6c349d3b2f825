package operators

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// The reasons of faults about releases.
const (
	ReasonNoSuchRelease = "NO_SUCH_RELEASE"
	// ReasonNoActiveRelease: nothing is in force.
	ReasonNoActiveRelease = "NO_ACTIVE_RELEASE"
	// ReasonAlreadyActive: the release is in force.
	ReasonAlreadyActive = "ALREADY_ACTIVE"
	// ReasonNeverActive: the release was never in force, so there is no way back to it.
	ReasonNeverActive = "NEVER_ACTIVE"
	// ReasonNoFormerRelease: no other release was in force before.
	ReasonNoFormerRelease = "NO_FORMER_RELEASE"
	// ReasonAlreadyRolledBack refuses a rollback without a target when the release in force came by one.
	ReasonAlreadyRolledBack = "ALREADY_ROLLED_BACK"
	// ReasonReleaseExpired: its artifact was cleared away.
	ReasonReleaseExpired = "RELEASE_EXPIRED"
	// ReasonReleaseMoved: another release is in force than the caller expects.
	ReasonReleaseMoved = "RELEASE_MOVED"
	ReasonNotApproved  = "NOT_APPROVED"
	ReasonSameAdmin    = "SAME_ADMIN"
	ReasonNoSigningKey = "NO_SIGNING_KEY"
)

// ReleaseState is how far a release is. The zero value is none.
type ReleaseState uint8

// The states, in the order of a life.
const (
	ReleaseDraft ReleaseState = iota + 1
	ReleaseApproved
	// ReleaseScheduled takes effect later.
	ReleaseScheduled
	// ReleaseActive is in force.
	ReleaseActive
	// ReleaseRetired was in force and can be again.
	ReleaseRetired
	// ReleaseExpired is history: its artifact was cleared away.
	ReleaseExpired
)

// Artifact is what a release holds, as it was compiled.
type Artifact struct {
	// Digest is the SHA-256 of the bytes before compression, in hexadecimal: the name of the artifact.
	Digest string
	// Size is in bytes before compression, StoredSize after it.
	Size, StoredSize int64
	// Operators, Rules and Rates are counts.
	Operators, Rules, Rates int64
}

// Release is a whole set of rules, rates, operators and exchange rates, compiled at one moment.
type Release struct {
	ID uuid.UUID
	// Number is for people, from 1.
	Number int64
	// Description is for people, at most MaxDescription characters.
	Description string
	Artifact
	// ConfigVersion is the version of the live configuration that it was made from.
	ConfigVersion int64
	// Warnings is how many the conflict checker gave.
	Warnings  int64
	CreatedAt time.Time
	CreatedBy string
	// ApprovedAt is zero when nobody approved it.
	ApprovedAt time.Time
	ApprovedBy string
	// ExpiredAt is zero while the artifact is kept.
	ExpiredAt time.Time
	// Version rises when it is approved and when it expires, starting at 1.
	Version int64
	// Last is the last time it was put in force or scheduled, also when that was called off; nil for never.
	Last *Activation
	// Served is the number of its last activation that was not called off; 0 for none.
	Served int64
	// State is what follows from all activations at the moment of reading.
	State ReleaseState
}

// ETag names this state of the release: whatever was done with it changes it.
func (r Release) ETag() string {
	text := fmt.Sprintf("%s:%d", r.ID, r.Version)
	if r.Last != nil {
		text += fmt.Sprintf(":%d:%t", r.Last.Number, r.Last.Cancelled())
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// ActivationKind says how a release came into force. The zero value is none.
type ActivationKind uint8

// The kinds.
const (
	Published ActivationKind = iota + 1
	RolledBack
)

var activationNames = [...]string{"", "PUBLISH", "ROLLBACK"}

// String returns the text, such as PUBLISH, or "" for the zero value.
func (k ActivationKind) String() string { return nameOf(k, activationNames[:]) }

// ParseActivationKind reads PUBLISH or ROLLBACK.
func ParseActivationKind(text string) (ActivationKind, error) {
	return parseName[ActivationKind](text, activationNames[:])
}

// Activation is one time that a release was put in force or scheduled.
type Activation struct {
	// Number is from 1. Later activations have higher ones, and take effect later unless the earlier one was called off.
	Number    int64
	ReleaseID uuid.UUID
	Kind      ActivationKind
	// ActivateAt is CreatedAt for one that took effect at once.
	ActivateAt, CreatedAt time.Time
	CreatedBy             string
	// Reason is for people, at most MaxDescription characters.
	Reason string
	// FormerID is the release that was in force when it was asked for; uuid.Nil is none.
	FormerID uuid.UUID
	// Revision is that of the manifest that says so first.
	Revision int64
	// CancelledAt is zero unless it was called off before its time.
	CancelledAt time.Time
	// Announced tells that the manifest says so.
	Announced bool
}

// Cancelled reports whether it was called off before its time.
func (a Activation) Cancelled() bool { return !a.CancelledAt.IsZero() }

// immediate reports whether it took effect when it was asked for.
func (a Activation) immediate() bool { return !a.ActivateAt.After(a.CreatedAt) }

// begun reports whether it took effect by a moment. One that is immediate did, whatever the time: the clock of the process
// that stored it may be ahead of this one, and engines serve it.
func (a Activation) begun(at time.Time) bool { return a.immediate() || !a.ActivateAt.After(at) }

// Force is what the activations say at a moment.
type Force struct {
	// InForce is what engines serve and Pending what comes next; nil is none.
	InForce, Pending *Activation
}

// forceAt reads the last two activations that were not called off, newest first. Only the last can be to come, because a
// new one calls off what was pending.
func forceAt(last []Activation, at time.Time) (f Force) {
	at = reached(last, at)
	for i := range last {
		if last[i].begun(at) {
			f.InForce = &last[i]
			break
		}
		f.Pending = &last[i]
	}
	return f
}

// reached gives at, or the later moment at which the newest of the activations was stored: time does not go back between
// them, also when the clock of another process is ahead or that of this one was put back.
func reached(last []Activation, at time.Time) time.Time {
	if len(last) > 0 && last[0].CreatedAt.After(at) {
		return last[0].CreatedAt
	}
	return at
}

// stateOf tells how far a release is.
func (f Force) stateOf(r Release) ReleaseState {
	switch {
	case f.InForce != nil && f.InForce.ReleaseID == r.ID:
		return ReleaseActive
	case f.Pending != nil && f.Pending.ReleaseID == r.ID:
		return ReleaseScheduled
	case !r.ExpiredAt.IsZero():
		return ReleaseExpired
	case r.Served > 0:
		return ReleaseRetired
	case !r.ApprovedAt.IsZero():
		return ReleaseApproved
	}
	return ReleaseDraft
}

// releaseID is the release of an activation; uuid.Nil for none.
func releaseID(a *Activation) uuid.UUID {
	if a == nil {
		return uuid.Nil
	}
	return a.ReleaseID
}

// NoSuchRelease is the fault for an id that no release has.
func NoSuchRelease() error {
	return fault.New(fault.NotFound, ReasonNoSuchRelease, "There is no release with this id.")
}

func releaseExpired() error {
	return fault.New(fault.FailedPrecondition, ReasonReleaseExpired,
		"The content of this release was cleared away: it is too old. Make a new release, or take one that is kept.")
}
