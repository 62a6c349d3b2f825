package xlsx_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"trunkline/services/operators/xlsx"
)

const (
	sheetStart = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	textsStart = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`
)

// bomb packs a workbook with one part that is start, then unit over and over up to size bytes.
func bomb(t testing.TB, name, start, unit string, size int) []byte {
	t.Helper()
	small := parts(t)
	from, err := zip.NewReader(bytes.NewReader(small), int64(len(small)))
	require.NoError(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range from.File {
		require.NoError(t, w.Copy(part))
	}
	part, err := w.Create(name)
	require.NoError(t, err)
	block := strings.Repeat(unit, max(1, (1<<20)/len(unit)))
	_, err = io.WriteString(part, start)
	require.NoError(t, err)
	for written := 0; written < size; written += len(block) {
		_, err = io.WriteString(part, block)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// allocated runs do and returns how many bytes it took from the heap in all, given back or not.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Each of these is small on the wire.
func TestBombsAreRefusedBeforeTheyTakeMemory(t *testing.T) {
	const sheet, texts = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
	for _, c := range []struct {
		name, part, start, unit string
		size                    int
		want                    string
		most                    uint64 // MiB
	}{
		{"one cell with a text without end", sheet, sheetStart + `<row><c t="str"><v>`, "0", 4 << 20, "damaged", 3},
		{"one tag without end", sheet, sheetStart + `<row a="`, "0", 4 << 20, "damaged", 3},
		{"one comment without end", sheet, sheetStart + `<!--`, "0", 4 << 20, "damaged", 3},
		{"one row with cells without end", sheet, sheetStart + `<row>`, "<c/>", 4 << 20, "is larger than 1024 KiB", 100},
		{"one cell with runs of text without end", sheet, sheetStart + `<row><c t="inlineStr"><is>`, "<r><t>x</t></r>", 4 << 20, "is larger than 1024 KiB", 60},
		{"a row that is too wide", sheet, sheetStart + `<row><c r="IW1"><v>1</v></c></row>`, "<row/>", 1 << 20, "more than 256 columns", 2},
		{"elements in elements without end", sheet, sheetStart, "<a>", 4 << 20, "damaged", 2},
		{"one shared text without end", texts, textsStart + "<si>", "<r><t>x</t></r>", 4 << 20, "is larger than 1024 KiB", 60},
		{"shared texts without end", texts, textsStart, "<si/>", 6 << 20, "more than 1048576 texts", 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := bomb(t, c.part, c.start, c.unit, c.size)
			require.Less(t, len(file), 2<<20, "it is a bomb")
			taken := allocated(func() { refused(t, file, "", c.want) })
			t.Logf("%d KiB unpack to %d MiB and took %d MiB, given back or not", len(file)>>10, c.size>>20, taken>>20)
			// The decoder makes garbage for each element, and many pass before it is known that there are too many.
			require.Less(t, taken, c.most<<20)
		})
	}
}

func TestAnArchiveOfManyNamesIsRefusedBeforeItsDirectoryIsRead(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range 5_000 {
		_, err := w.Create(strconv.Itoa(i))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	taken := allocated(func() { refused(t, out.Bytes(), "", "more than 2000 parts") })
	require.Less(t, taken, uint64(1<<20))
}

// A workbook is too large by what its directory says, and a part cannot be larger than that says.
func TestThePartsAreAsLargeAsTheDirectorySays(t *testing.T) {
	sheet := bomb(t, "xl/worksheets/sheet1.xml", sheetStart, "<row/>", 2<<20)
	refused(t, says(t, sheet, 1000), "", "damaged")
	refused(t, says(t, sheet, 512<<20), "", "more than 512 MiB")
	refused(t, says(t, sheet, 3<<30), "", "more than 512 MiB")
	refused(t, says(t, bomb(t, "xl/media/image1.png", "", "0", 2<<20), 33<<20), "", "more than 32 MiB beside its sheets")
}

// says changes the size of the last part in the directory and behind the part.
func says(t *testing.T, file []byte, size uint64) []byte {
	from, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	last := from.File[len(from.File)-1]
	written := func(n uint64) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
	require.Equal(t, 2, bytes.Count(file, written(last.UncompressedSize64)))
	return bytes.ReplaceAll(file, written(last.UncompressedSize64), written(size))
}

// deckOf makes a workbook as spreadsheets do, with rows of a prefix, a destination, a price and a start.
func deckOf(t testing.TB, rows int) []byte {
	t.Helper()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	require.NoError(t, err)
	format := "yyyy-mm-dd"
	date, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	require.NoError(t, err)
	require.NoError(t, w.SetRow("A1", []any{"Prefix", "Destination", "Price", "Currency", "Effective From"}))
	for i := range rows {
		require.NoError(t, w.SetRow(fmt.Sprintf("A%d", i+2), []any{
			1_000_000 + i, fmt.Sprintf("Destination %d", i%5000), 0.01 + float64(i%100)/10000, "EUR", excelize.Cell{StyleID: date, Value: 46418},
		}))
	}
	require.NoError(t, w.Flush())
	var out bytes.Buffer
	require.NoError(t, f.Write(&out))
	require.NoError(t, f.Close())
	return out.Bytes()
}

func TestALargeSheetIsReadInMemoryThatDoesNotGrowWithIt(t *testing.T) {
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what pools hold goes only the second time
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	heap := func(rows int) (peak uint64) {
		file := deckOf(t, rows)
		before := live()
		reader, err := xlsx.Workbooks{}.Open(t.Context(), file, "")
		require.NoError(t, err)
		defer func() { require.NoError(t, reader.Close()) }()
		for n := 0; ; n++ {
			if n%(rows/4) == 0 {
				now := live()
				peak = max(peak, now-min(before, now))
			}
			row, err := reader.Next()
			if errors.Is(err, io.EOF) {
				require.Equal(t, rows+1, n)
				runtime.KeepAlive(file)
				return peak
			}
			require.NoError(t, err)
			if n == rows {
				require.Equal(t, []string{strconv.Itoa(1_000_000 + rows - 1), fmt.Sprintf("Destination %d", (rows-1)%5000), row.Cells[2], "EUR", "2027-01-31"}, row.Cells)
			}
		}
	}
	small, large := heap(2_000), heap(12_000)
	t.Logf("live heap: %d KiB with 2,000 rows, %d KiB with 12,000", small>>10, large>>10)
	require.Positive(t, large)
	require.Less(t, large, small+1<<20)
}

func BenchmarkRead250000Rows(b *testing.B) {
	file := deckOf(b, 250_000)
	for b.Loop() {
		reader, err := xlsx.Workbooks{}.Open(b.Context(), file, "")
		require.NoError(b, err)
		for err == nil {
			_, err = reader.Next()
		}
		require.ErrorIs(b, err, io.EOF)
		require.NoError(b, reader.Close())
	}
}
