package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// Reasons of faults about accounts.
const (
	ReasonNoSuchAccount    = "NO_SUCH_ACCOUNT"
	ReasonDuplicateAccount = "DUPLICATE_ACCOUNT"
	ReasonTooManyAccounts  = "TOO_MANY_ACCOUNTS"
)

// MaxLiveAccounts is how many accounts may live at the same time: every process keeps their ids in memory.
const MaxLiveAccounts = 50_000

// AccountStore is what AccountAdmin needs to be kept.
type AccountStore interface {
	Changes
	// Account gives one live account, or the fault NO_SUCH_ACCOUNT; also for any other than only, unless that is uuid.Nil.
	Account(ctx context.Context, only, id uuid.UUID) (Account, error)
	// ListAccounts gives live accounts by name and id, and whether there are more; filter.Only as in Account.
	ListAccounts(ctx context.Context, filter AccountFilter) (page []Account, more bool, err error)
}

// AccountAdmin carries out what people ask for about accounts. It is safe for concurrent use.
type AccountAdmin struct {
	store AccountStore
	now   func() time.Time
}

// NewAccountAdmin gives the use cases of accounts.
func NewAccountAdmin(store AccountStore, now func() time.Time) *AccountAdmin {
	return &AccountAdmin{store, now}
}

type accountReply struct {
	AccountID uuid.UUID `json:"account_id"`
}

// Create stores a new account. An id may be given; version and times do not count. The fault is DUPLICATE_ACCOUNT when a
// live account has the name, or any account the id, and TOO_MANY_ACCOUNTS when there are MaxLiveAccounts.
func (a *AccountAdmin) Create(ctx context.Context, r Request, account Account) (Account, error) {
	if err := account.Validate(); err != nil {
		return Account{}, err
	}
	if account.ID == uuid.Nil {
		account.ID = uuid.Must(uuid.NewV7())
	}
	account.Version, account.DeletedAt = 1, time.Time{}
	var answer Account
	err := change{Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (any, *Entry, error) {
			switch _, err := tx.Account(ctx, account.ID); {
			case err == nil:
				return nil, nil, fault.New(fault.AlreadyExists, ReasonDuplicateAccount,
					"There is, or was, an account with this id. Leave the id out to get a new one.")
			case !fault.Is(err, ReasonNoSuchAccount):
				return nil, nil, err
			}
			if err := nameIsFree(ctx, tx, account); err != nil {
				return nil, nil, err
			}
			if err := roomForAccount(ctx, tx); err != nil {
				return nil, nil, err
			}
			account.CreatedAt, account.UpdatedAt, account.CreatedBy, account.UpdatedBy = at, at, r.Caller.Name, r.Caller.Name
			answer = account
			return accountReply{account.ID}, accountEntry("account.create", nil, &account, nil), tx.PutAccount(ctx, account)
		},
		again: func(ctx context.Context, tx Tx, read func(any) error) (err error) {
			answer, err = repliedAccount(ctx, tx, r.Caller, read)
			return err
		},
	}.run(ctx, a.store, a.now)
	if err != nil {
		return Account{}, err
	}
	return answer, nil
}

// Get gives one live account. A caller that is bound to an account finds no other.
func (a *AccountAdmin) Get(ctx context.Context, who caller.Caller, id uuid.UUID) (Account, error) {
	return a.store.Account(ctx, who.Account, id)
}

// List gives live accounts by name, and whether there are more. A caller that is bound to an account gets that one.
func (a *AccountAdmin) List(ctx context.Context, who caller.Caller, filter AccountFilter) (page []Account, more bool, err error) {
	filter.Only = who.Account
	return a.store.ListAccounts(ctx, filter)
}

// Target names what is to be changed. A non-empty ETag refuses the change unless it is the present one.
type Target struct {
	ID   uuid.UUID
	ETag string
}

// accountFields are the fields that an update may name.
var accountFields = []string{"name", "notes"}

