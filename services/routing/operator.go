package routing

import "github.com/google/uuid"

// Status is what the people who run carriers want an operator to do.
type Status uint8

// The statuses. StatusUnknown is an operator that a rule names and the store does not hold.
const (
	StatusUnknown Status = iota
	StatusInactive
	StatusActive
	StatusSuspended
)

// ParseStatus reads the stored form; anything else is StatusUnknown and so not usable.
func ParseStatus(text string) Status {
	switch text {
	case "INACTIVE":
		return StatusInactive
	case "ACTIVE":
		return StatusActive
	case "SUSPENDED":
		return StatusSuspended
	}
	return StatusUnknown
}

// Operator is one connection to a mobile operator or aggregator, as far as a decision needs it.
type Operator struct {
	ID       uuid.UUID
	Name     string
	Host     string // host name or IP address
	Port     int32  // 1-65535
	SystemID string
	TPSLimit int32 // messages per second
	Types    MessageTypes
	Status   Status
	// ReceivesOnly is true for a RECEIVER bind: it can never send.
	ReceivesOnly bool
}

// usable reports whether the operator may carry messages as far as its settings go.
func (o *Operator) usable() bool { return o.Status == StatusActive && !o.ReceivesOnly }
