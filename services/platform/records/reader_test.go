package records_test

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/records"
)

const most = 100

type record struct {
	line   int64
	fields []string
}

// readAll reads until an error that ends a file. Lines that are not valid have no fields.
func readAll(t *testing.T, from io.Reader) (all []record, line int64, err error) {
	t.Helper()
	r := records.NewReader(from, most)
	for {
		fields, line, err := r.Read()
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax):
			require.EqualValues(t, syntax.StartLine, line)
			all = append(all, record{line, nil})
		case err != nil:
			_, _, again := r.Read()
			require.ErrorIs(t, again, err, "it stays")
			return all, line, err
		default:
			all = append(all, record{line, slices.Clone(fields)})
		}
	}
}

func TestRecordsComeWithTheLinesTheyBeginIn(t *testing.T) {
	full := strings.Repeat("x", most-1)
	for name, c := range map[string]struct {
		text string
		want []record
	}{
		"nothing":                     {"", nil},
		"no last line end":            {"a,b\nc", []record{{1, []string{"a", "b"}}, {2, []string{"c"}}}},
		"empty lines":                 {"\n\r\na\n\n\r\nb\n\n", []record{{3, []string{"a"}}, {6, []string{"b"}}}},
		"more empty lines than bytes": {"a\n" + strings.Repeat("\n", 10*most) + "b\n", []record{{1, []string{"a"}}, {10*most + 2, []string{"b"}}}},
		"lines inside of quotes":      {"\"a\n\nb\",c\nd\n", []record{{1, []string{"a\n\nb", "c"}}, {4, []string{"d"}}}},
		"a line that is not valid":    {"a\"\nb\n", []record{{1, nil}, {2, []string{"b"}}}},
		"the longest lines":           {full + "\n" + full + "\n", []record{{1, []string{full}}, {2, []string{full}}}},
		"many lines":                  {strings.Repeat(full+"\n", 100), slices.Repeat([]record{{0, []string{full}}}, 100)},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.want {
				if c.want[i].line == 0 {
					c.want[i].line = int64(i + 1)
				}
			}
			for _, from := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				got, _, err := readAll(t, from)
				require.ErrorIs(t, err, io.EOF)
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestARecordThatIsTooLongEndsTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		before int
		line   int64
	}{
		"the first line":                     {strings.Repeat(",", 1<<20), 0, 1},
		"by one byte":                        {strings.Repeat("x", most) + "\n", 0, 1},
		"a later line":                       {"a\n\n\"b\nc\"\n\n" + strings.Repeat(",", 1<<20) + "\nd\n", 2, 6},
		"many short lines in one field":      {"a\n\"" + strings.Repeat("\n", 1<<20), 1, 2},
		"many fields with a line end inside": {"a\n" + strings.Repeat("\"\n\",", 1<<18) + "\nb\n", 1, 2},
		"one that is not valid either":       {"a\nb\"" + strings.Repeat(",", 1<<20) + "\nc\n", 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, line, err := readAll(t, strings.NewReader(c.text))
			require.ErrorIs(t, err, records.ErrTooLong)
			require.Len(t, got, c.before)
			require.Equal(t, c.line, line)
		})
	}
}

func TestErrorsOfTheFileAreHandedOn(t *testing.T) {
	broken := errors.New("broken")
	got, _, err := readAll(t, io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.Equal(t, []record{{1, []string{"a"}}}, got)
}
