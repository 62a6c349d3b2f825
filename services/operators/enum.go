package operators

import "fmt"

// BindType is the kind of SMPP session an operator wants. The zero value is none.
type BindType uint8

// The bind types.
const (
	Transceiver BindType = iota + 1
	Transmitter
	Receiver // never carries messages to subscribers
)

// Status is what the people who run carriers want an operator to do. The zero
// value is none.
type Status uint8

// The statuses.
const (
	Inactive Status = iota + 1
	Active
	Suspended
)

// Strategy says how the usable candidates of a rule are ordered. The zero value
// is none.
type Strategy uint8

// The strategies.
const (
	Cost Strategy = iota + 1
	Priority
	Failover
	Weighted
)

// OnExhausted says what happens when no candidate of a rule is usable. The zero
// value is none.
type OnExhausted uint8

// What may happen.
const (
	Fail OnExhausted = iota + 1
	FallThrough
)

// EnforcementMode says what happens above an operator's limit of messages per second. The zero value is none.
type EnforcementMode uint8

// The enforcement modes.
const (
	HardReject EnforcementMode = iota + 1
	SoftThrottle
)

// The texts are those of files and of the database; index 0 is no value.
var (
	bindTypeNames    = [...]string{"", "TRANSCEIVER", "TRANSMITTER", "RECEIVER"}
	statusNames      = [...]string{"", "INACTIVE", "ACTIVE", "SUSPENDED"}
	strategyNames    = [...]string{"", "COST", "PRIORITY", "FAILOVER", "WEIGHTED"}
	onExhaustedNames = [...]string{"", "FAIL", "FALL_THROUGH"}
	enforcementNames = [...]string{"", "HARD_REJECT", "SOFT_THROTTLE"}
)

// String returns the text, such as TRANSCEIVER, or "" for the zero value.
func (b BindType) String() string { return nameOf(b, bindTypeNames[:]) }

// String returns the text, such as ACTIVE, or "" for the zero value.
func (s Status) String() string { return nameOf(s, statusNames[:]) }

// String returns the text, such as COST, or "" for the zero value.
func (s Strategy) String() string { return nameOf(s, strategyNames[:]) }

// String returns the text, such as FALL_THROUGH, or "" for the zero value.
func (o OnExhausted) String() string { return nameOf(o, onExhaustedNames[:]) }

// String returns the text, such as HARD_REJECT, or "" for the zero value.
func (m EnforcementMode) String() string { return nameOf(m, enforcementNames[:]) }

// ParseEnforcementMode reads what String writes. The error lists what is accepted.
func ParseEnforcementMode(text string) (EnforcementMode, error) {
	return parseName[EnforcementMode](text, enforcementNames[:])
}

// ParseBindType reads what String writes. The error lists what is accepted.
func ParseBindType(text string) (BindType, error) { return parseName[BindType](text, bindTypeNames[:]) }

// ParseStatus reads what String writes. The error lists what is accepted.
func ParseStatus(text string) (Status, error) { return parseName[Status](text, statusNames[:]) }

// ParseStrategy reads what String writes. The error lists what is accepted.
func ParseStrategy(text string) (Strategy, error) { return parseName[Strategy](text, strategyNames[:]) }

// ParseOnExhausted reads what String writes. The error lists what is accepted.
func ParseOnExhausted(text string) (OnExhausted, error) {
	return parseName[OnExhausted](text, onExhaustedNames[:])
}

// MayBecome reports whether an operator with status s may be given status next.
// The same status is no move and always allowed.
func (s Status) MayBecome(next Status) bool {
	return s == next || s != Inactive || next == Active
}

func nameOf[T ~uint8](value T, names []string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return ""
}

func parseName[T ~uint8](text string, names []string) (T, error) {
	for i, name := range names {
		if i > 0 && name == text {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("must be %s", alternatives(names[1:]))
}
