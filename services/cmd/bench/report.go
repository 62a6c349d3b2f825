package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// section is one table of figures.
type section struct {
	title string
	// notes say what the figures are and what they are not, a sentence or more each.
	notes   []string
	columns []string
	rows    [][]string
}

// target compares one figure with what was promised.
type target struct {
	what, wanted, measured string
	met                    bool
}

type report struct {
	machine  machine
	command  string
	targets  []target
	sections []section
}

// tables gives everything in the order of printing.
func (r report) tables() []section {
	rows := append(r.machine.rows(), []string{"command", r.command})
	all := []section{{title: "Machine", columns: []string{"", ""}, rows: rows}}
	if len(r.targets) > 0 {
		s := section{title: "Targets", columns: []string{"what", "target", "measured", ""}}
		for _, t := range r.targets {
			verdict := "met"
			if !t.met {
				verdict = "MISSED"
			}
			s.rows = append(s.rows, []string{t.what, t.wanted, t.measured, verdict})
		}
		all = append(all, s)
	}
	return append(all, r.sections...)
}

// text prints tables for a terminal.
func (r report) text(w io.Writer) error {
	var out bytes.Buffer
	for i, s := range r.tables() {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%s\n", strings.ToUpper(s.title))
		for _, note := range s.notes {
			fmt.Fprintf(&out, "  %s\n", note)
		}
		widths := make([]int, len(s.columns))
		lines := append([][]string{s.columns}, s.rows...)
		for _, line := range lines {
			for i, cell := range line {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
		for _, line := range lines {
			if strings.Join(line, "") == "" {
				continue // a table without head
			}
			var b strings.Builder
			for i, cell := range line {
				pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
				if i > 0 && numeric(s, i) {
					cell = pad + cell
				} else {
					cell += pad
				}
				b.WriteString("  " + cell)
			}
			fmt.Fprintln(&out, strings.TrimRight(b.String(), " "))
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// numeric reports whether a column holds figures, which stand on the right.
func numeric(s section, column int) bool {
	for _, row := range s.rows {
		if cell := row[column]; cell != "" && strings.IndexByte("0123456789+-<>≥≤", cell[0]) < 0 {
			return false
		}
	}
	return s.columns[column] != ""
}

func (r report) markdown() string {
	var out strings.Builder
	for _, s := range r.tables() {
		fmt.Fprintf(&out, "\n### %s\n\n", s.title)
		for _, note := range s.notes {
			fmt.Fprintf(&out, "%s\n", note)
		}
		if len(s.notes) > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "| %s |\n|", strings.Join(s.columns, " | "))
		for i := range s.columns {
			if i > 0 && numeric(s, i) {
				out.WriteString(" ---: |")
			} else {
				out.WriteString(" --- |")
			}
		}
		out.WriteByte('\n')
		for _, row := range s.rows {
			fmt.Fprintf(&out, "| %s |\n", strings.ReplaceAll(strings.Join(row, "\x00"), "\x00", " | "))
		}
	}
	return out.String()
}

// The marks between which a file keeps the last report.
const (
	beginMark = "<!-- results: begin; ./task bench -- -write replaces everything down to the end mark -->"
	endMark   = "<!-- results: end -->"
)

var errNoMarks = errors.New("the file has no place for the results: it needs the lines\n" + beginMark + "\n" + endMark)

// writeInto replaces the former results in a file and keeps its prose.
func (r report) writeInto(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := replaceResults(string(old), r.markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // a document that everybody may read
}

func replaceResults(file, results string) (string, error) {
	before, rest, ok := strings.Cut(file, beginMark)
	if !ok {
		return "", errNoMarks
	}
	_, after, ok := strings.Cut(rest, endMark)
	if !ok {
		return "", errNoMarks
	}
	return before + beginMark + "\n" + results + "\n" + endMark + after, nil
}
