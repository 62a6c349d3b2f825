package releases

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// entry is a release that a manifest names.
type entry struct {
	routing.Release
	digest     string
	size       int64 // bytes before compression
	stored     int64
	activateAt time.Time
}

// same tells whether both are one activation.
func (e *entry) same(other *entry) bool { return e.ID == other.ID && e.Activation == other.Activation }

// equal tells whether both say the same; either may be nil.
func (e *entry) equal(other *entry) bool {
	return e == other || e != nil && other != nil && *e == *other
}

// manifest is one that may be followed.
type manifest struct {
	signed             []byte
	revision           int64
	current, scheduled *entry
	// begun tells that what is scheduled has served. Then its time has come, also when the clock steps back.
	begun bool
}

// follows tells whether m may take the place of another. What is signed anew may have the same revision, and says the same
// then.
func (m *manifest) follows(other *manifest) bool {
	return m.revision > other.revision || m.revision == other.revision && m.current.equal(other.current) && m.scheduled.equal(other.scheduled)
}

// begin notes that an entry serves.
func (m *manifest) begin(e *entry) {
	if m.scheduled != nil && m.scheduled.same(e) {
		m.begun = true
	}
}

// open reads a signed manifest of the environment.
func open(keys release.Keys, environment string, signed []byte) (*manifest, error) {
	m, err := keys.Open(signed, environment)
	if err != nil {
		return nil, err
	}
	return &manifest{
		signed: bytes.Clone(signed), revision: m.GetRevision(),
		current: entryOf(m.GetCurrent()), scheduled: entryOf(m.GetScheduled()),
	}, nil
}

// entryOf reads an entry that keys.Open has checked.
func entryOf(e *releasesv1.ManifestEntry) *entry {
	if e == nil {
		return nil
	}
	id, err := uuid.Parse(e.GetReleaseId())
	if err != nil {
		return nil
	}
	return &entry{
		Release: routing.Release{ID: id, Activation: e.GetActivation(), CompiledAt: e.GetCompileTime().AsTime()},
		digest:  e.GetDigest(), size: e.GetSizeBytes(), stored: e.GetStoredBytes(), activateAt: e.GetActivateTime().AsTime(),
	}
}

// wanted gives what should serve at a moment, best first: what is scheduled as soon as its time has come, else what is
// current. What is current serves whatever the engine's own clock says.
func (m *manifest) wanted(now time.Time) (entries []*entry) {
	if m == nil {
		return nil
	}
	if m.due(now) {
		entries = append(entries, m.scheduled)
	}
	if m.current != nil {
		entries = append(entries, m.current)
	}
	return entries
}

// names tells whether the manifest holds the entry.
func (m *manifest) names(e *entry) bool {
	return m.current != nil && m.current.same(e) || m.scheduled != nil && m.scheduled.same(e)
}

func (m *manifest) due(now time.Time) bool {
	return m.scheduled != nil && (m.begun || !m.scheduled.activateAt.After(now))
}

// ahead gives what is scheduled for later; nil when nothing is.
func (m *manifest) ahead(now time.Time) *entry {
	if m == nil || m.scheduled == nil || m.due(now) {
		return nil
	}
	return m.scheduled
}

// until is how long it takes until what is scheduled is due; false when nothing is.
func (m *manifest) until(now time.Time) (time.Duration, bool) {
	if e := m.ahead(now); e != nil {
		return e.activateAt.Sub(now), true
	}
	return 0, false
}
