package database

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

type keyRow struct {
	bun.BaseModel `bun:"table:api_keys,alias:k"`

	KeyID      uuid.UUID     `bun:"key_id,pk"`
	AccountID  uuid.NullUUID `bun:"account_id"`
	Name       string        `bun:"name"`
	Role       string        `bun:"role"`
	Hint       string        `bun:"hint"`
	PepperID   string        `bun:"pepper_id"`
	MAC        []byte        `bun:"mac"`
	CreatedBy  string        `bun:"created_by"`
	CreatedAt  time.Time     `bun:"created_at"`
	ExpiresAt  *time.Time    `bun:"expires_at"`
	RevokedAt  *time.Time    `bun:"revoked_at"`
	LastUsedAt *time.Time    `bun:"last_used_at"`
}

func fromKey(k access.APIKey) keyRow {
	return keyRow{
		KeyID: k.KeyID, AccountID: nullable(k.Account), Name: k.Name, Role: k.Role.String(), Hint: k.Hint, PepperID: k.PepperID,
		MAC: k.MAC[:], CreatedBy: k.CreatedBy, CreatedAt: k.CreatedAt, ExpiresAt: optional(k.ExpiresAt),
		RevokedAt: optional(k.RevokedAt), LastUsedAt: optional(k.LastUsedAt),
	}
}

// record fails for a row that this version cannot read: written by hand or by a newer version.
func (r keyRow) record() (access.KeyRecord, error) {
	role, known := caller.ParseRole(r.Role)
	if !known || len(r.MAC) != len(access.MAC{}) {
		return access.KeyRecord{}, fault.From(fmt.Errorf("the stored key %s cannot be read", r.KeyID))
	}
	return access.KeyRecord{
		KeyID: r.KeyID, Account: r.AccountID.UUID, Role: role, PepperID: r.PepperID, MAC: access.MAC(r.MAC),
		ExpiresAt: moment(r.ExpiresAt), RevokedAt: moment(r.RevokedAt),
	}, nil
}

func (r keyRow) key() (access.APIKey, error) {
	record, err := r.record()
	return access.APIKey{
		KeyRecord: record, Name: r.Name, Hint: r.Hint, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.UTC(), LastUsedAt: moment(r.LastUsedAt),
	}, err
}

// ListKeys gives a page of keys, newest first, and whether there are more.
func (s *Store) ListKeys(ctx context.Context, f access.KeyFilter) (page []access.APIKey, more bool, err error) {
	var rows []keyRow
	err = s.forAccount(ctx, "list_keys", f.Only, func(ctx context.Context, db bun.IDB) error {
		query := db.NewSelect().Model(&rows).OrderExpr("created_at DESC, key_id DESC").Limit(int64(f.Limit) + 1)
		for _, account := range []uuid.UUID{f.Only, f.Account} {
			if account != uuid.Nil {
				query = query.Where("account_id = ?", account)
			}
		}
		if !f.LiveAt.IsZero() {
			query = query.Where(alive, f.LiveAt)
		}
		if !f.AfterTime.IsZero() {
			query = query.Where("(created_at, key_id) < (?, ?)", f.AfterTime, f.AfterID)
		}
		return query.Scan(ctx)
	})
	if err != nil {
		return nil, false, err
	}
	for _, row := range rows[:min(f.Limit, len(rows))] {
		k, err := row.key()
		if err != nil {
			return nil, false, err
		}
		page = append(page, k)
	}
	return page, len(rows) > f.Limit, nil
}

// alive is true for keys that have not ended at a time.
const alive = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"

// ended is when a key ended, or will at the latest; NULL for a live key without an end.
const ended = "COALESCE(revoked_at, expires_at)"

// purgeMost bounds one purge.
const purgeMost = 10_000

// PurgeKeys deletes keys that ended before a moment, the oldest first, and returns how many. No version is raised: what
// has ended is refused anyway.
func (s *Store) PurgeKeys(ctx context.Context, before time.Time) (int, error) {
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "purge_keys"), purgeLimit)
	defer cancel()
	result, err := s.db.NewRaw("DELETE FROM api_keys WHERE key_id IN (SELECT key_id FROM api_keys WHERE "+ended+" < ? ORDER BY "+ended+" LIMIT ?)",
		before, purgeMost).Exec(ctx)
	if err != nil {
		return 0, bunstore.Fault(err)
	}
	n, err := result.RowsAffected()
	return int(n), bunstore.Fault(err)
}

// Key gives one key, also an ended one.
func (t *tx) Key(ctx context.Context, id uuid.UUID) (access.APIKey, error) {
	var row keyRow
	err := t.tx.NewSelect().Model(&row).Where("key_id = ?", id).Scan(bunstore.WithQueryName(ctx, "key"))
	if err != nil {
		return access.APIKey{}, orNone(err, access.NoSuchKey())
	}
	return row.key()
}

// LiveKeys counts keys that have not ended.
func (t *tx) LiveKeys(ctx context.Context, at time.Time, adminsOnly bool) (int, error) {
	query := t.tx.NewSelect().Model((*keyRow)(nil)).Where(alive, at)
	if adminsOnly {
		query = query.Where("role = ? AND account_id IS NULL", caller.Admin.String())
	}
	n, err := query.Count(bunstore.WithQueryName(ctx, "count_keys"))
	return int(n), bunstore.Fault(err)
}

// LiveKeysOf counts the keys of an account that have not ended.
func (t *tx) LiveKeysOf(ctx context.Context, account uuid.UUID, at time.Time) (int, error) {
	n, err := t.tx.NewSelect().Model((*keyRow)(nil)).Where("account_id = ?", account).Where(alive, at).
		Count(bunstore.WithQueryName(ctx, "count_account_keys"))
	return int(n), bunstore.Fault(err)
}

// PutKey inserts a key, or takes over the end of the one with the same id.
func (t *tx) PutKey(ctx context.Context, k access.APIKey) error {
	row := fromKey(k)
	_, err := t.tx.NewInsert().Model(&row).On("CONFLICT (key_id) DO UPDATE").
		Set("expires_at = EXCLUDED.expires_at, revoked_at = EXCLUDED.revoked_at").
		Exec(bunstore.WithQueryName(ctx, "put_key"))
	return bunstore.Fault(err)
}

// RevokeKeysOf revokes the keys of an account that are not revoked.
func (t *tx) RevokeKeysOf(ctx context.Context, account uuid.UUID, at time.Time) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := t.tx.NewRaw("UPDATE api_keys SET revoked_at = ? WHERE account_id = ? AND revoked_at IS NULL RETURNING key_id", at, account).
		Scan(bunstore.WithQueryName(ctx, "revoke_keys"), &ids)
	return ids, bunstore.Fault(err)
}
