package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

var (
	_ operators.ReleaseStore   = (*Store)(nil)
	_ operators.AnnouncedStore = (*Store)(nil)
)

type releaseRow struct {
	bun.BaseModel `bun:"table:releases,alias:l"`

	ReleaseID     uuid.UUID  `bun:"release_id,pk"`
	Number        int64      `bun:"number"`
	Description   string     `bun:"description"`
	Digest        string     `bun:"digest"`
	SizeBytes     int64      `bun:"size_bytes"`
	StoredBytes   int64      `bun:"stored_bytes"`
	OperatorCount int64      `bun:"operator_count"`
	RuleCount     int64      `bun:"rule_count"`
	RateCount     int64      `bun:"rate_count"`
	ConfigVersion int64      `bun:"config_version"`
	WarningCount  int64      `bun:"warning_count"`
	Version       int64      `bun:"version"`
	CreatedAt     time.Time  `bun:"created_at"`
	CreatedBy     string     `bun:"created_by"`
	ApprovedAt    *time.Time `bun:"approved_at"`
	ApprovedBy    string     `bun:"approved_by"`
	ExpiredAt     *time.Time `bun:"expired_at"`
}

func fromRelease(r operators.Release) releaseRow {
	return releaseRow{
		ReleaseID: r.ID, Number: r.Number, Description: r.Description, Digest: r.Digest, SizeBytes: r.Size, StoredBytes: r.StoredSize,
		OperatorCount: r.Operators, RuleCount: r.Rules, RateCount: r.Rates, ConfigVersion: r.ConfigVersion, WarningCount: r.Warnings,
		Version: r.Version, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy, ApprovedAt: optional(r.ApprovedAt), ApprovedBy: r.ApprovedBy,
		ExpiredAt: optional(r.ExpiredAt),
	}
}

// release converts all but the activations.
func (r releaseRow) release() operators.Release {
	return operators.Release{
		ID: r.ReleaseID, Number: r.Number, Description: r.Description,
		Artifact: operators.Artifact{
			Digest: r.Digest, Size: r.SizeBytes, StoredSize: r.StoredBytes, Operators: r.OperatorCount, Rules: r.RuleCount, Rates: r.RateCount,
		},
		ConfigVersion: r.ConfigVersion, Warnings: r.WarningCount, Version: r.Version, CreatedAt: r.CreatedAt.UTC(), CreatedBy: r.CreatedBy,
		ApprovedAt: moment(r.ApprovedAt), ApprovedBy: r.ApprovedBy, ExpiredAt: moment(r.ExpiredAt),
	}
}

type activationRow struct {
	bun.BaseModel `bun:"table:release_activations,alias:a"`

	Activation      int64         `bun:"activation,pk"`
	ReleaseID       uuid.UUID     `bun:"release_id"`
	Kind            string        `bun:"kind"`
	ActivateAt      time.Time     `bun:"activate_at"`
	CreatedAt       time.Time     `bun:"created_at"`
	CreatedBy       string        `bun:"created_by"`
	Reason          string        `bun:"reason"`
	FormerReleaseID uuid.NullUUID `bun:"former_release_id"`
	Revision        int64         `bun:"revision"`
	CancelledAt     *time.Time    `bun:"cancelled_at"`
}

func fromActivation(a operators.Activation) activationRow {
	return activationRow{
		Activation: a.Number, ReleaseID: a.ReleaseID, Kind: a.Kind.String(), ActivateAt: a.ActivateAt, CreatedAt: a.CreatedAt,
		CreatedBy: a.CreatedBy, Reason: a.Reason, FormerReleaseID: nullable(a.FormerID), Revision: a.Revision, CancelledAt: optional(a.CancelledAt),
	}
}

func (r activationRow) activation() (operators.Activation, error) {
	kind, err := operators.ParseActivationKind(r.Kind)
	return operators.Activation{
		Number: r.Activation, ReleaseID: r.ReleaseID, Kind: kind, ActivateAt: r.ActivateAt.UTC(), CreatedAt: r.CreatedAt.UTC(),
		CreatedBy: r.CreatedBy, Reason: r.Reason, FormerID: r.FormerReleaseID.UUID, Revision: r.Revision, CancelledAt: moment(r.CancelledAt),
	}, err
}

// ReadReleases runs do in a transaction that sees one state. Without the primary a release that the replica does not have
// is no NotFound: it may be new.
func (s *Store) ReadReleases(ctx context.Context, do func(ctx context.Context, r operators.ReleaseReader) error) (operators.Freshness, error) {
	fresh, err := s.read(ctx, "releases", func(ctx context.Context, db bun.IDB) error {
		options := &sql.TxOptions{ReadOnly: true}
		if bunstore.DialectOf(db) == bunstore.Postgres {
			options.Isolation = sql.LevelRepeatableRead
		}
		return db.RunInTx(ctx, options, func(ctx context.Context, tx bun.Tx) error { return do(ctx, releases{tx}) })
	})
	if fresh.Stale && fault.Is(err, operators.ReasonNoSuchRelease) {
		err = fault.New(fault.Unavailable, bunstore.ReasonUnavailable,
			"The database answers from a replica, which has no release with this id. It may be new: try again.").
			WithRetry(time.Second).Wrap(err)
	}
	return fresh, err
}

