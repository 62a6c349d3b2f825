package access

import (
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// KeyRecord is what is stored of an API key to recognise it.
type KeyRecord struct {
	KeyID uuid.UUID
	// Account is the one account the key is bound to; uuid.Nil binds to none.
	Account uuid.UUID
	Role    caller.Role
	// PepperID names the pepper of MAC.
	PepperID string
	MAC      MAC
	// ExpiresAt is the first instant at which the key is refused; zero is never.
	ExpiresAt time.Time
	// RevokedAt is when the key was revoked; zero is not at all. A time ahead of the clock counts as well: the
	// clocks of the process that revokes and of this one differ.
	RevokedAt time.Time
}

// KeySet recognises API keys. It never changes, so it is safe for concurrent use and takes no lock. Create it with
// NewKeySet and replace it as a whole.
type KeySet struct {
	keys    map[string]heldKey // by the id's digits in the key's text
	nobody  heldKey
	strange int
}

type heldKey struct {
	pepper             Pepper
	mac                MAC
	who                caller.Caller
	expiresAt, revoked time.Time
}

// NewKeySet holds the records. Records of a pepper other than the current and the former ones are left out.
func NewKeySet(records []KeyRecord, current Pepper, former ...Pepper) *KeySet {
	peppers := map[string]Pepper{}
	for _, p := range append(former, current) {
		peppers[p.ID()] = p
	}
	s := &KeySet{keys: make(map[string]heldKey, len(records)), nobody: heldKey{pepper: current}}
	for _, r := range records {
		pepper, ok := peppers[r.PepperID]
		if !ok {
			s.strange++
			continue
		}
		s.keys[string(appendBase62(nil, r.KeyID[:], idDigits))] = heldKey{
			pepper: pepper, mac: r.MAC, expiresAt: r.ExpiresAt, revoked: r.RevokedAt,
			who: caller.Caller{Name: "key:" + r.KeyID.String(), Kind: caller.Key, Role: r.Role, Account: r.Account, Expires: r.ExpiresAt},
		}
	}
	return s
}

// Len is how many keys the set recognises, expired and revoked ones included.
func (s *KeySet) Len() int { return len(s.keys) }

// OfUnknownPepper is how many records were left out because their pepper is not configured: nobody can use these keys.
func (s *KeySet) OfUnknownPepper() int { return s.strange }

// Find tells whose key the text is. The fault is CREDENTIAL_INVALID for a text that is no key, for an id that nobody
// has and for a wrong secret; the last two take the same time and read the same, so that ids cannot be guessed one
// by one. Who shows the right text of a dead key learns CREDENTIAL_REVOKED or CREDENTIAL_EXPIRED; the caller beside these
// has the name of the key and nothing else, for the audit log.
func (s *KeySet) Find(text string, now time.Time) (caller.Caller, error) {
	if !wellFormed(text) {
		return caller.Caller{}, malformedKey()
	}
	k, known := s.keys[text[idAt:secretAt]]
	if !known {
		k = s.nobody
	}
	right := k.pepper.mac(text).equal(k.mac)
	switch {
	case !known || !right:
		return caller.Caller{}, Invalid("No such API key. Ask an administrator for a new one.")
	case !k.revoked.IsZero():
		return caller.Caller{Name: k.who.Name}, fault.New(fault.Unauthenticated, ReasonRevoked, "The API key was revoked. Ask an administrator for a new one.")
	case !k.expiresAt.IsZero() && !now.Before(k.expiresAt):
		return caller.Caller{Name: k.who.Name}, Expired("The API key has expired. Ask an administrator for a new one.")
	}
	return k.who, nil
}
