// Package e164 holds telephone numbers and prefixes in the international form
// of ITU-T Recommendation E.164: a plus sign, then up to 15 digits of which the
// first is not 0.
//
// A Number prints itself masked everywhere, so that a subscriber number cannot
// reach a log by accident. Raw is the only way to the full text.
package e164

import (
	"errors"
	"fmt"
	"log/slog"
)

// Digit counts, without the plus sign. The upper bound is that of E.164 section
// 6.1; the lower bound for whole numbers is a choice of this product.
const (
	MinNumberDigits = 7
	MaxNumberDigits = 15
	MinPrefixDigits = 1
	MaxPrefixDigits = 15
)

// What Parse and ParsePrefix can find wrong. The texts never repeat the input.
var (
	ErrEmpty       = errors.New("the number is empty")
	ErrMissingPlus = errors.New("the number does not start with a plus sign")
	ErrLeadingZero = errors.New("the first digit after the plus sign is 0")
	ErrNotDigit    = errors.New("the number holds a character that is not a digit 0-9")
	ErrTooShort    = errors.New("the number has too few digits")
	ErrTooLong     = errors.New("the number has more than 15 digits")
)

// Limits of the masked form: how many digits may follow the calling code, and
// how many stay hidden at least.
const (
	shownAfterCode = 4
	alwaysHidden   = 4
	ellipsis       = "…"
	invalidText    = "[invalid number]"
)

// Number is a whole telephone number with its plus sign. A value from Parse
// matches ^\+[1-9]\d{6,14}$. The zero value means that there is no number.
//
// encoding/json writes a Number used as a map key in full: do not key by it.
type Number string

// Parse checks s and returns it as a Number. Nothing is trimmed or repaired. It
// does not allocate, and it reads at most the first 17 bytes. The error is one
// of the Err variables of this package.
func Parse(s string) (Number, error) {
	if err := check(s, MinNumberDigits, MaxNumberDigits); err != nil {
		return "", err
	}
	return Number(s), nil
}

func check(s string, atLeast, atMost int) error {
	if s == "" {
		return ErrEmpty
	}
	if s[0] != '+' {
		return ErrMissingPlus
	}
	digits := s[1:]
	for i := range min(len(digits), atMost+1) {
		c := digits[i]
		if c < '0' || c > '9' {
			return ErrNotDigit
		}
		if i == 0 && c == '0' {
			return ErrLeadingZero
		}
	}
	switch {
	case len(digits) < atLeast:
		return ErrTooShort
	case len(digits) > atMost:
		return ErrTooLong
	}
	return nil
}

// Raw returns the full number with its plus sign. Hand it to networks and
// stores, never to logs, errors or metrics.
func (n Number) Raw() string { return string(n) }

// Digits returns the full number without the plus sign and without allocating.
// It is as sensitive as Raw. A Number that has no plus sign gives "".
func (n Number) Digits() string {
	if n == "" || n[0] != '+' {
		return ""
	}
	return string(n[1:])
}

// CallingCode returns the ITU country code, such as "44".
func (n Number) CallingCode() string { return CallingCode(n.Digits()) }

// String returns the masked form: the calling code, at most 4 more digits and an
// ellipsis, as in "+447911…". At least 4 digits stay hidden. A value that Parse
// would refuse shows nothing of itself.
func (n Number) String() string {
	if n == "" {
		return ""
	}
	if check(string(n), MinNumberDigits, MaxNumberDigits) != nil {
		return invalidText
	}
	digits := n.Digits()
	shown := min(len(CallingCode(digits))+shownAfterCode, len(digits)-alwaysHidden)
	return "+" + digits[:shown] + ellipsis
}

// LogValue returns the masked form.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.String()) }

// MarshalJSON returns the masked form as a JSON string. A number that is read
// back from it is refused, on purpose.
func (n Number) MarshalJSON() ([]byte, error) {
	// The masked form holds only digits, a plus sign, letters and the ellipsis:
	// nothing that JSON escapes.
	return []byte(`"` + n.String() + `"`), nil
}

// MarshalText returns the masked form.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText parses a full number. Empty text gives the zero value.
func (n *Number) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*n = ""
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*n = parsed
	return nil
}

// Format writes the masked form for every verb, so that %x or %#v cannot show
// what %s hides.
func (n Number) Format(state fmt.State, verb rune) {
	fmt.Fprintf(state, fmt.FormatString(state, verb), n.String())
}