// releases reads releases in a transaction.
type releases struct{ tx bun.Tx }

// Release returns one release.
func (r releases) Release(ctx context.Context, id uuid.UUID) (operators.Release, error) {
	ctx = bunstore.WithQueryName(ctx, "release")
	var row releaseRow
	err := r.tx.NewSelect().Model(&row).Where("release_id = ?", id).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return operators.Release{}, operators.NoSuchRelease()
	case err != nil:
		return operators.Release{}, bunstore.Fault(err)
	}
	all, err := r.withLast(ctx, []releaseRow{row})
	if err != nil {
		return operators.Release{}, err
	}
	return all[0], nil
}

// Releases returns releases, newest first.
func (r releases) Releases(ctx context.Context, before int64, limit int) ([]operators.Release, error) {
	ctx = bunstore.WithQueryName(ctx, "list_releases")
	var rows []releaseRow
	query := r.tx.NewSelect().Model(&rows).Order("number DESC").Limit(int64(limit))
	if before > 0 {
		query = query.Where("number < ?", before)
	}
	if err := query.Scan(ctx); err != nil {
		return nil, bunstore.Fault(err)
	}
	return r.withLast(ctx, rows)
}

// Stock returns the releases that are not expired, newest first.
func (r releases) Stock(ctx context.Context) ([]operators.Release, error) {
	ctx = bunstore.WithQueryName(ctx, "release_stock")
	var rows []releaseRow
	if err := r.tx.NewSelect().Model(&rows).Where("expired_at IS NULL").Order("number DESC").Scan(ctx); err != nil {
		return nil, bunstore.Fault(err)
	}
	return r.withLast(ctx, rows)
}

// withLast converts rows and adds the last activation of each.
func (r releases) withLast(ctx context.Context, rows []releaseRow) ([]operators.Release, error) {
	all := make([]operators.Release, len(rows))
	place := make(map[uuid.UUID]*operators.Release, len(rows))
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		all[i] = row.release()
		ids[i], place[row.ReleaseID] = row.ReleaseID, &all[i]
	}
	for len(ids) > 0 {
		part := ids[:min(len(ids), chunk)]
		ids = ids[len(part):]
		var last []struct {
			activationRow `bun:",extend"`

			Served int64 `bun:"served"`
		}
		err := r.tx.NewRaw(`SELECT a.*, s.served FROM release_activations AS a JOIN (
				SELECT max(activation) AS newest, coalesce(max(CASE WHEN cancelled_at IS NULL THEN activation END), 0) AS served
				FROM release_activations WHERE release_id IN (?) GROUP BY release_id
			) AS s ON a.activation = s.newest`, bun.List(part)).Scan(ctx, &last)
		if err != nil {
			return nil, bunstore.Fault(err)
		}
		for _, row := range last {
			activation, err := row.activation()
			if err != nil {
				return nil, corrupt(err)
			}
			release := place[row.ReleaseID]
			release.Last, release.Served = &activation, row.Served
		}
	}
	return all, nil
}

// Activation returns one activation.
func (r releases) Activation(ctx context.Context, number int64) (operators.Activation, error) {
	var row activationRow
	err := r.tx.NewSelect().Model(&row).Where("activation = ?", number).Scan(bunstore.WithQueryName(ctx, "activation"))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return operators.Activation{}, operators.NoSuchRelease()
	case err != nil:
		return operators.Activation{}, bunstore.Fault(err)
	}
	activation, err := row.activation()
	if err != nil {
		return operators.Activation{}, corrupt(err)
	}
	return activation, nil
}

// Activations returns activations, newest first.
func (r releases) Activations(ctx context.Context, f operators.ActivationFilter) ([]operators.Activation, error) {
	var rows []activationRow
	query := r.tx.NewSelect().Model(&rows).Order("activation DESC").Limit(int64(f.Limit))
	if f.Release != uuid.Nil {
		query = query.Where("release_id = ?", f.Release)
	}
	if f.Valid {
		query = query.Where("cancelled_at IS NULL")
	}
	if err := query.Scan(bunstore.WithQueryName(ctx, "activations")); err != nil {
		return nil, bunstore.Fault(err)
	}
	return convert(rows, activationRow.activation)
}

// ConfigVersion returns the version of the live configuration.
func (r releases) ConfigVersion(ctx context.Context) (version int64, err error) {
	err = r.tx.NewRaw("SELECT config_version FROM config_state").Scan(bunstore.WithQueryName(ctx, "config_version"), &version)
	return version, bunstore.Fault(err)
}

// ReleaseRevisions returns those of the manifest.
func (r releases) ReleaseRevisions(ctx context.Context) (v operators.ReleaseRevisions, err error) {
	err = r.tx.NewRaw("SELECT revision, announced FROM release_state").
		Scan(bunstore.WithQueryName(ctx, "release_state"), &v.Wanted, &v.Announced)
	return v, bunstore.Fault(err)
}
