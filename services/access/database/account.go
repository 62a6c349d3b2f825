package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
)

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:o"`

	AccountID uuid.UUID  `bun:"account_id,pk"`
	Name      string     `bun:"name"`
	Notes     string     `bun:"notes"`
	Version   int64      `bun:"version"`
	CreatedAt time.Time  `bun:"created_at"`
	UpdatedAt time.Time  `bun:"updated_at"`
	CreatedBy string     `bun:"created_by"`
	UpdatedBy string     `bun:"updated_by"`
	DeletedAt *time.Time `bun:"deleted_at"`
}

func fromAccount(a access.Account) accountRow {
	return accountRow{
		AccountID: a.ID, Name: a.Name, Notes: a.Notes, Version: a.Version, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		CreatedBy: a.CreatedBy, UpdatedBy: a.UpdatedBy, DeletedAt: optional(a.DeletedAt),
	}
}

func (r accountRow) account() access.Account {
	return access.Account{
		ID: r.AccountID, Name: r.Name, Notes: r.Notes, Version: r.Version, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
		CreatedBy: r.CreatedBy, UpdatedBy: r.UpdatedBy, DeletedAt: moment(r.DeletedAt),
	}
}

// Account gives one live account.
func (s *Store) Account(ctx context.Context, only, id uuid.UUID) (access.Account, error) {
	var row accountRow
	err := s.forAccount(ctx, "account", only, func(ctx context.Context, db bun.IDB) error {
		query := db.NewSelect().Model(&row).Where("account_id = ? AND deleted_at IS NULL", id)
		if only != uuid.Nil {
			query = query.Where("account_id = ?", only)
		}
		return orNone(query.Scan(ctx), access.NoSuchAccount())
	})
	if err != nil {
		return access.Account{}, err
	}
	return row.account(), nil
}

// ListAccounts gives a page of live accounts by name and id, and whether there are more.
func (s *Store) ListAccounts(ctx context.Context, f access.AccountFilter) (page []access.Account, more bool, err error) {
	var rows []accountRow
	err = s.forAccount(ctx, "list_accounts", f.Only, func(ctx context.Context, db bun.IDB) error {
		query := db.NewSelect().Model(&rows).Where("deleted_at IS NULL").Order("name", "account_id").Limit(int64(f.Limit) + 1)
		if f.Only != uuid.Nil {
			query = query.Where("account_id = ?", f.Only)
		}
		if f.Search != "" {
			query = query.Where("lower(name) LIKE lower(?) ESCAPE '!'", "%"+like.Replace(f.Search)+"%")
		}
		if f.AfterName != "" {
			query = query.Where("(name, account_id) > (?, ?)", f.AfterName, f.AfterID)
		}
		return query.Scan(ctx)
	})
	if err != nil {
		return nil, false, err
	}
	for _, row := range rows[:min(f.Limit, len(rows))] {
		page = append(page, row.account())
	}
	return page, len(rows) > f.Limit, nil
}

// Account gives one account, also a deleted one.
func (t *tx) Account(ctx context.Context, id uuid.UUID) (access.Account, error) {
	var row accountRow
	err := t.tx.NewSelect().Model(&row).Where("account_id = ?", id).Scan(bunstore.WithQueryName(ctx, "account"))
	if err != nil {
		return access.Account{}, orNone(err, access.NoSuchAccount())
	}
	return row.account(), nil
}

// LiveAccountNamed gives the id of the live account with this name.
func (t *tx) LiveAccountNamed(ctx context.Context, name string) (uuid.UUID, error) {
	var row accountRow
	err := t.tx.NewSelect().Model(&row).Column("account_id").Where("name = ? AND deleted_at IS NULL", name).
		Scan(bunstore.WithQueryName(ctx, "account_named"))
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	return row.AccountID, bunstore.Fault(err)
}

// LiveAccounts counts the accounts that are not deleted.
func (t *tx) LiveAccounts(ctx context.Context) (int, error) {
	n, err := t.tx.NewSelect().Model((*accountRow)(nil)).Where("deleted_at IS NULL").Count(bunstore.WithQueryName(ctx, "count_accounts"))
	return int(n), bunstore.Fault(err)
}

// PutAccount inserts an account or replaces the one with the same id.
func (t *tx) PutAccount(ctx context.Context, a access.Account) error {
	row := fromAccount(a)
	query := t.tx.NewInsert().Model(&row).On("CONFLICT (account_id) DO UPDATE")
	for _, column := range []string{"name", "notes", "version", "updated_at", "updated_by", "deleted_at"} {
		query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	_, err := query.Exec(bunstore.WithQueryName(ctx, "put_account"))
	return duplicate(err, access.ReasonDuplicateAccount, "Another live account has this name. Choose another one.")
}
