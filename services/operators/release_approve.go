package operators

import (
	"context"
	"time"

	"trunkline/services/platform/fault"
)

// ApproveRelease is the word of a second person. Whoever made the release is refused with ReasonSameAdmin. A release that
// is approved already stays as it is.
func (a *ReleaseAdmin) ApproveRelease(ctx context.Context, r Request, target Target) (release Release, err error) {
	_, err = a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (string, error) {
			old, err := kept(ctx, tx, target.ID)
			if err != nil {
				return "", err
			}
			if err := target.check(old.ETag()); err != nil {
				return "", err
			}
			force, err := readForce(ctx, tx, at)
			if err != nil {
				return "", err
			}
			release = old
			if !old.ApprovedAt.IsZero() {
				release.State = force.stateOf(release)
				return releaseReply(old.ID, 0), nil
			}
			if old.CreatedBy == r.Actor {
				return "", fault.New(fault.FailedPrecondition, ReasonSameAdmin,
					"You made this release: another admin has to approve it.")
			}
			release.ApprovedAt, release.ApprovedBy, release.Version = at, r.Actor, old.Version+1
			release.State = force.stateOf(release)
			if err := tx.ApproveRelease(ctx, release); err != nil {
				return "", err
			}
			return releaseReply(old.ID, 0), tx.Record(ctx, r, Entry{
				Action: "release.approve", Entity: "release", EntityID: old.ID.String(), At: at,
				Before: old.audited(), After: release.audited(),
			})
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			release, _, err = a.repliedRelease(ctx, tx, reply)
			return err
		},
	})
	return release, err
}
