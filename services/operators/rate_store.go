package operators

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// RateImportStore is what an import of rates needs to be kept.
type RateImportStore interface {
	Store
	Viewer
	// InBulk carries out a bulk in one transaction. While another bulk of the operator runs, in any process, it is a
	// ResourceExhausted fault, ReasonImportRunning. An error of a part means that nothing is stored.
	InBulk(ctx context.Context, b Bulk) error
}

// Bulk is a change of the rates of one operator that takes long. Its parts run one after the other. From the start of
// Plan to the commit nobody else changes these rates.
type Bulk struct {
	Operator uuid.UUID
	// Plan reads. Other changes go on meanwhile.
	Plan func(ctx context.Context, tx Tx) error
	// Write stores rates of the operator. Nobody sees them yet, and where the database takes several writers other
	// changes go on. It may run several times, together with Finish.
	Write func(ctx context.Context, tx Tx) error
	// Finish is as in InTx: no other change runs beside it, and it sees all of them. The commit follows, so it is short.
	Finish func(ctx context.Context, tx Tx) error
}

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
