package config

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a string that prints "[redacted]" in every form: fmt with any verb,
// slog, JSON, YAML and text. Reveal is the only way to the value. The zero value
// is the empty secret. Do not compare secrets with ==.
//
// The value sits behind a pointer because fmt cannot call methods on unexported
// fields of other structs; there it prints an address instead of the value.
type Secret struct {
	value *string
}

// NewSecret wraps value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value. Hand it only to the client that needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty, that is, not set.
func (s Secret) IsZero() bool { return s.value == nil }

// String returns "[redacted]", also for the empty secret.
func (s Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]"; JSON and YAML encoders use it as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText stores text as the value.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
