package operators_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

func TestDecksAreReadAsCarriersSendThem(t *testing.T) {
	const since = " from 2026-11-21 12:00:00 to for ever"
	for _, c := range []struct {
		name, csv string
		deck      operators.Deck
		want      []string
	}{
		{"our own columns in any order", "currency,price,prefix\nEUR,0.01,+44\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"semicolons", "prefix;price;currency\n44;0.01;EUR\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"tabs", "prefix\tprice\tcurrency\n44\t0.01\tEUR\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"a byte order mark and CRLF", "\xef\xbb\xbfprefix,price,currency\r\n44,0.01,EUR\r\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"titles above the header", "Nordlink price list\n\"valid from; now\"\n\nPrefix , PRICE,Currency\n44,0.01,EUR\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"a title with more commas than the header", "a,b,c,d,e,f,g\nprefix;price;currency\n44;0.01;EUR\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"headers of their own", "Dial Code,Rate (EUR)\n44,0.01\n",
			operators.Deck{Columns: map[string]string{"prefix": " dial code", "price": "RATE (eur)"}, DefaultCurrency: money.Currency{'E', 'U', 'R'}},
			[]string{"+44 SMS 0.010000 EUR" + since}},
		{"headers with spaces", "Prefix,Price,Currency,Effective From\n44,0.01,EUR,2027-01-01\n", operators.Deck{},
			[]string{"+44 SMS 0.010000 EUR from 2027-01-01 00:00:00 to for ever"}},
		{"columns that nobody knows", "Country,prefix,price,currency,Notes\nUnited \xfe Kingdom,44,0.01,EUR,\n", operators.Deck{}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"a column that is not ours in spite of its name", "prefix,country_code,price,currency\n44,GB,0.01,EUR\n",
			operators.Deck{Columns: map[string]string{"country_code": ""}}, []string{"+44 SMS 0.010000 EUR" + since}},
		{"prefixes with +, 00, spaces and none of it", "prefix,price,currency\n+441,1,EUR\n00 442,1,EUR\n\"4 4\u00a03\",1,EUR\n'+444,1,EUR\n", operators.Deck{},
			[]string{"+441 SMS 1.000000 EUR" + since, "+442 SMS 1.000000 EUR" + since, "+443 SMS 1.000000 EUR" + since, "+444 SMS 1.000000 EUR" + since}},
		{"lists and ranges of prefixes", "prefix;price;currency\n\"441, 443;\";1;EUR\n4498-4501;1;EUR\n", operators.Deck{},
			[]string{"+441 SMS 1.000000 EUR" + since, "+443 SMS 1.000000 EUR" + since, "+4498 SMS 1.000000 EUR" + since, "+4499 SMS 1.000000 EUR" + since,
				"+4500 SMS 1.000000 EUR" + since, "+4501 SMS 1.000000 EUR" + since}},
		{"dial codes before the prefix", "country_code,prefix,price,currency\n44,7911,1,EUR\n+44,,2,EUR\n0039,06,3,EUR\n44,+4478,4,EUR\n44,01-02,5,EUR\n", operators.Deck{},
			[]string{"+447911 SMS 1.000000 EUR" + since, "+44 SMS 2.000000 EUR" + since, "+3906 SMS 3.000000 EUR" + since, "+4478 SMS 4.000000 EUR" + since,
				"+4401 SMS 5.000000 EUR" + since, "+4402 SMS 5.000000 EUR" + since}},
		{"only a dial code", "country_code,price,currency\n44,1,EUR\n", operators.Deck{}, []string{"+44 SMS 1.000000 EUR" + since}},
		{"commas that can only be points", "prefix;price;currency\n44;0,0125;EUR\n45;0,125;EUR\n46;12,5;EUR\n", operators.Deck{},
			[]string{"+44 SMS 0.012500 EUR" + since, "+45 SMS 0.125000 EUR" + since, "+46 SMS 12.500000 EUR" + since}},
		{"a price of nothing, and the smallest", "prefix,price,currency\n44,0,EUR\n45,0.000000001,usd\n", operators.Deck{},
			[]string{"+44 SMS 0.000000 EUR" + since, "+45 SMS 0.000000001 USD" + since}},
		{"types and networks", "prefix,price,currency,message_type,mcc,mnc\n44,1,EUR,flash,234,01\n44,2,EUR,,234,001\n45,3,EUR,WAP,901,\n", operators.Deck{DefaultType: operators.SMS},
			[]string{"+44 FLASH 1.000000 EUR [234/01]" + since, "+44 SMS 2.000000 EUR [234/001]" + since, "+45 WAP 3.000000 EUR [901/]" + since}},
		{"another type for lines without", "prefix,price,currency\n44,1,EUR\n", operators.Deck{DefaultType: operators.WAP}, []string{"+44 WAP 1.000000 EUR" + since}},
		{"a start for lines without", "prefix,price,currency,effective_from\n44,1,EUR,\n45,1,EUR,2028-02-29T12:30:00.5+02:00\n",
			operators.Deck{EffectiveFrom: time.Date(2027, 1, 1, 0, 0, 0, 1, time.UTC)},
			[]string{"+44 SMS 1.000000 EUR from 2027-01-01 00:00:00 to for ever", "+45 SMS 1.000000 EUR from 2028-02-29 10:30:00 to for ever"}},
		{"lines that are empty where it matters", "prefix,price,currency,note\n44,1,EUR,\n,,,\n\n , ,,all prices without tax\n", operators.Deck{}, []string{"+44 SMS 1.000000 EUR" + since}},
		{"short lines", "prefix,price,message_type,mcc\n44,1\n", operators.Deck{DefaultCurrency: money.Currency{'E', 'U', 'R'}}, []string{"+44 SMS 1.000000 EUR" + since}},
		{"a price list over time", "prefix,price,currency,effective_from,effective_to\n44,1,EUR,2020-01-01,\n44,2,EUR,2026-01-01,\n44,3,EUR,2027-01-01,2028-01-01\n44,4,EUR,2029-01-01,9999-12-31\n", operators.Deck{},
			[]string{"+44 SMS 2.000000 EUR from 2026-11-21 12:00:00 to 2027-01-01 00:00:00", "+44 SMS 3.000000 EUR from 2027-01-01 00:00:00 to 2028-01-01 00:00:00",
				"+44 SMS 4.000000 EUR from 2029-01-01 00:00:00 to 9999-12-31 00:00:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRateStore()
			c.deck.File, c.deck.Scope = []byte(c.csv), operators.FullDeck
			s.take(t, c.deck, noon)
			require.ElementsMatch(t, c.want, s.listed())
		})
	}
}

