package operators

import (
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
)

// HealthTTL is how long a good word about an operator counts without being repeated.
const HealthTTL = 60 * time.Second

// ReasonStaleHealth marks a change of a health that another process changed before.
const ReasonStaleHealth = "STALE_HEALTH"

// BindState is whether sessions that can send are up. The zero value is not known.
type BindState uint8

// The bind states.
const (
	BindUnknown BindState = iota
	Bound
	Unbound
	// Failback: the primary session is lost and a backup carries.
	Failback
)

// Quality is how well an operator with a session carries. The zero value is not known.
type Quality uint8

// The qualities.
const (
	QualityUnknown Quality = iota
	Healthy
	Degraded
	Unhealthy
)

// The texts are those of the database.
var (
	bindStateNames = []string{"UNKNOWN", "BOUND", "UNBOUND", "FAILBACK"}
	qualityNames   = []string{"UNKNOWN", "HEALTHY", "DEGRADED", "UNHEALTHY"}
)

// String returns the text, such as BOUND; that of the zero value is UNKNOWN.
func (b BindState) String() string { return nameOf(b, bindStateNames) }

// String returns the text, such as HEALTHY; that of the zero value is UNKNOWN.
func (q Quality) String() string { return nameOf(q, qualityNames) }

// ParseBindState reads what String writes.
func ParseBindState(text string) (BindState, error) {
	return parseState[BindState](text, bindStateNames)
}

// ParseQuality reads what String writes.
func ParseQuality(text string) (Quality, error) { return parseState[Quality](text, qualityNames) }

func parseState[T ~uint8](text string, names []string) (T, error) {
	i := slices.Index(names, text)
	if i < 0 {
		return 0, errors.New("must be " + alternatives(names))
	}
	return T(i), nil
}

// carries reports whether a session that can send is up.
func (b BindState) carries() bool { return b == Bound || b == Failback }

// Health is what the reports of all connectors say of one operator, reduced to one view.
type Health struct {
	OperatorID uuid.UUID
	Bind       BindState
	Quality    Quality
	// Throttled tells that the operator refused submits within the last 60 s because we were too fast. It is apart
	// from Quality and changes no version.
	Throttled bool
	// Version rises with every change of Bind or Quality; 0 means that nothing was ever reported.
	Version int64
	// ChangedAt is when Bind or Quality last changed, ObservedAt when they were last reported. When that is longer ago
	// than HealthTTL nobody knows any more, unless the operator is explicitly out. Both are times of the stream.
	ChangedAt, ObservedAt time.Time
	// ByHand tells that a neighbour, or somebody by hand, said this, and no report has replaced it. Only Under sets it.
	ByHand bool
}

// Aged is the health as engines see it at a moment: a good word that nobody repeated for HealthTTL counts no more, a
// bad one does not age. The times still say when it was last known.
func (h Health) Aged(now time.Time) Health {
	bad := h.Bind == Unbound || h.Quality == Unhealthy
	if !bad && now.Sub(h.ObservedAt) > HealthTTL {
		h.Bind, h.Quality = BindUnknown, QualityUnknown
	}
	return h
}

// MaxReportSubmits bounds the counts of one report.
const MaxReportSubmits = 1_000_000_000

// SessionReport is what one connector saw of one operator since its report before.
type SessionReport struct {
	OperatorID uuid.UUID
	// ConnectorID tells connectors apart.
	ConnectorID string
	// Sequence rises with every report of this connector on this operator.
	Sequence int64
	// Bind is the state of its sessions that can send.
	Bind BindState
	// Submits were answered or given up, 0 to MaxReportSubmits. Errors of them failed by the operator's fault, and
	// Throttled of them were refused because we were too fast.
	Submits, Errors, Throttled int64
	// ReceivedAt is when the stream took the report in. The clocks of connectors count for nothing.
	ReceivedAt time.Time
}

// Transition is one change of an operator's health.
type Transition struct {
	ID          uuid.UUID
	OperatorID  uuid.UUID
	OccurredAt  time.Time
	FromBind    BindState
	ToBind      BindState
	FromQuality Quality
	ToQuality   Quality
	// Cause says why in a few words, such as "bind lost".
	Cause string
	// Submits and Errors are those of the window that decided; 0 when no rate did.
	Submits, Errors int64
	// Version is that of the health after the change.
	Version int64
}

// TransitionFilter says which transitions a list holds, newest first.
type TransitionFilter struct {
	// OperatorID is the wanted operator; uuid.Nil is all.
	OperatorID uuid.UUID
	// From is the first moment and To the first that is too late. The zero time is no bound.
	From, To time.Time
	// AfterTime and AfterID are those of the last transition of the page before; both are zero for the first page.
	AfterTime time.Time
	AfterID   uuid.UUID
	// Limit is the size of the page, 1 to MaxPage.
	Limit int
}

// Validate returns nil, or an InvalidArgument fault.
func (f TransitionFilter) Validate() error {
	var v violations
	v.check("page_size", checkRange(f.Limit, 1, MaxPage))
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		v.check("end_time", "must be after start_time")
	}
	return invalid(v)
}
