package database_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func aRelease(digest string) operators.Release {
	return operators.Release{
		ID: uuid.Must(uuid.NewV7()), Description: "why", Artifact: operators.Artifact{Digest: strings.Repeat(digest, 64), Size: 9, Operators: 1, Rules: 2, Rates: 3},
		ConfigVersion: 4, Warnings: 5, CreatedAt: time.Date(2026, 11, 21, 12, 0, 0, 1000, time.UTC), CreatedBy: "someone", Version: 1,
	}
}

func (k kit) add(t *testing.T, r operators.Release, parts ...[]byte) (stored operators.Release) {
	t.Helper()
	require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) (err error) {
		stored, err = tx.AddRelease(ctx, r, parts)
		return err
	}))
	return stored
}

func (k kit) artifact(t *testing.T, digest string) []byte {
	t.Helper()
	reader, err := k.store.OpenArtifact(t.Context(), digest)
	require.NoError(t, err)
	all, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	return all
}

func TestAnArtifactIsReadAsItWasWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		parts := [][]byte{bytes.Repeat([]byte{0, 255}, 1<<19), bytes.Repeat([]byte{1}, 1<<20), {7}}
		first := k.add(t, aRelease("a"), parts...)
		require.Equal(t, []int64{1, 2<<20 + 1}, []int64{first.Number, first.StoredSize})
		require.Equal(t, bytes.Join(parts, nil), k.artifact(t, first.Digest))

		// Another compressor: what is there stays whole.
		twin := k.add(t, aRelease("a"), []byte("other"), []byte("bytes"))
		require.Equal(t, []int64{2, first.StoredSize}, []int64{twin.Number, twin.StoredSize})
		require.Equal(t, bytes.Join(parts, nil), k.artifact(t, first.Digest))

		_, err := k.store.OpenArtifact(t.Context(), strings.Repeat("b", 64))
		requireFault(t, err, fault.NotFound, operators.ReasonReleaseExpired)
		fresh, err := k.store.ReadReleases(t.Context(), func(ctx context.Context, r operators.ReleaseReader) error {
			stored, err := r.Release(ctx, first.ID)
			require.Equal(t, first, stored)
			return err
		})
		require.NoError(t, err)
		require.Zero(t, fresh)
	})
}

func TestActivationsAreReadAsTheyWereWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		one, two := k.add(t, aRelease("a"), []byte("x")), k.add(t, aRelease("b"), []byte("y"))
		at := one.CreatedAt.Add(time.Hour)
		var all []operators.Activation
		require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			all = nil
			for _, a := range []operators.Activation{
				{ReleaseID: one.ID, Kind: operators.Published, ActivateAt: at, CreatedAt: at, CreatedBy: "admin", Reason: "why"},
				{ReleaseID: two.ID, Kind: operators.RolledBack, ActivateAt: at.Add(time.Hour), CreatedAt: at, CreatedBy: "admin", FormerID: one.ID},
				{ReleaseID: one.ID, Kind: operators.Published, ActivateAt: at.Add(time.Hour), CreatedAt: at, CreatedBy: "admin"},
			} {
				stored, err := tx.AddActivation(ctx, a)
				if err != nil {
					return err
				}
				all = append(all, stored)
			}
			all[2].CancelledAt = at
			return tx.CancelActivation(ctx, all[2].Number, at)
		}))
		_, err := k.store.ReadReleases(t.Context(), func(ctx context.Context, r operators.ReleaseReader) error {
			for i, a := range all {
				require.Equal(t, []int64{int64(i + 1), int64(i + 1)}, []int64{a.Number, a.Revision})
				stored, err := r.Activation(ctx, a.Number)
				require.NoError(t, err)
				require.Equal(t, a, stored)
			}
			valid, err := r.Activations(ctx, operators.ActivationFilter{Valid: true, Limit: 9})
			require.NoError(t, err)
			require.Equal(t, []operators.Activation{all[1], all[0]}, valid)
			of, err := r.Activations(ctx, operators.ActivationFilter{Release: one.ID, Limit: 1})
			require.NoError(t, err)
			require.Equal(t, all[2:], of)
			stored, err := r.Release(ctx, one.ID)
			require.NoError(t, err)
			require.Equal(t, all[2], *stored.Last, "the last one, called off or not")
			require.Equal(t, int64(1), stored.Served, "the last one that was not called off")
			_, err = r.Activation(ctx, 9)
			return err
		})
		requireFault(t, err, fault.NotFound, operators.ReasonNoSuchRelease)
	})
}

func TestWhatIsAnnouncedNeverGoesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		revisions := func() (v operators.ReleaseRevisions) {
			_, err := k.store.ReadReleases(t.Context(), func(ctx context.Context, r operators.ReleaseReader) (err error) {
				v, err = r.ReleaseRevisions(ctx)
				return err
			})
			require.NoError(t, err)
			return v
		}
		raise := func(revision int64) {
			require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.RaiseReleaseRevision(ctx, revision) }))
		}
		raise(5)
		raise(3)
		for _, step := range []struct{ say, then int64 }{{3, 3}, {2, 3}, {6, 3}, {5, 5}} {
			require.NoError(t, k.store.Announced(t.Context(), step.say))
			require.Equal(t, operators.ReleaseRevisions{Wanted: 5, Announced: step.then}, revisions())
		}
	})
}

func TestExpiredReleasesLeaveWhatOthersNeed(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		one, two, other := k.add(t, aRelease("a"), []byte("x")), k.add(t, aRelease("b"), []byte("y")), k.add(t, aRelease("b"), []byte("y"))
		at := one.CreatedAt.Add(time.Hour)
		require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			if err := tx.Expire(ctx, []operators.Release{one}, at); err != nil {
				return err
			}
			stock, err := tx.Stock(ctx)
			require.NoError(t, err)
			require.Equal(t, []operators.Release{other, two}, stock)
			left, err := tx.Leftovers(ctx, []string{one.Digest, two.Digest, strings.Repeat("c", 64)})
			require.NoError(t, err)
			require.Equal(t, []string{one.Digest}, left)
			many := []string{one.Digest} // more than one statement takes
			for i := range 70_000 {
				many = append(many, fmt.Sprintf("%064x", i))
			}
			left, err = tx.Leftovers(ctx, many)
			require.NoError(t, err)
			require.Equal(t, []string{one.Digest}, left)
			left, err = tx.Leftovers(ctx, nil)
			require.Empty(t, left)
			return err
		}))
		_, err := k.store.OpenArtifact(t.Context(), one.Digest)
		requireFault(t, err, fault.NotFound, operators.ReasonReleaseExpired)
		require.Equal(t, "y", string(k.artifact(t, two.Digest)))
	})
}
