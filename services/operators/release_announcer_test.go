package operators_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func TestAPublicationStandsAlsoWhileNobodyCanBeTold(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		release := p.make(t)
		p.bulletin.breakDown(true)
		active, activation, err := p.releases.PublishRelease(t.Context(), admin(""), of(release))
		require.NoError(t, err)
		require.False(t, activation.Announced)
		require.False(t, active.Last.Announced)
		require.Equal(t, int64(1), p.announcer.Pending())
		_, history, force := p.read(t, uuid.Nil)
		require.False(t, history[0].Announced)
		require.Equal(t, release.ID, force.InForce.ReleaseID)

		p.bulletin.breakDown(false)
		// Another process takes it over, as after a crash between the commit and the announcement.
		visible, err := p.newAnnouncer(2).Announce(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(1), visible)
		_, history, _ = p.read(t, uuid.Nil)
		require.True(t, history[0].Announced)
		_, err = p.announcer.Announce(t.Context())
		require.NoError(t, err)
		require.Zero(t, p.announcer.Pending())
		require.Equal(t, []int64{1}, p.bulletin.posted)
	})
}

func TestTheAnnouncerBringsWhatIsMissingByItself(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		p.bulletin.breakDown(true)
		p.publish(t, p.make(t))
		ctx, stop := contextOf(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.announcer.Run(ctx)
		}()
		p.bulletin.breakDown(false)
		require.Eventually(t, func() bool { return p.bulletin.shows().Revision == 1 }, 15*time.Second, 5*time.Millisecond)
		p.publish(t, p.next(t))
		require.Eventually(t, func() bool { return p.bulletin.shows().Revision == 2 }, 15*time.Second, 5*time.Millisecond)

		// What is announced is looked at again when the bulletin was away.
		p.bulletin.mu.Lock()
		p.bulletin.manifest, p.bulletin.place = operators.Manifest{}, 0
		p.bulletin.mu.Unlock()
		p.announcer.Recheck()
		require.Eventually(t, func() bool { return p.bulletin.shows().Revision == 2 }, 15*time.Second, 5*time.Millisecond)
		stop()
		<-done
	})
}

func TestWhatWasLostIsPutBack(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		require.NoError(t, p.announcer.Restore(t.Context()), "there is nothing to tell")
		first, second := p.make(t), p.next(t)
		p.publish(t, first)
		later := of(second)
		later.ActivateAt = deskTime.Add(time.Hour)
		_, _, err := p.releases.PublishRelease(t.Context(), admin(""), later)
		require.NoError(t, err)
		shown := p.bulletin.shows()
		for name, lose := range map[string]func(){
			"the manifest":                    func() { p.bulletin.manifest, p.bulletin.place = operators.Manifest{}, 0 },
			"the artifacts":                   func() { clear(p.shelf.content) },
			"the artifact that is due":        func() { delete(p.shelf.content, second.Digest) },
			"the content of an artifact":      func() { p.shelf.content[second.Digest] = bytes.ToUpper(p.shelf.content[first.Digest]) },
			"all of an artifact but its name": func() { p.shelf.content[first.Digest] = nil },
		} {
			lose()
			require.NoError(t, p.announcer.Restore(t.Context()), name)
			require.Equal(t, shown, p.bulletin.shows(), name)
			p.sameOnShelf(t, first)
			p.sameOnShelf(t, second)
		}
	})
}

// TestAnArtifactThatIsStoredAnewIsNotReplacedForEver: after a release expired, another compressor may store the same
// content in other bytes.
func TestAnArtifactThatIsStoredAnewIsNotReplacedForEver(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		release := p.make(t)
		p.publish(t, release)
		for part := range 2 {
			_, err := p.db.NewRaw("UPDATE release_artifacts SET bytes = ? WHERE digest = ?", []byte{byte(part)}, release.Digest).Exec(t.Context())
			require.NoError(t, err)
			require.NoError(t, p.newAnnouncer(2).Restore(t.Context()))
			require.Equal(t, []byte{byte(part)}, p.shelf.get(release.Digest))
			require.NoError(t, p.announcer.Restore(t.Context()), "it knows the sum of what was stored before")
			puts := p.shelf.puts
			require.NoError(t, p.announcer.Restore(t.Context()))
			require.Equal(t, puts, p.shelf.puts)
		}
	})
}

