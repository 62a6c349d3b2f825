package xlsx

import (
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

const (
	// dayMark stands before the number of a day; no text can hold it, because XML cannot. The library writes dates too,
	// but takes a hundred times as long.
	dayMark   = "\x01"
	dayFormat = `"` + dayMark + `"0.##########`
	// lastDay is the number of 9999-12-31, after which spreadsheets know no day.
	lastDay = 2958465
	// plainFormat is the number of no format: the library writes the value as it is then.
	plainFormat = 9999
	// maxZeros is the widest number with zeros before it: a prefix.
	maxZeros = 15
)

// plainStyles changes the styles so that the library gives the values that count: dates as marked numbers, numbers with
// the zeros before them that a format of zeros shows (a network code 01), and all other numbers as they are. A format such
// as 0.00 shows less than the price, and one with a currency sign more.
func plainStyles(f *excelize.File) error {
	if f.Styles == nil || f.Styles.CellXfs == nil {
		return nil
	}
	custom := make(map[int]string)
	if f.Styles.NumFmts != nil {
		for _, format := range f.Styles.NumFmts.NumFmt {
			custom[format.NumFmtID] = format.FormatCode
		}
		// Ours are looked for at each cell.
		f.Styles.NumFmts.NumFmt = nil
	}
	styles := len(f.Styles.CellXfs.Xf)
	formats := make(map[string]int)
	formatID := func(code string) (int, error) {
		if id, known := formats[code]; known {
			return id, nil
		}
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		if err != nil {
			return 0, err
		}
		formats[code] = *f.Styles.CellXfs.Xf[style].NumFmtID
		return formats[code], nil
	}
	for i := range styles {
		had, id := 0, plainFormat
		if number := f.Styles.CellXfs.Xf[i].NumFmtID; number != nil {
			had = *number
		}
		code, ours := custom[had], ""
		switch {
		case isDate(had, code):
			ours = dayFormat
		case isZeros(code):
			// The places keep a number that is not whole as it is.
			ours = code + ".#########"
		}
		if ours != "" {
			var err error
			if id, err = formatID(ours); err != nil {
				return err
			}
		}
		f.Styles.CellXfs.Xf[i].NumFmtID = &id
	}
	return nil
}

// isDate tells formats that show a day. The numbers are those of ECMA-376, part 1, 18.8.30; a format of the workbook's
// own shows one when it has a year or a day outside of quotes, escapes and brackets.
func isDate(number int, code string) bool {
	if code == "" {
		return number >= 14 && number <= 17 || number == 22 || number >= 27 && number <= 36 || number >= 50 && number <= 58
	}
	first, _, _ := strings.Cut(strings.ToLower(code), ";")
	for i := 0; i < len(first); i++ {
		switch first[i] {
		case 'y', 'd':
			return true
		case '\\', '_', '*':
			i++
		case '"':
			i = closing(first, i, '"')
		case '[':
			i = closing(first, i, ']')
		}
	}
	return false
}

// closing finds the end of what begins at i.
func closing(text string, i int, end byte) int {
	if n := strings.IndexByte(text[i+1:], end); n >= 0 {
		return i + 1 + n
	}
	return len(text)
}

// isZeros tells formats such as 00, which show zeros before a number.
func isZeros(code string) bool {
	return len(code) > 1 && len(code) <= maxZeros && strings.Trim(code, "0") == ""
}

// plain gives the text of a cell as a deck has it: a day as YYYY-MM-DD, with a time as RFC 3339, and a number without
// what the library adds: the point of a whole one with zeros, and the exponent of a small one.
func (s *sheetReader) plain(cell string) string {
	if number, found := strings.CutPrefix(cell, dayMark); found {
		return s.day(strings.TrimSuffix(number, "."))
	}
	if whole, found := strings.CutSuffix(cell, "."); found && whole != "" && strings.Trim(whole, "0123456789") == "" {
		return whole
	}
	if strings.Contains(cell, "E-") && strings.Trim(cell, "0123456789.E-") == "" {
		if number, err := strconv.ParseFloat(cell, 64); err == nil {
			// The library kept 15 digits, and so does the shortest text of that number.
			return strconv.FormatFloat(number, 'f', -1, 64)
		}
	}
	return cell
}

// day writes the number of a day. What is no day of the calendar stays as it is, for the deck to refuse.
func (s *sheetReader) day(text string) string {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0 && number < lastDay+1) {
		return text
	}
	at, err := excelize.ExcelDateToTime(number, s.from1904)
	if err != nil {
		return text
	}
	// A number keeps a time to about a microsecond; people enter seconds.
	at = at.Round(time.Second)
	if at.Equal(at.Truncate(24 * time.Hour)) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339)
}
