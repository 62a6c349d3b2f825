package e164_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/e164"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, give string
		want       error
	}{
		{"a British mobile number is fine", "+447911123456", nil},
		{"seven digits are the least", "+1234567", nil},
		{"fifteen digits are the most", "+123456789012345", nil},
		{"zeros inside are digits like others", "+390000000", nil},
		{"empty text is empty", "", e164.ErrEmpty},
		{"national form has no plus", "07911123456", e164.ErrMissingPlus},
		{"international form without plus is refused", "447911123456", e164.ErrMissingPlus},
		{"leading space is refused", " +447911123456", e164.ErrMissingPlus},
		{"zero cannot follow the plus", "+0447911123", e164.ErrLeadingZero},
		{"a plus alone is too short", "+", e164.ErrTooShort},
		{"six digits are too short", "+123456", e164.ErrTooShort},
		{"sixteen digits are too long", "+1234567890123456", e164.ErrTooLong},
		{"a space inside is refused", "+44 7911123456", e164.ErrNotDigit},
		{"a trailing newline is refused", "+447911123456\n", e164.ErrNotDigit},
		{"a second plus is refused", "++447911123456", e164.ErrNotDigit},
		{"digits of other scripts are refused", "+४४७९१११२३४५६", e164.ErrNotDigit},
		{"very long input is cut off early", "+" + strings.Repeat("9", 1<<20), e164.ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := e164.Parse(c.give)
			require.ErrorIs(t, err, c.want)
			if c.want != nil {
				require.Empty(t, n.Raw())
				require.NotRegexp(t, `\d{3}`, err.Error())
				return
			}
			require.Equal(t, c.give, n.Raw())
			require.Equal(t, c.give[1:], n.Digits())
		})
	}
}

func TestTheMaskedFormShowsTheCallingCodeAndAtMostFourDigits(t *testing.T) {
	for _, c := range []struct{ name, give, want string }{
		{"two-digit code", "+447911123456", "+447911…"},
		{"one-digit code", "+12025550123", "+12025…"},
		{"three-digit code", "+3598812345678", "+3598812…"},
		{"a short number keeps four digits hidden", "+3598812", "+359…"},
		{"nothing of an unparsed value is shown", "447911123456", "[invalid number]"},
		{"the zero value is empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := e164.Number(c.give)
			require.Equal(t, c.want, n.String())
			text, err := n.MarshalText()
			require.NoError(t, err)
			require.Equal(t, c.want, string(text))
		})
	}
}

func TestNoFormOfPrintingShowsTheNumber(t *testing.T) {
	n, err := e164.Parse("+447911123456")
	require.NoError(t, err)
	type message struct{ To e164.Number }

	forms := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%20s", "%-20v", "%t"} {
		forms["number "+verb] = fmt.Sprintf(verb, n)
		forms["pointer "+verb] = fmt.Sprintf(verb, &n)
		forms["field "+verb] = fmt.Sprintf(verb, message{n})
		forms["slice "+verb] = fmt.Sprintf(verb, []e164.Number{n})
	}
	forms["error"] = fmt.Errorf("bad %w for %v", e164.ErrEmpty, n).Error()
	encoded, err := json.Marshal(message{n})
	require.NoError(t, err)
	require.JSONEq(t, `{"To":"+447911…"}`, string(encoded))
	forms["json"] = string(encoded)
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("sent", "to", n, "message", message{n}, "list", []e164.Number{n})
	}
	forms["slog"] = out.String()

	for name, form := range forms {
		for _, hidden := range []string{"7911123456", "123456", fmt.Sprintf("%x", "123456")} {
			require.NotContains(t, strings.ReplaceAll(form, " ", ""), hidden, name)
		}
	}
}

func TestReadingBackTheMaskedFormIsRefused(t *testing.T) {
	var n e164.Number
	require.NoError(t, json.Unmarshal([]byte(`"+447911123456"`), &n))
	require.Equal(t, "+447911123456", n.Raw())
	masked, err := json.Marshal(n)
	require.NoError(t, err)
	require.Error(t, json.Unmarshal(masked, &n))
	require.NoError(t, json.Unmarshal([]byte(`""`), &n))
	require.Empty(t, n.Raw())
}

