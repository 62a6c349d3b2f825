package routing

import (
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// Record is what the decision log keeps of one decision. To leaves the process as a keyed hash, with its
// ShownPrefix and how many digits it has.
type Record struct {
	ID, Account uuid.UUID
	At          time.Time
	To          e164.Number
	Type        MessageType
	// Rule, Operator, Prefix and Price are those of the answer; zero when there is none.
	Rule, Operator uuid.UUID
	Prefix         e164.Prefix
	Price          money.Money
	// Failure is the reason why there is no operator, or "".
	Failure       string
	Versions      Versions
	Cache         CacheResult
	HealthUnknown bool
	Latency       time.Duration
}

// NewRecord keeps what matters of a decision; err is what deciding answered, and latency how long it took.
func NewRecord(q *Query, d *Decision, err error, latency time.Duration) Record {
	r := Record{
		ID: d.ID, Account: q.Account, At: q.At, To: q.To, Type: q.Type, Versions: d.Versions, Cache: d.Cache,
		HealthUnknown: d.HealthUnknown, Latency: latency,
	}
	if err != nil {
		r.Failure = fault.From(err).Reason
		return r
	}
	winner := &d.Choices[0]
	r.Rule, r.Operator, r.Prefix, r.Price = d.Rule, winner.ID, d.Prefix, winner.Price
	return r
}

// Outcome is what became of a message. The numbers are those of the schema.
type Outcome uint8

// The outcomes.
const (
	Accepted Outcome = iota + 1
	Rejected
	Failed
	Delivered
	Undelivered
)

// Report tells what became of one message.
type Report struct {
	ID, Decision, Operator uuid.UUID
	// Account is that of the reporter's credential; uuid.Nil when it is bound to none.
	Account       uuid.UUID
	At            time.Time
	Outcome       Outcome
	CommandStatus uint32
	Segments      uint8
}

// RecordFilter chooses decisions of the log. Zero fields choose all.
type RecordFilter struct {
	// From is the first moment, To the first one after.
	From, To    time.Time
	Account, ID uuid.UUID
	// Operator is the chosen one.
	Operator uuid.UUID
	Number   e164.Number
	// Start begins the number; more digits than the log keeps are not compared, see KeptPrefix.
	Start e164.Prefix
	// Failed chooses those without an operator.
	Failed bool
}

// RecordPage asks for decisions, newest first.
type RecordPage struct {
	RecordFilter
	// AfterTime and AfterID are those of the last decision of the page before; zero on the first page.
	AfterTime time.Time
	AfterID   uuid.UUID
	// Limit is the most decisions; at least 1.
	Limit int
	// Actor, RequestID and At are for the audit log, which tells of every search for a number.
	Actor, RequestID string
	At               time.Time
}

// Erasure takes the decisions about a number out of the log. Who did it is written into the audit log.
type Erasure struct {
	Number           e164.Number
	Actor, RequestID string
	At               time.Time
	// DryRun only counts.
	DryRun bool
}
