package operators

import (
	"context"
	"time"

	"github.com/google/uuid"
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
	// ValidateOnly does everything but commit.
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

// ReasonRequestReused marks a request_id that was used for another request.
const ReasonRequestReused = "REQUEST_ID_REUSED"

// Waker is told that events wait. It never blocks.
type Waker interface {
	Wake()
}