func TestLinesThatCannotBeTakenSayWhatIsAccepted(t *testing.T) {
	const header = "country_code,prefix,price,currency,message_type,mcc,mnc,effective_from,effective_to\n"
	for _, c := range []struct{ name, line, column, want string }{
		{"no prefix", ",,1,EUR,,234,10,,", "prefix", "must be given: routing decides by the number"},
		{"letters", ",GB,1,EUR,,,,,", "prefix", "must be + and 1 to 15 digits"},
		{"a prefix that starts with 0", ",07911,1,EUR,,,,,", "prefix", "the first is not 0"},
		{"16 digits", ",1234567890123456,1,EUR,,,,,", "prefix", "1 to 15 digits"},
		{"nothing after +", ",+,1,EUR,,,,,", "prefix", "1 to 15 digits"},
		{"what a spreadsheet made of a prefix", ",4.47911E+11,1,EUR,,,,,", "prefix", "a spreadsheet has cut"},
		{"a range with ends of two lengths", ",44-450,1,EUR,,,,,", "prefix", "two ends of one length"},
		{"a range that falls", ",45-44,1,EUR,,,,,", "prefix", "the smaller first"},
		{"a range that is too large", ",10000-20000,1,EUR,,,,,", "prefix", "at most 1000 prefixes"},
		{"a range of three", ",44-45-46,1,EUR,,,,,", "prefix", "must be + and 1 to 15 digits"},
		{"half a range", ",44-,1,EUR,,,,,", "prefix", "must be + and 1 to 15 digits"},
		{"a dial code in letters", "GB,44,1,EUR,,,,,", "prefix", "the country_code must be a dial code in digits"},
		{"a range of numbers without end", ",44444444444444444444-44444444444444444445,1,EUR,,,,,", "prefix", "two ends of one length"},
		{"a range beyond 15 digits", ",1234567890123456-1234567890123457,1,EUR,,,,,", "prefix", "1 to 15 digits"},
		{"a range that ends in letters", ",44-4x,1,EUR,,,,,", "prefix", "1 to 15 digits"},
		{"a whole prefix of another country", "44,+45,1,EUR,,,,,", "prefix", "must begin with its country_code"},
		{"no price", ",44,,EUR,,,,,", "price", "must be given"},
		{"a price below 0", ",44,-0.01,EUR,,,,,", "price", "must not be negative"},
		{"10 decimal places", ",44,0.0123456789,EUR,,,,,", "price", "at most 9 decimal places"},
		{"a comma that may part thousands", `,44,"1,250",EUR,,,,,`, "price", "may part thousands or decimals"},
		{"commas and points", `,44,"1,250.5",EUR,,,,,`, "price", "may part thousands or decimals"},
		{"a sign of a currency", ",44,€1,EUR,,,,,", "price", "must be a plain decimal"},
		{"an exponent", ",44,1.2E-05,EUR,,,,,", "price", "must be a plain decimal"},
		{"an error of a spreadsheet", ",44,#REF!,EUR,,,,,", "price", "must be a plain decimal"},
		{"a price that does not fit", ",44,9223372036.9,EUR,,,,,", "price", "must be at most"},
		{"no currency", ",44,1,,,,,,", "currency", "must be given"},
		{"a currency that does not exist", ",44,1,EURO,,,,,", "currency", "ISO 4217"},
		{"a metal", ",44,1,XAU,,,,,", "currency", "ISO 4217"},
		{"an unknown type", ",44,1,EUR,MMS,,,,", "message_type", "must be SMS, FLASH or WAP"},
		{"two types", ",44,1,EUR,SMS|WAP,,,,", "message_type", "must be SMS, FLASH or WAP"},
		{"an MCC of 2 digits", ",44,1,EUR,,23,10,,", "mcc", "must have 3 digits"},
		{"an MCC that is not digits", ",44,1,EUR,,23x,10,,", "mcc", "must have 3 digits"},
		{"the MCC of a test network", ",44,1,EUR,,001,01,,", "mcc", "test network"},
		{"the other MCC of test networks", ",44,1,EUR,,999,01,,", "mcc", "test network"},
		{"an MCC of no region", ",44,1,EUR,,134,01,,", "mcc", "the first digit is 2 to 7"},
		{"an MNC whose zero is lost", ",44,1,EUR,,234,1,,", "mnc", "01 and 001 are two networks"},
		{"an MNC without an MCC", ",44,1,EUR,,,01,,", "mnc", "without an mcc"},
		{"a day that does not exist", ",44,1,EUR,,,,2027-02-29,", "effective_from", "must be YYYY-MM-DD"},
		{"a date of another country", ",44,1,EUR,,,,01/02/2027,", "effective_from", "must be YYYY-MM-DD"},
		{"the number of a day", ",44,1,EUR,,,,46000,", "effective_from", "format the cell as a date"},
		{"a year long gone", ",44,1,EUR,,,,0001-01-01,", "effective_from", "years 1970 to 9999"},
		{"an end before the start", ",44,1,EUR,,,,2027-01-01,2027-01-01", "effective_to", "must be after the start"},
		{"too many fields", ",44,1,EUR,,,,,,5", "", "more fields than the header"},
		{"a field that is too long", "," + strings.Repeat("4", operators.MaxField+1) + ",1,EUR,,,,,", "prefix", "at most 1024 bytes"},
		{"no UTF-8", ",44\xff,1,EUR,,,,,", "prefix", "must be UTF-8"},
		{"a quote that stands alone", `,4"4,1,EUR,,,,,`, "", "stands inside a field that is not quoted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := badLines(t, operators.Deck{File: []byte(header + ",49,1,EUR,,,,,\n" + c.line + "\n")})
			require.Len(t, bad, 1)
			require.EqualValues(t, 3, bad[0].Line)
			require.Equal(t, c.column, bad[0].Column)
			require.Contains(t, bad[0].Message, c.want)
		})
	}
}

