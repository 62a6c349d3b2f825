package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

// unmarshal takes fields that it does not know: a newer process may send them.
var unmarshal = protojson.UnmarshalOptions{DiscardUnknown: true}

func read(data []byte, event proto.Message) error {
	if err := unmarshal.Unmarshal(data, event); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	if err := protovalidate.Validate(event); err != nil {
		return fmt.Errorf("check the event: %w", err)
	}
	return nil
}

var errForeign = errors.New("the event is about another one than its subject")

// readConfig reads what the bus of this service wrote.
func readConfig(m jetstream.Message) (*eventsv1.OperatorConfigEvent, error) {
	e := &eventsv1.OperatorConfigEvent{}
	return e, read(m.Data, e)
}

// readEngine reads the word of an engine.
func readEngine(m jetstream.Message) (*eventsv1.ReleaseEvent, error) {
	e := &eventsv1.ReleaseEvent{}
	if err := read(m.Data, e); err != nil {
		return nil, err
	}
	if m.Subject != release.EngineSubject(e.GetEngineId()) {
		return nil, errForeign
	}
	return e, nil
}

// readHealth reads a word about an operator. What engines accept from neighbours, who write by hand, is accepted here.
func readHealth(m jetstream.Message) (*eventsv1.OperatorHealthEvent, error) {
	e := &eventsv1.OperatorHealthEvent{}
	if err := read(m.Data, e); err != nil {
		clean, byHand := handwritten(m.Data)
		if !byHand {
			return nil, err
		}
		e = &eventsv1.OperatorHealthEvent{}
		if err := read(clean, e); err != nil {
			return nil, err
		}
		e.OccurredAt = timestamppb.New(m.Time)
	}
	if !strings.EqualFold(m.Subject, healthSubject+e.GetOperatorId()) {
		return nil, errForeign
	}
	return e, nil
}

// handwritten writes an event anew as protojson wants it. Names of states may be short and in any case, status may hold a
// quality, and other fields, the time among them, may hold anything.
func handwritten(data []byte) (clean []byte, ok bool) {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return nil, false
	}
	id, status, quality := fields["operatorId"], fields["status"], fields["quality"]
	if id == nil {
		id = fields["operator_id"]
	}
	status, isBind := long(status, "BIND_STATE_", eventsv1.BindState_value)
	if !isBind && quality == nil {
		status, quality = nil, status
	}
	quality, _ = long(quality, "QUALITY_", eventsv1.Quality_value)
	clean, err := json.Marshal(map[string]any{"operatorId": id, "status": status, "quality": quality, "version": fields["version"]})
	return clean, err == nil
}

// long gives the whole name of a state. What is no text is left as it is: the number of one, or nothing.
func long(value any, prefix string, names map[string]int32) (any, bool) {
	name, isText := value.(string)
	if !isText {
		return value, true
	}
	name = strings.ToUpper(name)
	for _, whole := range []string{name, prefix + name} {
		if _, known := names[whole]; known {
			return whole, true
		}
	}
	return value, false
}
