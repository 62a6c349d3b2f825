package operators

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// RateTx changes rates and what currencies are worth.
type RateTx interface {
	// RatesFrom gives the operator's rates that count at a moment or later, in any order.
	RatesFrom(ctx context.Context, operator uuid.UUID, from time.Time) ([]Rate, error)
	// StoreRates removes the rates with the ids in gone, then inserts the rates of put with new ids and replaces what
	// may change of those with known ones: price, network and end. It reports how many of both are done, when stored is
	// not nil.
	StoreRates(ctx context.Context, put []Rate, gone []uuid.UUID, stored func(done int64)) error
	// FX gives what each currency is worth; empty when nobody has said.
	FX(ctx context.Context) (FX, error)
	// ReplaceFX stores what each currency is worth, in place of all there was.
	ReplaceFX(ctx context.Context, fx FX) error
}

// RateKey is what a rate is unique by, and the order of lists.
type RateKey struct {
	OperatorID    uuid.UUID
	Prefix        e164.Prefix
	MessageType   MessageTypes
	EffectiveFrom time.Time
}

// Key returns the rate's key.
func (r Rate) Key() RateKey {
	return RateKey{OperatorID: r.OperatorID, Prefix: r.Prefix, MessageType: r.MessageType, EffectiveFrom: r.EffectiveFrom}
}

// RateFilter says which rates a list holds.
type RateFilter struct {
	// OperatorID is the wanted operator; uuid.Nil is all.
	OperatorID uuid.UUID
	// Prefix is what the wanted prefixes start with; "" is all.
	Prefix e164.Prefix
	// InForceAt is a moment at which the wanted rates count; the zero time gives ended and future ones too.
	InForceAt time.Time
	// After is the key of the last rate of the page before; nil is the first page.
	After *RateKey
	// Limit is the size of the page, 1 to MaxPage.
	Limit int
}
