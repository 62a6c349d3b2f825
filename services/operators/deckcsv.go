package operators

import (
	"bytes"
	"encoding/csv"
	"errors"
)

// csvDeck reads a deck that is text.
type csvDeck struct {
	reader *csv.Reader
	lines  int64
}

// sniffed is how much of a text is looked at to learn what separates its columns.
const sniffed = 64 << 10

// openCSVDeck opens a text, or says why it is none. It tries each separator and takes the one with which a header
// is found.
func openCSVDeck(file []byte, find func(row []string) (deckHeader, bool)) (*csvDeck, string) {
	for _, mark := range marksUTF16 {
		if bytes.HasPrefix(file, mark) {
			return nil, "the file is UTF-16: save it as CSV UTF-8"
		}
	}
	file = bytes.TrimPrefix(file, markUTF8)
	start := file[:min(len(file), sniffed)]
	if bytes.IndexByte(start, 0) >= 0 {
		return nil, "the file is neither text nor a workbook: save it as CSV UTF-8 or XLSX"
	}
	lines := int64(bytes.Count(file, []byte{'\n'}))
	if len(file) > 0 && file[len(file)-1] != '\n' {
		lines++
	}
	return &csvDeck{reader: newCSVReader(file, separatorOf(start, find)), lines: lines}, ""
}

func newCSVReader(file []byte, separator rune) *csv.Reader {
	reader := csv.NewReader(bytes.NewReader(file))
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	reader.Comma = separator
	return reader
}

// separatorOf takes the separator with which a header is found. Without one it takes that by which the most rows have
// the same number of cells, so that the headers which are told are those of the deck. Most cells alone would be wrong:
// with decimal commas a comma also cuts each row. Where two cut as many rows, the comma is the decimal one.
func separatorOf(start []byte, find func(row []string) (deckHeader, bool)) rune {
	likely, most := ',', 0
	for _, separator := range "\t;," {
		deck := &csvDeck{reader: newCSVReader(start, separator)}
		rows := make(map[int]int)
		for {
			row, err := deck.Next()
			if err != nil {
				break
			}
			if row.Line <= MaxHeaderLine {
				if _, isHeader := find(row.Cells); isHeader {
					return separator
				}
			}
			if cells := len(row.Cells); cells > 1 {
				if rows[cells]++; rows[cells] > most {
					likely, most = separator, rows[cells]
				}
			}
		}
	}
	return likely
}

// Next reads one row.
func (c *csvDeck) Next() (Row, error) {
	record, err := c.reader.Read()
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return Row{Line: int64(syntax.StartLine), Problem: syntaxProblem(syntax)}, nil
	case err != nil:
		return Row{}, err
	}
	line, _ := c.reader.FieldPos(0)
	return Row{Line: int64(line), Cells: record}, nil
}

// Lines counts the line ends.
func (c *csvDeck) Lines() int64 { return c.lines }

// Close does nothing: the text is the caller's.
func (c *csvDeck) Close() error { return nil }
