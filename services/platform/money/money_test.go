package money_test

import (
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/money"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, decimal, currency string
		nanos                   int64
		shown                   string
		err                     error
	}{
		{"a price keeps six places", "0.0125", "EUR", 12_500_000, "0.012500 EUR", nil},
		{"a whole number", "3", "USD", 3_000_000_000, "3.000000 USD", nil},
		{"nine places are exact", "0.000000001", "USD", 1, "0.000000001 USD", nil},
		{"places after the sixth show only when needed", "1.1234567", "JPY", 1_123_456_700, "1.1234567 JPY", nil},
		{"trailing zeros are no precision", "1.100000000", "GBP", 1_100_000_000, "1.100000 GBP", nil},
		{"leading zeros are harmless", "0000000000000000000000.5", "EUR", 500_000_000, "0.500000 EUR", nil},
		{"zero is a price", "0", "EUR", 0, "0.000000 EUR", nil},
		{"the largest amount", "9223372036.854775807", "EUR", math.MaxInt64, "9223372036.854775807 EUR", nil},
		{"one nano above the largest", "9223372036.854775808", "EUR", 0, "", money.ErrOverflow},
		{"one unit above the largest", "9223372037", "EUR", 0, "", money.ErrOverflow},
		{"far above the largest", strings.Repeat("9", 40), "EUR", 0, "", money.ErrOverflow},
		{"the input is bounded", strings.Repeat("0", 41), "EUR", 0, "", money.ErrSyntax},
		{"ten places are too many", "0.0000000001", "EUR", 0, "", money.ErrTooPrecise},
		{"ten places are too many even when zero", "0.1000000000", "EUR", 0, "", money.ErrTooPrecise},
		{"negative", "-1", "EUR", 0, "", money.ErrNegative},
		{"plus sign", "+1", "EUR", 0, "", money.ErrSyntax},
		{"exponent", "1e3", "EUR", 0, "", money.ErrSyntax},
		{"comma", "0,5", "EUR", 0, "", money.ErrSyntax},
		{"point without digits before", ".5", "EUR", 0, "", money.ErrSyntax},
		{"point without digits after", "5.", "EUR", 0, "", money.ErrSyntax},
		{"point alone", ".", "EUR", 0, "", money.ErrSyntax},
		{"two points", "1.2.3", "EUR", 0, "", money.ErrSyntax},
		{"empty", "", "EUR", 0, "", money.ErrSyntax},
		{"space", " 1", "EUR", 0, "", money.ErrSyntax},
		{"hexadecimal", "0x10", "EUR", 0, "", money.ErrSyntax},
		{"not a number", "NaN", "EUR", 0, "", money.ErrSyntax},
		{"no currency", "1", "", 0, "", money.ErrCurrency},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := money.Parse(c.decimal, c.currency)
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				require.Equal(t, money.Money{}, m)
				return
			}
			require.Equal(t, c.nanos, m.Nanos)
			require.Equal(t, c.shown, m.String())
			require.Equal(t, c.shown, m.LogValue().String())
		})
	}
}

func TestParseCurrency(t *testing.T) {
	for _, c := range []struct {
		name, code string
		ok         bool
	}{
		{"euro", "EUR", true},
		{"the guilder that replaced the Antillean one", "XCG", true},
		{"gold-backed dollar of Zimbabwe", "ZWG", true},
		{"small letters are refused", "eur", false},
		{"a withdrawn code is refused", "DEM", false},
		{"the kuna is gone", "HRK", false},
		{"gold is not money here", "XAU", false},
		{"the test code is refused", "XTS", false},
		{"no currency is not a currency", "XXX", false},
		{"two letters", "EU", false},
		{"four letters", "EURO", false},
		{"zero bytes", "\x00\x00\x00", false},
		{"empty", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := money.ParseCurrency(c.code)
			if !c.ok {
				require.ErrorIs(t, err, money.ErrCurrency)
				require.True(t, got.IsZero())
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.code, got.String())
		})
	}
}

func TestNoPriceIsNotAPriceOfZero(t *testing.T) {
	free, err := money.Parse("0", "EUR")
	require.NoError(t, err)
	require.False(t, free.IsZero())
	require.True(t, money.Money{}.IsZero())
	require.Equal(t, "no price", money.Money{}.String())

	type rate struct {
		Price money.Money `json:"price"`
		Floor money.Money `json:"floor,omitzero"`
	}
	encoded, err := json.Marshal(rate{Floor: free})
	require.NoError(t, err)
	require.JSONEq(t, `{"price":null,"floor":{"amount":"0.000000","currency":"EUR"}}`, string(encoded))
	encoded, err = json.Marshal(rate{Price: free})
	require.NoError(t, err)
	require.JSONEq(t, `{"price":{"amount":"0.000000","currency":"EUR"}}`, string(encoded))
}

