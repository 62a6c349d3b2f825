package operators

import (
	"cmp"
	"fmt"
	"slices"
)

// MaxBadLines is how many findings a report keeps; all lines are counted.
const MaxBadLines = 1000

// BadLine is one reason why a line of a file cannot be taken.
type BadLine struct {
	// Line counts from 1, which is the header. A record over several lines has the
	// number of its first.
	Line int64
	// Column is the name of the column at fault, or "".
	Column string
	// Message says what is wrong and what is accepted.
	Message string
}

// BadLines collects findings. The zero value is ready for use.
type BadLines struct {
	kept  []BadLine
	lines map[int64]struct{}
}

func (b *BadLines) add(line int64, column, format string, args ...any) {
	if b.lines == nil {
		b.lines = make(map[int64]struct{})
	}
	b.lines[line] = struct{}{}
	if len(b.kept) < MaxBadLines {
		b.kept = append(b.kept, BadLine{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
	}
}

// end adds the reason why reading stopped. It is always kept: without it a report
// that is full would look like one about the whole file.
func (b *BadLines) end(line int64, format string, args ...any) {
	if len(b.kept) == MaxBadLines {
		b.kept = b.kept[:MaxBadLines-1]
	}
	b.add(line, "", format, args...)
}

// has reports whether the line has a finding.
func (b *BadLines) has(line int64) bool {
	_, bad := b.lines[line]
	return bad
}

// Count is how many lines cannot be taken.
func (b *BadLines) Count() int64 { return int64(len(b.lines)) }

// List returns the findings that were kept, at most MaxBadLines, by line.
func (b *BadLines) List() []BadLine {
	sorted := slices.Clone(b.kept)
	slices.SortStableFunc(sorted, func(x, y BadLine) int { return cmp.Compare(x.Line, y.Line) })
	return sorted
}
