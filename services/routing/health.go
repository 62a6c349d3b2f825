package routing

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// HealthTTL is how long a good word about an operator counts without being repeated. The connector
// repeats it every 10 s.
const HealthTTL = 60 * time.Second

// BindState is whether sessions that can send are up.
type BindState uint8

// The bind states; the zero value is not known.
const (
	BindUnknown BindState = iota
	Bound
	Unbound
	Failback
)

// Quality is how well an operator carries.
type Quality uint8

// The qualities; the zero value is not known.
const (
	QualityUnknown Quality = iota
	Healthy
	Degraded
	Unhealthy
)

// Health is what was last said of one operator.
type Health struct {
	Bind       BindState
	Quality    Quality
	ObservedAt time.Time
}

// StoredHealth is a Health as a store remembers it, with the version of the event it came from; 0 is none.
type StoredHealth struct {
	Health
	Version int64
}

// Blocked reports whether the operator is explicitly out. It does not age: only a better word lifts it.
func (h Health) Blocked() bool { return h.Bind == Unbound || h.Quality == Unhealthy }

// Known reports whether the health can be relied on at the moment: an explicit bad word, or a good word
// not older than HealthTTL.
func (h Health) Known(now time.Time) bool {
	return h.word().known(now.UnixMicro())
}

// word packs h. A time before 1970, such as none, counts as 1970: old.
func (h Health) word() healthWord {
	return healthWord(uint64(max(h.ObservedAt.UnixMicro(), 0))<<4 | uint64(h.Quality)<<2 | uint64(h.Bind))
}

func (h Health) known() bool { return h.Bind != BindUnknown || h.Quality != QualityUnknown }

// HealthEvent is a new word about one operator. A field left unknown was not spoken of.
type HealthEvent struct {
	Operator uuid.UUID
	Bind     BindState
	Quality  Quality
	// Version orders the events of an operator. 0 is an event without one; it is ordered by Position.
	Version int64
	// Position is the event's place in the stream of health; zero when it did not come from there.
	Position Position
	// Inbox is its place in the inbox of neighbours; zero when it did not pass through. An event of the inbox is
	// seen twice, there and in the stream of health, and counts once.
	Inbox Position
	// ObservedAt is when the stream took the event in. The age of the health counts from here: what a
	// neighbour writes into the event does not, because its clock may be wrong.
	ObservedAt time.Time
}

// takenIn is when a stream took the event in, by its clock; zero when none did.
func (e HealthEvent) takenIn() time.Time {
	if e.Position.At.IsZero() {
		return e.Inbox.At
	}
	return e.Position.At
}

// Position is a place in a stream: its sequence, and when the stream took the message in.
type Position struct {
	Sequence uint64
	At       time.Time
}

// After reports whether p lies behind q. A stream that was lost and made anew counts from 1 again, but later.
func (p Position) After(q Position) bool { return p.Sequence > q.Sequence || p.At.After(q.At) }

// healthWord is a Health in one word: microseconds since 1970 shifted by 4, quality in bits 2-3, bind state
// in bits 0-1. 0 is nothing known.
type healthWord uint64

func (w healthWord) bind() BindState  { return BindState(w & 3) }
func (w healthWord) quality() Quality { return Quality(w >> 2 & 3) }
func (w healthWord) observed() int64  { return int64(w >> 4) }

// blocked is Health.Blocked.
func (w healthWord) blocked() bool { return w.bind() == Unbound || w.quality() == Unhealthy }

// known is Health.Known at a moment in microseconds since 1970.
func (w healthWord) known(now int64) bool {
	if w.blocked() {
		return true
	}
	return w&15 != 0 && now-w.observed() <= HealthTTL.Microseconds()
}

// Health unpacks the word.
func (w healthWord) Health() Health {
	if w == 0 {
		return Health{}
	}
	return Health{Bind: w.bind(), Quality: w.quality(), ObservedAt: time.UnixMicro(w.observed())}
}

