package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// Reasons of faults about keys.
const (
	ReasonNoSuchKey       = "NO_SUCH_KEY"
	ReasonKeyEnded        = "KEY_ENDED"
	ReasonTooManyKeys     = "TOO_MANY_KEYS"
	ReasonAccountMismatch = "ACCOUNT_MISMATCH"
	ReasonRoleTooLow      = "ROLE_TOO_LOW"
	// ReasonNoPepper: this process accepts no API keys, so it makes none.
	ReasonNoPepper = "NO_PEPPER"
	// ReasonAdminExists: a first key is not made where an admin has one.
	ReasonAdminExists = "ADMIN_KEY_EXISTS"
)

const (
	// MaxLiveKeys is how many keys may live at the same time: every process keeps them in memory.
	MaxLiveKeys = 10_000
	// MaxLiveKeysOfAccount is how many of them may be bound to one account, so that none uses up the room of all.
	MaxLiveKeysOfAccount = 1_000
	// KeepEnded is how long keys that ended are listed. Then they are deleted, without a row in the audit log: their end
	// is there.
	KeepEnded = 90 * 24 * time.Hour
	// MinLifetime is the shortest life of a key that ends.
	MinLifetime = time.Minute
	// MaxLifetime is the longest one.
	MaxLifetime = 3650 * 24 * time.Hour
	// MaxOverlap is how long a former key may live on beside the one in its place.
	MaxOverlap = 30 * 24 * time.Hour
)

// bootstrapName is the actor of the first key.
const bootstrapName = "bootstrap"

// APIKey is a key as it is stored, without its text.
type APIKey struct {
	KeyRecord
	// Name says what the key is for.
	Name string
	// Hint is the beginning of its text after KeyPrefix.
	Hint       string
	CreatedBy  string
	CreatedAt  time.Time
	LastUsedAt time.Time // to a minute; zero is never
}

