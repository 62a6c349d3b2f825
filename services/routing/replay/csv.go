package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/records"
	"trunkline/services/routing"
)

// Bounds of a file.
const (
	// MaxLines is how many lines of a file are read, the header included.
	MaxLines = 1_000_000
	// MaxCount is the most messages that a line stands for.
	MaxCount = 1_000_000_000
	// maxLine is the most bytes of a line. A good one has less than 200.
	maxLine = 4 << 10
	// maxBadLines is how many bad lines a report names; all are counted.
	maxBadLines = 1000
)

// The columns, in the order that they have in a file without header.
const (
	numberColumn = iota
	accountColumn
	typeColumn
	countColumn
)

var columns = []string{numberColumn: "number", accountColumn: "account", typeColumn: "message_type", countColumn: "count"}

// message is one message of a sample, or count equal ones.
type message struct {
	id      uuid.UUID
	to      e164.Number
	account uuid.UUID
	kind    routing.MessageType
	count   int64
}

// file reads a CSV file of numbers. The first line is a header, unless it starts with a number.
type file struct {
	reader *records.Reader
	// at is where each column is in a line; -1 is nowhere.
	at    []int
	width int
	// head is the first line of a file without header, until it is read.
	head []string
	line int64

	bad      []*operatorsv1.BadLine
	badCount int64
}

var markUTF8 = []byte{0xEF, 0xBB, 0xBF}

func newFile(text []byte) *file {
	return &file{reader: records.NewReader(bytes.NewReader(bytes.TrimPrefix(text, markUTF8)), maxLine)}
}

// lines is about how many lines a file has.
func lines(text []byte) int64 { return int64(min(bytes.Count(text, []byte("\n"))+1, MaxLines)) }

// each gives every message of the file in order. Lines that cannot be read are noted. The error is that of give.
func (f *file) each(give func(*message) error) error {
	if !f.header() {
		return nil
	}
	var m message
	for {
		record, err := f.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case f.line > MaxLines:
			f.note("", "the file has more than %d lines: split it; nothing from here on was read", MaxLines)
			return nil
		case errors.Is(err, records.ErrTooLong):
			f.tooLong()
			return nil
		case err != nil:
			f.note("", "the line is not valid CSV: close every quoted field before the comma, and write a \" inside it twice")
			continue
		case blank(record) || !f.read(record, &m):
			continue
		}
		if err := give(&m); err != nil {
			return err
		}
	}
}

func (f *file) next() ([]string, error) {
	if f.head != nil {
		record := f.head
		f.head = nil
		return record, nil
	}
	record, line, err := f.reader.Read()
	if !errors.Is(err, io.EOF) {
		f.line = line
	}
	return record, err
}

func (f *file) tooLong() {
	f.note("", "the line is too long: it has more than %d bytes, perhaps because a quote is not closed; nothing from here on was read", maxLine)
}

// header reads the first line. False means that the file cannot be read, which is noted.
func (f *file) header() bool {
	record, err := f.next()
	switch {
	case errors.Is(err, records.ErrTooLong):
		f.tooLong()
		return false
	case err != nil:
		f.line = 1
		f.note("", "the first line must be a header with the column number, or start with a number such as +447911123456")
		return false
	}
	if strings.HasPrefix(record[0], "+") {
		f.head, f.width, f.at = slices.Clone(record), len(record), []int{-1, -1, -1, -1}
		if f.width > len(columns) {
			f.note("", "a file without header has at most the columns %s", strings.Join(columns, ","))
			return false
		}
		for i := range record {
			f.at[i] = i
		}
		return true
	}
	f.width, f.at = len(record), []int{-1, -1, -1, -1}
	for i, name := range record {
		at := slices.Index(columns, name)
		switch {
		case at < 0:
			f.note("", "column %d of the header is not known; the columns are %s", i+1, strings.Join(columns, ","))
			return false
		case f.at[at] >= 0:
			f.note(name, "the column is in the header twice")
			return false
		}
		f.at[at] = i
	}
	if f.at[numberColumn] < 0 {
		f.note(columns[numberColumn], "the column is missing in the header")
		return false
	}
	return true
}

// field gives a column of a record; "" when the file does not have it.
func (f *file) field(record []string, column int) string {
	if f.at[column] < 0 {
		return ""
	}
	return record[f.at[column]]
}

// read makes a message of a record. False means that it cannot be read, which is noted.
func (f *file) read(record []string, m *message) bool {
	if len(record) != f.width {
		f.note("", "the line has %d fields, the first line has %d", len(record), f.width)
		return false
	}
	*m = message{kind: routing.SMS, count: 1}
	var err error
	if m.to, err = e164.Parse(strings.Clone(f.field(record, numberColumn))); err != nil {
		f.note(columns[numberColumn], "%s: write it as in +447911123456", err)
		return false
	}
	if text := f.field(record, accountColumn); text != "" {
		if m.account, err = parseUUID(text); err != nil {
			f.note(columns[accountColumn], "must be a UUID, or empty for no account")
			return false
		}
	}
	if text := f.field(record, typeColumn); text != "" {
		if m.kind = kindOf(text); !m.kind.Valid() {
			f.note(columns[typeColumn], "must be SMS, FLASH or WAP, or empty for SMS")
			return false
		}
	}
	if text := f.field(record, countColumn); text != "" {
		if m.count, err = strconv.ParseInt(text, 10, 64); err != nil || m.count < 1 || m.count > MaxCount {
			f.note(columns[countColumn], "must be a whole number from 1 to %d, or empty for 1", MaxCount)
			return false
		}
	}
	m.id = lineID(f.line)
	return true
}

// lineID is the id by which a line is drawn under WEIGHTED.
func lineID(line int64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[8:], uint64(line))
	return again(id, 0)
}

// again gives the id of the n-th draw for a message.
func again(id uuid.UUID, n int64) (next uuid.UUID) {
	var seed [24]byte
	copy(seed[:], id[:])
	binary.BigEndian.PutUint64(seed[16:], uint64(n))
	sum := sha256.Sum256(seed[:])
	copy(next[:], sum[:])
	return next
}

func kindOf(name string) routing.MessageType {
	for kind := routing.SMS; kind.Valid(); kind++ {
		if kind.String() == name {
			return kind
		}
	}
	return 0
}

// parseUUID takes the 36-character form only, and not the nil UUID.
func parseUUID(text string) (uuid.UUID, error) {
	const usual = 36
	id, err := uuid.Parse(text)
	if err != nil || len(text) != usual || id == uuid.Nil {
		return uuid.Nil, errors.New("not a UUID")
	}
	return id, nil
}

func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(field string) bool { return field != "" })
}

// note takes down why the line at hand cannot be read. The text holds nothing of the line, which is about subscribers.
func (f *file) note(column, format string, args ...any) {
	f.badCount++
	if len(f.bad) < maxBadLines {
		f.bad = append(f.bad, &operatorsv1.BadLine{Line: f.line, Column: column, Message: fmt.Sprintf(format, args...)})
	}
}
