package operators

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// Rollback asks to go back.
type Rollback struct {
	// Release is where to go back to; uuid.Nil is the release that was in force before the present one.
	Release uuid.UUID
	// Expected is the release that must be in force; uuid.Nil is any.
	Expected uuid.UUID
	Reason   string
}

// RollbackRelease puts a release in force again, at once, and calls off what is scheduled. Going back to the release in
// force does only the latter. A second rollback has to name its release: a command that is repeated changes nothing.
func (a *ReleaseAdmin) RollbackRelease(ctx context.Context, r Request, back Rollback) (Release, Activation, error) {
	var v violations
	v.check("reason", checkDescription(back.Reason))
	if err := invalid(v); err != nil {
		return Release{}, Activation{}, err
	}
	return a.activate(ctx, r, activating{
		kind: RolledBack, action: "release.rollback", expected: back.Expected, reason: back.Reason,
		choose: func(ctx context.Context, tx Tx, force Force, at time.Time) (Release, error) {
			wanted := back.Release
			if wanted == uuid.Nil {
				if force.InForce != nil && force.InForce.Kind == RolledBack {
					return Release{}, fault.New(fault.FailedPrecondition, ReasonAlreadyRolledBack,
						"The release in force came by a rollback, so going back again could bring back the one it replaced: name the release to go to.")
				}
				var err error
				if wanted, err = servedBefore(ctx, tx, releaseID(force.InForce), at); err != nil {
					return Release{}, err
				}
			}
			release, err := kept(ctx, tx, wanted)
			switch {
			case err != nil:
				return Release{}, err
			case releaseID(force.InForce) == wanted && force.Pending == nil:
				return Release{}, alreadyActive()
			}
			return release, wasServed(ctx, tx, wanted, at)
		},
	})
}

// maxBack is how many activations are looked through for another release.
const maxBack = 1000

// servedBefore gives the release that was in force before the present one.
func servedBefore(ctx context.Context, tx Tx, present uuid.UUID, at time.Time) (uuid.UUID, error) {
	all, err := tx.Activations(ctx, ActivationFilter{Valid: true, Limit: maxBack})
	if err != nil {
		return uuid.Nil, err
	}
	for _, a := range all {
		if a.begun(at) && a.ReleaseID != present {
			return a.ReleaseID, nil
		}
	}
	return uuid.Nil, fault.New(fault.FailedPrecondition, ReasonNoFormerRelease,
		"No other release was in force before: name the one to go back to, or publish another.")
}

// wasServed is ReasonNeverActive for a release that was never in force.
func wasServed(ctx context.Context, tx Tx, id uuid.UUID, at time.Time) error {
	// The last one may be to come.
	all, err := tx.Activations(ctx, ActivationFilter{Release: id, Valid: true, Limit: 2})
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.begun(at) {
			return nil
		}
	}
	return fault.New(fault.FailedPrecondition, ReasonNeverActive, "This release was never in force: publish it with PublishRelease.")
}
