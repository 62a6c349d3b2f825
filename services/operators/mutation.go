package operators

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

// Request is who asks for a change, and how a repeat of it is known.
type Request struct {
	// Actor is who asks, as written into the audit log. Never empty.
	Actor string
	// ID is the caller's request_id; "" is a request that is never taken for a repeat.
	ID string
	// Fingerprint tells requests with the same ID apart: a hash of the procedure and of everything asked but
	// passwords.
	Fingerprint string
	// TraceID is the id of the call, for the audit log when the caller gave no request_id.
	TraceID string
	// Traceparent is the W3C trace context of the call; it travels with the events of the change. May be empty.
	Traceparent string
	// ValidateOnly does everything but commit. Imports of files then only read, and wait for no other change.
	ValidateOnly bool
}

// Entry is the record of one change: what the audit log keeps of it and what others are told.
type Entry struct {
	// Action is such as operator.create.
	Action string
	// Entity is such as operator, and EntityID its id; "" when the change is about many rows.
	Entity, EntityID string
	// Before and After are JSON without secrets; nil where there is none.
	Before, After []byte
	Events        []Event
	At            time.Time
}

// The kinds of events; each is the last part of its subject.
const (
	EventCreated = "created"
	EventUpdated = "updated"
	EventDeleted = "deleted"
)

// Event tells others of a committed change. It is delivered at least once.
type Event struct {
	// ID is made with the change, so that a stream keeps a repeated delivery once.
	ID uuid.UUID
	// Kind is EventCreated, EventUpdated or EventDeleted.
	Kind string
	// ConfigVersion is the version that holds the change.
	ConfigVersion int64
	// OperatorID and OperatorVersion name the one operator that changed; zero for many, and for rules and rates.
	OperatorID         uuid.UUID
	OperatorVersion    int64
	CredentialsChanged bool
	OccurredAt         time.Time
}

