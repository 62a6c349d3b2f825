package operators

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

const (
	currencyProblem = "must be an ISO 4217 code, such as EUR"
	rangeProblem    = "a range must have two ends of one length, the smaller first, and hold at most 1000 prefixes"
	cutProblem      = "is a number that a spreadsheet has cut: format the column as text, and enter the prefix again"
	dateProblem     = "must be YYYY-MM-DD, or RFC 3339 such as 2027-01-31T00:00:00Z"
)

// parsePrefixes reads a cell of prefixes and gives each to add. country is the dial code that stands before them, or "".
// It returns what is wrong, or "".
func parsePrefixes(country, cell string, add func(e164.Prefix)) string {
	if country != "" {
		code, _, problem := dialDigits(country)
		if problem != "" {
			return "the country_code must be a dial code in digits, such as 44; if the column holds something else, map country_code to no header"
		}
		country = code
	}
	found := false
	for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == ',' || r == ';' }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		found = true
		if problem := parsePrefixPart(country, part, add); problem != "" {
			return problem
		}
	}
	switch {
	case found:
		return ""
	case country == "":
		return "must be given: routing decides by the number"
	}
	return addPrefix(country, add)
}

// parsePrefixPart reads one prefix or one range.
func parsePrefixPart(country, part string, add func(e164.Prefix)) string {
	low, high, isRange := strings.Cut(part, "-")
	first, problem := wholePrefix(country, low)
	if problem != "" {
		return problem
	}
	if !isRange {
		return addPrefix(first, add)
	}
	last, problem := wholePrefix(country, high)
	if problem != "" {
		return problem
	}
	from, err1 := strconv.ParseUint(first, 10, 64)
	to, err2 := strconv.ParseUint(last, 10, 64)
	if err := errors.Join(err1, err2); err != nil || len(first) != len(last) || from > to || to-from >= MaxPrefixRange {
		return rangeProblem
	}
	for n := from; n <= to; n++ {
		if problem := addPrefix(fmt.Sprintf("%0*d", len(first), n), add); problem != "" {
			return problem
		}
	}
	return ""
}

// wholePrefix gives the digits of a prefix, with the country's before them unless it has + or 00.
func wholePrefix(country, text string) (digits, problem string) {
	digits, whole, problem := dialDigits(text)
	switch {
	case problem != "" || country == "":
		return digits, problem
	case !whole:
		return country + digits, ""
	case !strings.HasPrefix(digits, country):
		return "", "must begin with its country_code when it has + or 00"
	}
	return digits, ""
}

// dialDigits drops spaces and the + or 00 of a whole prefix.
func dialDigits(text string) (digits string, whole bool, problem string) {
	digits = strings.TrimSpace(text)
	if strings.ContainsFunc(digits, unicode.IsSpace) {
		digits = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, digits)
	}
	if rest, plus := strings.CutPrefix(digits, "+"); plus {
		digits, whole = rest, true
	} else if rest, zeros := strings.CutPrefix(digits, "00"); zeros {
		digits, whole = rest, true
	}
	for i := range len(digits) {
		if c := digits[i]; c < '0' || c > '9' {
			if _, err := strconv.ParseFloat(digits, 64); err == nil && strings.ContainsAny(digits, "eE") {
				return "", false, cutProblem
			}
			return "", false, prefixProblem
		}
	}
	if digits == "" {
		return "", false, prefixProblem
	}
	return digits, whole, ""
}

func addPrefix(digits string, add func(e164.Prefix)) string {
	prefix, err := e164.ParsePrefix("+" + digits)
	if err != nil {
		return prefixProblem
	}
	add(prefix)
	return ""
}

// parsePrice reads an exact decimal, in nanos.
func parsePrice(cell string) (nanos int64, problem string) {
	text, problem := pointed(cell)
	if problem != "" {
		return 0, problem
	}
	// The currency is checked apart; any that exists serves here.
	price, err := money.Parse(text, "EUR")
	switch {
	case err == nil:
		return price.Nanos, ""
	case text == "":
		return 0, "must be given; a price of 0 is 0"
	case errors.Is(err, money.ErrNegative):
		return 0, "must not be negative"
	case errors.Is(err, money.ErrTooPrecise):
		return 0, "must have at most 9 decimal places"
	case errors.Is(err, money.ErrOverflow):
		return 0, "must be at most 9223372036.854775807"
	}
	return 0, "must be a plain decimal such as 0.0125, without a currency sign"
}

// pointed replaces a comma by the point that it must stand for. 1,250 may be a thousand or one and a quarter, so it is
// refused; 0,125 can be only one.
func pointed(cell string) (text, problem string) {
	whole, rest, comma := strings.Cut(cell, ",")
	switch {
	case !comma:
		return cell, ""
	case strings.ContainsAny(rest, ",.") || strings.Contains(whole, ".") || len(rest) == 3 && whole != "0":
		return "", "has a comma that may part thousands or decimals: write a point before the decimals, and nothing else"
	}
	return whole + "." + rest, ""
}

// testMCC are the codes that ITU-T E.212 gives to test networks.
var testMCC = []string{"001", "999"}

func checkMCC(mcc string) string {
	switch {
	case mcc == "":
		return ""
	case len(mcc) != 3 || !allDigits(mcc):
		return "must have 3 digits"
	case mcc == testMCC[0] || mcc == testMCC[1]:
		return "must not be that of a test network"
	case mcc != "901" && (mcc[0] < '2' || mcc[0] > '7'):
		// E.212 numbers the regions 2 to 7; 901 is shared between countries.
		return "must be a code of E.212: the first digit is 2 to 7, or it is 901"
	}
	return ""
}

func checkMNC(mcc, mnc string) string {
	switch {
	case mnc == "":
		return ""
	case (len(mnc) != 2 && len(mnc) != 3) || !allDigits(mnc):
		return "must have 2 or 3 digits: 01 and 001 are two networks, so format the column as text"
	case mcc == "":
		return "must not be given without an mcc"
	}
	return ""
}

func allDigits(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

// The bounds of a period, in microseconds since 1970.
const (
	// openStart is before every moment: a price without a start counts from the import on.
	openStart = math.MinInt64
	// openEnd is after every moment: a price without an end.
	openEnd = math.MaxInt64
)

// parseMoment reads a date or a time, in microseconds since 1970.
func parseMoment(cell string) (at int64, problem string) {
	layout := time.RFC3339Nano
	if len(cell) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, cell)
	if err != nil {
		if _, err := strconv.ParseFloat(cell, 64); err == nil {
			return 0, dateProblem + "; in a workbook format the cell as a date"
		}
		return 0, dateProblem
	}
	// Outside of these years a moment is a mistake, and databases differ in what they keep.
	if t.Year() < 1970 || t.Year() > 9999 {
		return 0, "must be in the years 1970 to 9999"
	}
	return t.UnixMicro(), ""
}
