package operators

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

const (
	// MaxAhead is how far ahead a release may be scheduled.
	MaxAhead = 90 * 24 * time.Hour
	// maxLate is how far a time may have passed: clocks differ, and a longer time is a mistake.
	maxLate = time.Minute
	// announceLimit is how long an answer waits until engines can see the change. After that they are told later.
	announceLimit = 5 * time.Second
)

// Publication asks to put a release in force.
type Publication struct {
	Target
	// Expected is the release that must be in force; uuid.Nil is any or none.
	Expected uuid.UUID
	// ActivateAt is when it takes effect, at most MaxAhead ahead. The zero time and one that has just passed are at once.
	ActivateAt time.Time
	Reason     string
}

// PublishRelease puts a release in force, or schedules it. What was scheduled before is called off. The change stands when
// it is committed; Activation.Announced tells whether engines can see it yet.
func (a *ReleaseAdmin) PublishRelease(ctx context.Context, r Request, p Publication) (Release, Activation, error) {
	var v violations
	v.check("reason", checkDescription(p.Reason))
	switch now := a.now(); {
	case p.ActivateAt.After(now.Add(MaxAhead)):
		v.check("activate_time", "must be at most 90 days ahead")
	case !p.ActivateAt.IsZero() && p.ActivateAt.Before(now.Add(-maxLate)):
		v.check("activate_time", "has passed: leave it out to publish at once")
	}
	if err := invalid(v); err != nil {
		return Release{}, Activation{}, err
	}
	return a.activate(ctx, r, activating{
		kind: Published, action: "release.publish", expected: p.Expected, activateAt: moment(p.ActivateAt), reason: p.Reason,
		choose: func(ctx context.Context, tx Tx, force Force, _ time.Time) (Release, error) {
			release, err := kept(ctx, tx, p.ID)
			if err != nil {
				return Release{}, err
			}
			switch err := p.check(release.ETag()); {
			case err != nil:
				return Release{}, err
			case releaseID(force.InForce) == p.ID:
				return Release{}, alreadyActive()
			case a.policy.RequireApproval && release.ApprovedAt.IsZero():
				return Release{}, fault.New(fault.FailedPrecondition, ReasonNotApproved,
					"A second admin has to approve this release first: ApproveRelease.")
			}
			return release, nil
		},
	})
}

func alreadyActive() error {
	return fault.New(fault.FailedPrecondition, ReasonAlreadyActive, "This release is in force: there is nothing to change.")
}

// activating is a change of what is in force.
type activating struct {
	kind       ActivationKind
	action     string
	expected   uuid.UUID
	activateAt time.Time
	reason     string
	// choose gives the release, or says why not.
	choose func(ctx context.Context, tx Tx, force Force, at time.Time) (Release, error)
}

func (a *ReleaseAdmin) activate(ctx context.Context, r Request, what activating) (release Release, activation Activation, err error) {
	if !a.policy.Signs {
		return Release{}, Activation{}, fault.New(fault.FailedPrecondition, ReasonNoSigningKey,
			"This deployment has no key to sign releases with: set operators.releases.signing_key.")
	}
	end, err := a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (reply string, err error) {
			release, activation, err = what.do(ctx, tx, r, at)
			return releaseReply(release.ID, activation.Number), err
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			release, activation, err = a.repliedRelease(ctx, tx, reply)
			return err
		},
	})
	switch {
	case err != nil:
		return Release{}, Activation{}, err
	case end == rehearsed:
		activation.Number, activation.Revision = 0, 0
		return release, activation, nil
	case end == committed:
		a.log.InfoContext(ctx, "release activated", "action", what.action, "release", release.Number, "activation", activation.Number,
			"activate_at", activation.ActivateAt, "actor", r.Actor)
	}
	activation.Announced = a.announced(ctx, activation.Revision)
	if release.Last != nil && release.Last.Number == activation.Number {
		release.Last = &activation
	}
	return release, activation, nil
}

// announced tells engines and reports whether they can see the revision. The change is committed: it is told by and by
// whatever happens here, also when the caller goes away.
func (a *ReleaseAdmin) announced(ctx context.Context, revision int64) bool {
	ctx, cancel := context.WithTimeout(ctx, announceLimit)
	defer cancel()
	visible, err := a.teller.Announce(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "engines could not be told of a release yet", "revision", revision, "error", err)
	}
	return visible >= revision
}

// do stores the activation with everything that belongs to it.
func (w activating) do(ctx context.Context, tx Tx, r Request, at time.Time) (Release, Activation, error) {
	last, err := lastValid(ctx, tx)
	if err != nil {
		return Release{}, Activation{}, err
	}
	at = reached(last, at)
	force := forceAt(last, at)
	if w.expected != uuid.Nil && w.expected != releaseID(force.InForce) {
		return Release{}, Activation{}, fault.New(fault.Aborted, ReasonReleaseMoved,
			"Another release is in force than you expect: somebody published meanwhile. Look at it, then decide again.").
			With("active_release_id", releaseID(force.InForce).String())
	}
	release, err := w.choose(ctx, tx, force, at)
	if err != nil {
		return Release{}, Activation{}, err
	}
	audited := auditedActivation{Number: release.Number, Reason: w.reason}
	if force.Pending != nil {
		audited.Cancelled = force.Pending.Number
		if err := tx.CancelActivation(ctx, force.Pending.Number, at); err != nil {
			return Release{}, Activation{}, err
		}
	}
	activation := Activation{
		ReleaseID: release.ID, Kind: w.kind, ActivateAt: w.activateAt, CreatedAt: at, CreatedBy: r.Actor, Reason: w.reason,
		FormerID: releaseID(force.InForce),
	}
	if !activation.ActivateAt.After(at) {
		activation.ActivateAt = at
	}
	if activation, err = tx.AddActivation(ctx, activation); err != nil {
		return Release{}, Activation{}, err
	}
	audited.Activation, audited.ActivateAt = activation.Number, activation.ActivateAt
	entry := Entry{Action: w.action, Entity: "release", EntityID: release.ID.String(), At: at, After: mustJSON(audited)}
	if force.InForce != nil {
		entry.Before = mustJSON(auditedForce{ReleaseID: force.InForce.ReleaseID, Activation: force.InForce.Number})
	}
	if err := tx.Record(ctx, r, entry); err != nil {
		return Release{}, Activation{}, err
	}
	release.Last, release.Served = &activation, activation.Number
	release.State = forceAt([]Activation{activation, {ReleaseID: activation.FormerID}}, at).stateOf(release)
	return release, activation, nil
}

// auditedForce is what was in force before, auditedActivation what is put in force.
type auditedForce struct {
	ReleaseID  uuid.UUID `json:"release_id"`
	Activation int64     `json:"activation"`
}

type auditedActivation struct {
	Number     int64     `json:"number"`
	Activation int64     `json:"activation"`
	ActivateAt time.Time `json:"activate_time"`
	Reason     string    `json:"reason,omitempty"`
	// Cancelled is the activation that was called off; 0 for none.
	Cancelled int64 `json:"cancelled_activation,omitempty"`
}
