package xlsx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/xuri/excelize/v2"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// Workbooks opens workbooks. The zero value is ready for use, also by several at once.
type Workbooks struct{}

var _ operators.Workbooks = Workbooks{}

// ReasonTempFolder marks a server that has no room to unpack a workbook.
const ReasonTempFolder = "TEMP_FOLDER_UNAVAILABLE"

// unreadable is the fault for a workbook that cannot be taken.
func unreadable(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidArgument, operators.ReasonDeckUnreadable, format, args...)
}

const damagedText = "The workbook is damaged: open it in a spreadsheet, save it again as .xlsx, and import that."

func damaged(cause error) error { return unreadable(damagedText).Wrap(cause) }

// oleStart begins workbooks with a password, and those of Excel before 2007.
var oleStart = []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}

// Open checks a workbook and gives the rows of a sheet, "" being the first. It takes time in proportion to the unpacked
// size; ctx ends it.
func (Workbooks) Open(ctx context.Context, file []byte, sheet string) (operators.RowReader, error) {
	if bytes.HasPrefix(file, oleStart) {
		return nil, unreadable("The workbook has a password, or is of Excel before 2007: save it as .xlsx without a password.")
	}
	rows, err := inspect(ctx, file)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "trunkline-deck-")
	if err != nil {
		return nil, fault.New(fault.Unavailable, ReasonTempFolder,
			"The server cannot write to its temporary folder, so it cannot unpack a workbook: save the deck as CSV, or have the folder made writable.").Wrap(err)
	}
	s := &sheetReader{dir: dir, lines: rows}
	if err := s.open(file, sheet); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// sheetReader reads one sheet.
type sheetReader struct {
	dir   string
	file  *excelize.File
	rows  *excelize.Rows
	line  int64
	lines int64
	// from1904 tells that the days are counted from 1904.
	from1904 bool
}

// open lets the library open the workbook. It must not bring the process down, whatever it makes of the workbook.
func (s *sheetReader) open(file []byte, sheet string) (err error) {
	defer recovered(&err)
	s.file, err = excelize.OpenReader(bytes.NewReader(file), excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxInMemory, TmpDir: s.dir,
	})
	if err != nil {
		return damaged(err)
	}
	name, err := s.sheet(sheet)
	if err != nil {
		return err
	}
	if err := plainStyles(s.file); err != nil {
		return damaged(err)
	}
	properties, err := s.file.GetWorkbookProps()
	if err != nil {
		return damaged(err)
	}
	s.from1904 = properties.Date1904 != nil && *properties.Date1904
	if s.rows, err = s.file.Rows(name); err != nil {
		return damaged(err)
	}
	return nil
}

// sheet finds the sheet to read.
func (s *sheetReader) sheet(wanted string) (string, error) {
	names := s.file.GetSheetList()
	if len(names) == 0 {
		return "", unreadable("The workbook has no sheet.")
	}
	if wanted == "" {
		return names[0], nil
	}
	for _, name := range names {
		if strings.EqualFold(name, wanted) {
			return name, nil
		}
	}
	const shown = 20
	return "", unreadable("The workbook has no sheet of this name; its sheets are %q.", names[:min(len(names), shown)])
}

// Next gives the next row.
func (s *sheetReader) Next() (row operators.Row, err error) {
	defer recovered(&err)
	if !s.rows.Next() {
		if err := s.rows.Error(); err != nil {
			return row, damaged(err)
		}
		return row, io.EOF
	}
	s.line++
	cells, err := s.rows.Columns()
	if err != nil {
		return row, damaged(err)
	}
	for i, cell := range cells {
		cells[i] = s.plain(cell)
	}
	return operators.Row{Line: s.line, Cells: cells}, nil
}

// Lines is how many rows the largest sheet has.
func (s *sheetReader) Lines() int64 { return s.lines }

// Close removes the unpacked parts.
func (s *sheetReader) Close() error {
	var err error
	if s.rows != nil {
		err = s.rows.Close()
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// recovered turns a panic of the library into a fault.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = damaged(errors.New("the library that reads workbooks panicked"))
	}
}
