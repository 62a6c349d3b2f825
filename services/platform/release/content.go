package release

import (
	"time"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// MessageTypes is a set of message types.
type MessageTypes uint8

// The members of MessageTypes.
const (
	SMS MessageTypes = 1 << iota
	Flash
	WAP
	// AllTypes is every type there is.
	AllTypes = SMS | Flash | WAP
)

// The values of Operator.Status.
const (
	Inactive  = "INACTIVE"
	Active    = "ACTIVE"
	Suspended = "SUSPENDED"
)

// Operator is an operator as far as a decision needs it.
type Operator struct {
	ID uuid.UUID
	// Name and Host have 1 to 255 bytes, SystemID up to 255.
	Name, Host string
	// Port is 1 to 65535.
	Port     int32
	SystemID string
	// MaxTPS is at least 1.
	MaxTPS int32
	// Types is never empty.
	Types MessageTypes
	// Status is Inactive, Active or Suspended.
	Status string
	// ReceivesOnly is true for a RECEIVER bind: it can never send.
	ReceivesOnly bool
}

// FXRate is what one unit of a currency is worth, in billionths of the base currency; above 0.
type FXRate struct {
	Currency money.Currency
	Nanos    int64
}

// Rule is a rule of the live tables. Its key is prefix, account, types and id.
type Rule struct {
	ID uuid.UUID
	// Account owns the rule; uuid.Nil is a global rule.
	Account uuid.UUID
	Prefix  e164.Prefix
	// Types is never empty: AllTypes is a rule for all.
	Types    MessageTypes
	Strategy routingv1.RoutingStrategy
	// FallThrough says that the next shorter prefix decides when no candidate can carry.
	FallThrough bool
	// Inactive rules decide nothing. They are content all the same.
	Inactive bool
	// From is the first moment of validity, To the first after it, in whole microseconds. The zero time is no bound.
	From, To time.Time
	// Candidates has 1 to 100 entries.
	Candidates []Candidate
}

// Candidate is one operator of a rule.
type Candidate struct {
	Operator uuid.UUID
	// Priority 1 is first.
	Priority int32
	// Weight is the share under WEIGHTED, at least 0.
	Weight int32
	// Price replaces the operator's rate. The zero Money is no price.
	Price money.Money
}

// Rate is the price of an operator. Its key is prefix, operator, type, start and id.
type Rate struct {
	ID, Operator uuid.UUID
	Prefix       e164.Prefix
	Type         routingv1.MessageType
	// Price always has a currency.
	Price money.Money
	// From is the first moment of validity, To the first after it, in whole microseconds. The zero time is no bound.
	From, To time.Time
}

// Content is everything that an artifact holds. No operator, currency, rule key or rate key may come twice.
type Content struct {
	Operators []Operator
	FX        []FXRate
	Rules     []Rule
	Rates     []Rate
}