func TestLinesThatContradictEachOtherNameEachOther(t *testing.T) {
	for _, c := range []struct{ name, lines, column, want string }{
		{"a line twice", "44,1,EUR,,\n44,2,EUR,,", "prefix", "line 2 has the same prefix +44, message type and start"},
		{"the same start", "44,1,EUR,2027-01-01,\n45;044,1,EUR,,\n+44,2,EUR,2027-01-01T00:00:00Z,", "prefix", ""},
		{"a list that names one twice", "45,1,EUR,,\n44;44,1,EUR,,", "prefix", "line 3 has the same prefix +44"},
		{"a price that is to outlast the next", "44,2,EUR,2027-06-01,\n44,1,EUR,2027-01-01,2028-01-01", "effective_to", "must not be after the start of line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := badLines(t, operators.Deck{File: []byte("prefix,price,currency,effective_from,effective_to\n" + c.lines + "\n")})
			last := bad[len(bad)-1]
			require.EqualValues(t, strings.Count(c.lines, "\n")+2, last.Line)
			require.Equal(t, c.column, last.Column)
			require.Contains(t, last.Message, c.want)
		})
	}
}

func TestAFileThatIsNoDeckSaysWhatOneIs(t *testing.T) {
	eur := money.Currency{'E', 'U', 'R'}
	for _, c := range []struct {
		name, csv, column, want string
		line                    int64
		deck                    operators.Deck
	}{
		{"no header at all", "a,b\n1,2\n", "", "none of the first 50 lines is a header", 1, operators.Deck{}},
		{"a header below the first 50 lines", strings.Repeat("title\n", 50) + "prefix,price,currency\n44,1,EUR\n", "", "none of the first 50 lines", 1, operators.Deck{}},
		{"only a byte order mark", "\xef\xbb\xbf", "", "none of the first 50 lines", 1, operators.Deck{}},
		{"UTF-16", "\xff\xfep\x00", "", "UTF-16", 1, operators.Deck{}},
		{"a program", "\x7fELF\x00\x00", "", "neither text nor a workbook", 1, operators.Deck{}},
		{"a header without prices", "x\nprefix,amount,currency\n44,1,EUR\n", "", "map columns to the headers of the deck", 2, operators.Deck{}},
		{"a mapped header that is not there", "prefix,price,currency\n44,1,EUR\n", "mnc", `no "Net"`, 1, operators.Deck{Columns: map[string]string{"mnc": "Net"}}},
		{"a header twice", "prefix,price,price,currency\n44,1,2,EUR\n", "price", "twice", 1, operators.Deck{}},
		{"no currency anywhere", "prefix,price\n44,1\n", "currency", "give a default currency", 1, operators.Deck{}},
		{"a header and nothing else", "prefix,price\n", "", "holds no price that counts from now on", 1, operators.Deck{DefaultCurrency: eur}},
		{"only prices of the past", "prefix,price,effective_to\n44,1,2020-01-01\n", "", "holds no price that counts from now on", 1, operators.Deck{DefaultCurrency: eur}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.deck.File = []byte(c.csv)
			bad := badLines(t, c.deck)
			require.Len(t, bad, 1)
			require.Equal(t, c.line, bad[0].Line)
			require.Equal(t, c.column, bad[0].Column)
			require.Contains(t, bad[0].Message, c.want)
		})
	}
}

