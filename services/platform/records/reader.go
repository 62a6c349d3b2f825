// Package records reads CSV files of others. A record of them is bounded in length, because a parsed one takes about 40
// bytes of memory for each comma, before anybody sees how many fields it has.
package records

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
)

// ErrTooLong means that a record is longer than allowed. Nothing behind it can be read.
var ErrTooLong = errors.New("the line is too long")

// Reader reads records that may have any number of fields.
type Reader struct {
	lines *lines
	csv   *csv.Reader
}

// NewReader gives a reader of records with at most so many bytes, line ends inside of quotes included.
func NewReader(from io.Reader, most int) *Reader {
	l := &lines{from: bufio.NewReader(from), most: most}
	r := &Reader{lines: l, csv: csv.NewReader(l)}
	r.csv.FieldsPerRecord = -1
	r.csv.ReuseRecord = true
	return r
}

// Read gives the next record, which is valid until the next Read, and the line it begins in, from 1. Errors: io.EOF;
// *csv.ParseError, after which reading goes on with the next line; ErrTooLong; and those of the file.
func (r *Reader) Read() (record []string, line int64, err error) {
	r.lines.length = 0
	r.lines.first = r.lines.ended + 1
	record, err = r.csv.Read()
	if errors.Is(r.lines.err, ErrTooLong) {
		err = ErrTooLong // also where what there is of the record is not valid either
	}
	return record, r.lines.first, err
}

// lines gives a file line by line, so that nothing is read ahead of the record at hand.
type lines struct {
	from *bufio.Reader
	most int
	// rest is what was read and not given yet. err is what follows it; it stays.
	rest []byte
	err  error

	// length is that of the record at hand so far, first its first line; ended counts the lines before rest.
	length       int
	first, ended int64
}

// Read gives at most the rest of a line.
func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 && l.err == nil {
		l.next()
	}
	if len(l.rest) == 0 {
		return 0, l.err
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *lines) next() {
	piece, err := l.from.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		l.err = err
	}
	if err == nil {
		l.ended++
	}
	if l.length == 0 && (string(piece) == "\n" || string(piece) == "\r\n") {
		l.first++ // the parser skips empty lines
	} else {
		l.length += len(piece)
	}
	if l.length > l.most {
		piece, l.err = nil, ErrTooLong
	}
	l.rest = piece
}
