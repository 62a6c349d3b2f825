package xlsx_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"trunkline/services/operators"
	"trunkline/services/operators/xlsx"
	"trunkline/services/platform/fault"
)

// book saves a workbook that build fills.
func book(t testing.TB, build func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	build(f)
	var out bytes.Buffer
	require.NoError(t, f.Write(&out))
	require.NoError(t, f.Close())
	return out.Bytes()
}

func set(t testing.TB, f *excelize.File, cell string, value any, format string) {
	t.Helper()
	require.NoError(t, f.SetCellValue("Sheet1", cell, value))
	if format != "" {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		require.NoError(t, err)
		require.NoError(t, f.SetCellStyle("Sheet1", cell, cell, style))
	}
}

// read gives all rows of a sheet.
func read(t testing.TB, file []byte, sheet string) [][]string {
	t.Helper()
	rows, err := xlsx.Workbooks{}.Open(t.Context(), file, sheet)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var all [][]string
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		require.EqualValues(t, len(all)+1, row.Line)
		all = append(all, append([]string{}, row.Cells...))
	}
}

func TestCellsGiveTheValueThatCounts(t *testing.T) {
	day := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		value  any
		format string
		want   string
	}{
		{"text", "447911", "", "447911"},
		{"text with zeros", "0044", "", "0044"},
		{"text that looks like a number with an exponent", "1E5", "", "1E5"},
		{"text in a cell for dates", "01", "yyyy-mm-dd", "01"},
		{"text in a cell for zeros", "1", "00", "1"},
		{"text in a cell for prices", "N/A", "0.00", "N/A"},
		{"a prefix that is a number", 447911, "", "447911"},
		{"a prefix of 15 digits", 123456789012345, "", "123456789012345"},
		{"a prefix shown with an exponent", 447911, "0.00E+00", "447911"},
		{"a prefix shown with separators", 447911, "#,##0", "447911"},
		{"a price", 0.0125, "", "0.0125"},
		{"a price that is shown shorter", 0.0125, "0.00", "0.0125"},
		{"a price with a sign", 0.0125, `[$€-407] #,##0.00`, "0.0125"},
		{"a price with a word that has a d", 0.0125, `0.00 "USD"`, "0.0125"},
		{"a price with escapes", 0.0125, `0.00\ \d`, "0.0125"},
		{"a price in per cent", 0.0125, "0.00%", "0.0125"},
		{"a price below 0 in red", -0.0125, "0.00;[Red]-0.00", "-0.0125"},
		{"the smallest price", 0.000000001, "", "0.000000001"},
		{"a network code with zeros before it", 1, "00", "01"},
		{"a network code that fills its zeros", 410, "000", "410"},
		{"a number that is not whole in a cell for zeros", 1.5, "00", "01.5"},
		{"a day", day, "yyyy-mm-dd", "2027-01-31"},
		{"a day as Germans write it", day, "dd.mm.yyyy", "2027-01-31"},
		{"a day with a locale", day, "[$-409]mmmm d, yyyy;@", "2027-01-31"},
		{"a day and time", day.Add(13*time.Hour + 30*time.Minute), "m/d/yy h:mm", "2027-01-31T13:30:00Z"},
		{"the number of a day", 46418, "", "46418"},
		{"yes", true, "", "TRUE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := book(t, func(f *excelize.File) { set(t, f, "A1", c.value, c.format) })
			require.Equal(t, [][]string{{c.want}}, read(t, file, ""))
		})
	}
}

func TestBuiltInFormatsOfDatesAreDates(t *testing.T) {
	for _, number := range []int{14, 15, 17, 22, 27, 57} {
		file := book(t, func(f *excelize.File) {
			require.NoError(t, f.SetCellValue("Sheet1", "A1", 46418))
			style, err := f.NewStyle(&excelize.Style{NumFmt: number})
			require.NoError(t, err)
			require.NoError(t, f.SetCellStyle("Sheet1", "A1", "A1", style))
		})
		require.Equal(t, [][]string{{"2027-01-31"}}, read(t, file, ""), number)
	}
}