// Update changes the named fields to those of to.
func (a *AccountAdmin) Update(ctx context.Context, r Request, target Target, to Account, mask []string) (Account, error) {
	if err := checkMask(mask); err != nil {
		return Account{}, err
	}
	var answer Account
	err := change{Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (any, *Entry, error) {
			before, err := liveAccount(ctx, tx, target)
			if err != nil {
				return nil, nil, err
			}
			after := before.masked(to, mask)
			if err := after.Validate(); err != nil {
				return nil, nil, err
			}
			if err := nameIsFree(ctx, tx, after); err != nil {
				return nil, nil, err
			}
			after.Version++
			after.UpdatedAt, after.UpdatedBy = at, r.Caller.Name
			answer = after
			return accountReply{after.ID}, accountEntry("account.update", &before, &after, nil), tx.PutAccount(ctx, after)
		},
		again: func(ctx context.Context, tx Tx, read func(any) error) (err error) {
			answer, err = repliedAccount(ctx, tx, r.Caller, read)
			return err
		},
	}.run(ctx, a.store, a.now)
	if err != nil {
		return Account{}, err
	}
	return answer, nil
}

// Delete takes an account away and revokes its keys. It gives how many keys that were.
func (a *AccountAdmin) Delete(ctx context.Context, r Request, target Target) (revoked int, err error) {
	type reply struct {
		RevokedKeys int `json:"revoked_keys"`
	}
	err = change{Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (any, *Entry, error) {
			before, err := liveAccount(ctx, tx, target)
			if err != nil {
				return nil, nil, err
			}
			keys, err := tx.RevokeKeysOf(ctx, before.ID, at)
			if err != nil {
				return nil, nil, err
			}
			after := before
			after.Version++
			after.UpdatedAt, after.UpdatedBy, after.DeletedAt = at, r.Caller.Name, at
			revoked = len(keys)
			return reply{revoked}, accountEntry("account.delete", &before, &after, keys), tx.PutAccount(ctx, after)
		},
		again: func(_ context.Context, _ Tx, read func(any) error) error {
			var former reply
			err := read(&former)
			revoked = former.RevokedKeys
			return err
		},
	}.run(ctx, a.store, a.now)
	if err != nil {
		return 0, err
	}
	return revoked, nil
}

func (a Account) masked(to Account, mask []string) Account {
	for _, path := range mask {
		switch path {
		case "name":
			a.Name = to.Name
		case "notes":
			a.Notes = to.Notes
		}
	}
	return a
}

func checkMask(mask []string) error {
	known := func(path string) bool { return slices.Contains(accountFields, path) }
	if len(mask) > 0 && !slices.ContainsFunc(mask, func(path string) bool { return !known(path) }) {
		return nil
	}
	f := fault.New(fault.InvalidArgument, ReasonUpdateMask, "The update mask must name some of %s, and nothing else.", strings.Join(accountFields, ", "))
	f.Violations = []fault.Violation{{Field: "update_mask", Description: f.Message}}
	return f
}

func liveAccount(ctx context.Context, tx Tx, target Target) (Account, error) {
	a, err := tx.Account(ctx, target.ID)
	switch {
	case err != nil:
		return Account{}, err
	case !a.Live():
		return Account{}, fault.New(fault.NotFound, ReasonNoSuchAccount, "The account was deleted.")
	case target.ETag != "" && target.ETag != a.ETag():
		return Account{}, fault.New(fault.Aborted, ReasonETag, "It was changed since this etag was read: read it again, then repeat the change with the new etag.")
	}
	return a, nil
}

// nameIsFree refuses a name that another live account has. The database refuses it too; this says it better.
func nameIsFree(ctx context.Context, tx Tx, a Account) error {
	other, err := tx.LiveAccountNamed(ctx, a.Name)
	if err != nil || other == uuid.Nil || other == a.ID {
		return err
	}
	return fault.New(fault.AlreadyExists, ReasonDuplicateAccount, "Another live account has this name. Choose another one.").
		With("account_id", other.String())
}

func roomForAccount(ctx context.Context, tx Tx) error {
	live, err := tx.LiveAccounts(ctx)
	if err == nil && live >= MaxLiveAccounts {
		err = fault.New(fault.ResourceExhausted, ReasonTooManyAccounts, "There are %d accounts, the most there may be. Delete those that nobody uses.", live)
	}
	return err
}

// repliedAccount gives the account of a former request. The caller has the same name as then, but may be bound to another
// account.
func repliedAccount(ctx context.Context, tx Tx, who caller.Caller, read func(any) error) (Account, error) {
	var former accountReply
	if err := read(&former); err != nil {
		return Account{}, err
	}
	if !who.MaySee(former.AccountID) {
		return Account{}, NoSuchAccount()
	}
	return tx.Account(ctx, former.AccountID)
}

// NoSuchAccount is the fault for an id that no account has, or none that the caller may see.
func NoSuchAccount() error {
	return fault.New(fault.NotFound, ReasonNoSuchAccount, "There is no account with this id.")
}
