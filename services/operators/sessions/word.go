package sessions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
)

// moment is when the stream took a message in, as databases keep times: to the microsecond.
func moment(m jetstream.Message) time.Time { return m.Time.UTC().Truncate(time.Microsecond) }

// takenIn is when a word reached the bus. One that was published on the plain subject was moved from the inbox by an
// engine, which names its place and time there in the message id: OPERATOR_HEALTH_INBOX/<sequence>/<nanoseconds>.
func takenIn(m jetstream.Message) time.Time {
	var sequence uint64
	var nanos int64
	if n, err := fmt.Sscanf(m.Header.Get(nats.MsgIdHdr), "OPERATOR_HEALTH_INBOX/%d/%d", &sequence, &nanos); n != 2 || err != nil {
		return m.Time
	}
	return time.Unix(0, nanos)
}

// readWord reads what stands on the board. Neighbours write by hand: names may be short and in any case, and status may
// hold a quality. What engines cannot read says nothing.
func readWord(m jetstream.Message) operators.Word {
	word := operators.Word{Place: m.Sequence, At: takenIn(m), Provisional: strings.HasPrefix(m.Header.Get(nats.MsgIdHdr), alarmID)}
	var e handwritten
	decoder := json.NewDecoder(bytes.NewReader(m.Data))
	decoder.UseNumber()
	if err := decoder.Decode(&e); err != nil {
		return word
	}
	if e.OperatorID == "" {
		e.OperatorID = e.OperatorIDSnake
	}
	if _, err := operatorOf(m.Subject, HealthSubject, e.OperatorID); err != nil {
		return word
	}
	bind, quality, err := e.states()
	version, err2 := number(e.Version)
	if err != nil || err2 != nil || version < 0 {
		return word
	}
	word.Bind, word.Quality, word.Version = operators.BindState(bind), operators.Quality(quality), version
	return word
}

type handwritten struct {
	OperatorID      string `json:"operatorId"`
	OperatorIDSnake string `json:"operator_id"`
	Status          any    `json:"status"`
	Quality         any    `json:"quality"`
	Version         any    `json:"version"`
}

func (e handwritten) states() (bind eventsv1.BindState, quality eventsv1.Quality, err error) {
	status, isBind := state(e.Status, "BIND_STATE_", eventsv1.BindState_value)
	other, isQuality := state(e.Quality, "QUALITY_", eventsv1.Quality_value)
	if !isBind && e.Quality == nil {
		other, isQuality = state(e.Status, "QUALITY_", eventsv1.Quality_value)
		isBind = isQuality
	}
	if !isBind || !isQuality {
		return 0, 0, errors.New("no such state")
	}
	return eventsv1.BindState(status), eventsv1.Quality(other), nil
}

// state reads a name, short or long, or the number of one. Nothing is the number 0.
func state(value any, prefix string, names map[string]int32) (int32, bool) {
	if name, ok := value.(string); ok {
		name = strings.ToUpper(name)
		if n, known := names[name]; known {
			return n, true
		}
		n, known := names[prefix+name]
		return n, known
	}
	n, err := number(value)
	if err != nil || n < 0 || n >= int64(len(names)) {
		return 0, false
	}
	return int32(n), true
}

// number reads a whole number as protojson does: also from a text.
func number(value any) (int64, error) {
	switch v := value.(type) {
	case nil:
		return 0, nil
	case json.Number:
		return v.Int64()
	case string:
		return strconv.ParseInt(v, 10, 64)
	}
	return 0, errors.New("no number")
}
