package database

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
)

// Keys that ended are read besides the live ones, the last to end first: who uses one is told why it is refused. Others
// are refused as unknown.
const (
	endedMost  = 10_000
	endedSince = 30 * 24 * time.Hour
)

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

// LoadKeys gives the keys that processes recognise, and the live accounts.
func (s *Store) LoadKeys(ctx context.Context, now time.Time) (access.Snapshot, error) {
	var live, past []heldRow
	read, err := s.load(ctx, "load_keys", func(ctx context.Context, db bun.IDB) error {
		live, past = nil, nil
		// One more than there may be, to notice it.
		if err := heldKeys(db).Where(alive, now).Order("k.created_at DESC").Limit(access.MaxLiveKeys+1).Scan(ctx, &live); err != nil {
			return err
		}
		return heldKeys(db).Where("NOT ("+alive+")", now).Where(ended+" > ?", now.Add(-endedSince)).
			OrderExpr(ended+" DESC").Limit(endedMost).Scan(ctx, &past)
	})
	if err != nil {
		return access.Snapshot{}, err
	}
	if len(live) > access.MaxLiveKeys {
		live, read.Cut = live[:access.MaxLiveKeys], true
	}
	read.Keys = make([]access.KeyRecord, 0, len(live)+len(past))
	for _, row := range slices.Concat(live, past) {
		record, err := row.record()
		if err != nil {
			return access.Snapshot{}, err
		}
		// Deleting an account revokes its keys; this holds even if one slipped through.
		if record.RevokedAt.IsZero() {
			record.RevokedAt = moment(row.AccountDeletedAt)
		}
		read.Keys = append(read.Keys, record)
	}
	return read, nil
}

// LoadAccounts gives the live accounts.
func (s *Store) LoadAccounts(ctx context.Context) (access.Snapshot, error) {
	return s.load(ctx, "load_accounts", func(context.Context, bun.IDB) error { return nil })
}

// heldRow is a key with the end of its account.
type heldRow struct {
	keyRow
	AccountDeletedAt *time.Time `bun:"account_deleted_at"`
}

func heldKeys(db bun.IDB) *bun.SelectQuery {
	return db.NewSelect().Model((*keyRow)(nil)).
		ColumnExpr("k.key_id, k.account_id, k.role, k.pepper_id, k.mac, k.expires_at, k.revoked_at, o.deleted_at AS account_deleted_at").
		Join("LEFT JOIN accounts AS o ON o.account_id = k.account_id")
}

// load reads the version before the accounts and the rest, so they are at least as new.
func (s *Store) load(ctx context.Context, name string, rest func(ctx context.Context, db bun.IDB) error) (access.Snapshot, error) {
	var accounts []uuid.UUID
	var version int64
	fresh, err := s.reader.Read(bunstore.WithQueryName(ctx, name), func(ctx context.Context, db bun.IDB) (err error) {
		accounts = nil
		if version, err = readVersion(ctx, db); err != nil {
			return err
		}
		if err := db.NewSelect().Model((*accountRow)(nil)).Column("account_id").Where("deleted_at IS NULL").
			Order("created_at DESC").Limit(access.MaxLiveAccounts+1).Scan(ctx, &accounts); err != nil {
			return err
		}
		return rest(ctx, db)
	})
	if err != nil {
		return access.Snapshot{}, err
	}
	read := access.Snapshot{Version: access.KeysVersion{Number: version, Stale: fresh.Stale}, Accounts: accounts}
	if len(accounts) > access.MaxLiveAccounts {
		read.Accounts, read.Cut = accounts[:access.MaxLiveAccounts], true
	}
	return read, nil
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
