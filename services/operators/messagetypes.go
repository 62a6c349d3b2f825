package operators

import (
	"errors"
	"strings"
)

// MessageTypes is a set of kinds of short messages. In an operator it is never
// empty; in a rule the empty set means all types, also ones that come later.
type MessageTypes uint8

// The message types, each as a set of one.
const (
	SMS MessageTypes = 1 << iota
	Flash
	WAP
)

var messageTypeNames = [...]string{"SMS", "FLASH", "WAP"}

// ParseMessageTypes reads the canonical text, such as "SMS,FLASH"; "" is the
// empty set. Order does not matter. A type that is given twice is an error.
func ParseMessageTypes(text string) (MessageTypes, error) {
	if text == "" {
		return 0, nil
	}
	var set MessageTypes
	for name := range strings.SplitSeq(text, ",") {
		one, err := parseMessageType(name)
		if err != nil {
			return 0, err
		}
		if set&one != 0 {
			return 0, errors.New("names " + name + " twice")
		}
		set |= one
	}
	return set, nil
}

func parseMessageType(name string) (MessageTypes, error) {
	for i, known := range messageTypeNames {
		if name == known {
			return 1 << i, nil
		}
	}
	return 0, errors.New("must hold only " + alternatives(messageTypeNames[:]))
}

// String returns the canonical text: sorted as SMS,FLASH,WAP and joined by commas.
func (m MessageTypes) String() string { return m.join(",") }

func (m MessageTypes) join(separator string) string {
	var names []string
	for i, name := range messageTypeNames {
		if m&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, separator)
}

// Overlaps reports whether a message could belong to both sets, read as those of
// rules: the empty set holds every type.
func (m MessageTypes) Overlaps(other MessageTypes) bool {
	return m == 0 || other == 0 || m&other != 0
}

// valid reports whether the set holds only types that exist.
func (m MessageTypes) valid() bool { return m < 1<<len(messageTypeNames) }

// alternatives joins names to "A, B or C".
func alternatives(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
