package bus

import (
	"fmt"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
)

// subjectPrefix and the kind of an event make its subject.
const subjectPrefix = "operator.config."

// Encode returns the subject and the message of an event. An event that consumers would refuse is an error, so that
// the change it belongs to is not committed.
func Encode(e operators.Event) (subject string, payload []byte, err error) {
	switch e.Kind {
	case operators.EventCreated, operators.EventUpdated, operators.EventDeleted:
	default:
		return "", nil, fmt.Errorf("an event of the kind %q has no subject", e.Kind)
	}
	message := &eventsv1.OperatorConfigEvent{
		ConfigVersion: e.ConfigVersion, OperatorVersion: e.OperatorVersion, CredentialsChanged: e.CredentialsChanged,
		OccurredAt: timestamppb.New(e.OccurredAt),
	}
	if e.OperatorID != uuid.Nil {
		message.OperatorId = e.OperatorID.String()
	}
	if err := protovalidate.Validate(message); err != nil {
		return "", nil, fmt.Errorf("check the event: %w", err)
	}
	if payload, err = protojson.Marshal(message); err != nil {
		return "", nil, fmt.Errorf("write the event: %w", err)
	}
	return subjectPrefix + e.Kind, payload, nil
}
