package operators_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// ahead is the use cases of another process, whose clock is ahead of that of the press.
func (p *press) ahead(by time.Duration) *operators.ReleaseAdmin {
	now := func() time.Time { return p.clock.Now().Add(by) }
	return operators.NewReleaseAdmin(p.store, func() operators.Draft { return p.draft() }, p.announcer, operators.ReleasePolicy{Signs: true}, now, quietLog)
}

// three makes three releases and publishes the first two, a minute apart.
func (p *press) three(t *testing.T) (first, second, third operators.Release) {
	t.Helper()
	first, second, third = p.make(t), p.next(t), p.next(t)
	p.publish(t, first)
	p.clock.Advance(time.Minute)
	p.publish(t, second)
	p.clock.Advance(time.Minute)
	return first, second, third
}

func TestWhatAClockThatIsAheadPublishedIsInForceEverywhere(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		_, second, third := p.three(t)
		_, fast, err := p.ahead(2*time.Second).PublishRelease(t.Context(), admin(""), of(third))
		require.NoError(t, err)
		require.Equal(t, third.ID, p.bulletin.shows().Current.ReleaseID)

		_, _, force := p.read(t, third.ID)
		require.Equal(t, third.ID, force.InForce.ReleaseID)
		require.Nil(t, force.Pending)
		require.Equal(t, []operators.ReleaseState{operators.ReleaseActive, operators.ReleaseRetired, operators.ReleaseRetired}, p.states(t))
		moved := of(second)
		moved.Expected = second.ID
		_, _, err = p.releases.PublishRelease(t.Context(), admin(""), moved)
		wantFault(t, err, fault.Aborted, operators.ReasonReleaseMoved)
		_, _, err = p.releases.PublishRelease(t.Context(), admin(""), of(third))
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonAlreadyActive)

		back, slow, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Expected: third.ID})
		require.NoError(t, err)
		require.Equal(t, second.ID, back.ID)
		require.Equal(t, operators.ReleaseActive, back.State)
		require.Equal(t, third.ID, slow.FormerID)
		require.Equal(t, fast.CreatedAt, slow.CreatedAt, "time does not go back between activations")
		require.Equal(t, second.ID, p.bulletin.shows().Current.ReleaseID)
		_, history, force := p.read(t, third.ID)
		require.Equal(t, second.ID, force.InForce.ReleaseID)
		require.False(t, history[0].Cancelled(), "it was in force")
		// And to the one that a clock behind has not seen begin.
		forth, _, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Release: third.ID})
		require.NoError(t, err)
		require.Equal(t, third.ID, forth.ID)
	})
}

// TestWhatWasScheduledHasBegunWhenALaterActivationSaysSo: the scheduled one took effect by the fast clock, and what came
// after it was asked for later. The slow clock has not reached either.
func TestWhatWasScheduledHasBegunWhenALaterActivationSaysSo(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		first, second, third := p.three(t)
		fast := p.ahead(time.Minute)
		due := of(third)
		due.ActivateAt = p.clock.Now().Add(time.Minute + time.Second)
		_, _, err := fast.PublishRelease(t.Context(), admin(""), due)
		require.NoError(t, err)
		p.clock.Advance(2 * time.Second)
		later := of(first)
		later.ActivateAt = p.clock.Now().Add(time.Hour)
		_, _, err = fast.PublishRelease(t.Context(), admin(""), later)
		require.NoError(t, err)
		_, _, force := p.read(t, third.ID)
		require.Equal(t, []any{third.ID, first.ID}, []any{force.InForce.ReleaseID, force.Pending.ReleaseID})

		back, _, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		require.NoError(t, err)
		require.Equal(t, second.ID, back.ID)
		_, history, _ := p.read(t, third.ID)
		require.False(t, history[0].Cancelled())
	})
}

func TestARollbackAfterTheClockWasPutBackGoesToTheReleaseBefore(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		_, second, third := p.three(t)
		p.publish(t, third)
		p.clock.Set(p.clock.Now().Add(-3 * time.Second))
		require.Equal(t, []operators.ReleaseState{operators.ReleaseActive, operators.ReleaseRetired, operators.ReleaseRetired}, p.states(t))
		back, activation, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		require.NoError(t, err)
		require.Equal(t, second.ID, back.ID)
		require.False(t, activation.ActivateAt.After(activation.CreatedAt))
		require.Equal(t, second.ID, p.bulletin.shows().Current.ReleaseID)
		var cancelled int
		require.NoError(t, p.db.NewRaw("SELECT count(*) FROM release_activations WHERE cancelled_at IS NOT NULL").Scan(t.Context(), &cancelled))
		require.Zero(t, cancelled)
	})
}