// Store runs changes.
type Store interface {
	// InTx runs do in one transaction that behaves as if it were alone, and commits when do returns nil. It may run do
	// several times. An error of do means that nothing is stored. A transaction waits for those before it, also for one
	// whose commit got no answer, and sees what became of it.
	InTx(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
}

// Tx is what changes are made of.
type Tx interface {
	OperatorTx
	RuleTx
	RateTx
	ReleaseTx
	Journal
}

// RuleTx changes rules.
type RuleTx interface {
	RuleSetTx
	// LiveRules returns the live rules of the prefixes, of every account.
	LiveRules(ctx context.Context, prefixes []e164.Prefix) ([]Rule, error)
	// PutRules inserts rules with new ids and replaces those with known ones, with
	// their candidates. It reports how many are done, when stored is not nil.
	PutRules(ctx context.Context, all []Rule, stored func(done int64)) error
}

// Journal keeps what belongs to a change besides its rows, in the same transaction.
type Journal interface {
	// Repeated tells whether the request was carried out before, and the reply remembered then. It is an
	// InvalidArgument fault, ReasonRequestReused, when the same id was used for something else.
	Repeated(ctx context.Context, r Request, now time.Time) (reply string, repeated bool, err error)
	// Remember keeps the reply for RequestLife. It does nothing for a request without an id.
	Remember(ctx context.Context, r Request, reply string, now time.Time) error
	// Record writes the audit row and the events of a change.
	Record(ctx context.Context, r Request, e Entry) error
	// RaiseConfigVersion raises the version of the configuration, and that of the rules too when asked, and
	// returns the former.
	RaiseConfigVersion(ctx context.Context, rulesToo bool, at time.Time) (int64, error)
}

// RequestLife is how long a request_id is remembered.
const RequestLife = 24 * time.Hour

// MaxRequestID is the longest request_id, in characters.
const MaxRequestID = 128

// ReasonRequestReused marks a request_id that was used for another request, ReasonETag a change of something that
// another change came before, ReasonBusy a change that waited in vain for another one to end.
const (
	ReasonRequestReused = "REQUEST_ID_REUSED"
	ReasonETag          = "ETAG_MISMATCH"
	ReasonBusy          = "CHANGES_BUSY"
)

// Waker is told that events wait. It never blocks.
type Waker interface {
	Wake()
}

// Target names what is to be changed. A non-empty ETag refuses the change unless it is the present one.
type Target struct {
	ID   uuid.UUID
	ETag string
}

// etag names one state of one entity. Callers compare it and read nothing from it.
func etag(id uuid.UUID, version int64) string {
	sum := sha256.Sum256([]byte(id.String() + ":" + strconv.FormatInt(version, 10)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// check is an Aborted fault when the target asks for another state than the present one.
func (t Target) check(present string) error {
	if t.ETag == "" || t.ETag == present {
		return nil
	}
	return fault.New(fault.Aborted, ReasonETag, "It was changed since this etag was read: read it again, then repeat the change with the new etag.")
}

func (r Request) check() error {
	if r.Actor == "" {
		return fault.From(errors.New("a change without an actor cannot be audited"))
	}
	if utf8.RuneCountInString(r.ID) > MaxRequestID || !utf8.ValidString(r.ID) || strings.ContainsRune(r.ID, 0) {
		return fault.Invalid(ReasonInvalid, fault.Violation{Field: "request_id", Description: "must have at most 128 characters"})
	}
	return nil
}

// change is one mutation.
type change struct {
	Request
	// do makes the change inside the transaction and returns the reply that a repeat gets. It may run several times.
	do func(ctx context.Context, tx Tx, at time.Time) (reply string, err error)
	// again answers a repeat from the reply.
	again func(ctx context.Context, tx Tx, reply string) error
}

// outcome says what became of a change.
type outcome uint8

const (
	// failed: nothing is stored.
	failed outcome = iota
	// unknown: the connection was lost during the commit, so it may be stored.
	unknown
	// rehearsed: everything was done but the commit, as asked.
	rehearsed
	// repeated: it was done before; again ran instead.
	repeated
	// committed: it is stored.
	committed
)

// errRollback ends a transaction that must not commit.
var errRollback = errors.New("the change does not commit")

// run carries out a change. Without an error the outcome is rehearsed, repeated or committed. A rehearsal neither looks
// for a former run nor is it remembered.
func (c change) run(ctx context.Context, store Store, wake Waker, now func() time.Time) (outcome, error) {
	if err := c.check(); err != nil {
		return failed, err
	}
	var end outcome
	err := store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		end = failed
		at := moment(now())
		if !c.ValidateOnly {
			reply, known, err := tx.Repeated(ctx, c.Request, at)
			if err != nil {
				return err
			}
			if known {
				end = repeated
				return c.again(ctx, tx, reply)
			}
		}
		reply, err := c.do(ctx, tx, at)
		if err != nil {
			return err
		}
		if c.ValidateOnly {
			end = rehearsed
			return errRollback
		}
		if err := tx.Remember(ctx, c.Request, reply, at); err != nil {
			return err
		}
		end = committed
		return nil
	})
	switch {
	case err == nil:
		if end == committed {
			wake.Wake()
		}
		return end, nil
	case errors.Is(err, errRollback) && end == rehearsed:
		return rehearsed, nil
	case end == committed && fault.From(err).Kind != fault.Aborted:
		// do had no error, so it is the commit that failed. Only when the database gave it up in favour of another
		// transaction is it certain that nothing is stored.
		return unknown, err
	}
	return failed, err
}

// foresee tells whether the change was made before, in which case again ran, and runs check otherwise. It comes before
// steps outside the database, so that they are not taken for a change that cannot be made.
func (c change) foresee(
	ctx context.Context, store Store, now func() time.Time, check func(ctx context.Context, tx Tx) error,
) (done bool, err error) {
	if err := c.check(); err != nil {
		return false, err
	}
	err = store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		reply, known, err := tx.Repeated(ctx, c.Request, moment(now()))
		if err != nil {
			return err
		}
		if done = known; known {
			return c.again(ctx, tx, reply)
		}
		return check(ctx, tx)
	})
	return done && err == nil, err
}

// moment is the time as databases keep it: to the microsecond.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
