package operators_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/releases"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

var quietLog = slog.New(slog.DiscardHandler)

func TestTheLifeOfARelease(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		_, _, _, _, err := p.releases.GetRelease(t.Context(), uuid.Nil)
		wantFault(t, err, fault.NotFound, operators.ReasonNoActiveRelease)

		first, report, err := p.releases.CreateRelease(t.Context(), someone, "the first", nil)
		require.NoError(t, err)
		require.Zero(t, report.Errors)
		require.Equal(t, operators.ReleaseDraft, first.State)
		require.Equal(t, []any{int64(1), "the first", int64(2), int64(1), int64(0), "someone", deskTime},
			[]any{first.Number, first.Description, first.Operators, first.Rules, first.Rates, first.CreatedBy, first.CreatedAt})
		var version int64
		require.NoError(t, p.db.NewRaw("SELECT config_version FROM config_state").Scan(t.Context(), &version))
		require.Equal(t, version, first.ConfigVersion)
		stored, history, force := p.read(t, first.ID)
		require.Equal(t, first, stored)
		require.Empty(t, history)
		require.Zero(t, force)

		p.clock.Advance(time.Second)
		approved, err := p.releases.ApproveRelease(t.Context(), admin(""), operators.Target{ID: first.ID, ETag: first.ETag()})
		require.NoError(t, err)
		require.Equal(t, []any{operators.ReleaseApproved, "admin", deskTime.Add(time.Second), int64(2)},
			[]any{approved.State, approved.ApprovedBy, approved.ApprovedAt, approved.Version})
		require.NotEqual(t, first.ETag(), approved.ETag())

		p.clock.Advance(time.Second)
		active, activation, err := p.releases.PublishRelease(t.Context(), admin(""), operators.Publication{
			Target: operators.Target{ID: first.ID, ETag: approved.ETag()}, Reason: "it is good",
		})
		require.NoError(t, err)
		at := deskTime.Add(2 * time.Second)
		require.Equal(t, operators.Activation{
			Number: 1, ReleaseID: first.ID, Kind: operators.Published, ActivateAt: at, CreatedAt: at, CreatedBy: "admin", Reason: "it is good",
			Revision: 1, Announced: true,
		}, activation)
		require.Equal(t, operators.ReleaseActive, active.State)
		stored, history, force = p.read(t, uuid.Nil)
		require.Equal(t, active, stored)
		require.Equal(t, []operators.Activation{activation}, history)
		require.Equal(t, int64(1), force.InForce.Number)
		require.Equal(t, operators.Manifest{Revision: 1, Current: operators.ManifestEntry{
			ReleaseID: first.ID, Activation: 1, Digest: first.Digest, Size: first.Size, StoredSize: first.StoredSize, ActivateAt: at, CompiledAt: deskTime,
		}}, p.bulletin.shows())
		p.sameOnShelf(t, first)

		second := p.next(t)
		require.NotEqual(t, first.Digest, second.Digest)
		require.Equal(t, first.ID, p.publish(t, second).FormerID)
		require.Equal(t, []operators.ReleaseState{operators.ReleaseActive, operators.ReleaseRetired}, p.states(t))

		back, activation, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Reason: "it was better"})
		require.NoError(t, err)
		require.Equal(t, first.ID, back.ID)
		require.Equal(t, []any{int64(3), operators.RolledBack, second.ID, true},
			[]any{activation.Number, activation.Kind, activation.FormerID, activation.Announced})
		require.Equal(t, []operators.ReleaseState{operators.ReleaseRetired, operators.ReleaseActive}, p.states(t))
		_, history, _ = p.read(t, first.ID)
		require.Len(t, history, 2)

		_, _, err = p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{})
		require.True(t, fault.Is(err, operators.ReasonAlreadyRolledBack), "a command that is repeated does not bring the release back")
		forth, _, err := p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Release: second.ID})
		require.NoError(t, err)
		require.Equal(t, second.ID, forth.ID)
		require.Equal(t, []string{"release.create", "release.approve", "release.publish", "release.create", "release.publish", "release.rollback", "release.rollback"},
			p.actions(t))
		require.Equal(t, []int64{1, 2, 3, 4}, p.bulletin.posted)
	})
}