func TestTheHeadersOfTheDeckAreToldWhateverBecomesOfIt(t *testing.T) {
	for _, csv := range []string{
		"title\n Code ,,Rate\n1,,2\n",
		"title\nCode,,Rate,prefix,price\n1,,2,44,1\n",
	} {
		s := newRateStore()
		diff, err := s.importer(noon).ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: []byte(csv)}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"Code", "Rate"}, diff.Headers[:2])
		require.NotEmpty(t, diff.BadLines)
	}
	require.Equal(t, []string{"prefix", "price", "currency", "Notes"}, newRateStore().take(t, full("prefix,price,currency,Notes\n44,1,EUR,x\n"), noon).Headers)
}

func TestTheSeparatorIsFoundWithoutAHeaderThatWeKnow(t *testing.T) {
	for _, c := range []struct {
		name, csv string
		want      []string
	}{
		{"semicolons and decimal commas", "Dial code;Rate\n44;0,0125\n45;0,02\n", []string{"Dial code", "Rate"}},
		{"semicolons, decimal commas and a comma in the header", "Code;Rate, EUR\n44;0,0125\n45;0,02\n", []string{"Code", "Rate, EUR"}},
		{"semicolons and several prices", "Code;Day;Night;Weekend\n44;0,01;0,02;0,03\n", []string{"Code", "Day", "Night", "Weekend"}},
		{"semicolons below a title with commas", "Prices, in EUR, without tax, from January\nCode;Rate\n44;0,01\n45;1\n", []string{"Code", "Rate"}},
		{"tabs and decimal commas", "Code\tRate\n44\t0,0125\n", []string{"Code", "Rate"}},
		{"commas and lists of prefixes with semicolons", "Code,Rate\n441;442;443,0.01\n\"444;445\",0.02\n", []string{"Code", "Rate"}},
		{"commas", "Code,Country,Rate\n44,GB,0.01\n", []string{"Code", "Country", "Rate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRateStore()
			diff, err := s.importer(noon).ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: []byte(c.csv)}, nil)
			require.NoError(t, err)
			require.Len(t, diff.BadLines, 1)
			require.Equal(t, c.want, diff.Headers)
		})
	}
}

