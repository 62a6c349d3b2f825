package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/routing"
)

var errNotObject = errors.New("the event is not a JSON object")

// unmarshal takes fields that it does not know: a newer publisher may send them.
var unmarshal = protojson.UnmarshalOptions{DiscardUnknown: true}

// DecodeHealth reads an OperatorHealthEvent from JSON. Short state names are accepted, and status may hold
// a quality, because neighbours publish by hand. ObservedAt is the event's own occurred_at.
func DecodeHealth(data []byte) (routing.HealthEvent, error) {
	data, err := expandShortNames(data)
	if err != nil {
		return routing.HealthEvent{}, err
	}
	var e eventsv1.OperatorHealthEvent
	if err := decode(data, &e); err != nil {
		return routing.HealthEvent{}, err
	}
	// The schema has proved that this is a UUID.
	operator, err := uuid.Parse(e.GetOperatorId())
	if err != nil {
		return routing.HealthEvent{}, err
	}
	event := routing.HealthEvent{
		Operator: operator,
		Bind:     bindStates[e.GetStatus()],
		Quality:  qualities[e.GetQuality()],
		Version:  e.GetVersion(),
	}
	if e.GetOccurredAt() != nil {
		event.ObservedAt = e.GetOccurredAt().AsTime()
	}
	return event, nil
}

// EncodeHealth writes an OperatorHealthEvent as JSON.
func EncodeHealth(event routing.HealthEvent) ([]byte, error) {
	e := &eventsv1.OperatorHealthEvent{OperatorId: event.Operator.String(), Version: event.Version}
	for wire, state := range bindStates {
		if state == event.Bind {
			e.Status = wire
		}
	}
	for wire, quality := range qualities {
		if quality == event.Quality {
			e.Quality = wire
		}
	}
	if !event.ObservedAt.IsZero() {
		e.OccurredAt = timestamppb.New(event.ObservedAt)
	}
	return protojson.Marshal(e)
}

// decodeConfig reads an OperatorConfigEvent from JSON and gives its version.
func decodeConfig(data []byte) (int64, error) {
	var e eventsv1.OperatorConfigEvent
	if err := decode(data, &e); err != nil {
		return 0, err
	}
	return e.GetConfigVersion(), nil
}

func decode(data []byte, e proto.Message) error {
	if err := unmarshal.Unmarshal(data, e); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	if err := protovalidate.Validate(e); err != nil {
		return fmt.Errorf("check the event: %w", err)
	}
	return nil
}

var (
	bindStates = map[eventsv1.BindState]routing.BindState{
		eventsv1.BindState_BIND_STATE_BOUND:    routing.Bound,
		eventsv1.BindState_BIND_STATE_UNBOUND:  routing.Unbound,
		eventsv1.BindState_BIND_STATE_FAILBACK: routing.Failback,
	}
	qualities = map[eventsv1.Quality]routing.Quality{
		eventsv1.Quality_QUALITY_HEALTHY:   routing.Healthy,
		eventsv1.Quality_QUALITY_DEGRADED:  routing.Degraded,
		eventsv1.Quality_QUALITY_UNHEALTHY: routing.Unhealthy,
	}
)

const (
	bindStatePrefix = "BIND_STATE_"
	qualityPrefix   = "QUALITY_"
)

// expandShortNames turns UNBOUND into BIND_STATE_UNBOUND and so on. A quality in status moves to quality,
// unless the event has one.
func expandShortNames(data []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || fields == nil {
		return nil, errNotObject
	}
	var status, quality string
	isStatus := json.Unmarshal(fields["status"], &status) == nil
	isQuality := json.Unmarshal(fields["quality"], &quality) == nil
	if isQuality {
		fields["quality"] = name(eventsv1.Quality_value, qualityPrefix, quality)
	}
	if isStatus {
		long := name(eventsv1.BindState_value, bindStatePrefix, status)
		asQuality := name(eventsv1.Quality_value, qualityPrefix, status)
		if _, known := eventsv1.BindState_value[strings.Trim(string(long), `"`)]; known || isQuality {
			fields["status"] = long
		} else {
			delete(fields, "status")
			fields["quality"] = asQuality
		}
	}
	return json.Marshal(fields)
}

// name gives the long form of a state as a JSON string: as it is when it is one, else with the prefix.
func name(values map[string]int32, prefix, state string) json.RawMessage {
	state = strings.ToUpper(state)
	if _, known := values[state]; !known {
		state = prefix + state
	}
	text, err := json.Marshal(state)
	if err != nil {
		return nil // a string always marshals
	}
	return text
}

// statusLabel names what an event says, for metrics.
func statusLabel(e routing.HealthEvent) string {
	for wire, state := range bindStates {
		if state == e.Bind {
			return strings.TrimPrefix(wire.String(), bindStatePrefix)
		}
	}
	for wire, quality := range qualities {
		if quality == e.Quality {
			return strings.TrimPrefix(wire.String(), qualityPrefix)
		}
	}
	return "UNSPECIFIED"
}