// healthCell holds one operator's health, so that decisions read it without a lock.
type healthCell struct {
	word atomic.Uint64
	// exists is set for an operator that a store knows.
	exists atomic.Bool
	// The rest belongs to HealthView.mu: where the last word stood, when the version was last heard, when a stream first
	// took in a word with it, by the clock of the stream and zero while none did, and the time of the last word from a
	// store.
	version      int64
	versionSince time.Time
	versionAt    time.Time
	position     Position
	inbox        Position
	filledAt     time.Time
}

// late reports whether a versioned word is older than what is known. A version that nobody repeated for HealthTTL,
// although whoever is in charge repeats its word every 10 s, orders nothing any more: it was made up, or the count
// began anew.
func (c *healthCell) late(e HealthEvent) bool {
	return e.Version < c.version && e.ObservedAt.Sub(c.versionAt) <= HealthTTL
}

func (c *healthCell) load() Health { return healthWord(c.word.Load()).Health() }

func (c *healthCell) store(h Health) { c.word.Store(uint64(h.word())) }

// HealthView is the last known health of every operator in this process. Decisions read it without a lock.
type HealthView struct {
	mu    sync.Mutex // serialises writers
	cells sync.Map   // uuid.UUID to *healthCell
	// strangers counts cells of operators that only events spoke of; it belongs to mu.
	strangers int
	epoch     atomic.Uint64
}

// maxStrangers bounds how many operators that no store knows a view remembers. Events about more, which can
// only be made up, are not taken in.
const maxStrangers = 10_000

// NewHealthView gives a view that knows nothing.
func NewHealthView() *HealthView { return &HealthView{} }

// Get gives the health of an operator; the zero Health when nothing was ever said.
func (v *HealthView) Get(operator uuid.UUID) Health {
	if c, ok := v.cells.Load(operator); ok {
		return c.(*healthCell).load()
	}
	return Health{}
}

// Know tells that operators exist: events about them are always taken in.
func (v *HealthView) Know(operators []uuid.UUID) {
	for _, id := range operators {
		v.known(id)
	}
}

// Epoch names the set of operators that are explicitly out. It changes at once when one goes out or
// comes back, and is the same in every engine that knows the same, also after a restart; so it can be
// part of a shared cache key.
func (v *HealthView) Epoch() uint64 { return v.epoch.Load() }

// CountHealthy counts those of the operators that are known to be up and HEALTHY at the moment.
func (v *HealthView) CountHealthy(operators []uuid.UUID, now time.Time) (n int) {
	for _, id := range operators {
		h := v.Get(id)
		if !h.Blocked() && h.Known(now) && h.Quality == Healthy {
			n++
		}
	}
	return n
}

// Apply takes an event in. It reports false for an event that is not newer than what is known: by version
// when it has one, else by its place in the stream. An event that repeats the last version only keeps the
// state fresh. When an event speaks of one axis only, the other follows the state machine: UNBOUND means
// UNHEALTHY; a bind after UNBOUND, or the first one, means HEALTHY; a BOUND that was BOUND changes nothing.
func (v *HealthView) Apply(e HealthEvent) bool {
	if e.Bind == BindUnknown && e.Quality == QualityUnknown {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	cell, ok := v.spokenOf(e.Operator)
	return ok && v.apply(cell, e)
}

// Stale reports whether a newer word than the event is known already.
func (v *HealthView) Stale(e HealthEvent) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.cells.Load(e.Operator)
	if !ok {
		return false
	}
	cell := c.(*healthCell)
	if e.Version > 0 {
		return cell.late(e)
	}
	return cell.position.After(e.Position)
}

// Heard reports whether a stream took in a word with this version, which the operator's health still has, before the
// moment, which is by the stream's clock too: a word with it that came later is a heartbeat and says nothing new.
func (v *HealthView) Heard(operator uuid.UUID, version int64, before time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.cells.Load(operator)
	if !ok {
		return false
	}
	cell := c.(*healthCell)
	return version > 0 && cell.version == version && !cell.versionSince.IsZero() && cell.versionSince.Before(before)
}

