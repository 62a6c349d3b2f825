package operators

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileIsReadUpToItsBounds(t *testing.T) {
	require.Equal(t, bounds{bytes: 64 << 20, lines: 2_000_000}, wholeFile())
	header := strings.Join(operatorColumns, ",") + "\n"
	most := bounds{bytes: 4096, lines: 100}
	for _, c := range []struct {
		name, start, line string
		// taken is how many lines are read, the header too.
		taken int64
		want  []BadLine
	}{
		{"of lines", header, ",,,,,,,\n", 101, []BadLine{{Line: 101, Message: "the file has more than 100 lines: split it"}}},
		{"of bytes", header, strings.Repeat(",", 7) + strings.Repeat(" ", 80) + "\n", 46, []BadLine{{Line: 47, Message: "the file has more than 4096 bytes: split it"}}},
		{"of bytes in the header", "", "\n", 0, []BadLine{{Line: 1, Message: "the file has more than 4096 bytes: split it"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := new(BadLines)
			// Twice the bytes that are allowed: what does not end looks the same.
			file := io.LimitReader(strings.NewReader(c.start+strings.Repeat(c.line, 8192)), 2*most.bytes)
			table, err := newTable(file, most, operatorColumns, bad, nil)
			require.NoError(t, err)
			if table != nil {
				for more := true; more; {
					more, err = table.next()
					require.NoError(t, err)
				}
				require.Equal(t, c.taken, table.line)
			}
			require.Equal(t, c.want, bad.List())
		})
	}
}
