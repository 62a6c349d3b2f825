package jetstream

import (
	"errors"
	"fmt"

	"trunkline/services/platform/fault"
)

// Faults of this package. Test for them with errors.Is.
var (
	// ErrUnavailable means that NATS did not do in time what was asked. A message
	// whose Publish returned it may still be stored later: publish it again with the
	// same message id.
	ErrUnavailable = fault.New(fault.Unavailable, "MESSAGING_UNAVAILABLE", "The messaging service is not available.")
	// ErrTooLarge means that a message is larger than Config.MaxMessageBytes.
	ErrTooLarge = fault.New(fault.InvalidArgument, "EVENT_TOO_LARGE", "The event is too large.")
	// ErrWrongSequence means that the subject's last message is not the one that the
	// publisher expected.
	ErrWrongSequence = fault.New(fault.Aborted, "WRONG_SEQUENCE", "The subject has another last message.")
	// ErrDamaged means that the bytes of an object are not those that were stored:
	// only storing it again helps.
	ErrDamaged = fault.New(fault.FailedPrecondition, "OBJECT_DAMAGED", "The stored object is damaged.")
	// ErrStreamMismatch means that a stream exists with settings that cannot be
	// changed to the wanted ones without losing messages.
	ErrStreamMismatch = fault.New(fault.FailedPrecondition, "STREAM_MISMATCH", "A stream exists with other settings.")
)

// ErrPoison marks an error of a handler as final: no later delivery of the same
// message can succeed. Create it with Poison.
var ErrPoison = errors.New("poison message")

type poison struct {
	reason string
	cause  error
}

// Poison returns an error that sends the message to the dead letter stream. The
// reason is stored there and must hold no secret; err is only logged and may be
// nil.
func Poison(reason string, err error) error {
	return &poison{reason: reason, cause: err}
}

func (p *poison) Error() string {
	if p.cause == nil {
		return fmt.Sprintf("%v: %s", ErrPoison, p.reason)
	}
	return fmt.Sprintf("%v: %s: %v", ErrPoison, p.reason, p.cause)
}

func (p *poison) Unwrap() []error {
	if p.cause == nil {
		return []error{ErrPoison}
	}
	return []error{ErrPoison, p.cause}
}

// poisonReason returns what to store as the reason for an error that wraps ErrPoison.
func poisonReason(err error) string {
	var p *poison
	if errors.As(err, &p) {
		return p.reason
	}
	return ErrPoison.Error()
}
