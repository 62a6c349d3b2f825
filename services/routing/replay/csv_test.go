package replay_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/release"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/replay"
)

func TestFilesAreReadInSeveralForms(t *testing.T) {
	own := rule(21, "44", candidate(11, 1))
	own.Account, own.Types = id(5), release.WAP
	one := compile(t, 1, release.Content{
		Operators: []release.Operator{operator(10, "Alpha"), operator(11, "Beta")}, Rules: []release.Rule{rule(20, "44", candidate(10, 1)), own},
	})
	for name, text := range map[string]string{
		"a header in another order":  "count,message_type,number,account\n2,WAP,+447911123456," + id(5).String() + "\n",
		"no header":                  "+447911123456," + id(5).String() + ",WAP,2\n",
		"a mark before the header":   "\xEF\xBB\xBFnumber,account,message_type,count\r\n+447911123456," + id(5).String() + ",WAP,2\r\n\r\n",
		"no line end":                "number,account,message_type,count\n\"+447911123456\"," + id(5).String() + ",WAP,2",
		"two lines":                  "+447911123456," + id(5).String() + ",WAP\n+447911123456," + id(5).String() + ",WAP\n",
		"a line of commas is passed": "+447911123456," + id(5).String() + ",WAP,2\n,,,\n",
	} {
		t.Run(name, func(t *testing.T) {
			report := run(t, &log{}, file(text), one, one)
			require.Zero(t, report.GetBadLineCount(), "%v", report.GetBadLines())
			require.Len(t, report.GetMoves(), 1)
			require.Equal(t, "Beta", report.GetMoves()[0].GetToOperatorName())
			require.EqualValues(t, 2, report.GetDecisionCount())
		})
	}
}

func TestLinesThatCannotBeReadAreNamedAndLeftOut(t *testing.T) {
	const header = "number,account,message_type,count\n"
	for name, c := range map[string]struct {
		text    string
		line    int64
		column  string
		message string
		rest    int64
	}{
		"no plus":                   {header + "447911123456,,,\n+447911123456,,,\n", 2, "number", "does not start with a plus", 1},
		"too short":                 {header + "+447911123456,,,\n+44,,,\n", 3, "number", "too few digits", 1},
		"no account":                {header + "+447911123456,5,,\n", 2, "account", "must be a UUID", 0},
		"the nil account":           {header + "+447911123456," + "00000000-0000-0000-0000-000000000000,,\n", 2, "account", "must be a UUID", 0},
		"another message type":      {header + "+447911123456,,MMS,\n", 2, "message_type", "SMS, FLASH or WAP", 0},
		"none":                      {header + "+447911123456,,,0\n", 2, "count", "from 1 to 1000000000", 0},
		"too many":                  {header + "+447911123456,,,1000000001\n", 2, "count", "from 1 to 1000000000", 0},
		"no count":                  {header + "+447911123456,,,x\n", 2, "count", "from 1 to 1000000000", 0},
		"another number of fields":  {header + "+447911123456\n", 2, "", "1 fields, the first line has 4", 0},
		"a quote inside a field":    {header + "+4479\"11123456,,,\n+447911123456,,,\n", 2, "", "not valid CSV", 1},
		"an unknown column":         {"number,operator\n+447911123456,\n", 1, "", "column 2 of the header is not known", 0},
		"a column twice":            {"number,number\n+447911123456,\n", 1, "number", "twice", 0},
		"no number column":          {"account\n\n", 1, "number", "missing", 0},
		"nothing but an empty line": {"\n", 1, "", "must be a header", 0},
		"too many columns":          {"+447911123456,,,,\n", 1, "", "at most the columns", 0},
		"UTF-16":                    {"\xFF\xFEn\x00", 1, "", "is not known", 0},
	} {
		t.Run(name, func(t *testing.T) {
			report := run(t, &log{}, file(c.text), live(t), next(t))
			require.EqualValues(t, 1, report.GetBadLineCount())
			require.Len(t, report.GetBadLines(), 1)
			bad := report.GetBadLines()[0]
			require.Equal(t, c.line, bad.GetLine())
			require.Equal(t, c.column, bad.GetColumn())
			require.Contains(t, bad.GetMessage(), c.message)
			require.Equal(t, c.rest, report.GetDecisionCount())
		})
	}
}

