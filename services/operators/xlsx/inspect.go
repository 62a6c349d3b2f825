package xlsx

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a workbook.
const (
	// maxParts is how many files a workbook may be made of.
	maxParts = 2000
	// maxUnpacked is how many bytes they may have in all. A sheet with 1,000,000 rows of 9 cells takes about 400 MB.
	maxUnpacked = 512 << 20
	// maxInMemory is the largest sheet or table of texts that the library keeps in memory; a larger one goes to a file.
	maxInMemory = 1 << 20
	// maxKept bounds all that the library keeps in memory as it is: small sheets, pictures, styles and whatever else.
	maxKept = 32 << 20
)

var (
	centralEntry = []byte("PK\x01\x02")
	tooLargeText = fmt.Sprintf("The workbook has more than %d parts, or more than %d MiB when it is unpacked: remove what is no price, or split it.",
		maxParts, maxUnpacked>>20)
)

// inspect reads the whole workbook once and refuses what must not reach the library. It returns how many rows the
// largest sheet has.
func inspect(ctx context.Context, file []byte) (rows int64, err error) {
	// The directory is counted before it is read: each of its entries takes many times its size in memory.
	if bytes.Count(file, centralEntry) > maxParts {
		return 0, unreadable("%s", tooLargeText)
	}
	book, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return 0, unreadable("The file is not a whole XLSX workbook: save it again as .xlsx.").Wrap(err)
	}
	if err := checkParts(book); err != nil {
		return 0, err
	}
	w := walker{ctx: ctx}
	for _, part := range book.File {
		if err := w.part(part); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			return 0, err
		}
	}
	if w.referred > w.strings {
		return 0, damaged(errors.New("a cell refers to a text that is not there"))
	}
	return w.mostRows, nil
}

// checkParts looks at the names and sizes of the parts. No part can be larger than it says: the reader of archives
// fails then.
func checkParts(book *zip.Reader) error {
	var unpacked, kept uint64
	isWorkbook := false
	for _, part := range book.File {
		name := partName(part)
		switch {
		case part.Flags&1 != 0:
			return unreadable("The workbook has a password: save it without one.")
		case strings.HasSuffix(name, "vbaproject.bin"):
			return unreadable("The workbook holds macros: save it as .xlsx, which has none.")
		case strings.HasPrefix(name, "xl/workbook") && strings.HasSuffix(name, ".xml"):
			isWorkbook = true
		}
		size := min(part.UncompressedSize64, maxUnpacked+1)
		unpacked += size
		if !isLarge(name) || size <= maxInMemory {
			kept += size
		}
	}
	switch {
	case !isWorkbook:
		return unreadable("The file is no XLSX workbook: save it as .xlsx.")
	case unpacked > maxUnpacked:
		return unreadable("%s", tooLargeText)
	case kept > maxKept:
		return unreadable("The workbook holds more than %d MiB beside its sheets: remove pictures and the like.", maxKept>>20)
	}
	return nil
}

// part reads one part to its end. Sheets and tables of texts are walked through, wherever they are.
func (w *walker) part(part *zip.File) (err error) {
	reader, err := part.Open()
	if err != nil {
		return damaged(err)
	}
	defer func() {
		if closing := reader.Close(); closing != nil && err == nil {
			err = damaged(closing)
		}
	}()
	buffered := bufio.NewReaderSize(reader, 64<<10)
	name := partName(part)
	if strings.HasSuffix(name, ".xml") {
		err := w.walk(buffered)
		walked := w.root == sheetRoot || w.root == textsRoot
		switch {
		case err != nil && (walked || isLarge(name)):
			return err
		case !walked && isLarge(name):
			return damaged(errors.New("a sheet is none"))
		}
	}
	// What is left is read too: only at its end it is known whether the part is what was packed.
	if _, err := io.Copy(io.Discard, buffered); err != nil {
		return damaged(err)
	}
	return w.ctx.Err()
}

// partName is how the library calls a part.
func partName(part *zip.File) string { return strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/")) }

// isLarge tells the parts that the library unpacks into files.
func isLarge(name string) bool {
	return strings.HasPrefix(name, "xl/worksheets/sheet") || name == "xl/sharedstrings.xml"
}
