package database

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
)

// AddRelease stores a release under the next number. Changes run one after the other, so no number is given twice.
func (t *tx) AddRelease(ctx context.Context, r operators.Release, parts [][]byte) (operators.Release, error) {
	ctx = bunstore.WithQueryName(ctx, "put_release")
	var err error
	if r.StoredSize, err = t.addArtifact(ctx, r.Digest, parts); err != nil {
		return operators.Release{}, err
	}
	if err := t.tx.NewRaw("SELECT coalesce(max(number), 0) + 1 FROM releases").Scan(ctx, &r.Number); err != nil {
		return operators.Release{}, bunstore.Fault(err)
	}
	row := fromRelease(r)
	_, err = t.tx.NewInsert().Model(&row).Exec(ctx)
	return r, bunstore.Fault(err)
}

// addArtifact stores the parts of an artifact and gives how many bytes are stored. One that is there stays: another
// version of the compressor may have written it, and parts of both do not fit together.
func (t *tx) addArtifact(ctx context.Context, digest string, parts [][]byte) (stored int64, err error) {
	err = t.tx.NewRaw("SELECT coalesce(sum(length(bytes)), 0) FROM release_artifacts WHERE digest = ?", digest).Scan(ctx, &stored)
	if err != nil || stored > 0 {
		return stored, bunstore.Fault(err)
	}
	for i, part := range parts {
		if _, err := t.tx.NewRaw("INSERT INTO release_artifacts (digest, part, bytes) VALUES (?, ?, ?)", digest, i, part).Exec(ctx); err != nil {
			return 0, bunstore.Fault(err)
		}
		stored += int64(len(part))
	}
	return stored, nil
}

// ApproveRelease stores version and approval.
func (t *tx) ApproveRelease(ctx context.Context, r operators.Release) error {
	_, err := t.tx.NewRaw("UPDATE releases SET version = ?, approved_at = ?, approved_by = ? WHERE release_id = ?",
		r.Version, r.ApprovedAt, r.ApprovedBy, r.ID).Exec(bunstore.WithQueryName(ctx, "approve_release"))
	return bunstore.Fault(err)
}

// AddActivation stores an activation under the next number and raises the revision of the manifest.
func (t *tx) AddActivation(ctx context.Context, a operators.Activation) (operators.Activation, error) {
	ctx = bunstore.WithQueryName(ctx, "put_activation")
	if err := t.tx.NewRaw("UPDATE release_state SET revision = revision + 1 RETURNING revision").Scan(ctx, &a.Revision); err != nil {
		return operators.Activation{}, bunstore.Fault(err)
	}
	if err := t.tx.NewRaw("SELECT coalesce(max(activation), 0) + 1 FROM release_activations").Scan(ctx, &a.Number); err != nil {
		return operators.Activation{}, bunstore.Fault(err)
	}
	row := fromActivation(a)
	_, err := t.tx.NewInsert().Model(&row).Exec(ctx)
	return a, bunstore.Fault(err)
}

// CancelActivation stores that an activation was called off.
func (t *tx) CancelActivation(ctx context.Context, number int64, at time.Time) error {
	_, err := t.tx.NewRaw("UPDATE release_activations SET cancelled_at = ? WHERE activation = ?", at, number).
		Exec(bunstore.WithQueryName(ctx, "cancel_activation"))
	return bunstore.Fault(err)
}

// RaiseReleaseRevision sets the revision of the manifest to a higher one.
func (t *tx) RaiseReleaseRevision(ctx context.Context, revision int64) error {
	_, err := t.tx.NewRaw("UPDATE release_state SET revision = ? WHERE revision < ?", revision, revision).
		Exec(bunstore.WithQueryName(ctx, "raise_release_revision"))
	return bunstore.Fault(err)
}

// Expire marks releases as expired and deletes their artifacts.
func (t *tx) Expire(ctx context.Context, gone []operators.Release, at time.Time) error {
	ctx = bunstore.WithQueryName(ctx, "expire_releases")
	for len(gone) > 0 {
		part := gone[:min(len(gone), chunk)]
		gone = gone[len(part):]
		ids, digests := make([]uuid.UUID, len(part)), make([]string, len(part))
		for i, r := range part {
			ids[i], digests[i] = r.ID, r.Digest
		}
		if _, err := t.tx.NewRaw("UPDATE releases SET expired_at = ?, version = version + 1 WHERE release_id IN (?)", at, bun.List(ids)).Exec(ctx); err != nil {
			return bunstore.Fault(err)
		}
		if _, err := t.tx.NewRaw("DELETE FROM release_artifacts WHERE digest IN (?)", bun.List(digests)).Exec(ctx); err != nil {
			return bunstore.Fault(err)
		}
	}
	return nil
}

// Leftovers returns those of the digests that only expired releases have.
func (t *tx) Leftovers(ctx context.Context, digests []string) (left []string, _ error) {
	ctx = bunstore.WithQueryName(ctx, "release_leftovers")
	for part := range slices.Chunk(digests, chunk) {
		var some []string
		err := t.tx.NewRaw(`SELECT DISTINCT digest FROM releases AS l WHERE digest IN (?)
			AND NOT EXISTS (SELECT 1 FROM releases AS o WHERE o.digest = l.digest AND o.expired_at IS NULL)`, bun.List(part)).Scan(ctx, &some)
		if err != nil {
			return nil, bunstore.Fault(err)
		}
		left = append(left, some...)
	}
	return left, nil
}
