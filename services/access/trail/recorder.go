package trail

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/access"
	"trunkline/services/platform/clock"
)

const (
	// window is how long refusals of one kind are counted into one row.
	window = time.Minute
	// maxKinds bounds the kinds of refusals of one window: those of callers who are known, and on their own those of
	// callers who are not, because they make up names and come from any number of addresses.
	maxKinds = 1000
	// writeEvery is the pause between two writes, writeLimit bounds one.
	writeEvery = time.Second
	writeLimit = 5 * time.Second
	// ActionDenied is the action of refused calls.
	ActionDenied = "access.denied"
)

// Denial is one refused call.
type Denial struct {
	// Actor is who called, as far as that was found out; Known is true when the credential was right.
	Actor string
	Known bool
	// Procedure is such as /trunkline.operators.v1.OperatorService/CreateOperator, Reason such as ROLE_TOO_LOW.
	Procedure, Reason string
	// Peer is the address that called, without port.
	Peer string
	// RequestID is the id of the call.
	RequestID string
}

// AppendStore takes audit rows.
type AppendStore interface {
	Append(ctx context.Context, rows []access.AuditRow) error
}

// Recorder writes refused calls into the audit log, beside the calls. The first of a kind is written within about a
// second; those that follow within a minute are counted into one more row, so that a flood of refusals does not become a
// flood of rows. Denied never waits.
type Recorder struct {
	store   AppendStore
	clock   clock.Clock
	log     *slog.Logger
	dropped prometheus.Counter

	failing bool // told already

	mu      sync.Mutex
	kinds   map[kind]*count
	known   int // how many of the kinds are of known callers
	waiting []access.AuditRow
}

// kind has the peer of known callers only.
type kind struct {
	actor, procedure, reason, peer string
	known                          bool
}

// count is the refusals of a kind since the row that told of the first one.
type count struct {
	since     time.Time
	n         int
	requestID string
}

// NewRecorder gives a recorder and registers trunkline_audit_denials_dropped_total.
func NewRecorder(store AppendStore, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (*Recorder, error) {
	r := &Recorder{
		store: store, clock: clk, log: log, kinds: map[kind]*count{},
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trunkline_audit_denials_dropped_total",
			Help: "Refused calls that are not in the audit log, because too many kinds came in a minute or the database was down.",
		}),
	}
	return r, reg.Register(r.dropped)
}

// Denied takes note of a refused call.
func (r *Recorder) Denied(d Denial) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := kind{d.Actor, d.Procedure, d.Reason, "", d.Known}
	of := len(r.kinds) - r.known
	if d.Known {
		k.peer, of = d.Peer, r.known
	}
	if c, seen := r.kinds[k]; seen {
		c.n++
		c.requestID = d.RequestID
		return
	}
	if of >= maxKinds {
		r.dropped.Inc()
		return
	}
	now := r.clock.Now()
	r.kinds[k] = &count{since: now}
	if d.Known {
		r.known++
	}
	first := k
	first.peer = d.Peer
	r.waiting = append(r.waiting, row(first, d.RequestID, 1, now))
}

// row tells of n refusals of a kind.
func row(k kind, requestID string, n int, at time.Time) access.AuditRow {
	body, err := json.Marshal(struct {
		Reason string `json:"reason"`
		Count  int    `json:"count"`
		Peer   string `json:"peer,omitempty"`
	}{k.reason, n, k.peer})
	if err != nil {
		panic(err) // a struct of texts can always be written
	}
	after := string(body)
	return access.AuditRow{
		ID: uuid.Must(uuid.NewV7()), At: at.UTC().Truncate(time.Microsecond), Actor: k.actor, RequestID: requestID,
		Action: ActionDenied, Entity: "procedure", EntityID: k.procedure, After: &after,
	}
}

// Run writes what was noted until ctx ends, and the rest then.
func (r *Recorder) Run(ctx context.Context) {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
			defer cancel()
			r.write(rest, true)
			return
		case <-ticker.C:
			r.write(ctx, false)
		}
	}
}

func (r *Recorder) write(ctx context.Context, last bool) {
	rows := r.take(last)
	if len(rows) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	err := r.store.Append(ctx, rows)
	if err != nil {
		r.keep(rows)
		if !r.failing {
			r.log.WarnContext(ctx, "refused calls could not be written to the audit log; it is tried again", "rows", len(rows), "error", err)
		}
	}
	r.failing = err != nil
}

// take gives the rows to write, with those of windows that are over.
func (r *Recorder) take(last bool) []access.AuditRow {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	for k, c := range r.kinds {
		if !last && now.Sub(c.since) < window {
			continue
		}
		if c.n > 0 {
			r.waiting = append(r.waiting, row(k, c.requestID, c.n, now))
		}
		delete(r.kinds, k)
		if k.known {
			r.known--
		}
	}
	rows := r.waiting
	r.waiting = nil
	return rows
}

// keep puts rows back that could not be written, up to a bound.
func (r *Recorder) keep(rows []access.AuditRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(rows, r.waiting...)
	if excess := len(r.waiting) - 2*maxKinds; excess > 0 {
		r.dropped.Add(float64(excess))
		r.waiting = r.waiting[:2*maxKinds]
	}
}