func TestWhatIsWrongAboutTheRequestIsOneFault(t *testing.T) {
	good := "prefix,price,currency\n44,1,EUR\n"
	for _, c := range []struct {
		name string
		deck operators.Deck
		want string
	}{
		{"no file", operators.Deck{Scope: operators.FullDeck}, "deck: must not be empty"},
		{"no scope", operators.Deck{File: []byte(good)}, "scope: must be FULL or PARTIAL"},
		{"an unknown format", operators.Deck{File: []byte(good), Scope: operators.FullDeck, Format: 9}, "format"},
		{"two default types", operators.Deck{File: []byte(good), Scope: operators.FullDeck, DefaultType: operators.SMS | operators.WAP}, "default_message_type"},
		{"a currency that does not exist", operators.Deck{File: []byte(good), Scope: operators.FullDeck, DefaultCurrency: money.Currency{'X', 'X', 'X'}}, "default_currency"},
		{"a column that is not ours", operators.Deck{File: []byte(good), Scope: operators.FullDeck, Columns: map[string]string{"prcie": "x"}}, "there is no column prcie"},
		{"a header for two columns", operators.Deck{File: []byte(good), Scope: operators.FullDeck, Columns: map[string]string{"prefix": "Code", "country_code": "code "}}, "must not name the same header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.deck.OperatorID = nordlink
			_, err := newRateStore().importer(noon).ImportRates(t.Context(), asking, c.deck, nil)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, operators.ReasonInvalid, fault.From(err).Reason)
		})
	}
	_, err := newRateStore().importer(noon).ImportRates(t.Context(), asking, operators.Deck{File: make([]byte, operators.MaxFileBytes+1)}, nil)
	require.Equal(t, operators.ReasonFileTooLarge, fault.From(err).Reason)
	_, err = newRateStore().importer(noon).ImportRates(t.Context(), operators.Request{}, full(good), nil)
	require.Equal(t, fault.Internal, fault.From(err).Kind, "a change without an actor cannot be audited")
}

func TestTheFormatIsToldByTheFirstBytes(t *testing.T) {
	for _, start := range []string{"PK\x03\x04", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"} {
		_, err := newRateStore().importer(noon).ImportRates(t.Context(), asking, full(start), nil)
		require.Equal(t, operators.ReasonDeckUnreadable, fault.From(err).Reason)
		bad := badLines(t, operators.Deck{File: []byte(start + "\x00"), Format: operators.CSVDeck})
		require.Contains(t, bad[0].Message, "neither text nor a workbook")
	}
	deck := full("prefix,price,currency\n44,1,EUR\n")
	deck.Format = operators.XLSXDeck
	_, err := newRateStore().importer(noon).ImportRates(t.Context(), asking, deck, nil)
	require.Equal(t, operators.ReasonDeckUnreadable, fault.From(err).Reason)
}

func TestADeckWithManyBadLinesTellsAThousandAndCountsAll(t *testing.T) {
	var csv bytes.Buffer
	csv.WriteString("prefix,price,currency\n")
	for i := range 1500 {
		fmt.Fprintf(&csv, "%d,0.01,EUR\n%d,zero,EUR\n", 10_000+i, 20_000+i)
	}
	deck := operators.Deck{OperatorID: nordlink, Scope: operators.PartialDeck, File: csv.Bytes()}
	s := newRateStore()
	diff, err := s.importer(noon).ImportRates(t.Context(), asking, deck, nil)
	require.NoError(t, err)
	require.Len(t, diff.BadLines, operators.MaxBadLines)
	require.EqualValues(t, 1500, diff.BadLineCount)
	require.EqualValues(t, 3, diff.BadLines[0].Line)
	require.EqualValues(t, 2001, diff.BadLines[999].Line)
	require.Empty(t, s.rates)
}

