package operators

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// Draft takes in what a release will hold.
type Draft interface {
	// Add takes in some rows, in any order.
	Add(part Snapshot) error
	// Seal writes the artifact and says what it is. It ends the draft.
	Seal(w io.Writer) (Artifact, error)
}

// ReleaseTeller tells engines what is in force.
type ReleaseTeller interface {
	Waker
	// Announce tells them now, and gives the last revision of the manifest that they can see.
	Announce(ctx context.Context) (int64, error)
}

// ReleasePolicy is how this deployment publishes.
type ReleasePolicy struct {
	// Signs tells that there is a key to sign with; without one nothing can be published.
	Signs bool
	// RequireApproval lets nothing be published that a second admin has not approved. It separates credentials, not people:
	// whoever may make keys can approve with a second one, so it is as good as the choice of who may.
	RequireApproval bool
	// Ceiling is as for NewRuleAdmin.
	Ceiling money.Money
}

// ReleaseAdmin carries out what is asked about releases. It is safe for concurrent use.
type ReleaseAdmin struct {
	store    ReleaseStore
	newDraft func() Draft
	teller   ReleaseTeller
	policy   ReleasePolicy
	now      func() time.Time
	log      *slog.Logger
	// compiling lets one draft be compiled at a time: each holds everything in memory.
	compiling chan struct{}
}

// NewReleaseAdmin returns the use cases of releases. It takes the time of a change from now.
func NewReleaseAdmin(
	store ReleaseStore, newDraft func() Draft, teller ReleaseTeller, policy ReleasePolicy, now func() time.Time, log *slog.Logger,
) *ReleaseAdmin {
	return &ReleaseAdmin{
		store: store, newDraft: newDraft, teller: teller, policy: policy, now: now, log: log, compiling: make(chan struct{}, 1),
	}
}

// MaxActivations is how many activations of a release are shown.
const MaxActivations = 100

// GetRelease gives one release and its activations, newest first, up to MaxActivations. uuid.Nil is the release in force;
// without one it is a NotFound fault, ReasonNoActiveRelease. force is what is in force and to come.
func (a *ReleaseAdmin) GetRelease(ctx context.Context, id uuid.UUID) (release Release, history []Activation, force Force, fresh Freshness, err error) {
	fresh, err = a.store.ReadReleases(ctx, func(ctx context.Context, r ReleaseReader) (err error) {
		wanted := id
		if force, err = a.force(ctx, r); err != nil {
			return err
		}
		if wanted == uuid.Nil {
			if wanted = releaseID(force.InForce); wanted == uuid.Nil {
				return fault.New(fault.NotFound, ReasonNoActiveRelease, "No release is in force: make one with CreateRelease, then publish it.")
			}
		}
		if release, err = r.Release(ctx, wanted); err != nil {
			return err
		}
		if history, err = r.Activations(ctx, ActivationFilter{Release: wanted, Limit: MaxActivations}); err != nil {
			return err
		}
		revisions, err := r.ReleaseRevisions(ctx)
		release = revisions.announced(release, history)
		release.State = force.stateOf(release)
		return err
	})
	return release, history, force, fresh, err
}

// ListReleases gives releases with lower numbers than before, newest first, and whether there are more; 0 is from the newest.
func (a *ReleaseAdmin) ListReleases(ctx context.Context, before int64, limit int) (page []Release, more bool, fresh Freshness, err error) {
	var v violations
	v.check("page_size", checkRange(limit, 1, MaxPage))
	if err := invalid(v); err != nil {
		return nil, false, Freshness{}, err
	}
	fresh, err = a.store.ReadReleases(ctx, func(ctx context.Context, r ReleaseReader) error {
		force, err := a.force(ctx, r)
		if err != nil {
			return err
		}
		revisions, err := r.ReleaseRevisions(ctx)
		if err != nil {
			return err
		}
		if page, err = r.Releases(ctx, before, limit+1); err != nil {
			return err
		}
		more = len(page) > limit
		page = page[:min(limit, len(page))]
		for i := range page {
			page[i] = revisions.announced(page[i], nil)
			page[i].State = force.stateOf(page[i])
		}
		return nil
	})
	return page, more, fresh, err
}

// announced fills in which activations engines can see.
func (v ReleaseRevisions) announced(r Release, history []Activation) Release {
	for i := range history {
		history[i].Announced = history[i].Revision <= v.Announced
	}
	if r.Last != nil {
		last := *r.Last
		last.Announced = last.Revision <= v.Announced
		r.Last = &last
	}
	return r
}

// force is what is in force and to come now.
func (a *ReleaseAdmin) force(ctx context.Context, r ReleaseReader) (Force, error) {
	return readForce(ctx, r, moment(a.now()))
}

func readForce(ctx context.Context, r ReleaseReader, at time.Time) (Force, error) {
	last, err := lastValid(ctx, r)
	return forceAt(last, at), err
}

// lastValid gives the last two activations that were not called off, newest first.
func lastValid(ctx context.Context, r ReleaseReader) ([]Activation, error) {
	return r.Activations(ctx, ActivationFilter{Valid: true, Limit: 2})
}

// Compared gives a release and the one to compare it with: base, or the one in force when that is uuid.Nil. The second is
// nil when nothing is in force. Expired releases are ReasonReleaseExpired.
func (a *ReleaseAdmin) Compared(ctx context.Context, id, base uuid.UUID) (draft Release, against *Release, err error) {
	_, err = a.store.ReadReleases(ctx, func(ctx context.Context, r ReleaseReader) (err error) {
		against = nil
		if draft, err = kept(ctx, r, id); err != nil {
			return err
		}
		wanted := base
		if wanted == uuid.Nil {
			force, err := a.force(ctx, r)
			if err != nil {
				return err
			}
			if wanted = releaseID(force.InForce); wanted == uuid.Nil {
				return nil
			}
		}
		other, err := kept(ctx, r, wanted)
		against = &other
		return err
	})
	return draft, against, err
}

// kept gives a release whose artifact is there.
func kept(ctx context.Context, r ReleaseReader, id uuid.UUID) (Release, error) {
	release, err := r.Release(ctx, id)
	if err == nil && !release.ExpiredAt.IsZero() {
		err = releaseExpired()
	}
	return release, err
}

// apply runs a change of releases.
func (a *ReleaseAdmin) apply(ctx context.Context, c change) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	return c.run(ctx, a.store, a.teller, a.now)
}
