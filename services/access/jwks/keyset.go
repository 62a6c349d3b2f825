package jwks

import "time"

// overlap is how long a key is accepted after the issuer took it out.
const overlap = 10 * time.Minute

// keySet is what tokens are verified with. It never changes. The zero value was never loaded.
type keySet struct {
	held     map[string]heldSigner // by kid
	loadedAt time.Time
}

type heldSigner struct {
	*signer
	// goneAt is when the key was first missed; zero while the issuer lists it.
	goneAt time.Time
}

func (h heldSigner) acceptedAt(now time.Time) bool {
	return h.goneAt.IsZero() || now.Before(h.goneAt.Add(overlap))
}

// find gives nil for a key that is not accepted now.
func (s *keySet) find(id string, now time.Time) *signer {
	if h, ok := s.held[id]; ok && h.acceptedAt(now) {
		return h.signer
	}
	return nil
}

// next is the set after the issuer listed these keys. A key that is listed under its old id with other material
// replaces the old one at once.
func (s *keySet) next(listed map[string]*signer, now time.Time) *keySet {
	next := &keySet{held: make(map[string]heldSigner, len(listed)), loadedAt: now}
	for id, h := range s.held {
		if h.goneAt.IsZero() {
			h.goneAt = now
		}
		if h.acceptedAt(now) {
			next.held[id] = h
		}
	}
	for id, fresh := range listed {
		// Remembered tokens point at the key that they were verified with, so the same key stays the same pointer.
		if old, ok := s.held[id]; ok && old.thumbprint == fresh.thumbprint {
			fresh = old.signer
		}
		next.held[id] = heldSigner{signer: fresh}
	}
	return next
}

// listed is how many keys the issuer listed last.
func (s *keySet) listed() int {
	n := 0
	for _, h := range s.held {
		if h.goneAt.IsZero() {
			n++
		}
	}
	return n
}

// differs reports whether the other set accepts other keys.
func (s *keySet) differs(other *keySet) bool {
	if len(s.held) != len(other.held) {
		return true
	}
	for id, h := range s.held {
		if o, ok := other.held[id]; !ok || o.signer != h.signer || o.goneAt.IsZero() != h.goneAt.IsZero() {
			return true
		}
	}
	return false
}