func TestADeckIsBounded(t *testing.T) {
	t.Run("too many prices", func(t *testing.T) {
		var csv bytes.Buffer
		csv.WriteString("prefix,price,currency\n")
		for i := range operators.MaxDeckRates/operators.MaxPrefixRange + 1 {
			fmt.Fprintf(&csv, "%d000-%d999,0.01,EUR\n", 1000+i, 1000+i)
		}
		bad := badLines(t, operators.Deck{File: csv.Bytes()})
		require.Len(t, bad, 1)
		require.EqualValues(t, operators.MaxDeckRates/operators.MaxPrefixRange+2, bad[0].Line)
		require.Contains(t, bad[0].Message, "more than 1000000 prices")
	})
	t.Run("too many lines", func(t *testing.T) {
		for _, c := range []struct {
			last int64
			bad  bool
		}{{operators.MaxLines - 1, false}, {operators.MaxLines, true}} {
			s, book := newRateStore(), &rows{cells: [][]string{{"prefix", "price", "currency"}, {"44", "1", "EUR"}}, last: c.last, err: io.EOF}
			diff, err := operators.NewRateImporter(s, book, s, time.Now, slog.New(slog.DiscardHandler)).
				ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: []byte("PK\x03\x04")}, nil)
			require.NoError(t, err)
			if !c.bad {
				require.Empty(t, diff.BadLines)
				continue
			}
			require.Equal(t, []operators.BadLine{{Line: operators.MaxLines, Message: "the deck has more than 1999999 lines: split it"}}, diff.BadLines)
		}
	})
}

func TestAnEndedContextStopsTheReadingOfADeck(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newRateStore().importer(noon).ImportRates(ctx, asking, full("prefix,price,currency\n"+strings.Repeat(",,\n", 2000)), nil)
	require.ErrorIs(t, err, context.Canceled)
}

// rows is a workbook of its own making.
type rows struct {
	cells  [][]string
	err    error
	closed bool
	next   int
	last   int64 // is the line of the last row, when set
}

func (r *rows) Open(context.Context, []byte, string) (operators.RowReader, error) { return r, nil }
func (r *rows) Lines() int64                                                      { return 0 }
func (r *rows) Close() error                                                      { r.closed = true; return nil }
func (r *rows) Next() (operators.Row, error) {
	if r.next++; r.next > len(r.cells) {
		return operators.Row{}, r.err
	}
	line := int64(r.next)
	if r.next == len(r.cells) && r.last > 0 {
		line = r.last
	}
	return operators.Row{Line: line, Cells: r.cells[r.next-1]}, nil
}

func TestAWorkbookThatBreaksOffStoresNothingAndIsClosed(t *testing.T) {
	broken := errors.New("broken")
	for _, cells := range [][][]string{{}, {{"prefix", "price", "currency"}, {"44", "1", "EUR"}}} {
		s, book := newRateStore(), &rows{cells: cells, err: broken}
		importer := operators.NewRateImporter(s, book, s, time.Now, nil)
		_, err := importer.ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: []byte("PK\x03\x04")}, nil)
		require.ErrorIs(t, err, broken)
		require.True(t, book.closed)
		require.Empty(t, s.rates)
	}
}

func FuzzDeck(f *testing.F) {
	f.Add([]byte("prefix,price,currency\n44,0.01,EUR\n"), true)
	f.Add([]byte("\xef\xbb\xbftitle\nPrefix;Country Code;Price;Currency;MCC;MNC;Message_Type;Effective_From;Effective_To\n\"7911,7912-7915\";+44;0,0125;EUR;234;01;flash;2027-01-01;2028-01-01\n"), false)
	f.Add([]byte("prefix\tprice\tcurrency\teffective_from\n00 44\t1\tEUR\t2020-01-01\n44\t2\tEUR\t2027-01-01T00:00:00Z\n"), true)
	f.Fuzz(func(t *testing.T, file []byte, whole bool) {
		if len(file) == 0 {
			return
		}
		deck := operators.Deck{OperatorID: nordlink, File: file, Scope: operators.FullDeck, Format: operators.CSVDeck}
		if !whole {
			deck.Scope = operators.PartialDeck
		}
		s := newRateStore()
		diff, err := s.importer(noon).ImportRates(t.Context(), asking, deck, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(diff.BadLines), operators.MaxBadLines)
		require.LessOrEqual(t, len(diff.Headers), operators.MaxHeaders)
		require.Equal(t, diff.BadLineCount == 0, diff.Applied)
		if !diff.Applied {
			require.NotEmpty(t, diff.BadLines)
			require.Empty(t, s.rates)
			return
		}
		if len(s.rates) > 1000 {
			return // the check compares each with each
		}
		s.check(t)
		again := s.take(t, deck, noon)
		require.Zero(t, again.New+again.Raised+again.Lowered+again.Ended+again.Currency)
		require.Zero(t, again.ConfigVersion)
	})
}
