// Package secret is a text that cannot be printed by accident.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what every secret prints.
const Redacted = "[redacted]"

// Text is a string that prints "[redacted]" in every form: fmt with any verb,
// slog, JSON, YAML and text. Reveal is the only way to the value. The zero value
// is the empty secret. Do not compare secrets with ==.
//
// The value sits behind a pointer because fmt cannot call methods on unexported
// fields of other structs; there it prints an address instead of the value.
type Text struct {
	value *string
}

// New wraps value.
func New(value string) Text {
	if value == "" {
		return Text{}
	}
	return Text{value: &value}
}

// Reveal returns the value. Hand it only to the client that needs it.
func (s Text) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty, that is, not set.
func (s Text) IsZero() bool { return s.value == nil }

// String returns "[redacted]", also for the empty secret.
func (s Text) String() string { return Redacted }

// Format writes "[redacted]" for every verb.
func (s Text) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, Redacted) }

// LogValue returns "[redacted]".
func (s Text) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns "[redacted]"; JSON and YAML encoders use it as well.
func (s Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// UnmarshalText stores text as the value.
func (s *Text) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}