func TestReleasesAreListedInPages(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		for range 3 {
			p.make(t)
		}
		page, more, _, err := p.releases.ListReleases(t.Context(), 0, 2)
		require.NoError(t, err)
		require.True(t, more)
		require.Equal(t, []int64{3, 2}, []int64{page[0].Number, page[1].Number})
		page, more, _, err = p.releases.ListReleases(t.Context(), 2, 2)
		require.NoError(t, err)
		require.False(t, more)
		require.Equal(t, int64(1), page[0].Number)
		_, _, _, err = p.releases.ListReleases(t.Context(), 0, 0)
		wantFault(t, err, fault.InvalidArgument, operators.ReasonInvalid)
	})
}

func TestReleasesOfTheSameContentShareOneArtifact(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		one, two := p.make(t), p.make(t)
		require.Equal(t, one.Artifact, two.Artifact)
		var parts int
		require.NoError(t, p.db.NewRaw("SELECT count(*) FROM release_artifacts").Scan(t.Context(), &parts))
		require.Equal(t, 1, parts)
	})
}

func TestADraftIsOfOneState(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		whole := p.draft
		before := p.make(t)
		changed := false
		p.draft = func() operators.Draft {
			return meddling{Draft: whole(), meddle: func() {
				if !changed {
					changed = true
					p.change(t)
				}
			}}
		}
		during := p.make(t)
		require.True(t, changed)
		require.Equal(t, before.Digest, during.Digest, "the change came after the state that is compiled")
		require.Equal(t, before.ConfigVersion, during.ConfigVersion)
		after := p.make(t)
		require.NotEqual(t, before.Digest, after.Digest)
		require.Greater(t, p.content(t, after).Nanos, p.content(t, during).Nanos)
	})
}

// meddling changes the live tables as soon as the first rows are read.
type meddling struct {
	operators.Draft

	meddle func()
}

func (m meddling) Add(part operators.Snapshot) error {
	m.meddle()
	return m.Draft.Add(part)
}

func TestADraftIsNotMadeOfWhatAReplicaHadBefore(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		lagging := operators.NewReleaseAdmin(laggingStore{p.store}, p.draft, p.announcer, operators.ReleasePolicy{}, p.clock.Now, quietLog)
		_, _, err := lagging.CreateRelease(t.Context(), someone, "", nil)
		wantFault(t, err, fault.Unavailable, "DATABASE_UNAVAILABLE")
		require.Empty(t, p.states(t))
	})
}

// laggingStore gives snapshots of the state before.
type laggingStore struct{ operators.ReleaseStore }

func (s laggingStore) Snapshot(ctx context.Context, operatorsOnly bool, now time.Time, give func(operators.Snapshot) error) error {
	return s.ReleaseStore.Snapshot(ctx, operatorsOnly, now, func(part operators.Snapshot) error {
		part.ConfigVersion--
		return give(part)
	})
}

func TestConflictsRefuseARelease(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		_, err := p.db.NewRaw("UPDATE routing_rules SET strategy = 'COST'").Exec(t.Context())
		require.NoError(t, err)
		_, err = p.db.NewRaw("UPDATE rule_candidates SET price_nanos = NULL, currency = NULL").Exec(t.Context())
		require.NoError(t, err)
		_, _, err = p.releases.CreateRelease(t.Context(), someone, "", nil)
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonConflict)
		var conflict *operators.Conflict
		require.ErrorAs(t, err, &conflict)
		require.Equal(t, operators.FindingNoRate, conflict.Findings[0].Reason)
		require.NotEmpty(t, fault.From(err).Violations)
		require.Empty(t, p.states(t))
		require.Empty(t, p.actions(t))
	})
}

func TestADraftIsCheckedAndCompiledWithItsRates(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		live, _, err := p.store.LiveOperators(t.Context())
		require.NoError(t, err)
		price := money.Money{Nanos: 7, Currency: eur}
		require.NoError(t, p.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			var rates []operators.Rate
			for _, o := range live {
				rates = append(rates, operators.Rate{
					ID: uuid.New(), OperatorID: o.ID, Prefix: "44", MessageType: operators.SMS, Price: price, EffectiveFrom: deskTime.Add(-time.Hour),
				})
			}
			return tx.StoreRates(ctx, rates, nil, nil)
		}))
		_, err = p.db.NewRaw("UPDATE routing_rules SET strategy = 'COST'").Exec(t.Context())
		require.NoError(t, err)
		_, err = p.db.NewRaw("UPDATE rule_candidates SET price_nanos = NULL, currency = NULL").Exec(t.Context())
		require.NoError(t, err)
		release := p.make(t)
		require.Equal(t, int64(len(live)), release.Rates)

		reader, closer, err := releases.NewLibrary(p.store).Source(release).Open(t.Context())
		require.NoError(t, err)
		count := 0
		for rate, err := range reader.Rates() {
			require.NoError(t, err)
			require.Equal(t, price, rate.Price)
			count++
		}
		require.Equal(t, len(live), count)
		require.NoError(t, reader.Close())
		require.NoError(t, closer.Close())
	})
}

