package sessions

import (
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
)

// The enums of events and of the domain have the same numbers; a test holds them to it.

// EncodeHealth writes a health as an OperatorHealthEvent in JSON.
func EncodeHealth(h operators.Health) ([]byte, error) {
	return protojson.Marshal(&eventsv1.OperatorHealthEvent{
		OperatorId: h.OperatorID.String(), Status: eventsv1.BindState(h.Bind), Quality: eventsv1.Quality(h.Quality),
		Version: h.Version, OccurredAt: timestamppb.New(h.ObservedAt),
	})
}

// unmarshal takes fields that it does not know: a newer connector may send them.
var unmarshal = protojson.UnmarshalOptions{DiscardUnknown: true}

// readReport reads an OperatorSessionEvent. Its time is that of the stream.
func readReport(m jetstream.Message) (operators.SessionReport, error) {
	var e eventsv1.OperatorSessionEvent
	if err := unmarshal.Unmarshal(m.Data, &e); err != nil {
		return operators.SessionReport{}, fmt.Errorf("read the event: %w", err)
	}
	if err := protovalidate.Validate(&e); err != nil {
		return operators.SessionReport{}, fmt.Errorf("check the event: %w", err)
	}
	if e.GetSubmits() > operators.MaxReportSubmits {
		return operators.SessionReport{}, errors.New("check the event: submits are beyond belief")
	}
	operator, err := operatorOf(m.Subject, SessionSubject, e.GetOperatorId())
	if err != nil {
		return operators.SessionReport{}, err
	}
	return operators.SessionReport{
		OperatorID: operator, ConnectorID: e.GetConnectorId(), Sequence: e.GetSequence(), Bind: operators.BindState(e.GetBindState()),
		Submits: e.GetSubmits(), Errors: e.GetErrors(), Throttled: e.GetThrottled(), ReceivedAt: moment(m),
	}, nil
}

// operatorOf gives the operator that both the subject and the event name.
func operatorOf(subject, prefix, id string) (uuid.UUID, error) {
	operator, err1 := uuid.Parse(id)
	named, err2 := uuid.Parse(strings.TrimPrefix(subject, prefix))
	if err1 != nil || err2 != nil || named != operator {
		return uuid.Nil, fmt.Errorf("the event is about %q, but its subject is %q", id, subject)
	}
	return operator, nil
}
