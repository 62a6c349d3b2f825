// Package money holds prices as integers: nano-units of an ISO 4217 currency.
// One unit is 1,000,000,000 nanos. No float is used anywhere.
//
// A price of zero and no price are different things. Money{} has no currency
// and means "no price set"; Money{Currency: EUR} is a price of zero euro.
package money

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
)

const (
	// NanosPerUnit is the number of nanos in one unit of currency.
	NanosPerUnit = 1_000_000_000
	// MaxDecimals is the largest number of decimal places Parse accepts.
	MaxDecimals = 9
	// minDecimals is how many places the decimal text keeps at least.
	minDecimals = 6
	// maxText bounds the input of Parse: more than the widest amount needs, with
	// room for leading zeros.
	maxText = 40
)

// What Parse can find wrong, next to ErrCurrency.
var (
	ErrSyntax     = errors.New("the amount is not a plain decimal such as 0.0125")
	ErrNegative   = errors.New("the amount is negative")
	ErrTooPrecise = errors.New("the amount has more than 9 decimal places")
	ErrOverflow   = errors.New("the amount is larger than 9223372036.854775807")
	ErrNoCurrency = errors.New("the amount has no currency")
)

// Money is an amount in one currency. Values from Parse and FromNanos lie in
// [0, 2^63-1] nanos. The zero value means that no price is set; see IsZero.
type Money struct {
	Nanos    int64
	Currency Currency
}

// Parse reads digits, optionally followed by a point and 1 to 9 more digits. It
// is exact or fails: signs, exponents, separators, spaces and amounts above
// 9223372036.854775807 are refused. The error is one of the Err variables.
func Parse(decimal, currency string) (Money, error) {
	c, err := ParseCurrency(currency)
	if err != nil {
		return Money{}, err
	}
	nanos, err := parseNanos(decimal)
	if err != nil {
		return Money{}, err
	}
	return Money{Nanos: nanos, Currency: c}, nil
}

// FromNanos builds a price from stored parts. The error is ErrNegative or ErrCurrency.
func FromNanos(nanos int64, currency string) (Money, error) {
	c, err := ParseCurrency(currency)
	if err != nil {
		return Money{}, err
	}
	if nanos < 0 {
		return Money{}, ErrNegative
	}
	return Money{Nanos: nanos, Currency: c}, nil
}

func parseNanos(s string) (int64, error) {
	if s == "" || len(s) > maxText {
		return 0, ErrSyntax
	}
	if s[0] == '-' {
		return 0, ErrNegative
	}
	var nanos int64
	overflow := false
	add := func(digit int64) {
		if nanos > (math.MaxInt64-digit)/10 {
			overflow = true
			return
		}
		nanos = nanos*10 + digit
	}
	point, decimals := -1, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.' && point < 0 && i > 0:
			point = i
		case c >= '0' && c <= '9':
			if point >= 0 {
				decimals++
			}
			if decimals <= MaxDecimals {
				add(int64(c - '0'))
			}
		default:
			return 0, ErrSyntax
		}
	}
	if point == len(s)-1 {
		return 0, ErrSyntax
	}
	if decimals > MaxDecimals {
		return 0, ErrTooPrecise
	}
	for range MaxDecimals - decimals {
		add(0)
	}
	if overflow {
		return 0, ErrOverflow
	}
	return nanos, nil
}

// IsZero reports whether no price is set, that is, whether there is no currency.
// It is false for a price of zero. The omitzero option of encoding/json uses it.
func (m Money) IsZero() bool { return m.Currency.IsZero() }

// Decimal returns the exact amount with 6 to 9 decimal places, such as
// "0.012500". Places after the sixth appear only when they are needed.
func (m Money) Decimal() string {
	magnitude := uint64(m.Nanos)
	out := make([]byte, 0, 24)
	if m.Nanos < 0 {
		magnitude = -magnitude
		out = append(out, '-')
	}
	out = strconv.AppendUint(out, magnitude/NanosPerUnit, 10)
	out = append(out, '.')
	// The added unit keeps the leading zeros of the fraction; its digit is then dropped.
	fraction := strconv.AppendUint(nil, NanosPerUnit+magnitude%NanosPerUnit, 10)[1:]
	for len(fraction) > minDecimals && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	return string(append(out, fraction...))
}

// String returns the amount and the currency, such as "0.012500 EUR", or
// "no price" when IsZero.
func (m Money) String() string {
	if m.IsZero() {
		return "no price"
	}
	return m.Decimal() + " " + m.Currency.String()
}

// LogValue returns the text of String.
func (m Money) LogValue() slog.Value { return slog.StringValue(m.String()) }

type document struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// MarshalJSON writes {"amount":"0.012500","currency":"EUR"}, or null when no
// price is set. It fails for a value that UnmarshalJSON would refuse: a negative
// amount, or an amount without a currency.
func (m Money) MarshalJSON() ([]byte, error) {
	switch {
	case m.IsZero() && m.Nanos == 0:
		return []byte("null"), nil
	case m.IsZero():
		return nil, ErrNoCurrency
	case m.Nanos < 0:
		return nil, ErrNegative
	}
	return json.Marshal(document{Amount: m.Decimal(), Currency: m.Currency.String()})
}

// UnmarshalJSON reads what MarshalJSON writes. The amount must be a JSON string,
// so that no reader can turn it into a float on the way.
func (m *Money) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*m = Money{}
		return nil
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("money is an object of two strings, amount and currency: %w", err)
	}
	parsed, err := Parse(d.Amount, d.Currency)
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}
