package operators

import (
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// Rate is what an operator charges per message segment for numbers with a prefix.
type Rate struct {
	ID         uuid.UUID
	OperatorID uuid.UUID
	Prefix     e164.Prefix
	// MCC and MNC name the network where the deck told; "" otherwise. They are text: MNC 01 is not 001.
	MCC, MNC string
	// MessageType is exactly one type.
	MessageType MessageTypes
	// Price always has a currency; an amount of 0 is a price.
	Price money.Money
	// EffectiveFrom is the first moment it counts, EffectiveTo the first it counts no more. A zero EffectiveTo is no end.
	EffectiveFrom, EffectiveTo time.Time
}

// InForce reports whether the rate counts at a moment.
func (r Rate) InForce(at time.Time) bool {
	return !at.Before(r.EffectiveFrom) && (r.EffectiveTo.IsZero() || at.Before(r.EffectiveTo))
}

// FX tells what one unit of each currency is worth: billionths of the base currency, which itself has
// 1,000,000,000.
type FX map[money.Currency]int64