func TestAProcessWithoutAKeyLeavesTheManifestAlone(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		release := p.make(t)
		p.publish(t, release)
		keyless := operators.NewAnnouncer(p.store, &bulletin{keyless: true, stood: func() { t.Error("it looked at the manifest") }}, p.shelf, 2, p.clock.Now, quietLog)
		require.NoError(t, keyless.Restore(t.Context()))
		p.bulletin.breakDown(true)
		p.publish(t, p.next(t))
		visible, err := keyless.Announce(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(1), visible)
		require.Equal(t, int64(1), keyless.Pending())
	})
}

func TestAManifestComesAfterItsArtifacts(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		release := p.make(t)
		looked := false
		p.bulletin.posting = func() {
			looked = true
			p.sameOnShelf(t, release)
		}
		p.publish(t, release)
		require.True(t, looked)
	})
}

// TestALateAnnouncerNeverGoesBack holds an announcer between its reading of the bulletin and of the database, and before
// it posts, while another announces a later change.
func TestALateAnnouncerNeverGoesBack(t *testing.T) {
	for name, hold := range map[string]func(b *bulletin, other func()){
		"after it read the bulletin": func(b *bulletin, other func()) { b.stood = other },
		"before it posts":            func(b *bulletin, other func()) { b.posting = other },
	} {
		t.Run(name, func(t *testing.T) {
			onBothPresses(t, func(t *testing.T, p *press) {
				first, second := p.make(t), p.next(t)
				p.bulletin.breakDown(true)
				p.publish(t, first)
				p.bulletin.breakDown(false)
				quick := p.newAnnouncer(2)
				admins := operators.NewReleaseAdmin(p.store, p.draft, quick, operators.ReleasePolicy{Signs: true}, p.clock.Now, quietLog)
				held := true
				hold(p.bulletin, func() {
					if !held {
						return
					}
					held = false
					_, activation, err := admins.PublishRelease(t.Context(), admin(""), of(second))
					require.NoError(t, err)
					require.True(t, activation.Announced)
				})
				visible, err := p.announcer.Announce(t.Context())
				require.NoError(t, err)
				require.Equal(t, int64(2), visible)
				require.True(t, slices.IsSorted(p.bulletin.posted), "%v", p.bulletin.posted)
				require.Equal(t, second.ID, p.bulletin.shows().Current.ReleaseID)
			})
		})
	}
}

func TestADatabaseThatWasPutBackIsAnnouncedAbove(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		release := p.make(t)
		p.publish(t, release)
		p.bulletin.manifest.Revision, p.bulletin.place = 41, 42
		require.NoError(t, p.announcer.Restore(t.Context()))
		require.Equal(t, int64(42), p.bulletin.shows().Revision)
		require.Equal(t, release.ID, p.bulletin.shows().Current.ReleaseID)
		require.Equal(t, int64(43), p.publish(t, p.next(t)).Revision)
	})
}

// TestAnotherManifestOfTheSameRevisionIsAnnouncedAbove: the database was put back and changed since as often as before.
// Engines that had the other one would not take this one under the same revision.
func TestAnotherManifestOfTheSameRevisionIsAnnouncedAbove(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		first, second := p.make(t), p.next(t)
		p.publish(t, first)
		p.bulletin.manifest.Current.ReleaseID, p.bulletin.manifest.Current.Digest = second.ID, second.Digest
		p.bulletin.place++
		require.NoError(t, p.announcer.Restore(t.Context()))
		require.Equal(t, int64(2), p.bulletin.shows().Revision)
		require.Equal(t, first.ID, p.bulletin.shows().Current.ReleaseID)
		require.NoError(t, p.announcer.Restore(t.Context()))
		require.Equal(t, []int64{1, 2}, p.bulletin.posted)
	})
}

func TestAnAnnouncementThatAlwaysLosesEnds(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		release := p.make(t)
		tries := 0
		p.bulletin.posting = func() {
			tries++
			p.bulletin.mu.Lock()
			defer p.bulletin.mu.Unlock()
			p.bulletin.place++
		}
		require.False(t, p.publish(t, release).Announced)
		require.Equal(t, 3, tries)
	})
}

