package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"trunkline/services/platform/secret"
)

// The parts of an API key's text; see the package comment.
const (
	// KeyPrefix starts every API key.
	KeyPrefix = "tl_"
	// KeyLength is the length of every API key in characters.
	KeyLength = sumAt + sumDigits

	secretBytes = 32

	idDigits     = 22 // 62^22 > 2^128
	secretDigits = 43 // 62^43 > 2^256
	sumDigits    = 6  // 62^6 > 2^32
	hintDigits   = 8

	idAt     = len(KeyPrefix)
	secretAt = idAt + idDigits
	sumAt    = secretAt + secretDigits
)

// Key is the text of an API key. It prints only its hint, in every form; Reveal is the only way to the whole text.
// The zero value is no key.
type Key struct{ text secret.Text }

// NewKey makes a key with a random id and a random secret.
func NewKey() (Key, uuid.UUID) {
	id := uuid.New()
	var random [secretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: the process ends when the system has no randomness
	text := make([]byte, 0, KeyLength)
	text = append(text, KeyPrefix...)
	text = appendBase62(text, id[:], idDigits)
	text = appendBase62(text, random[:], secretDigits)
	text = appendSum(text, text)
	return Key{secret.New(string(text))}, id
}

// ParseKey reads a key and checks its form and checksum, not whether anybody issued it.
func ParseKey(text string) (Key, error) {
	if !wellFormed(text) {
		return Key{}, malformedKey()
	}
	return Key{secret.New(text)}, nil
}

// LooksLikeKey reports whether the text is meant to be an API key, good or bad.
func LooksLikeKey(text string) bool { return strings.HasPrefix(text, KeyPrefix) }

func wellFormed(text string) bool {
	if len(text) != KeyLength || !LooksLikeKey(text) || !isBase62(text[idAt:]) {
		return false
	}
	var want [sumDigits]byte
	return string(appendSum(want[:0], []byte(text[:sumAt]))) == text[sumAt:]
}

func appendSum(to, of []byte) []byte {
	var sum [crc32.Size]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE(of))
	return appendBase62(to, sum[:], sumDigits)
}

func malformedKey() error {
	return Invalid("The API key is not whole: its length or checksum is wrong. Copy it again, all 74 characters from tl_ on.")
}

// Hint is the part of the key that may be shown and stored: the first 8 characters after tl_. It is empty for no key.
func (k Key) Hint() string {
	if k.text.IsZero() {
		return ""
	}
	return k.text.Reveal()[idAt : idAt+hintDigits]
}

// Reveal is the whole text. Show it once, to the person it is made for.
func (k Key) Reveal() string { return k.text.Reveal() }

// MAC is what the server stores of the key.
func (k Key) MAC(p Pepper) MAC { return p.mac(k.text.Reveal()) }

// String is tl_, the hint and an ellipsis.
func (k Key) String() string {
	if k.text.IsZero() {
		return ""
	}
	return KeyPrefix + k.Hint() + "…"
}

// GoString is String, so that %#v shows no more.
func (k Key) GoString() string { return k.String() }

// LogValue is String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String; JSON and YAML encoders use it as well.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MAC is the authentication code of a key under a pepper. It is stored, but it is nobody's to see.
type MAC [32]byte

// equal takes the same time whatever differs.
func (m MAC) equal(other MAC) bool { return subtle.ConstantTimeCompare(m[:], other[:]) == 1 }