func TestTheDaysOfTheOtherCalendarOfExcelAreRight(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		yes := true
		require.NoError(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}))
		set(t, f, "A1", 46418-1462, "yyyy-mm-dd")
	})
	require.Equal(t, [][]string{{"2027-01-31"}}, read(t, file, ""))
}

// What spreadsheets write that the library does not write itself.
func TestNumbersThatAProgramHasCountedLoseTheirNoise(t *testing.T) {
	sheet := `<row r="1"><c r="A1"><v>1.2500000000000001E-2</v></c><c r="B1"><v>4.47911E5</v></c><c r="C1"><v>0.30000000000000004</v></c>` +
		`<c r="D1"><v>1.2500000000000003E-5</v></c><c r="E1" t="e"><v>#REF!</v></c><c r="F1" t="str"><f>A1&amp;""</f><v>x</v></c><c r="G1"><f>A1</f></c><c r="H1"><v>5E-5</v></c></row>`
	require.Equal(t, [][]string{{"0.0125", "447911", "0.3", "0.0000125", "#REF!", "x", "", "0.00005"}}, read(t, raw(t, sheet), ""))
}

func TestRowsAndCellsThatAreNotThereAreEmpty(t *testing.T) {
	file := raw(t, `<row r="2"><c r="B2"><v>1</v></c></row><row r="5"><c><v>2</v></c><c r="C5"><v>3</v></c></row><row><c><v>4</v></c></row>`)
	require.Equal(t, [][]string{{}, {"", "1"}, {}, {}, {"2", "", "3"}, {"4"}}, read(t, file, ""))
}

func TestTheSheetIsTheFirstOrTheOneThatIsNamed(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		set(t, f, "A1", "first", "")
		_, err := f.NewSheet("Prices")
		require.NoError(t, err)
		require.NoError(t, f.SetCellValue("Prices", "A1", "second"))
	})
	require.Equal(t, [][]string{{"first"}}, read(t, file, ""))
	require.Equal(t, [][]string{{"second"}}, read(t, file, "prices"))
	refused(t, file, "Nothing", `its sheets are ["Sheet1" "Prices"]`)
}

