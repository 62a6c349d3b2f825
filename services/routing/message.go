package routing

import "strings"

// MessageType is the kind of short message to carry.
type MessageType uint8

// The message types. The zero value is none of them and is refused in a Query.
const (
	SMS MessageType = iota + 1
	Flash
	WAP
)

var messageTypeNames = [...]string{SMS: "SMS", Flash: "FLASH", WAP: "WAP"}

// Valid reports whether t is one of the named types.
func (t MessageType) Valid() bool { return t >= SMS && t <= WAP }

// String gives the short name, such as SMS.
func (t MessageType) String() string {
	if !t.Valid() {
		return "UNSPECIFIED"
	}
	return messageTypeNames[t]
}

// MessageTypes is a set of message types, one bit each.
type MessageTypes uint8

// AllMessageTypes holds every message type.
const AllMessageTypes = MessageTypes(1<<SMS | 1<<Flash | 1<<WAP)

// NewMessageTypes gives the set of types.
func NewMessageTypes(types ...MessageType) (set MessageTypes) {
	for _, t := range types {
		set |= 1 << t
	}
	return set
}

// Has reports whether t is in the set.
func (s MessageTypes) Has(t MessageType) bool { return s&(1<<t) != 0 }

// ParseMessageTypes reads the canonical stored form: short names joined by commas. Unknown names are
// left out, so that a newer store cannot stop an older engine. The empty text is the empty set.
func ParseMessageTypes(text string) (set MessageTypes) {
	for name := range strings.SplitSeq(text, ",") {
		for t := SMS; t <= WAP; t++ {
			if messageTypeNames[t] == name {
				set |= 1 << t
			}
		}
	}
	return set
}

// String gives the canonical form, such as SMS,FLASH.
func (s MessageTypes) String() string {
	var names []string
	for t := SMS; t <= WAP; t++ {
		if s.Has(t) {
			names = append(names, messageTypeNames[t])
		}
	}
	return strings.Join(names, ",")
}
