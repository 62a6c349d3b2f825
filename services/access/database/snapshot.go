package database

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
)

// endedMost is how many ended keys are read besides the live ones, the newest first: who uses one is told why it is
// refused. Older ones are refused as unknown.
const endedMost = access.MaxLiveKeys

// KeysVersion tells the version of keys and accounts.
func (s *Store) KeysVersion(ctx context.Context) (access.KeysVersion, error) {
	var version int64
	fresh, err := s.reader.Read(bunstore.WithQueryName(ctx, "access_version"), func(ctx context.Context, db bun.IDB) (err error) {
		version, err = readVersion(ctx, db)
		return err
	})
	return access.KeysVersion{Number: version, Stale: fresh.Stale}, err
}

func readVersion(ctx context.Context, db bun.IDB) (version int64, err error) {
	err = db.NewRaw("SELECT version FROM access_state").Scan(ctx, &version)
	return version, err
}

// LoadKeys gives the keys that processes recognise. The version is read before them, so they are at least as new.
func (s *Store) LoadKeys(ctx context.Context) ([]access.KeyRecord, access.KeysVersion, error) {
	var rows []struct {
		keyRow
		AccountDeletedAt *time.Time `bun:"account_deleted_at"`
	}
	var version int64
	fresh, err := s.reader.Read(bunstore.WithQueryName(ctx, "load_keys"), func(ctx context.Context, db bun.IDB) (err error) {
		rows = nil
		if version, err = readVersion(ctx, db); err != nil {
			return err
		}
		return db.NewSelect().Model((*keyRow)(nil)).
			ColumnExpr("k.key_id, k.account_id, k.role, k.pepper_id, k.mac, k.expires_at, k.revoked_at, o.deleted_at AS account_deleted_at").
			Join("LEFT JOIN accounts AS o ON o.account_id = k.account_id").
			OrderExpr("CASE WHEN k.revoked_at IS NULL THEN 0 ELSE 1 END, k.created_at DESC").
			Limit(access.MaxLiveKeys+endedMost).Scan(ctx, &rows)
	})
	if err != nil {
		return nil, access.KeysVersion{}, err
	}
	records := make([]access.KeyRecord, len(rows))
	for i, row := range rows {
		if records[i], err = row.record(); err != nil {
			return nil, access.KeysVersion{}, err
		}
		// Deleting an account revokes its keys; this holds even if one slipped through.
		if records[i].RevokedAt.IsZero() {
			records[i].RevokedAt = moment(row.AccountDeletedAt)
		}
	}
	return records, access.KeysVersion{Number: version, Stale: fresh.Stale}, nil
}

// TouchKeys notes when keys were used. It also works on a connection that is for reading by default, as an engine has it.
func (s *Store) TouchKeys(ctx context.Context, keys []uuid.UUID, at time.Time) error {
	if len(keys) == 0 {
		return nil
	}
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return err
	}
	return bunstore.Fault(s.db.RunInTx(bunstore.WithQueryName(ctx, "touch_keys"), nil, func(ctx context.Context, tx bun.Tx) error {
		if bunstore.DialectOf(tx) == bunstore.Postgres {
			if _, err := tx.NewRaw("SET TRANSACTION READ WRITE").Exec(ctx); err != nil {
				return err
			}
		}
		_, err := tx.NewRaw("UPDATE api_keys SET last_used_at = ?0 WHERE key_id IN (?1) AND (last_used_at IS NULL OR last_used_at < ?0)",
			at, bun.List(keys)).Exec(ctx)
		return err
	}))
}
