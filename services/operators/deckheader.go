package operators

import (
	"errors"
	"io"
	"slices"
	"strings"
)

// column is one of our columns of a deck.
type column int

const (
	colPrefix column = iota
	colCountryCode
	colPrice
	colCurrency
	colMessageType
	colMCC
	colMNC
	colFrom
	colTo
	columnCount
)

// deckColumns are the names of our columns, by column.
var deckColumns = []string{
	"prefix", "country_code", "price", "currency", "message_type", "mcc", "mnc", "effective_from", "effective_to",
}

// deckHeader tells where our columns are in a row.
type deckHeader struct {
	// at is the place of each column, or -1.
	at [columnCount]int
	// twice are our columns whose header the row has more than once.
	twice []column
	// width is how many cells the row has, without empty ones at its end.
	width int
}

// headerKey is what headers are compared by.
func headerKey(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

var ownHeader = strings.NewReplacer(" ", "_", "-", "_")

// findColumns looks for our columns in a row. isHeader tells whether the row has those without which it is no header.
func (d Deck) findColumns(row []string) (h deckHeader, isHeader bool) {
	for i := range h.at {
		h.at[i] = -1
	}
	for place, cell := range row {
		key := headerKey(cell)
		if key == "" {
			continue
		}
		h.width = place + 1
		for c, ours := range deckColumns {
			theirs, mapped := d.Columns[ours]
			switch {
			case mapped && (theirs == "" || key != headerKey(theirs)):
			case !mapped && ownHeader.Replace(key) != ours:
			case h.at[c] >= 0:
				h.twice = append(h.twice, column(c))
			default:
				h.at[c] = place
			}
		}
	}
	return h, h.at[colPrice] >= 0 && (h.at[colPrefix] >= 0 || h.at[colCountryCode] >= 0)
}

// problems notes what is wrong with a header.
func (d Deck) headerProblems(h deckHeader, line int64, bad *BadLines) {
	for _, c := range h.twice {
		bad.add(line, deckColumns[c], "the header has this column twice: map it to one of them, or rename the other")
	}
	for c, ours := range deckColumns {
		if theirs := d.Columns[ours]; theirs != "" && h.at[c] < 0 {
			bad.add(line, ours, "the header has no %q: name one that it has", shown(theirs))
		}
	}
	if h.at[colCurrency] < 0 && d.DefaultCurrency.IsZero() {
		bad.add(line, deckColumns[colCurrency], "the header has no such column: map it, or give a default currency")
	}
}

// header reads up to the header. It returns false when there is none, or a bad one; bad tells why then. headers are
// what columns may be mapped to.
func (d Deck) header(rows RowReader, bad *BadLines) (h deckHeader, headers []string, ok bool, err error) {
	first := int64(1)
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return h, nil, false, err
		}
		if row.Line > MaxHeaderLine {
			break
		}
		h, isHeader := d.findColumns(row.Cells)
		if isHeader {
			before := bad.Count()
			d.headerProblems(h, row.Line, bad)
			return h, headersOf(row.Cells), bad.Count() == before, nil
		}
		// The row with the most cells is the likeliest header.
		if likely := headersOf(row.Cells); len(likely) > len(headers) {
			headers, first = likely, row.Line
		}
	}
	bad.add(first, "", "none of the first %d lines is a header with the columns prefix and price: map columns to the headers of the deck", MaxHeaderLine)
	return h, headers, false, nil
}

// MaxHeaders is how many headers of a deck are told.
const MaxHeaders = 256

// headersOf copies the cells that are not empty, bounded.
func headersOf(row []string) []string {
	headers := make([]string, 0, len(row))
	for _, cell := range row {
		if cell = strings.TrimSpace(cell); cell != "" && len(headers) < MaxHeaders {
			headers = append(headers, shown(cell))
		}
	}
	return slices.Clip(headers)
}
