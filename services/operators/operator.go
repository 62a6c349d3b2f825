package operators

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// ReasonInvalid marks values that Validate refuses.
const ReasonInvalid = "VALIDATION_FAILED"

// Limits of the fields.
const (
	MaxName     = 100 // characters
	MaxSystemID = 15  // bytes; SMPP 3.4 gives the field 16 with its terminator
	MaxPort     = 65535
	MaxTPS      = math.MaxInt32

	MaxSystemType = 12   // bytes; SMPP 3.4 gives the field 13 with its terminator
	MaxNotes      = 2000 // characters
	MaxPassword   = 64   // bytes; SMPP 3.4 allows 8, some operators take more
	// DefaultBurst is how far a burst may exceed MaxTPS when nothing else is said; MaxBurst is the most.
	DefaultBurst = 1.5
	MaxBurst     = 100
)

// Operator is one connection to a mobile operator or aggregator. Its password is
// not part of it.
type Operator struct {
	ID uuid.UUID
	// Name is unique among live operators.
	Name string
	// Host is a host name in lower case or an IP address. Host, Port and SystemID
	// together are unique among live operators.
	Host     string
	Port     int
	SystemID string
	BindType BindType
	// MaxTPS is how many messages per second it accepts, at least 1.
	MaxTPS int
	// MessageTypes is what it carries; never empty.
	MessageTypes MessageTypes
	Status       Status
	// SystemType is the SMPP system_type; may be empty.
	SystemType string
	// BurstMultiplier is how far a burst may exceed MaxTPS, 1 to MaxBurst.
	BurstMultiplier float64
	EnforcementMode EnforcementMode
	// BackupID is the operator whose session carries when this one's is lost; uuid.Nil is none.
	BackupID uuid.UUID
	// Notes are for people.
	Notes string
	// CredentialsVersion is the version of the password in force; 0 is none.
	CredentialsVersion int64
	// Version rises with every change, starting at 1.
	Version              int64
	CreatedAt, UpdatedAt time.Time
	CreatedBy, UpdatedBy string
	// DeletedAt is zero while the operator is live.
	DeletedAt time.Time
}

// Connection is what the operator's own equipment tells sessions apart by.
type Connection struct {
	Host     string
	Port     int
	SystemID string
}

// Connection returns the operator's connection.
func (o Operator) Connection() Connection {
	return Connection{Host: o.Host, Port: o.Port, SystemID: o.SystemID}
}

// String returns system_id@host:port.
func (c Connection) String() string {
	return c.SystemID + "@" + c.Host + ":" + strconv.Itoa(c.Port)
}

// ETag names this state of the operator.
func (o Operator) ETag() string { return etag(o.ID, o.Version) }

// Live reports whether the operator is not deleted.
func (o Operator) Live() bool { return o.DeletedAt.IsZero() }

// Validate returns nil, or an InvalidArgument fault with every field that is
// wrong. Fields are named as in the schema, such as tps_limit.max_tps.
func (o Operator) Validate() error {
	return invalid(o.problems())
}

// withDefaults fills in what callers may leave out and writes the host in its one form.
func (o Operator) withDefaults() Operator {
	o.Host = canonicalHost(o.Host)
	if o.BindType == 0 {
		o.BindType = Transceiver
	}
	if o.MessageTypes == 0 {
		o.MessageTypes = SMS
	}
	if o.BurstMultiplier == 0 {
		o.BurstMultiplier = DefaultBurst
	}
	if o.EnforcementMode == 0 {
		o.EnforcementMode = HardReject
	}
	return o
}

// bindsAs reports whether a session of one would do for the other.
func (o Operator) bindsAs(other Operator) bool {
	return o.Connection() == other.Connection() && o.SystemType == other.SystemType && o.BindType == other.BindType
}

func (o Operator) problems() []fault.Violation {
	var v violations
	v.check("name", checkName(o.Name))
	v.check("host", checkHost(o.Host))
	v.check("port", checkRange(o.Port, 1, MaxPort))
	v.check("system_id", checkSystemID(o.SystemID))
	v.check("bind_type", checkSet(o.BindType.String(), bindTypeNames[1:]))
	v.check("system_type", checkSystemType(o.SystemType))
	v.check("tps_limit.max_tps", checkRange(o.MaxTPS, 1, MaxTPS))
	// Written so that NaN is outside.
	if !(o.BurstMultiplier >= 1 && o.BurstMultiplier <= MaxBurst) {
		v.check("tps_limit.burst_multiplier", "must be a number from 1 to "+strconv.Itoa(MaxBurst))
	}
	v.check("tps_limit.enforcement_mode", checkSet(o.EnforcementMode.String(), enforcementNames[1:]))
	switch {
	case o.MessageTypes == 0:
		v.check("message_types", "must not be empty")
	case !o.MessageTypes.valid():
		v.check("message_types", "must hold only "+alternatives(messageTypeNames[:]))
	}
	v.check("status", checkSet(o.Status.String(), statusNames[1:]))
	if o.BackupID != uuid.Nil && o.BackupID == o.ID {
		v.check("backup_operator_id", "must be another operator")
	}
	v.check("notes", checkNotes(o.Notes))
	return v
}

type violations []fault.Violation

func (v *violations) check(field, problem string) {
	if problem != "" {
		*v = append(*v, fault.Violation{Field: field, Description: problem})
	}
}

func invalid(v []fault.Violation) error {
	if len(v) == 0 {
		return nil
	}
	return fault.Invalid(ReasonInvalid, v...)
}

func checkName(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "must be UTF-8"
	case name == "" || utf8.RuneCountInString(name) > MaxName:
		return "must have 1 to 100 characters"
	case strings.TrimSpace(name) != name:
		return "must not start or end with a space"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must hold only printable characters"
	}
	if _, err := uuid.Parse(name); err == nil {
		return "must not be a UUID, because rules may name an operator by either"
	}
	return ""
}

func checkSystemID(id string) string {
	if id == "" || len(id) > MaxSystemID {
		return "must have 1 to 15 characters"
	}
	if !isPrintableASCII(id) {
		return onlyASCII
	}
	if strings.TrimSpace(id) != id {
		return "must not start or end with a space"
	}
	return ""
}

func checkSystemType(kind string) string {
	switch {
	case len(kind) > MaxSystemType:
		return "must have at most 12 characters"
	case !isPrintableASCII(kind):
		return onlyASCII
	}
	return ""
}

func checkNotes(notes string) string {
	switch {
	case !utf8.ValidString(notes):
		return "must be UTF-8"
	case utf8.RuneCountInString(notes) > MaxNotes:
		return "must have at most 2000 characters"
	case strings.ContainsFunc(notes, func(r rune) bool { return r != '\n' && r != '\t' && r != '\r' && unicode.IsControl(r) }):
		return "must hold no control characters but line ends and tabs"
	}
	return ""
}

// checkPassword names what is wrong and never the password.
func checkPassword(password string) string {
	switch {
	case password == "" || len(password) > MaxPassword:
		return "must have 1 to 64 characters"
	case !isPrintableASCII(password):
		return onlyASCII
	}
	return ""
}

const onlyASCII = "must hold only printable ASCII characters"

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func checkRange(n, low, high int) string {
	if n < low || n > high {
		return "must be a whole number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high)
	}
	return ""
}

func checkSet(name string, names []string) string {
	if name == "" {
		return "must be " + alternatives(names)
	}
	return ""
}