// raw makes the smallest workbook that has the rows, and other parts if given.
func raw(t testing.TB, rows string, more ...string) []byte {
	return parts(t, append([]string{"xl/worksheets/sheet1.xml", `<?xml version="1.0" encoding="UTF-8"?>` +
		`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + rows + `</sheetData></worksheet>`}, more...)...)
}

// parts makes a workbook of names and contents.
func parts(t testing.TB, all ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	all = append([]string{
		"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`,
		"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
	}, all...)
	for i := 0; i < len(all); i += 2 {
		part, err := w.Create(all[i])
		require.NoError(t, err)
		_, err = io.WriteString(part, all[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// refused requires that a workbook is not taken, and that nothing of it is left.
func refused(t testing.TB, file []byte, sheet, want string) {
	t.Helper()
	rows, err := xlsx.Workbooks{}.Open(t.Context(), file, sheet)
	require.Nil(t, rows)
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, fault.InvalidArgument.String()+" "+operators.ReasonDeckUnreadable, f.Kind.String()+" "+f.Reason)
	require.Contains(t, f.Message, want)
	require.Empty(t, leftovers(t))
}

// leftovers are the folders of workbooks that are open.
func leftovers(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(os.TempDir(), "trunkline-deck-*"))
	require.NoError(t, err)
	return all
}

// TestMain gives the package a folder of its own for what it unpacks.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "xlsx-test-")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("TMPDIR", dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func TestFilesThatAreNoWorkbookSayWhatToDo(t *testing.T) {
	whole := book(t, func(f *excelize.File) { set(t, f, "A1", "x", "") })
	withPassword := func() []byte {
		f := excelize.NewFile()
		var out bytes.Buffer
		require.NoError(t, f.Write(&out, excelize.Options{Password: "secret"}))
		return out.Bytes()
	}()
	flagged := bytes.ReplaceAll(raw(t, ""), []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00"), []byte("PK\x01\x02\x14\x00\x14\x00\x09\x00"))
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "not a whole XLSX workbook"},
		{"text", []byte("prefix,price\n"), "not a whole XLSX workbook"},
		{"half a workbook", whole[:len(whole)/2], "not a whole XLSX workbook"},
		{"an archive of something else", parts(t)[:0:0], "not a whole XLSX workbook"},
		{"a workbook with a password", withPassword, "has a password"},
		{"an archive with a password", flagged, "has a password"},
		{"macros", raw(t, "", "xl/vbaProject.bin", "x"), "holds macros"},
		{"macros by another name", raw(t, "", `xl\VBAPROJECT.bin`, "x"), "holds macros"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.file, "", c.want) })
	}
	var other bytes.Buffer
	w := zip.NewWriter(&other)
	_, err := w.Create("content.xml")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	refused(t, other.Bytes(), "", "no XLSX workbook")
	refused(t, parts(t), "", "damaged")
	refused(t, parts(t, "xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets></sheets></workbook>`), "", "no sheet")
	refused(t, parts(t, "xl/workbook.xml", "<workbook"), "", "damaged")
}

// The library takes each of these for a shorter sheet, or a row of another place, without a word. A price list that is
// cut short would end prices.
func TestSheetsThatAreNotWholeAreRefused(t *testing.T) {
	const cell = `<c r="A1"><v>1</v></c>`
	header := `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	for _, c := range []struct{ name, sheet string }{
		{"a sheet that breaks off", header + `<row r="1">` + cell + `</row><row r="2">`},
		{"a tag that breaks off", header + `<row r="1">` + cell + `</row><row r`},
		{"tags that do not match", header + `<row r="1">` + cell + `</sheetData></row></worksheet>`},
		{"rows out of order", header + `<row r="5">` + cell + `</row><row r="2">` + cell + `</row></sheetData></worksheet>`},
		{"a row twice", header + `<row r="1">` + cell + `</row><row r="1">` + cell + `</row></sheetData></worksheet>`},
		{"a row in a row", header + `<row r="1"><row r="2">` + cell + `</row></row></sheetData></worksheet>`},
		{"a row without a number", header + `<row r="x">` + cell + `</row></sheetData></worksheet>`},
		{"a row beyond the last", header + `<row r="1048577">` + cell + `</row></sheetData></worksheet>`},
		{"a cell outside of a row", header + cell + `</sheetData></worksheet>`},
		{"cells out of order", header + `<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row></sheetData></worksheet>`},
		{"a cell that is nowhere", header + `<row r="1"><c r="1A"><v>1</v></c></row></sheetData></worksheet>`},
		{"a text that is not there", header + `<row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>`},
		{"a text that has no place", header + `<row r="1"><c r="A1" t="s"><v>-1</v></c></row></sheetData></worksheet>`},
		{"a document type", `<!DOCTYPE x [<!ENTITY a "aaaa">]>` + header + `</sheetData></worksheet>`},
		{"an entity", header + `<row r="1"><c r="A1" t="str"><v>&a;</v></c></row></sheetData></worksheet>`},
		{"another encoding", `<?xml version="1.0" encoding="UTF-16"?>` + header + `</sheetData></worksheet>`},
		{"nothing", ""},
		{"no XML", "\xff\xfe"},
		{"something else", "<row></row>"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, parts(t, "xl/worksheets/sheet1.xml", c.sheet), "", "damaged") })
	}
	t.Run("bytes that changed on the way", func(t *testing.T) {
		file := stored(t, "xl/worksheets/sheet1.xml", header+`<row r="1"><c r="A1"><v>12345</v></c></row></sheetData></worksheet>`, parts(t))
		changed := bytes.Replace(file, []byte("12345"), []byte("12344"), 1)
		require.Equal(t, [][]string{{"12345"}}, read(t, file, ""))
		refused(t, changed, "", "damaged")
		file = stored(t, "docProps/app.xml", "<Properties>12345</Properties>", raw(t, ""))
		require.Empty(t, read(t, file, ""))
		refused(t, bytes.Replace(file, []byte("12345"), []byte("12344"), 1), "", "damaged")
	})
}

// stored adds a part to a workbook without compression.
func stored(t testing.TB, name, text string, file []byte) []byte {
	var out bytes.Buffer
	from, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	w := zip.NewWriter(&out)
	for _, part := range from.File {
		require.NoError(t, w.Copy(part))
	}
	part, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	require.NoError(t, err)
	_, err = io.WriteString(part, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestPartsThatAreNoSheetMayBeWhateverTheyAre(t *testing.T) {
	file := raw(t, `<row r="1"><c r="A1"><v>1</v></c></row>`,
		"customXml/item1.xml", "\xff\xfe<\x00", "xl/drawings/vmlDrawing1.vml", "<xml><br></xml>", "docProps/thumbnail.jpeg", "\xff\xd8", "xl/empty.xml", "")
	require.Equal(t, [][]string{{"1"}}, read(t, file, ""))
}

func TestAnEndedContextStopsTheInspection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := xlsx.Workbooks{}.Open(ctx, raw(t, strings.Repeat("<row></row>", 10_000)), "")
	require.ErrorIs(t, err, context.Canceled)
}

func TestAServerWithoutATemporaryFolderSaysSo(t *testing.T) {
	file := raw(t, "")
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	_, err := xlsx.Workbooks{}.Open(t.Context(), file, "")
	require.Equal(t, fault.Unavailable.String()+" "+xlsx.ReasonTempFolder, fault.From(err).Kind.String()+" "+fault.From(err).Reason)
}

func TestTheRowsOfTheLongestSheetAreToldAhead(t *testing.T) {
	rows, err := xlsx.Workbooks{}.Open(t.Context(), raw(t, `<row r="7"></row>`), "")
	require.NoError(t, err)
	require.EqualValues(t, 7, rows.Lines())
	require.Len(t, leftovers(t), 1)
	require.NoError(t, rows.Close())
	require.Empty(t, leftovers(t))
}

func ExampleWorkbooks() {
	f := excelize.NewFile()
	_ = f.SetSheetRow("Sheet1", "A1", &[]any{"prefix", "price"})
	_ = f.SetSheetRow("Sheet1", "A2", &[]any{447911, 0.0125})
	var file bytes.Buffer
	_ = f.Write(&file)
	rows, _ := xlsx.Workbooks{}.Open(context.Background(), file.Bytes(), "")
	defer func() { _ = rows.Close() }()
	for {
		row, err := rows.Next()
		if err != nil {
			return
		}
		fmt.Println(row.Line, row.Cells)
	}
	// Output:
	// 1 [prefix price]
	// 2 [447911 0.0125]
}

// Whatever a sheet holds, it is refused or read to its end with rows in order, and nothing of it is left.
func FuzzSheet(f *testing.F) {
	f.Add([]byte(sheetStart + `<row r="1"><c r="A1" t="s"><v>0</v></c><c><v>1.2E-5</v></c></row><row/></sheetData></worksheet>`))
	f.Add([]byte(sheetStart + `<row r="3"><c r="C3" t="inlineStr"><is><r><t>x</t></r></is></c><c t="d"><v>2027-01-31T00:00:00Z</v></c></row></sheetData></worksheet>`))
	f.Add([]byte(sheetStart + `<row><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="str"><f>A1</f><v>_x0041_</v></c></row></sheetData></worksheet>`))
	texts := textsStart + `<si><t>0044</t></si></sst>`
	f.Fuzz(func(t *testing.T, sheet []byte) {
		rows, err := xlsx.Workbooks{}.Open(t.Context(), parts(t, "xl/sharedStrings.xml", texts, "xl/worksheets/sheet1.xml", string(sheet)), "")
		if err != nil {
			require.Equal(t, operators.ReasonDeckUnreadable, fault.From(err).Reason)
			return
		}
		for line := int64(1); ; line++ {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				require.NoError(t, rows.Close())
				return
			}
			require.NoError(t, err, "what was inspected is read")
			require.Equal(t, line, row.Line)
			require.LessOrEqual(t, len(row.Cells), 256)
		}
	})
}