func TestOldReleasesAreClearedAway(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		var all []operators.Release
		for range 4 {
			r := p.next(t)
			p.publish(t, r)
			all = append(all, r)
		}
		require.NoError(t, p.announcer.Clear(t.Context()))
		require.Equal(t, []operators.ReleaseState{operators.ReleaseActive, operators.ReleaseRetired, operators.ReleaseExpired, operators.ReleaseExpired}, p.states(t))
		digests, err := p.shelf.Digests(t.Context())
		require.NoError(t, err)
		require.ElementsMatch(t, []string{all[2].Digest, all[3].Digest}, digests)
		var kept int
		require.NoError(t, p.db.NewRaw("SELECT count(DISTINCT digest) FROM release_artifacts").Scan(t.Context(), &kept))
		require.Equal(t, 2, kept)
		expired, _, _ := p.read(t, all[0].ID)
		require.Equal(t, deskTime, expired.ExpiredAt)
		require.NotEqual(t, all[0].Version, expired.Version)

		for _, err := range []error{
			second(p.releases.PublishRelease(t.Context(), admin(""), of(all[0]))),
			second(p.releases.RollbackRelease(t.Context(), admin(""), operators.Rollback{Release: all[0].ID})),
			second(p.releases.Compared(t.Context(), all[0].ID, uuid.Nil)),
			second(p.releases.Compared(t.Context(), all[3].ID, all[0].ID)),
		} {
			wantFault(t, err, fault.FailedPrecondition, operators.ReasonReleaseExpired)
		}
		_, err = p.store.OpenArtifact(t.Context(), all[0].Digest)
		wantFault(t, err, fault.NotFound, operators.ReasonReleaseExpired)
		audited := len(p.actions(t))
		require.NoError(t, p.announcer.Clear(t.Context()))
		require.Len(t, p.actions(t), audited, "what nobody asked for is not audited")
	})
}

// second gives the error of three results.
func second[A, B any](_ A, _ B, err error) error { return err }

func TestWhatANewReleaseSharesIsKept(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		old := p.make(t)
		twin := p.make(t)
		require.Equal(t, old.Digest, twin.Digest)
		p.publish(t, old)
		for range 3 {
			p.publish(t, p.next(t))
		}
		require.NoError(t, p.announcer.Clear(t.Context()))
		kept, _, _ := p.read(t, old.ID)
		require.Zero(t, kept.ExpiredAt, "a young draft has the same content")
		p.sameOnShelf(t, old)
	})
}

// TestAnArtifactThatComesBackWhileItIsClearedAwayIsPutBack makes a release with the content of an expired one, and
// publishes it, just before the artifact is taken from the shelf.
func TestAnArtifactThatComesBackWhileItIsClearedAwayIsPutBack(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		old := p.make(t)
		p.publish(t, old)
		for range 2 {
			p.publish(t, p.next(t))
		}
		p.shelf.removing = func(string) {
			p.shelf.removing = nil
			p.prices = 0
			p.change(t)
			twin := p.make(t)
			require.Equal(t, old.Digest, twin.Digest)
			p.publish(t, twin)
		}
		require.NoError(t, p.announcer.Clear(t.Context()))
		require.Nil(t, p.shelf.get(old.Digest))
		require.NoError(t, p.announcer.Restore(t.Context()))
		p.sameOnShelf(t, old)
	})
}

func TestDraftsDoNotFillTheDatabase(t *testing.T) {
	onBothPresses(t, func(t *testing.T, p *press) {
		approved, scheduled, oldest := p.next(t), p.next(t), p.next(t)
		_, err := p.releases.ApproveRelease(t.Context(), admin(""), operators.Target{ID: approved.ID})
		require.NoError(t, err)
		later := of(scheduled)
		later.ActivateAt = deskTime.Add(time.Hour)
		_, _, err = p.releases.PublishRelease(t.Context(), admin(""), later)
		require.NoError(t, err)
		for range 49 {
			p.next(t)
		}
		kept, _, _ := p.read(t, oldest.ID)
		require.Zero(t, kept.ExpiredAt, "it is one of fifty")
		p.next(t)
		var artifacts int
		require.NoError(t, p.db.NewRaw("SELECT count(DISTINCT digest) FROM release_artifacts").Scan(t.Context(), &artifacts))
		require.Equal(t, 52, artifacts)
		expired, _, _ := p.read(t, oldest.ID)
		require.Equal(t, operators.ReleaseExpired, expired.State)
		require.NoError(t, p.announcer.Clear(t.Context()))
		for _, r := range []operators.Release{approved, scheduled} {
			kept, _, _ := p.read(t, r.ID)
			require.Zero(t, kept.ExpiredAt)
		}
	})
}
