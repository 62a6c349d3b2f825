package operators

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
)

// Bounds of a deck, beside MaxFileBytes and MaxField.
const (
	// MaxDeckRates is how many prices a deck may hold; a line with several prefixes holds several.
	MaxDeckRates = 1_000_000
	// MaxHeaderLine is the last line in which the header of a deck is looked for.
	MaxHeaderLine = 50
	// MaxPrefixRange is how many prefixes a range such as 4477-4479 may hold.
	MaxPrefixRange = 1000
)

// ReasonDeckUnreadable marks a workbook that cannot be read at all.
const ReasonDeckUnreadable = "DECK_UNREADABLE"

// DeckFormat is how a rate deck is written. The numbers are those of the schema.
type DeckFormat uint8

// The formats.
const (
	// AnyDeck is told by the first bytes.
	AnyDeck DeckFormat = iota
	// CSVDeck is UTF-8 text with , ; or tabs between the columns.
	CSVDeck
	// XLSXDeck is a workbook.
	XLSXDeck
)

// DeckScope says what happens to rates that a deck does not name. The zero value is none; the numbers are those of the
// schema.
type DeckScope uint8

// The scopes.
const (
	// FullDeck is the whole price list: what it does not name ends when the first of its prices begins to count.
	FullDeck DeckScope = iota + 1
	// PartialDeck holds changes only: what it does not name stays.
	PartialDeck
)

// String gives FULL or PARTIAL, or "" for the zero value.
func (s DeckScope) String() string { return nameOf(s, deckScopeNames[:]) }

var deckScopeNames = [...]string{"", "FULL", "PARTIAL"}

// Deck is a price list of one operator, as the operator sends it, and how to read it.
//
// The header may stand below a title, within the first MaxHeaderLine lines. It must name prefix or country_code, and
// price; case and surrounding spaces do not count. Columns that we do not know are left alone, and so are lines that are
// empty in all columns that we do.
//
// prefix is with or without +, 00 and spaces; a cell may hold several, separated by , or ;, and ranges with ends of one
// length, such as 4477-4479. Where there is a country_code (the dial code, digits), prefix is what follows it, and may
// be empty; a prefix with + or 00 stands for itself. price is an exact decimal; a comma stands for the point where it
// can mean nothing else: 0,0125 but not 1,250. message_type is SMS, FLASH or WAP. mcc and mnc are text: 01 is not 001.
// effective_from and effective_to are YYYY-MM-DD, which is midnight UTC, or RFC 3339.
//
// What is past stays as it was: a price whose start has passed counts from now on, and one whose end has passed is left
// out. A price lasts until its effective_to, else until the next price of its prefix and message type in the deck, else
// for ever. From the first moment that a deck prices a prefix and type, the deck alone says what it costs: later rates
// that are stored for them go.
type Deck struct {
	OperatorID uuid.UUID
	// File is the deck, at most MaxFileBytes.
	File   []byte
	Format DeckFormat
	Scope  DeckScope
	// Columns maps names of our columns to headers of the deck. A column that is not in it has our own name; one that
	// maps to "" is not in the deck.
	Columns map[string]string
	// Sheet is the sheet of a workbook; "" is the first.
	Sheet string
	// DefaultCurrency is that of lines without one; zero if each must have its own.
	DefaultCurrency money.Currency
	// DefaultType is the message type of lines without one; 0 is SMS.
	DefaultType MessageTypes
	// EffectiveFrom is when lines without a date begin to count; zero is the moment of the import.
	EffectiveFrom time.Time
}

// Row is one row of a deck.
type Row struct {
	// Line counts from 1.
	Line int64
	// Cells may be fewer than the columns. They are valid until the next row is read.
	Cells []string
	// Problem says why the row cannot be read; "" if it can.
	Problem string
}

// RowReader reads the rows of a deck one after the other, in memory that does not grow with their number.
type RowReader interface {
	// Next gives the next row. At the end the error is io.EOF.
	Next() (Row, error)
	// Lines is about how many lines there are; 0 when that is not known.
	Lines() int64
	// Close frees what the reader holds.
	Close() error
}

// Workbooks opens workbooks.
type Workbooks interface {
	// Open gives the rows of a sheet; "" is the first. Dates come as text that a Deck may hold, other numbers as plain
	// decimals. A workbook that cannot be read, or is too large when unpacked, is an InvalidArgument fault with
	// ReasonDeckUnreadable. The caller closes the reader.
	Open(ctx context.Context, file []byte, sheet string) (RowReader, error)
}

// check returns an InvalidArgument fault with everything that is wrong about how to read the deck.
func (d Deck) check() error {
	if err := checkSize(d.File); err != nil {
		return err
	}
	var v violations
	if len(d.File) == 0 {
		v.check("deck", "must not be empty")
	}
	if d.Format > XLSXDeck {
		v.check("format", "must be CSV or XLSX, or not given")
	}
	if d.Scope != FullDeck && d.Scope != PartialDeck {
		v.check("scope", "must be FULL or PARTIAL")
	}
	if d.DefaultType != 0 && d.DefaultType != SMS && d.DefaultType != Flash && d.DefaultType != WAP {
		v.check("default_message_type", "must be "+alternatives(messageTypeNames[:]))
	}
	if _, err := money.ParseCurrency(d.DefaultCurrency.String()); err != nil && !d.DefaultCurrency.IsZero() {
		v.check("default_currency", currencyProblem)
	}
	headers := make(map[string]string, len(d.Columns))
	for _, ours := range deckColumns {
		theirs := headerKey(d.Columns[ours])
		if first, twice := headers[theirs]; twice && theirs != "" {
			v.check("columns", ours+" and "+first+" must not name the same header")
		}
		headers[theirs] = ours
	}
	for ours := range d.Columns {
		if !slices.Contains(deckColumns, ours) {
			v.check("columns", "there is no column "+shown(ours)+" to map; the columns are "+strings.Join(deckColumns, ", "))
			break
		}
	}
	return invalid(v)
}

var (
	zipStart = []byte("PK\x03\x04")
	// oleStart begins workbooks with a password, and those of Excel before 2007. The reader of workbooks says so.
	oleStart = []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
)

// open returns the rows of the deck. There are none when there is no use in going on; the reasons are in bad then.
func (d Deck) open(ctx context.Context, workbooks Workbooks, bad *BadLines) (RowReader, error) {
	format := d.Format
	if format == AnyDeck {
		format = CSVDeck
		if bytes.HasPrefix(d.File, zipStart) || bytes.HasPrefix(d.File, oleStart) {
			format = XLSXDeck
		}
	}
	if format == XLSXDeck {
		return workbooks.Open(ctx, d.File, d.Sheet)
	}
	rows, problem := openCSVDeck(d.File, d.findColumns)
	if problem != "" {
		bad.add(1, "", "%s", problem)
		return nil, nil
	}
	return rows, nil
}