// Ended reports whether the key is revoked or expired.
func (k APIKey) Ended(now time.Time) bool {
	return !k.RevokedAt.IsZero() || !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// NewAPIKey is what a new key is to be.
type NewAPIKey struct {
	Name string
	Role caller.Role
	// Account binds the key to one account; uuid.Nil binds it to the caller's, or to none when the caller has none.
	Account uuid.UUID
	// Lifetime is MinLifetime to MaxLifetime; 0 is a key without end.
	Lifetime time.Duration
}

// KeyFilter says which keys a list holds.
type KeyFilter struct {
	// Only is the one account whose keys the caller may see; uuid.Nil lets it see all.
	Only uuid.UUID
	// Account is the one whose keys are wanted; uuid.Nil wants all.
	Account uuid.UUID
	// LiveAt leaves out keys that had ended by then; zero leaves out none.
	LiveAt time.Time
	// AfterTime and AfterID are those of the last key of the page before; both are zero for the first page.
	AfterTime time.Time
	AfterID   uuid.UUID
	// Limit is the size of the page, at least 1.
	Limit int
}

// KeyStore is what KeyAdmin needs to be kept.
type KeyStore interface {
	Changes
	// ListKeys gives keys, newest first, and whether there are more; only those of filter.Only unless that is uuid.Nil.
	ListKeys(ctx context.Context, filter KeyFilter) (page []APIKey, more bool, err error)
}

// KeyAdmin carries out what people ask for about API keys. It is safe for concurrent use.
type KeyAdmin struct {
	store  KeyStore
	pepper Pepper
	now    func() time.Time
}

// NewKeyAdmin gives the use cases of keys. New keys are stored under the pepper; with the zero one none are made.
func NewKeyAdmin(store KeyStore, pepper Pepper, now func() time.Time) *KeyAdmin {
	return &KeyAdmin{store, pepper, now}
}

type keyReply struct {
	KeyID uuid.UUID `json:"key_id"`
}

// Create makes a key. Its text is in the answer and nowhere else; the answer to a repeat has none.
func (a *KeyAdmin) Create(ctx context.Context, r Request, wanted NewAPIKey) (APIKey, Key, error) {
	return a.create(ctx, r, wanted, func(context.Context, Tx, time.Time) error { return nil })
}

// Bootstrap makes the first key, of an admin who is bound to no account. Where such a key lives already it is the fault
// ADMIN_KEY_EXISTS, unless it is forced.
func (a *KeyAdmin) Bootstrap(ctx context.Context, wanted NewAPIKey, force bool) (APIKey, Key, error) {
	r := Request{Caller: caller.Caller{Name: bootstrapName, Role: caller.Admin}}
	return a.create(ctx, r, wanted, func(ctx context.Context, tx Tx, at time.Time) error {
		if force {
			return nil
		}
		admins, err := tx.LiveKeys(ctx, at, true)
		if err == nil && admins > 0 {
			err = fault.New(fault.FailedPrecondition, ReasonAdminExists,
				"An admin has a key already: ask its holder for another one. Force it when that key is lost, then revoke it.")
		}
		return err
	})
}

func (a *KeyAdmin) create(
	ctx context.Context, r Request, wanted NewAPIKey, allowed func(ctx context.Context, tx Tx, at time.Time) error,
) (APIKey, Key, error) {
	if err := a.makesKeys(); err != nil {
		return APIKey{}, Key{}, err
	}
	if err := wanted.validate(); err != nil {
		return APIKey{}, Key{}, err
	}
	if wanted.Role > r.Caller.Role {
		return APIKey{}, Key{}, roleTooLow()
	}
	switch {
	case wanted.Account == uuid.Nil:
		wanted.Account = r.Caller.Account
	case !r.Caller.MaySee(wanted.Account):
		return APIKey{}, Key{}, accountMismatch()
	}
	text, id := NewKey()
	var answer APIKey
	err := change{Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (any, *Entry, error) {
			if err := allowed(ctx, tx, at); err != nil {
				return nil, nil, err
			}
			if err := accountLives(ctx, tx, wanted.Account); err != nil {
				return nil, nil, err
			}
			if err := roomForKey(ctx, tx, wanted.Account, at); err != nil {
				return nil, nil, err
			}
			answer = a.made(text, id, wanted, r.Caller.Name, at)
			return keyReply{id}, keyEntry("api_key.create", nil, answer), tx.PutKey(ctx, answer)
		},
		again: func(ctx context.Context, tx Tx, read func(any) error) (err error) {
			text = Key{}
			answer, err = repliedKey(ctx, tx, r.Caller, read)
			return err
		},
	}.run(ctx, a.store, a.now)
	if err != nil {
		return APIKey{}, Key{}, err
	}
	return answer, text, nil
}

// List gives keys, newest first, and whether there are more. A caller that is bound to an account gets those of that
// account; asking for those of another is the fault ACCOUNT_MISMATCH.
func (a *KeyAdmin) List(ctx context.Context, who caller.Caller, account uuid.UUID, ended bool, filter KeyFilter) (page []APIKey, more bool, err error) {
	if !who.MaySee(account) {
		return nil, false, accountMismatch()
	}
	filter.Only, filter.Account = who.Account, account
	if !ended {
		filter.LiveAt = a.now()
	}
	return a.store.ListKeys(ctx, filter)
}

// Revoke ends a key. One that is revoked stays as it is.
func (a *KeyAdmin) Revoke(ctx context.Context, r Request, id uuid.UUID) (APIKey, error) {
	var answer APIKey
	err := change{Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (any, *Entry, error) {
			before, err := visibleKey(ctx, tx, r.Caller, id)
			answer = before
			if err != nil || !before.RevokedAt.IsZero() {
				return keyReply{id}, nil, err
			}
			answer.RevokedAt = at
			return keyReply{id}, keyEntry("api_key.revoke", &before, answer), tx.PutKey(ctx, answer)
		},
		again: func(ctx context.Context, tx Tx, read func(any) error) (err error) {
			answer, err = repliedKey(ctx, tx, r.Caller, read)
			return err
		},
	}.run(ctx, a.store, a.now)
	if err != nil {
		return APIKey{}, err
	}
	return answer, nil
}

// made is the stored form of a new key.
func (a *KeyAdmin) made(text Key, id uuid.UUID, wanted NewAPIKey, by string, at time.Time) APIKey {
	k := APIKey{
		KeyRecord: KeyRecord{KeyID: id, Account: wanted.Account, Role: wanted.Role, PepperID: a.pepper.ID(), MAC: text.MAC(a.pepper)},
		Name:      wanted.Name, Hint: text.Hint(), CreatedBy: by, CreatedAt: at,
	}
	if wanted.Lifetime > 0 {
		k.ExpiresAt = at.Add(wanted.Lifetime)
	}
	return k
}

func (a *KeyAdmin) makesKeys() error {
	if a.pepper.ID() == "" {
		return fault.New(fault.FailedPrecondition, ReasonNoPepper, "API keys are not accepted here: set access.keys.pepper to make some.")
	}
	return nil
}

func (n NewAPIKey) validate() error {
	role, lifetime := "", ""
	if n.Role < caller.Viewer || n.Role > caller.Admin {
		role = "must be viewer, operator or admin"
	}
	if n.Lifetime != 0 && (n.Lifetime < MinLifetime || n.Lifetime > MaxLifetime) {
		lifetime = "must be a minute to ten years"
	}
	return invalid(
		fault.Violation{Field: "name", Description: nameProblem(n.Name)},
		fault.Violation{Field: "role", Description: role},
		fault.Violation{Field: "lifetime", Description: lifetime},
	)
}

// visibleKey gives a key of the caller's account. Others do not exist for the caller.
func visibleKey(ctx context.Context, tx Tx, who caller.Caller, id uuid.UUID) (APIKey, error) {
	k, err := tx.Key(ctx, id)
	if err != nil {
		return APIKey{}, err
	}
	// A key of no account is not everybody's, as a rule of none is.
	if !who.MayChange(k.Account) {
		return APIKey{}, NoSuchKey()
	}
	return k, nil
}

func accountLives(ctx context.Context, tx Tx, id uuid.UUID) error {
	if id == uuid.Nil {
		return nil
	}
	a, err := tx.Account(ctx, id)
	if fault.Is(err, ReasonNoSuchAccount) || err == nil && !a.Live() {
		return fault.New(fault.FailedPrecondition, ReasonNoSuchAccount, "There is no live account with this id. Create the account first.")
	}
	return err
}

func roomForKey(ctx context.Context, tx Tx, account uuid.UUID, at time.Time) error {
	if account != uuid.Nil {
		live, err := tx.LiveKeysOf(ctx, account, at)
		if err != nil {
			return err
		}
		if live >= MaxLiveKeysOfAccount {
			return fault.New(fault.ResourceExhausted, ReasonTooManyKeys,
				"The account has %d live keys, the most it may have. Revoke keys that nobody uses.", live)
		}
	}
	live, err := tx.LiveKeys(ctx, at, false)
	if err == nil && live >= MaxLiveKeys {
		err = fault.New(fault.ResourceExhausted, ReasonTooManyKeys, "There are %d live keys, the most there may be. Revoke keys that nobody uses.", live)
	}
	return err
}

// repliedKey gives the key of a former request. The caller has the same name as then, but may be bound to another account.
func repliedKey(ctx context.Context, tx Tx, who caller.Caller, read func(any) error) (APIKey, error) {
	var former keyReply
	if err := read(&former); err != nil {
		return APIKey{}, err
	}
	return visibleKey(ctx, tx, who, former.KeyID)
}

// NoSuchKey is the fault for an id that no key has, or none that the caller may see.
func NoSuchKey() error {
	return fault.New(fault.NotFound, ReasonNoSuchKey, "There is no API key with this id.")
}

func roleTooLow() error {
	return fault.New(fault.PermissionDenied, ReasonRoleTooLow, "A key may do no more than who makes it: choose a lower role.")
}

func accountMismatch() error {
	return fault.New(fault.PermissionDenied, ReasonAccountMismatch, "This credential is bound to another account. Leave the account out.")
}