// TestADraftWaitsNoLongerThanItsCaller: each draft holds everything in memory, so one is made at a time.
func TestADraftWaitsNoLongerThanItsCaller(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		whole, tried := p.draft, false
		p.draft = func() operators.Draft {
			return meddling{Draft: whole(), meddle: func() {
				if tried {
					return
				}
				tried = true
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, _, err := p.releases.CreateRelease(ctx, someone, "", nil)
				require.ErrorIs(t, err, context.Canceled)
			}}
		}
		p.make(t)
		require.True(t, tried)
	})
}

func TestProgressGoesThroughFourSteps(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		var steps [][2]int64
		_, _, err := p.releases.CreateRelease(t.Context(), someone, "", func(done, total int64) { steps = append(steps, [2]int64{done, total}) })
		require.NoError(t, err)
		require.Equal(t, [][2]int64{
			{2, 0}, {3, 0}, {3, 0}, // operators, rules, exchange rates
			{0, 1}, {1, 1}, // rules checked
			{0, 3}, {3, 3}, // rows compiled
			{0, 3}, {3, 3}, // rows stored
		}, steps)
	})
}

func TestACheckOfARequestChangesNothing(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		dry := operators.Request{Actor: "admin", ValidateOnly: true}
		would, _, err := p.releases.CreateRelease(t.Context(), dry, "", nil)
		require.NoError(t, err)
		require.Equal(t, uuid.Nil, would.ID)
		require.Equal(t, int64(1), would.Rules)
		require.Empty(t, p.states(t))

		first, second := p.make(t), p.next(t)
		p.publish(t, first)
		audited := p.actions(t)
		release, activation, err := p.releases.PublishRelease(t.Context(), dry, of(second))
		require.NoError(t, err)
		require.Equal(t, second.ID, release.ID)
		require.Zero(t, activation.Number)
		_, _, err = p.releases.PublishRelease(t.Context(), dry, of(first))
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonAlreadyActive)
		require.Equal(t, []operators.ReleaseState{operators.ReleaseDraft, operators.ReleaseActive}, p.states(t))
		require.Equal(t, audited, p.actions(t))
		require.Equal(t, int64(1), p.bulletin.shows().Revision)
	})
}

func TestRepeatsOfRequestsAnswerTheSame(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		maker := operators.Request{Actor: "someone", ID: "make", Fingerprint: "1"}
		first, _, err := p.releases.CreateRelease(t.Context(), maker, "", nil)
		require.NoError(t, err)
		p.change(t)
		again, _, err := p.releases.CreateRelease(t.Context(), maker, "", nil)
		require.NoError(t, err)
		require.Equal(t, first, again)

		_, err = p.releases.ApproveRelease(t.Context(), admin("approve"), operators.Target{ID: first.ID})
		require.NoError(t, err)
		approved, err := p.releases.ApproveRelease(t.Context(), admin("approve"), operators.Target{ID: first.ID})
		require.NoError(t, err)
		require.Equal(t, operators.ReleaseApproved, approved.State)

		_, activation, err := p.releases.PublishRelease(t.Context(), admin("publish"), of(first))
		require.NoError(t, err)
		second := p.make(t)
		p.publish(t, second)
		release, repeated, err := p.releases.PublishRelease(t.Context(), admin("publish"), of(first))
		require.NoError(t, err)
		require.Equal(t, activation, repeated)
		require.Equal(t, operators.ReleaseRetired, release.State)

		_, activation, err = p.releases.RollbackRelease(t.Context(), admin("back"), operators.Rollback{})
		require.NoError(t, err)
		_, repeated, err = p.releases.RollbackRelease(t.Context(), admin("back"), operators.Rollback{})
		require.NoError(t, err)
		require.Equal(t, activation, repeated)

		reused := maker
		reused.Fingerprint = "2"
		_, _, err = p.releases.CreateRelease(t.Context(), reused, "", nil)
		wantFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)
		require.Equal(t, []string{"release.create", "release.approve", "release.publish", "release.create", "release.publish", "release.rollback"}, p.actions(t))
	})
}
