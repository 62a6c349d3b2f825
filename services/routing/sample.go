package routing

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
)

// Sample is what a replay needs of a logged decision.
type Sample struct {
	Decision, Account uuid.UUID
	Type              MessageType
	// Start holds the first digits of the number as far as the log tells them, and Digits how many the number has; 0 when
	// that is not known.
	Start  e164.Prefix
	Digits int
}

// SampleFilter chooses decisions of the log, newest first. Zero times choose all.
type SampleFilter struct {
	// From is the first moment, To the first one after.
	From, To time.Time
	// Limit is the most decisions; at least 1.
	Limit int
}

// ShownPrefix gives the digits that the masked form of a number shows: the country code and at most 4 more, and never the
// last 4. It is "" for what is no number. Nothing longer may be kept of a number.
func ShownPrefix(n e164.Number) e164.Prefix {
	p, err := e164.ParsePrefix(strings.TrimSuffix(n.String(), "…"))
	if err != nil {
		return ""
	}
	return p
}

// KeptPrefix gives the digits of a prefix that the log can tell of any number: the country code and at most 4 more.
func KeptPrefix(p e164.Prefix) e164.Prefix {
	longest := p.String() + strings.Repeat("0", e164.MaxNumberDigits-len(p.Digits()))
	if kept := ShownPrefix(e164.Number(longest)); len(kept) < len(p) {
		return kept
	}
	return p
}
