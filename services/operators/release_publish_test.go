package operators_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func TestAPublicationIsRefusedWithItsReason(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		first, second, never := p.make(t), p.next(t), p.next(t)
		_, _, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoFormerRelease)
		p.publish(t, first)
		_, _, err = p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoFormerRelease)
		p.publish(t, second)
		audited := p.actions(t)

		present, _, _ := p.read(t, first.ID)
		for _, c := range []struct {
			name string
			ask  operators.Publication
			kind fault.Kind
			why  string
		}{
			{"no such release", operators.Publication{Target: operators.Target{ID: uuid.New()}}, fault.NotFound, operators.ReasonNoSuchRelease},
			{"it is in force", of(second), fault.FailedPrecondition, operators.ReasonAlreadyActive},
			{"it was published since the etag was read", operators.Publication{Target: operators.Target{ID: first.ID, ETag: first.ETag()}}, fault.Aborted, operators.ReasonETag},
			{"another is in force", operators.Publication{Target: operators.Target{ID: first.ID, ETag: present.ETag()}, Expected: first.ID}, fault.Aborted, operators.ReasonReleaseMoved},
			{"too far ahead", operators.Publication{Target: operators.Target{ID: first.ID}, ActivateAt: deskTime.Add(operators.MaxAhead + time.Second)}, fault.InvalidArgument, operators.ReasonInvalid},
			{"its time has passed", operators.Publication{Target: operators.Target{ID: first.ID}, ActivateAt: deskTime.Add(-61 * time.Second)}, fault.InvalidArgument, operators.ReasonInvalid},
			{"too long a reason", operators.Publication{Target: operators.Target{ID: first.ID}, Reason: strings.Repeat("x", 501)}, fault.InvalidArgument, operators.ReasonInvalid},
		} {
			_, _, err := p.releases.PublishRelease(t.Context(), admin(""), c.ask)
			require.Error(t, err, c.name)
			wantFault(t, err, c.kind, c.why)
		}
		for _, c := range []struct {
			name string
			ask  operators.Rollback
			kind fault.Kind
			why  string
		}{
			{"no such release", operators.Rollback{Release: uuid.New()}, fault.NotFound, operators.ReasonNoSuchRelease},
			{"it is in force", operators.Rollback{Release: second.ID}, fault.FailedPrecondition, operators.ReasonAlreadyActive},
			{"it was never in force", operators.Rollback{Release: never.ID}, fault.FailedPrecondition, operators.ReasonNeverActive},
			{"another is in force", operators.Rollback{Expected: first.ID}, fault.Aborted, operators.ReasonReleaseMoved},
			{"too long a reason", operators.Rollback{Reason: strings.Repeat("x", 501)}, fault.InvalidArgument, operators.ReasonInvalid},
		} {
			_, _, err := p.releases.RollbackRelease(t.Context(), admin(""), c.ask)
			require.Error(t, err, c.name)
			wantFault(t, err, c.kind, c.why)
		}
		_, _, err = p.releases.CreateRelease(t.Context(), someone, strings.Repeat("x", 501), nil)
		wantFault(t, err, fault.InvalidArgument, operators.ReasonInvalid)
		require.Equal(t, audited, p.actions(t), "what is refused leaves no trace")
		require.Equal(t, []int64{1, 2}, p.bulletin.posted)
	})
}

func TestNothingIsPublishedWithoutAKey(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		p := newPress(t, d, operators.ReleasePolicy{})
		_, _, err := p.releases.PublishRelease(t.Context(), admin(""), of(p.make(t)))
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoSigningKey)
		_, _, err = p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoSigningKey)
	})
}

func TestWhereApprovalIsRequiredASecondAdminGivesIt(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		p := newPress(t, d, operators.ReleasePolicy{Signs: true, RequireApproval: true})
		release := p.make(t)
		_, _, err := p.releases.PublishRelease(t.Context(), admin(""), of(release))
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNotApproved)
		_, err = p.releases.ApproveRelease(t.Context(), someone, operators.Target{ID: release.ID})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonSameAdmin)
		_, err = p.releases.ApproveRelease(t.Context(), admin(""), operators.Target{ID: release.ID, ETag: "other"})
		wantFault(t, err, fault.Aborted, operators.ReasonETag)
		_, err = p.releases.ApproveRelease(t.Context(), admin(""), operators.Target{ID: uuid.New()})
		wantFault(t, err, fault.NotFound, operators.ReasonNoSuchRelease)
		require.Equal(t, []string{"release.create"}, p.actions(t))
		approved, err := p.releases.ApproveRelease(t.Context(), admin(""), operators.Target{ID: release.ID})
		require.NoError(t, err)
		again, err := p.releases.ApproveRelease(t.Context(), operators.Request{Actor: "third"}, operators.Target{ID: release.ID})
		require.NoError(t, err)
		require.Equal(t, approved, again, "it is approved already")
		// Whoever made it may publish it.
		_, _, err = p.releases.PublishRelease(t.Context(), someone, of(release))
		require.NoError(t, err)
		require.Equal(t, []string{"release.create", "release.approve", "release.publish"}, p.actions(t))
	})
}

func TestOfTwoPublishersAtOnceOneWins(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		base, one, two := p.make(t), p.next(t), p.next(t)
		p.publish(t, base)
		errs := make([]error, 2)
		var group sync.WaitGroup
		for i, release := range []operators.Release{one, two} {
			group.Go(func() {
				ask := of(release)
				ask.Expected = base.ID
				_, _, errs[i] = p.releases.PublishRelease(t.Context(), admin(""), ask)
			})
		}
		group.Wait()
		lost := errs[0]
		if lost == nil {
			lost = errs[1]
		}
		wantFault(t, lost, fault.Aborted, operators.ReasonReleaseMoved)
		require.True(t, errs[0] == nil || errs[1] == nil, "%v %v", errs[0], errs[1])
		_, _, force := p.read(t, uuid.Nil)
		require.Equal(t, int64(2), force.InForce.Number)
		require.Equal(t, int64(2), p.bulletin.shows().Current.Activation)
	})
}

