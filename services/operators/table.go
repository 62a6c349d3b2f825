package operators

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"trunkline/services/platform/records"
)

// Bounds of a file.
const (
	MaxFileBytes = 64 << 20
	MaxLines     = 2_000_000
	MaxField     = 1024 // bytes
	// maxLine is the most bytes of a line. One whose fields have at most MaxField has less than half of it.
	maxLine = 64 << 10
)

// progressStep is how many lines or rows lie between two reports of progress.
const progressStep = 1000

// bounds are how much of a file is read.
type bounds struct {
	bytes, lines int64
}

func wholeFile() bounds { return bounds{bytes: MaxFileBytes, lines: MaxLines} }

// table reads a CSV file with a header, one record at a time.
type table struct {
	reader   *records.Reader
	bounds   bounds
	columns  []string
	position map[string]int // of a column in the file
	bad      *BadLines
	progress func(line int64)

	record   []string
	line     int64
	reported int64
}

// capped fails the read that would go beyond what is left.
type capped struct {
	reader io.Reader
	left   int64
}

var errTooLarge = errors.New("the file is too large")

const (
	tooLarge = "the file has more than %d bytes: split it"
	tooLong  = "the line is too long: it has more than %d bytes, perhaps because a quote is not closed"
)

// Read reads up to the cap.
func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		// One byte more tells a file that ends here from one that goes on.
		if n, err := c.reader.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := c.reader.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

var (
	markUTF8    = []byte{0xEF, 0xBB, 0xBF}
	marksUTF16  = [][]byte{{0xFE, 0xFF}, {0xFF, 0xFE}}
	otherCommas = ";\t|"
)

// newTable reads and checks the header. It returns nil when there is no use in
// going on; the reasons are in bad then. The error is one of reading r.
func newTable(r io.Reader, most bounds, columns []string, bad *BadLines, progress func(line int64)) (*table, error) {
	buffered := bufio.NewReaderSize(&capped{reader: r, left: most.bytes}, 64<<10)
	start, err := buffered.Peek(len(markUTF8))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	for _, mark := range marksUTF16 {
		if bytes.HasPrefix(start, mark) {
			bad.add(1, "", "the file is UTF-16: save it as CSV UTF-8")
			return nil, nil
		}
	}
	if bytes.HasPrefix(start, markUTF8) {
		_, _ = buffered.Discard(len(markUTF8))
	}
	t := &table{reader: records.NewReader(buffered, maxLine), bounds: most, columns: columns, bad: bad, progress: progress}
	ok, err := t.header()
	if err != nil || !ok {
		return nil, err
	}
	return t, nil
}

func (t *table) header() (bool, error) {
	header, line, err := t.reader.Read()
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, errTooLarge):
		t.bad.end(1, tooLarge, t.bounds.bytes)
		return false, nil
	case errors.Is(err, records.ErrTooLong):
		t.bad.end(line, tooLong, maxLine)
		return false, nil
	case errors.Is(err, io.EOF):
		t.bad.add(1, "", "the file is empty: the first line must be %s", strings.Join(t.columns, ","))
		return false, nil
	case errors.As(err, &syntax):
		t.bad.add(1, "", "%s", syntaxProblem(syntax))
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the file: %w", err)
	}
	t.line = 1
	before := t.bad.Count()
	t.position = make(map[string]int, len(header))
	for i, name := range header {
		_, twice := t.position[name]
		switch {
		case twice:
			t.bad.add(1, shown(name), "the column is in the header twice")
		case !slices.Contains(t.columns, name):
			t.bad.add(1, shown(name), "there is no such column; the columns are %s", strings.Join(t.columns, ","))
		}
		t.position[name] = i
	}
	for _, name := range t.columns {
		if _, there := t.position[name]; !there {
			t.bad.add(1, name, "the column is missing in the header")
		}
	}
	if len(header) == 1 && strings.ContainsAny(header[0], otherCommas) {
		t.bad.add(1, "", "columns are separated by commas")
	}
	return t.bad.Count() == before, nil
}

// next moves to the next record that has the right shape. It returns false at the
// end of the file, or where reading on makes no sense; bad tells then.
func (t *table) next() (bool, error) {
	for {
		record, line, err := t.reader.Read()
		var syntax *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			t.report(t.line)
			return false, nil
		case errors.Is(err, errTooLarge):
			t.bad.end(t.line+1, tooLarge, t.bounds.bytes)
			return false, nil
		case errors.Is(err, records.ErrTooLong):
			t.bad.end(line, tooLong, maxLine)
			return false, nil
		case errors.As(err, &syntax):
			t.line = line
			t.bad.add(t.line, "", "%s", syntaxProblem(syntax))
			continue
		case err != nil:
			return false, fmt.Errorf("read the file: %w", err)
		}
		t.line, t.record = line, record
		if t.line > t.bounds.lines {
			t.bad.end(t.line, "the file has more than %d lines: split it", t.bounds.lines)
			return false, nil
		}
		if t.line-t.reported >= progressStep {
			t.report(t.line)
		}
		if !isBlank(record) && t.hasShape() {
			return true, nil
		}
	}
}

func (t *table) report(line int64) {
	t.reported = line
	if t.progress != nil {
		t.progress(line)
	}
}

func isBlank(record []string) bool {
	return !slices.ContainsFunc(record, func(field string) bool { return field != "" })
}

func (t *table) hasShape() bool {
	if len(t.record) != len(t.columns) {
		t.bad.add(t.line, "", "the line has %d fields, the header has %d", len(t.record), len(t.columns))
		return false
	}
	for _, column := range t.columns {
		field := t.field(column)
		switch {
		case len(field) > MaxField:
			t.bad.add(t.line, column, "must have at most %d bytes", MaxField)
		case !utf8.ValidString(field):
			t.bad.add(t.line, column, "must be UTF-8")
		}
	}
	return !t.bad.has(t.line)
}

// field returns a column of the current record. It is valid until next.
func (t *table) field(column string) string { return t.record[t.position[column]] }

// fault notes that a column of the current record is wrong.
func (t *table) fault(column, format string, args ...any) {
	t.bad.add(t.line, column, format, args...)
}

func syntaxProblem(err *csv.ParseError) string {
	switch {
	case errors.Is(err.Err, csv.ErrBareQuote):
		return `a " stands inside a field that is not quoted: quote the field and write it twice`
	case errors.Is(err.Err, csv.ErrQuote):
		return `a quoted field does not end where it should: write a " inside it twice, and close it before the comma`
	}
	return "the line is not valid CSV"
}

// shown bounds text from a file before it goes into a message.
func shown(text string) string {
	const most = 100
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// guarded are the characters that make a spreadsheet run a cell as a formula.
const guarded = "=+-@\t\r"

// guard makes a free text harmless for spreadsheets; unguard undoes it.
func guard(text string) string {
	if text == "" || !strings.Contains(guarded, text[:1]) && !isGuarded(text) {
		return text
	}
	return "'" + text
}

func unguard(text string) string {
	if isGuarded(text) {
		return text[1:]
	}
	return text
}

// isGuarded tells a text that guard wrote. An apostrophe before another one is
// guarded too, so that every text has its own form.
func isGuarded(text string) bool {
	return len(text) > 1 && text[0] == '\'' && strings.Contains(guarded+"'", text[1:2])
}