func TestBadLinesAreCountedBeyondThoseThatAreNamed(t *testing.T) {
	report := run(t, &log{}, file("number\n"+strings.Repeat("x\n", 1500)+"+447911123456\n"), live(t), next(t))
	require.EqualValues(t, 1500, report.GetBadLineCount())
	require.Len(t, report.GetBadLines(), 1000)
	require.EqualValues(t, 1, report.GetDecisionCount())
}

func TestAFileIsReadUpToItsBound(t *testing.T) {
	one := live(t)
	lines := strings.Repeat("\n", replay.MaxLines-2) + "+447911123456\n"
	report := run(t, &log{}, file("number\n"+lines), one, one)
	require.EqualValues(t, 1, report.GetDecisionCount())
	require.Zero(t, report.GetBadLineCount())
	report = run(t, &log{}, file("number\n"+lines+"+447911123456\nx\n"), one, one)
	require.EqualValues(t, 1, report.GetDecisionCount())
	require.EqualValues(t, 1, report.GetBadLineCount(), "nothing behind is looked at")
	require.EqualValues(t, replay.MaxLines+1, report.GetBadLines()[0].GetLine())
	require.Contains(t, report.GetBadLines()[0].GetMessage(), "split it")
}

// A parsed line takes 40 bytes of memory for each comma.
func TestALineThatIsTooLongEndsTheFile(t *testing.T) {
	commas := strings.Repeat(",", 1<<20)
	for name, c := range map[string]struct {
		text    string
		line    int64
		decided int64
	}{
		"the first line":           {"+" + commas + "\n+447911123456\n", 1, 0},
		"the first, not a number":  {commas, 1, 0},
		"a later line":             {"number\n+447911123456\n\n" + commas + "\n+447911123456\n", 4, 1},
		"a quote that is not shut": {"number\n+447911123456\n\"" + strings.Repeat("+447911123456\n", 1000), 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			report := run(t, &log{}, file(c.text), live(t), next(t))
			require.EqualValues(t, 1, report.GetBadLineCount())
			require.Equal(t, c.line, report.GetBadLines()[0].GetLine())
			require.Contains(t, report.GetBadLines()[0].GetMessage(), "the line is too long")
			require.Equal(t, c.decided, report.GetDecisionCount())
		})
	}
}

// FuzzFile: no file breaks the reader, each line is decided or bad, the same file gives the same report, and no report
// repeats what it should not.
func FuzzFile(f *testing.F) {
	for _, text := range []string{
		"number\n+447911123456\n", "+447911123456,,SMS,3\n", "number,count\n+447911123456,x\n\"\n", "", "\n", "\"", "number,account\n+44791112345,\xff\n", "+1\n+12345678\n",
	} {
		f.Add([]byte(text))
	}
	one := live(f)
	two := next(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		req := &releasesv1.ReplayReleaseRequest{Sample: &releasesv1.ReplayReleaseRequest_Csv{Csv: text}}
		first, err := replay.New(&log{}, releases.Load, clock.NewFake(noon)).Replay(t.Context(), req, one, two, quiet)
		require.NoError(t, err)
		require.Equal(t, first.GetDecisionCount(), first.GetSameCount()+first.GetMovedCount()+first.GetLostCount()+first.GetGainedCount()+first.GetNoRouteCount())
		require.LessOrEqual(t, first.GetBadLineCount(), int64(bytes.Count(text, []byte("\n"))+bytes.Count(text, []byte("\r"))+1))
		last := int64(0)
		for _, b := range first.GetBadLines() {
			require.GreaterOrEqual(t, b.GetLine(), max(last, 1))
			require.NotRegexp(t, `\+?[0-9]{11}`, strings.ReplaceAll(b.GetMessage(), "+447911123456", ""), "a number of the file")
			last = b.GetLine()
		}
		again, err := replay.New(&log{}, releases.Load, clock.NewFake(noon)).Replay(t.Context(), req, one, two, quiet)
		require.NoError(t, err)
		require.True(t, proto.Equal(first, again), fmt.Sprint(first, again))
	})
}
