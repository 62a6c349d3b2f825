package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// Reasons of refused changes of accounts and keys.
const (
	// ReasonInvalidValue marks values that are outside what is allowed.
	ReasonInvalidValue = "VALIDATION_FAILED"
	// ReasonRequestReused marks a request_id that was used for another request.
	ReasonRequestReused = "REQUEST_ID_REUSED"
	// ReasonETag marks a change that another one came before.
	ReasonETag = "ETAG_MISMATCH"
	// ReasonUpdateMask marks an update that names no field, or one that cannot be changed.
	ReasonUpdateMask = "INVALID_UPDATE_MASK"
)

const (
	// RequestLife is how long a request_id is remembered.
	RequestLife = 24 * time.Hour
	// MaxRequestID is the longest request_id, in characters.
	MaxRequestID = 128
	// changeLimit bounds one change, whatever the caller allows.
	changeLimit = 15 * time.Second
)

// Request is who asks for a change, and how a repeat of it is known.
type Request struct {
	// Caller asks; the audit log shows the name. Never nobody.
	Caller caller.Caller
	// ID is the caller's request_id; "" is a request that is never taken for a repeat.
	ID string
	// Fingerprint tells requests with the same ID apart: a hash of the procedure and of what is asked.
	Fingerprint string
	// TraceID is the id of the call, for the audit log when the caller gave no request_id.
	TraceID string
}

// Entry is what the audit log keeps of one change.
type Entry struct {
	// Action is such as account.create, Entity such as account.
	Action, Entity string
	EntityID       uuid.UUID
	// Before and After are JSON without secrets; nil where there is none.
	Before, After []byte
	At            time.Time
}

// Changes runs changes of accounts and keys.
type Changes interface {
	// InTx runs do in one transaction that behaves as if it were alone, and commits when do returns nil. It may run do
	// several times. An error of do means that nothing is stored.
	InTx(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
}

// Tx is what changes are made of.
type Tx interface {
	AccountTx
	KeyTx
	Journal
}

// AccountTx changes accounts.
type AccountTx interface {
	// Account gives one account, also a deleted one, or the fault NO_SUCH_ACCOUNT.
	Account(ctx context.Context, id uuid.UUID) (Account, error)
	// LiveAccountNamed gives the id of the live account with this name; uuid.Nil is none.
	LiveAccountNamed(ctx context.Context, name string) (uuid.UUID, error)
	// LiveAccounts counts the accounts that are not deleted.
	LiveAccounts(ctx context.Context) (int, error)
	// PutAccount inserts an account with a new id and replaces one with a known id.
	PutAccount(ctx context.Context, a Account) error
}

// KeyTx changes keys.
type KeyTx interface {
	// Key gives one key, also an ended one, or the fault NO_SUCH_KEY.
	Key(ctx context.Context, id uuid.UUID) (APIKey, error)
	// LiveKeys counts the keys that have not ended; adminsOnly counts those of admins that are bound to no account.
	LiveKeys(ctx context.Context, at time.Time, adminsOnly bool) (int, error)
	// LiveKeysOf counts those that are bound to an account.
	LiveKeysOf(ctx context.Context, account uuid.UUID, at time.Time) (int, error)
	// PutKey inserts a key with a new id, and takes over the end of one with a known id.
	PutKey(ctx context.Context, k APIKey) error
	// RevokeKeysOf revokes the keys of an account that are not revoked, and gives their ids.
	RevokeKeysOf(ctx context.Context, account uuid.UUID, at time.Time) ([]uuid.UUID, error)
}

// Journal keeps what belongs to a change besides its rows, in the same transaction.
type Journal interface {
	// Repeated tells whether the request was carried out before, and the reply remembered then. It is the fault
	// REQUEST_ID_REUSED when the same id was used for something else.
	Repeated(ctx context.Context, r Request, now time.Time) (reply string, repeated bool, err error)
	// Remember keeps the reply for RequestLife. It does nothing for a request without an id.
	Remember(ctx context.Context, r Request, reply string, now time.Time) error
	// Record writes the audit row of a change.
	Record(ctx context.Context, r Request, e Entry) error
	// RaiseVersion tells every process that keys or accounts have changed.
	RaiseVersion(ctx context.Context) error
}

func (r Request) check() error {
	if r.Caller.Name == "" || r.Caller.Name == caller.Anonymous {
		return fault.From(errors.New("a change without an actor cannot be audited"))
	}
	if utf8.RuneCountInString(r.ID) > MaxRequestID || !utf8.ValidString(r.ID) || strings.ContainsRune(r.ID, 0) {
		return fault.Invalid(ReasonInvalidValue, fault.Violation{Field: "request_id", Description: "must have at most 128 characters"})
	}
	return nil
}

// change is one mutation.
type change struct {
	Request
	// do makes the change and gives the reply that a repeat gets. Without an entry nothing had to be changed. It may
	// run several times.
	do func(ctx context.Context, tx Tx, at time.Time) (reply any, entry *Entry, err error)
	// again answers a repeat from the reply, which read reads.
	again func(ctx context.Context, tx Tx, read func(reply any) error) error
}

// run carries out a change: its rows, the audit row, the reply and the new version commit together or not at all.
func (c change) run(ctx context.Context, store Changes, now func() time.Time) error {
	if err := c.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	return store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		at := now().UTC().Truncate(time.Microsecond) // as databases keep it
		former, repeated, err := tx.Repeated(ctx, c.Request, at)
		if err != nil {
			return err
		}
		if repeated {
			return c.again(ctx, tx, func(reply any) error {
				if err := json.Unmarshal([]byte(former), reply); err != nil {
					return fmt.Errorf("read the reply of a former request: %w", err)
				}
				return nil
			})
		}
		reply, entry, err := c.do(ctx, tx, at)
		if err != nil {
			return err
		}
		if entry != nil {
			entry.At = at
			if err := tx.Record(ctx, c.Request, *entry); err != nil {
				return err
			}
			if err := tx.RaiseVersion(ctx); err != nil {
				return err
			}
		}
		return tx.Remember(ctx, c.Request, string(mustJSON(reply)), at)
	})
}

// mustJSON writes texts, numbers and times, which never fails.
func mustJSON(value any) []byte {
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return out
}