// apply needs mu.
func (v *HealthView) apply(cell *healthCell, e HealthEvent) bool {
	if e.Inbox != (Position{}) {
		if !e.Inbox.After(cell.inbox) {
			return false // the twin of an event that was seen in the inbox before
		}
		cell.inbox = e.Inbox
	}
	before := cell.load()
	after := before.next(e)
	switch {
	case e.Version > 0 && cell.late(e):
		return false
	case e.Version > 0 && e.Version == cell.version:
		if e.ObservedAt.After(cell.versionAt) {
			cell.versionAt = e.ObservedAt
		}
		if since := e.takenIn(); cell.versionSince.IsZero() || !since.IsZero() && since.Before(cell.versionSince) {
			cell.versionSince = since
		}
		if after.ObservedAt = e.ObservedAt; after == before.at(e.ObservedAt) && e.ObservedAt.After(before.ObservedAt) {
			cell.store(after)
		}
		return false
	case e.Version == 0 && e.Position != (Position{}) && !e.Position.After(cell.position):
		return false
	case e.Version == 0 && !after.Blocked() && e.ObservedAt.Before(cell.filledAt):
		return false // a store had a later word
	}
	if e.Version > 0 {
		cell.version, cell.versionSince, cell.versionAt = e.Version, e.takenIn(), e.ObservedAt
	}
	if e.Position != (Position{}) {
		cell.position = e.Position
	}
	cell.store(after)
	if before.Blocked() != after.Blocked() {
		v.epoch.Store(v.epoch.Load() ^ epochBit(e.Operator))
	}
	return true
}

// next is the state after an event.
func (h Health) next(e HealthEvent) Health {
	after := Health{Bind: h.Bind, Quality: h.Quality, ObservedAt: e.ObservedAt}
	if e.Bind != BindUnknown {
		after.Bind = e.Bind
	}
	switch {
	case e.Quality != QualityUnknown:
		after.Quality = e.Quality
	case e.Bind == Unbound:
		after.Quality = Unhealthy
	case h.Bind == Unbound, h.Quality == QualityUnknown:
		after.Quality = Healthy
	}
	return after
}

func (h Health) at(t time.Time) Health {
	h.ObservedAt = t
	return h
}

// Fill takes in what a store remembers of an operator, when it is newer than what this process knows: by
// version where both have one, else by time. It reports whether it was taken.
func (v *HealthView) Fill(operator uuid.UUID, h StoredHealth) bool {
	if !h.known() {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	cell, ok := v.spokenOf(operator)
	if !ok {
		return false
	}
	now := cell.load()
	if h.Version == 0 || cell.version == 0 {
		if now.known() && !h.ObservedAt.After(now.ObservedAt) {
			return false
		}
	}
	if !v.apply(cell, HealthEvent{Operator: operator, Bind: h.Bind, Quality: h.Quality, Version: h.Version, ObservedAt: h.ObservedAt}) {
		return false
	}
	cell.filledAt = h.ObservedAt
	return true
}

// known gives the cell of an operator that exists, making it when needed. Cells are never removed: operators
// are few and tables hold on to them.
func (v *HealthView) known(operator uuid.UUID) *healthCell {
	if c, ok := v.cells.Load(operator); ok && c.(*healthCell).exists.Load() {
		return c.(*healthCell)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.cells.Load(operator)
	if !ok {
		c = &healthCell{}
		v.cells.Store(operator, c)
	} else if !c.(*healthCell).exists.Load() {
		v.strangers--
	}
	c.(*healthCell).exists.Store(true)
	return c.(*healthCell)
}

// spokenOf gives the cell of an operator that an event speaks of; false when it would be one stranger too
// many. It needs mu.
func (v *HealthView) spokenOf(operator uuid.UUID) (*healthCell, bool) {
	if c, ok := v.cells.Load(operator); ok {
		return c.(*healthCell), true
	}
	if v.strangers >= maxStrangers {
		return nil, false
	}
	v.strangers++
	c := &healthCell{}
	v.cells.Store(operator, c)
	return c, true
}

// epochBit spreads an operator id over 64 bits; the epoch is the XOR over the operators that are out.
func epochBit(operator uuid.UUID) uint64 {
	return mix(binary.LittleEndian.Uint64(operator[:8]) ^ mix(binary.LittleEndian.Uint64(operator[8:])))
}
