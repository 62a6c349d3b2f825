package operators

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
)

var operatorColumns = []string{"name", "host", "port", "system_id", "bind_type", "max_tps", "message_types", "status"}

// OperatorLine is one operator of a file. It has nothing of which files do not
// speak, and a zero Status when the file leaves it empty.
type OperatorLine struct {
	Line int64
	Operator
}

// ParseOperators reads a file of operators; the package comment has the format.
// Lines that cannot be taken are collected in bad and left out of the result.
// The error is one of reading r. progress is called now and then with the line
// reached, and may be nil.
func ParseOperators(r io.Reader, progress func(line int64)) (lines []OperatorLine, bad *BadLines, err error) {
	bad = new(BadLines)
	t, err := newTable(r, wholeFile(), operatorColumns, bad, progress)
	if t == nil {
		return nil, bad, err
	}
	names := make(map[string]int64)
	connections := make(map[Connection]int64)
	for {
		more, err := t.next()
		if err != nil {
			return nil, bad, err
		}
		if !more {
			return lines, bad, nil
		}
		o := t.operator()
		if first, twice := names[o.Name]; twice {
			t.fault("name", "is in line %d already", first)
		} else if o.Name != "" {
			names[o.Name] = t.line
		}
		if first, twice := connections[o.Connection()]; twice {
			t.fault("host", "line %d has the same host, port and system_id", first)
		} else if !bad.has(t.line) {
			connections[o.Connection()] = t.line
		}
		if !bad.has(t.line) {
			lines = append(lines, OperatorLine{Line: t.line, Operator: o})
		}
	}
}

func (t *table) operator() Operator {
	o := Operator{
		// The fields are parts of a buffer for the whole line: copies do not hold it.
		Name:     strings.Clone(unguard(t.field("name"))),
		Host:     strings.Clone(canonicalHost(t.field("host"))),
		Port:     t.number("port", 0),
		SystemID: strings.Clone(unguard(t.field("system_id"))),
		MaxTPS:   t.number("max_tps", 0),
	}
	o.BindType, _ = ParseBindType(t.field("bind_type"))
	types, err := t.messageTypes()
	if err != nil {
		t.fault("message_types", "%s", err)
	}
	o.MessageTypes = types
	if types == 0 {
		o.MessageTypes = SMS
	}
	status := t.field("status")
	o.Status, _ = ParseStatus(status)

	// What files do not speak of is right by default.
	checked := o
	checked.BurstMultiplier, checked.EnforcementMode = DefaultBurst, HardReject
	if status == "" {
		checked.Status = Inactive
	}
	for _, problem := range checked.problems() {
		t.fault(strings.TrimPrefix(problem.Field, "tps_limit."), "%s", problem.Description)
	}
	return o
}

// number reads digits only, without sign. What is none, or does not fit, becomes
// -1, which no field accepts. An empty field becomes empty.
func (t *table) number(column string, empty int) int {
	text := t.field(column)
	if text == "" {
		return empty
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > math.MaxInt32 {
		return -1
	}
	return int(n)
}

// messageTypes reads the column message_types, separated by | or ;.
func (t *table) messageTypes() (MessageTypes, error) {
	text := t.field("message_types")
	if strings.Contains(text, ",") {
		return 0, errors.New("must be separated by | or ;")
	}
	return ParseMessageTypes(separators.Replace(text))
}

var separators = strings.NewReplacer("|", ",", ";", ",")

// WriteOperators writes a file that ParseOperators reads back to the same
// operators, apart from ids, versions and times.
func WriteOperators(w io.Writer, all []Operator) error {
	out := csv.NewWriter(w)
	if err := out.Write(operatorColumns); err != nil {
		return err
	}
	for _, o := range all {
		if err := out.Write([]string{
			guard(o.Name), o.Host, strconv.Itoa(o.Port), guard(o.SystemID), o.BindType.String(),
			strconv.Itoa(o.MaxTPS), o.MessageTypes.join("|"), o.Status.String(),
		}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