func TestAScheduledReleaseTakesEffectAtItsTime(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		first, second := p.make(t), p.next(t)
		p.publish(t, first)
		later := of(second)
		later.ActivateAt = deskTime.Add(time.Hour)
		release, activation, err := p.releases.PublishRelease(t.Context(), admin(""), later)
		require.NoError(t, err)
		require.Equal(t, operators.ReleaseScheduled, release.State)
		require.Equal(t, deskTime.Add(time.Hour), activation.ActivateAt)
		require.Equal(t, []operators.ReleaseState{operators.ReleaseScheduled, operators.ReleaseActive}, p.states(t))
		shown := p.bulletin.shows()
		require.Equal(t, []int64{1, 2}, []int64{shown.Current.Activation, shown.Scheduled.Activation})
		p.sameOnShelf(t, second)

		p.clock.Advance(time.Hour)
		require.Equal(t, []operators.ReleaseState{operators.ReleaseActive, operators.ReleaseRetired}, p.states(t))
		require.NoError(t, p.announcer.Restore(t.Context()))
		require.Equal(t, shown, p.bulletin.shows(), "time alone makes no new manifest")

		back, _, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		require.NoError(t, err)
		require.Equal(t, first.ID, back.ID)
	})
}

func TestTheFirstReleaseMayBeScheduled(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		later := of(p.make(t))
		later.ActivateAt = deskTime.Add(time.Hour)
		_, activation, err := p.releases.PublishRelease(t.Context(), admin(""), later)
		require.NoError(t, err)
		require.True(t, activation.Announced)
		require.Zero(t, p.bulletin.shows().Current)
		require.Equal(t, int64(1), p.bulletin.shows().Scheduled.Activation)
		_, _, _, _, err = p.releases.GetRelease(t.Context(), uuid.Nil)
		wantFault(t, err, fault.NotFound, operators.ReasonNoActiveRelease)
		_, _, err = p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Release: later.ID})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNeverActive)
		_, against, err := p.releases.Compared(t.Context(), later.ID, uuid.Nil)
		require.NoError(t, err)
		require.Nil(t, against)
	})
}

func TestARollbackCallsOffWhatIsScheduled(t *testing.T) {
	for name, target := range map[string]func(first, second operators.Release) (ask, now operators.Release){
		"to the release before": func(first, _ operators.Release) (operators.Release, operators.Release) {
			return operators.Release{}, first
		},
		"to the release in force":   func(_, second operators.Release) (operators.Release, operators.Release) { return second, second },
		"to the one that was first": func(first, _ operators.Release) (operators.Release, operators.Release) { return first, first },
	} {
		t.Run(name, func(t *testing.T) {
			onBothPresses(t, func(t *testing.T, p *press) {
				first, second, third := p.make(t), p.next(t), p.next(t)
				p.publish(t, first)
				p.publish(t, second)
				later := of(third)
				later.ActivateAt = deskTime.Add(time.Hour)
				_, _, err := p.releases.PublishRelease(t.Context(), admin(""), later)
				require.NoError(t, err)
				scheduled, _, _ := p.read(t, third.ID)

				ask, now := target(first, second)
				release, activation, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Release: ask.ID})
				require.NoError(t, err)
				require.Equal(t, now.ID, release.ID)
				require.Equal(t, int64(4), activation.Number)
				require.Zero(t, p.bulletin.shows().Scheduled)
				p.clock.Advance(2 * time.Hour)
				_, _, force := p.read(t, uuid.Nil)
				require.Equal(t, now.ID, force.InForce.ReleaseID)
				require.Nil(t, force.Pending)
				draft, history, _ := p.read(t, third.ID)
				require.Equal(t, operators.ReleaseDraft, draft.State)
				require.True(t, history[0].Cancelled())
				require.NotEqual(t, scheduled.ETag(), draft.ETag())
			})
		})
	}
}

func TestAPublicationCallsOffWhatIsScheduled(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		first, second := p.make(t), p.next(t)
		later := of(first)
		later.ActivateAt = deskTime.Add(time.Hour)
		_, _, err := p.releases.PublishRelease(t.Context(), admin(""), later)
		require.NoError(t, err)
		p.publish(t, second)
		p.clock.Advance(2 * time.Hour)
		require.Equal(t, []operators.ReleaseState{operators.ReleaseActive, operators.ReleaseDraft}, p.states(t))
		var after string
		require.NoError(t, p.db.NewRaw("SELECT after FROM audit_log WHERE action = 'release.publish' ORDER BY audit_id DESC LIMIT 1").Scan(t.Context(), &after))
		require.Contains(t, after, `"cancelled_activation":1`)
	})
}

func TestReleasesAreComparedWithTheOneInForce(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		first, second := p.make(t), p.next(t)
		p.publish(t, first)
		draft, against, err := p.releases.Compared(t.Context(), second.ID, uuid.Nil)
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{second.ID, first.ID}, []uuid.UUID{draft.ID, against.ID})
		_, against, err = p.releases.Compared(t.Context(), first.ID, second.ID)
		require.NoError(t, err)
		require.Equal(t, second.ID, against.ID)
		_, _, err = p.releases.Compared(t.Context(), uuid.New(), uuid.Nil)
		wantFault(t, err, fault.NotFound, operators.ReasonNoSuchRelease)
	})
}