func TestJSON(t *testing.T) {
	price, err := money.Parse("0.0125", "EUR")
	require.NoError(t, err)
	encoded, err := json.Marshal(price)
	require.NoError(t, err)
	require.Equal(t, `{"amount":"0.012500","currency":"EUR"}`, string(encoded))

	for _, c := range []struct{ name, give string }{
		{"a JSON number could have been a float", `{"amount":0.0125,"currency":"EUR"}`},
		{"a missing currency", `{"amount":"1"}`},
		{"a missing amount", `{"currency":"EUR"}`},
		{"an empty object", `{}`},
		{"a bare string", `"1 EUR"`},
		{"a negative amount", `{"amount":"-1","currency":"EUR"}`},
	} {
		t.Run(c.name+" is refused", func(t *testing.T) {
			m := price
			require.Error(t, json.Unmarshal([]byte(c.give), &m))
			require.Equal(t, price, m)
		})
	}
	m := price
	require.NoError(t, json.Unmarshal([]byte("null"), &m))
	require.True(t, m.IsZero())

	_, err = json.Marshal(money.Money{Nanos: 5})
	require.ErrorIs(t, err, money.ErrNoCurrency)
	_, err = json.Marshal(money.Money{Nanos: -5, Currency: price.Currency})
	require.ErrorIs(t, err, money.ErrNegative)
}

func TestCurrencyText(t *testing.T) {
	var c money.Currency
	require.NoError(t, c.UnmarshalText([]byte("EUR")))
	text, err := c.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "EUR", string(text))
	require.ErrorIs(t, c.UnmarshalText([]byte("E")), money.ErrCurrency)
	require.NoError(t, c.UnmarshalText(nil))
	require.True(t, c.IsZero())
}

func TestFromNanos(t *testing.T) {
	m, err := money.FromNanos(12_500_000, "EUR")
	require.NoError(t, err)
	require.Equal(t, "0.012500 EUR", m.String())
	_, err = money.FromNanos(-1, "EUR")
	require.ErrorIs(t, err, money.ErrNegative)
	_, err = money.FromNanos(1, "ABC")
	require.ErrorIs(t, err, money.ErrCurrency)
}

func TestDifferencesPrintWithASign(t *testing.T) {
	eur, err := money.ParseCurrency("EUR")
	require.NoError(t, err)
	require.Equal(t, "-0.012500", money.Money{Nanos: -12_500_000, Currency: eur}.Decimal())
	require.Equal(t, "-9223372036.854775808", money.Money{Nanos: math.MinInt64, Currency: eur}.Decimal())
}

var grammar = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,9})?$`)

func FuzzParseAgreesWithRationalArithmetic(f *testing.F) {
	for _, s := range []string{"0", "0.0125", "9223372036.854775807", "9223372036.854775808", "1.", ".1", "-1", "1e9", "00.1", "0.1234567891"} {
		f.Add(s)
	}
	largest := new(big.Rat).SetFrac64(math.MaxInt64, money.NanosPerUnit)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := money.Parse(s, "EUR")
		want, isDecimal := new(big.Rat), grammar.MatchString(s) && len(s) <= 40
		if isDecimal {
			_, isDecimal = want.SetString(s)
		}
		require.Equal(t, isDecimal && want.Cmp(largest) <= 0, err == nil, "%q: %v", s, err)
		if err == nil {
			require.Zero(t, want.Cmp(new(big.Rat).SetFrac64(m.Nanos, money.NanosPerUnit)), "%q", s)
		}
	})
}

func FuzzTextAndJSONRoundTrip(f *testing.F) {
	for _, n := range []int64{0, 1, 999_999_999, 1_000_000_000, 12_500_000, math.MaxInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, nanos int64) {
		m, err := money.FromNanos(nanos, "USD")
		if nanos < 0 {
			require.ErrorIs(t, err, money.ErrNegative)
			return
		}
		require.NoError(t, err)
		require.Regexp(t, `^\d+\.\d{6,9}$`, m.Decimal())
		back, err := money.Parse(m.Decimal(), "USD")
		require.NoError(t, err)
		require.Equal(t, m, back)
		encoded, err := json.Marshal(m)
		require.NoError(t, err)
		var decoded money.Money
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, m, decoded)
	})
}
