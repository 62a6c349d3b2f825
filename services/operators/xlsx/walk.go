package xlsx

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Bounds within a part.
const (
	// maxToken is the longest text or tag: a cell holds at most 32,767 characters, each at most 6 bytes when escaped.
	maxToken = 256 << 10
	// maxItem bounds the XML of one row, and of one text of the table of texts.
	maxItem = 1 << 20
	// maxStrings is how many texts a workbook may have, as many as a sheet has rows: the library keeps numbers for each.
	maxStrings = excelize.TotalRows
	// maxColumns is how many columns of a sheet may hold something.
	maxColumns = 256
	// maxDepth is how deep elements may be nested.
	maxDepth = 64
	// contextStep is how many tokens lie between two looks at the context.
	contextStep = 4096
)

// The outermost elements of sheets and of tables of texts.
const (
	sheetRoot = "worksheet"
	textsRoot = "sst"
)

// meter fails a token that is too long before it takes the memory.
type meter struct {
	*bufio.Reader
	left int
}

var errTooLong = errors.New("a text or a tag is too long")

// ReadByte makes the decoder read byte by byte, without a buffer of its own.
func (m *meter) ReadByte() (byte, error) {
	if m.left == 0 {
		return 0, errTooLong
	}
	m.left--
	return m.Reader.ReadByte()
}

// walker walks through the XML of all parts.
type walker struct {
	ctx context.Context
	// mostRows is the number of the last row of the longest sheet.
	mostRows int64
	// strings counts the table of texts; referred is how many it must have for the cells that refer to it.
	strings, referred int64

	// What follows is about the present part.
	root    string
	ended   bool // the rows are over
	inRow   bool
	row     int64
	column  int
	shared  bool // the cell holds the place of a text
	inValue bool
	value   []byte
	// item is where the present row or text began.
	item int64
}

// walk reads the XML of a sheet or of a table of texts to its end, and of other parts no further than their root.
func (w *walker) walk(part *bufio.Reader) error {
	w.root, w.ended, w.inRow, w.row, w.item = "", false, false, 0, -1
	source := &meter{Reader: part, left: maxToken}
	decoder := xml.NewDecoder(source)
	depth := 0
	for n := 1; ; n++ {
		if n%contextStep == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			w.mostRows = max(w.mostRows, w.row)
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		source.left = maxToken
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return damaged(errors.New("elements are nested too deep"))
			}
			if w.root == "" {
				if w.root = t.Name.Local; w.root != sheetRoot && w.root != textsRoot {
					return nil
				}
			}
			err = w.begin(t, decoder.InputOffset())
		case xml.EndElement:
			depth--
			err = w.end(t)
		case xml.CharData:
			if w.inValue {
				w.value = append(w.value, t[:min(len(t), 32)]...)
			}
		case xml.Directive:
			err = damaged(errors.New("a document type is given"))
		}
		if err != nil {
			return err
		}
		if w.item >= 0 && decoder.InputOffset()-w.item > maxItem {
			return unreadable("A row or a text of the workbook is larger than %d KiB: remove what is no price.", maxItem>>10)
		}
	}
}

func (w *walker) begin(t xml.StartElement, offset int64) error {
	switch {
	case w.root == textsRoot && t.Name.Local == "si":
		w.item = offset
		if w.strings++; w.strings > maxStrings {
			return unreadable("The workbook has more than %d texts: remove what is no price, or split it.", maxStrings)
		}
	case w.root != sheetRoot || w.ended:
	case t.Name.Local == "row":
		w.item = offset
		return w.beginRow(t)
	case t.Name.Local == "c":
		return w.beginCell(t)
	case w.inRow && (t.Name.Local == "v" || t.Name.Local == "is" || t.Name.Local == "f"):
		if w.column > maxColumns {
			return unreadable("Row %d has more than %d columns: remove what is no price.", w.row, maxColumns)
		}
		w.inValue, w.value = w.shared && t.Name.Local == "v", w.value[:0]
	}
	return nil
}

// beginRow refuses rows that are out of order.
func (w *walker) beginRow(t xml.StartElement) error {
	number := w.row + 1
	if text := attribute(t, "r"); text != "" {
		var err error
		if number, err = strconv.ParseInt(text, 10, 64); err != nil {
			return damaged(err)
		}
	}
	if w.inRow || number <= w.row || number > excelize.TotalRows {
		return damaged(errors.New("rows are out of order"))
	}
	w.inRow, w.row, w.column = true, number, 0
	return nil
}

// beginCell refuses cells that are out of order.
func (w *walker) beginCell(t xml.StartElement) error {
	column := w.column + 1
	if text := attribute(t, "r"); text != "" {
		var err error
		if column, _, err = excelize.CellNameToCoordinates(text); err != nil {
			return damaged(err)
		}
	}
	if !w.inRow || column <= w.column {
		return damaged(errors.New("cells are out of order"))
	}
	w.column, w.shared = column, attribute(t, "t") == "s"
	return nil
}

func (w *walker) end(t xml.EndElement) error {
	switch t.Name.Local {
	case "row":
		w.inRow, w.item = false, -1
	case "si":
		w.item = -1
	case "sheetData":
		w.ended = w.root == sheetRoot
	case "v":
		if w.inValue {
			w.inValue = false
			return w.refer(strings.TrimSpace(string(w.value)))
		}
	}
	return nil
}

// refer notes the place of a text that a cell refers to.
func (w *walker) refer(place string) error {
	if place == "" {
		return nil
	}
	n, err := strconv.ParseInt(place, 10, 64)
	if err != nil || n < 0 {
		return damaged(errors.New("a cell refers to a text that is not there"))
	}
	w.referred = max(w.referred, n+1)
	return nil
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}
