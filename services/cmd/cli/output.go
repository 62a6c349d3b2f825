package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// appendJSON appends the message as proto JSON in one line. protojson varies its
// spaces on purpose; this does not.
func appendJSON(dst []byte, m proto.Message) ([]byte, error) {
	raw, err := protojson.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	b := bytes.NewBuffer(dst)
	if err := json.Compact(b, raw); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}

// writeJSON writes the message as indented proto JSON.
func writeJSON(w io.Writer, m proto.Message) error {
	return indentJSON(w, protojson.MarshalOptions{}, m)
}

// writeCounts writes the message as writeJSON does, with its zeros: a count of 0 is an answer.
func writeCounts(w io.Writer, m proto.Message) error {
	return indentJSON(w, protojson.MarshalOptions{EmitDefaultValues: true}, m)
}

func indentJSON(w io.Writer, options protojson.MarshalOptions, m proto.Message) error {
	raw, err := options.Marshal(m)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// jsonSequence writes messages one by one, as lines or as one array, and holds
// none of them.
type jsonSequence struct {
	w     io.Writer
	array bool
	began bool
	line  []byte
}

func (s *jsonSequence) add(m proto.Message) error {
	line := s.line[:0]
	if s.array {
		line = append(line, ",\n"...)
		if !s.began {
			line = append(line[:0], "[\n"...)
		}
	}
	s.began = true
	line, err := appendJSON(line, m)
	if err != nil {
		return err
	}
	if !s.array {
		line = append(line, '\n')
	}
	s.line = line
	_, err = s.w.Write(line)
	return err
}

func (s *jsonSequence) end() error {
	if !s.array {
		return nil
	}
	text := "\n]\n"
	if !s.began {
		text = "[]\n"
	}
	_, err := io.WriteString(s.w, text)
	return err
}

// columns prints rows in blocks. Every block is aligned by itself and is never
// narrower than the ones before, so that memory does not grow with the output.
type columns struct {
	w      io.Writer
	indent string
	head   []string
	widths []int
}

func (c *columns) print(rows [][]string) error {
	block := rows
	if c.widths == nil {
		c.widths = make([]int, len(c.head))
		block = append([][]string{c.head}, rows...)
	}
	for _, row := range block {
		for i, cell := range row {
			row[i] = clean(cell)
			c.widths[i] = max(c.widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b bytes.Buffer
	for _, row := range block {
		line := c.indent
		for i, cell := range row {
			line += cell + strings.Repeat(" ", c.widths[i]-utf8.RuneCountInString(cell)+2)
		}
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	_, err := c.w.Write(b.Bytes())
	return err
}

// clean keeps text of a server or a file from steering the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

func printf(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format, args...)
	return err
}