func TestCallingCode(t *testing.T) {
	for _, c := range []struct{ name, give, want string }{
		{"North America has one digit", "12025550123", "1"},
		{"Russia and Kazakhstan share one digit", "77012345678", "7"},
		{"Egypt", "20100", "20"},
		{"South Sudan is not Egypt", "211912", "211"},
		{"South Africa", "2782", "27"},
		{"Greece", "3069", "30"},
		{"Portugal", "351912", "351"},
		{"Italy", "3933", "39"},
		{"Croatia", "385912", "385"},
		{"United Kingdom", "447911", "44"},
		{"Czech Republic", "420601", "420"},
		{"Mexico", "5255", "52"},
		{"Ecuador", "593991", "593"},
		{"Singapore", "6581", "65"},
		{"Timor-Leste", "670771", "670"},
		{"international freephone", "80012345", "800"},
		{"Japan", "8190", "81"},
		{"Hong Kong", "85290", "852"},
		{"China", "86139", "86"},
		{"Iran", "98912", "98"},
		{"Jordan", "96279", "962"},
		{"spare zones have three digits", "839123", "839"},
		{"a digit that starts longer codes only is not whole", "4", ""},
		{"two digits of a three-digit code are not whole", "35", ""},
		{"empty text has no code", "", ""},
		{"zero starts no code", "044", ""},
		{"a plus sign is not a digit", "+44", ""},
		{"letters are no code", "4x", ""},
		{"letters in the third place are no code", "35x", ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, e164.CallingCode(c.give)) })
	}
}

func TestCallingCodesArePrefixFree(t *testing.T) {
	// 1 zone 1 + 1 zone 7 + 44 two-digit codes; every other pair of digits opens ten codes.
	codes := map[string]bool{}
	for i := 1000; i < 10000; i++ {
		codes[e164.CallingCode(fmt.Sprint(i))] = true
	}
	require.Len(t, codes, 2+44+(70-44)*10)
	for code := range codes {
		for cut := 1; cut < len(code); cut++ {
			require.False(t, codes[code[:cut]], code)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	for _, c := range []struct {
		name, give string
		want       error
	}{
		{"one digit is enough", "+1", nil},
		{"a country", "+44", nil},
		{"fifteen digits are the most", "+123456789012345", nil},
		{"sixteen are too many", "+1234567890123456", e164.ErrTooLong},
		{"a plus alone is too short", "+", e164.ErrTooShort},
		{"the plus is needed", "44", e164.ErrMissingPlus},
		{"zero cannot lead", "+044", e164.ErrLeadingZero},
		{"wildcards are refused", "+44*", e164.ErrNotDigit},
		{"empty text is empty", "", e164.ErrEmpty},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := e164.ParsePrefix(c.give)
			require.ErrorIs(t, err, c.want)
			if c.want == nil {
				require.Equal(t, c.give[1:], p.Digits())
				require.Equal(t, c.give, p.String())
				encoded, err := json.Marshal(p)
				require.NoError(t, err)
				var back e164.Prefix
				require.NoError(t, json.Unmarshal(encoded, &back))
				require.Equal(t, p, back)
			}
		})
	}
	require.Empty(t, e164.Prefix("").String())
	var p e164.Prefix
	require.ErrorIs(t, p.UnmarshalText([]byte("44")), e164.ErrMissingPlus)
	require.NoError(t, p.UnmarshalText(nil))
}

func TestGoodInputIsParsedWithoutAllocation(t *testing.T) {
	text := "+447911123456"
	var sink int
	allocations := testing.AllocsPerRun(100, func() {
		n, _ := e164.Parse(text)
		p, _ := e164.ParsePrefix("+44")
		sink += len(n.Digits()) + len(p.Digits()) + len(n.CallingCode())
	})
	require.Zero(t, allocations)
	require.NotZero(t, sink)
}

var (
	numberPattern = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	prefixPattern = regexp.MustCompile(`^\+[1-9]\d{0,14}$`)
)

func FuzzParseAgreesWithTheRegularExpressions(f *testing.F) {
	for _, s := range []string{"", "+", "+1", "+0", "+447911123456", "+123456", "+1234567890123456", "+44 79", "x", "+12345678\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := e164.Parse(s)
		require.Equal(t, numberPattern.MatchString(s), err == nil, "%q", s)
		if err == nil {
			require.Equal(t, s, n.Raw())
			require.NotEmpty(t, n.CallingCode())
			masked := strings.TrimSuffix(n.String(), "…")
			require.True(t, strings.HasPrefix(s, masked))
			require.LessOrEqual(t, len(masked), len(s)-4)
		} else {
			require.NotRegexp(t, `[0-9]`, e164.Number(s).String())
		}
		p, err := e164.ParsePrefix(s)
		require.Equal(t, prefixPattern.MatchString(s), err == nil, "%q", s)
		if err == nil {
			require.Equal(t, s, p.String())
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e164.Parse("+447911123456"); err != nil {
			b.Fatal(err)
		}
	}
}
