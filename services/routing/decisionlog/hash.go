package decisionlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/secret"
)

// MinKeyBytes is the length of the shortest key.
const MinKeyBytes = 32

// Hasher turns numbers into keyed hashes. It is for one goroutine.
type Hasher struct {
	mac hash.Hash
	id  string
}

// NewHasher takes the key of a log.
func NewHasher(key secret.Text) *Hasher {
	raw := []byte(key.Reveal())
	id := sha256.Sum256(append([]byte("trunkline decision log key\x00"), raw...))
	return &Hasher{mac: hmac.New(sha256.New, raw), id: hex.EncodeToString(id[:4])}
}

// KeyID names the key in 8 characters, which tell nothing about it.
func (h *Hasher) KeyID() string { return h.id }

// Hash gives the 32 bytes that stand for a number.
func (h *Hasher) Hash(number e164.Number) []byte {
	h.mac.Reset()
	h.mac.Write([]byte(number.Raw()))
	return h.mac.Sum(nil)
}
