package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"trunkline/services/platform/natstest"
	"trunkline/services/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, natstest.LostListener()) }

func TestAQuickRunPrintsEveryRow(t *testing.T) {
	var out, progress bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-quick"}, &out, &progress), progress.String())

	report := out.String()
	for _, row := range [][]string{
		{"processor", "cores"}, {"memory", "GiB"}, {"kernel", "linux"}, {"Go", "go1."}, {"command", "./task bench -- -quick"},
		{"100 ", "every prefix equally often"}, {"1,000 ", "every prefix equally often"}, {"5,000 ", "every prefix equally often"},
		{"100 ", "skewed"}, {"1,000 ", "skewed"}, {"5,000 ", "skewed"},
		{"5,000 ", "MiB"},
		{"gRPC (h2c) ", "memory off"}, {"gRPC-Web ", "memory off"}, {"Connect JSON ", "memory off"}, {"Connect protobuf ", "memory off"},
		{"gRPC (h2c) ", "database off"}, {"gRPC-Web ", "database off"}, {"Connect JSON ", "database off"}, {"Connect protobuf ", "database off"},
		{"gRPC (h2c) ", "memory on"}, {"gRPC-Web ", "memory on"}, {"Connect JSON ", "memory on"}, {"Connect protobuf ", "memory on"},
		{"SelectOperator against an empty handler, Connect protobuf, rules in memory, guards on ", "≥ 0.80"},
		{"HTTP/1.1 ", "µs"}, {"HTTP/2 (h2c) ", "µs"},
		// A cold read may take longer than the engine allows where others use the machine.
		{"database  cold ", "10 ", "0 %"}, {"database  warm ", "10       0      100 %"}, {"memory    none ", "10       0        0 %"},
		{"handler, in process ", "memory"}, {"gRPC (h2c) ", "memory"}, {"handler, in process ", "database"},
		{"operator.health ", "memory"}, {"operator.health.<id> ", "memory"}, {"operator.health ", "database"}, {"operator.health.<id> ", "database"},
		{"table build from the artifact, 5,000 prefixes ", "≤ 2 s"}, {"table resident, 5,000 prefixes ", "≤ 100 bytes/prefix"},
		{"create: read, check, compile, store ", "3 "},
		{"publish until every engine serves it ", "3 "}, {"publish of 1,000 prefixes until every engine serves it, worst ", "≤ 2 s"},
		{"rollback until every engine serves it ", "1 "}, {"rollback until every engine serves it, worst ", "≤ 250 ms"},
		{"calls that failed, of ", "3 publishes, 1 rollbacks 0 0 met"}, {"decisions that mix versions, of the same ", "0 0 met"},
		{"replay of 10,000 decisions on one core, releases of 5,000 prefixes ", "< 10 s"},
		{"ours, longest rule ", "1,000 "}, {"ours, longest rule ", "5,000 "}, {"ours, whole decision ", "5,000 "},
		{"go-immutable-radix ", "5,000 "}, {"bart ", "5,000 "},
		{"PostgreSQL, one query per number ", "1,000 "}, {"Redis, one MGET per number ", "1,000 "}, {"Redis, 100 MGETs at a time ", "1,000 "},
		{"bytes over NATS, per engine and publish ", "1,000 rules"}, {"bytes in the stream, per decision logged ", "2,000 decisions"},
		{"decisions stored in PostgreSQL per second, one keeper ", "2,000 decisions"}, {"decisions read from it for a replay, per second "},
	} {
		requireRow(t, report, row)
	}
	require.NotContains(t, progress.String(), "ERROR", "the processes logged no error")
}

// requireRow wants a line that begins with the first part and holds the others.
func requireRow(t *testing.T, report string, parts []string) {
	t.Helper()
	squeezed := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for line := range strings.Lines(report) {
		line = squeezed(line) + " "
		found := strings.HasPrefix(line, squeezed(parts[0])+" ")
		for _, part := range parts[1:] {
			found = found && strings.Contains(line, squeezed(part))
		}
		if found {
			return
		}
	}
	require.Failf(t, "a row is missing", "%q in\n%s", parts, report)
}

func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a part that does not exist":          {[]string{"-only", "lunch"}, "choose among decide, rpc, openloop, batch, unbound, release, peers, units"},
		"keeping the figures of a quick run":  {[]string{"-quick", "-write", "x.md"}, "needs a whole run"},
		"keeping the figures of a part":       {[]string{"-only", "decide", "-write", "x.md"}, "needs a whole run"},
		"no requests at all":                  {[]string{"-rate", "-1"}, "-rate must be"},
		"an open loop that does not end soon": {[]string{"-duration", "2h"}, "-duration must be"},
		"fewer rounds than one":               {[]string{"-rounds", "-3"}, "-rounds must be"},
		"words behind the flags":              {[]string{"fast"}, "unexpected argument"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), c.args, new(bytes.Buffer), new(bytes.Buffer))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestAReportReplacesTheFormerOneAndKeepsTheProse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	require.NoError(t, os.WriteFile(file, []byte("before\n"+beginMark+"\nold figures\n"+endMark+"\nafter\n"), 0o600))
	r := report{
		command:  "./task bench",
		targets:  []target{{"a figure", "≤ 1", "2", false}},
		sections: []section{{title: "Figures", notes: []string{"What they are."}, columns: []string{"what", "ns"}, rows: [][]string{{"one", "12"}}}},
	}
	for range 2 { // writing twice must not add anything
		require.NoError(t, r.writeInto(file))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(text), "old figures")
	require.True(t, strings.HasPrefix(string(text), "before\n"+beginMark+"\n"), string(text))
	require.True(t, strings.HasSuffix(string(text), endMark+"\nafter\n"), string(text))
	require.Contains(t, string(text), "### Figures\n\nWhat they are.\n\n| what | ns |\n| --- | ---: |\n| one | 12 |\n")
	require.Contains(t, string(text), "| a figure | ≤ 1 | 2 | MISSED |")
	require.Equal(t, 1, strings.Count(string(text), "### Figures"))
}

func TestAFileWithoutMarksIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.md")
	require.NoError(t, os.WriteFile(file, []byte("prose "+beginMark+" and no end"), 0o600))
	require.ErrorIs(t, report{}.writeInto(file), errNoMarks)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "prose "+beginMark+" and no end", string(text))
}

func TestTheDocumentHasAPlaceForTheReport(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "benchmarks.md"))
	require.NoError(t, err)
	_, err = replaceResults(string(text), "")
	require.NoError(t, err)
}

func TestQuantilesAreTimesThatWereSeen(t *testing.T) {
	var l latencies
	require.Zero(t, l.quantile(0.5), "no call")
	l = sortLatencies([]time.Duration{4, 1, 3, 2})
	for q, want := range map[float64]time.Duration{0: 1, 0.25: 1, 0.5: 2, 0.51: 3, 0.95: 4, 1: 4} {
		require.Equal(t, want, l.quantile(q), q)
	}
	require.InDelta(t, 0, median(nil), 0)
	require.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	require.InDelta(t, 1.5, median([]float64{2, 9, 1, 1}), 0)
	require.Equal(t, []float64{2, 4}, ratios([]float64{4, 4, 9}, []float64{2, 1}))
}

func TestFiguresReadLikeText(t *testing.T) {
	require.Equal(t, "7", count(7))
	require.Equal(t, "1,000", count(1000))
	require.Equal(t, "12,345,678", count(12_345_678))
	require.Equal(t, "42 µs", shortTime(42*time.Microsecond))
	require.Equal(t, "1.25 ms", shortTime(1250*time.Microsecond))
	require.Equal(t, "2.50 s", shortTime(2500*time.Millisecond))
	require.Equal(t, "(1-3)", spread([]float64{2, 3, 1}, "%.0f"))
	require.Equal(t, "EPYC", field("flags\t: x\nmodel name\t: EPYC\n", "model name"))
	require.Equal(t, unknown, field("flags\t: x\n", "model name"))
	require.Equal(t, "2.0 GiB", memory("2097152 kB"))
	require.Equal(t, unknown, memory(unknown))
}

func TestEveryNumberOfARuleSetIsDecidedWithThreeOperators(t *testing.T) {
	c := newCarrier(3000)
	require.Len(t, c.prefixes, 3000)
	table := c.table(decideTime)
	require.Equal(t, 3000, table.Prefixes(), "no prefix comes twice")
	for _, pick := range []func() int{c.uniform(), c.skewed()} {
		for _, number := range c.numbers(1000, pick) {
			q := routing.Query{To: number, Account: account, Type: routing.SMS, At: decideTime}
			var d routing.Decision
			require.NoError(t, table.Decide(&q, &d, nil))
			require.Len(t, d.Choices, candidates, "every operator has a price for every number")
		}
	}
	require.Equal(t, newCarrier(3000).prefixes, c.prefixes, "the same size gives the same set")
}

func TestDistinctNumbersShareNoCacheEntry(t *testing.T) {
	c := newCarrier(200)
	known := c.numbers(100, c.uniform())
	seen := map[string]bool{}
	for _, number := range known {
		seen[string(number[:10])] = true
	}
	for _, number := range c.distinct(2000, known) {
		require.False(t, seen[string(number[:10])])
		seen[string(number[:10])] = true
	}
}

func TestAFailedCallEndsAClosedLoop(t *testing.T) {
	broken := errors.New("broken")
	_, err := closedLoop(t.Context(), 3, time.Hour, func(_ context.Context, caller, i int) error {
		if caller == 1 && i == 5 {
			return broken
		}
		return nil
	})
	require.ErrorIs(t, err, broken)
}

func TestAnOpenLoopDoesNotWaitForSlowCalls(t *testing.T) {
	last := make(chan struct{})
	calls, err := openLoop(t.Context(), 1000, 20*time.Millisecond, func(ctx context.Context, i int) (bool, error) {
		if i == 19 {
			close(last)
		}
		if i > 0 {
			return true, nil
		}
		// The first call ends only when the last one was sent.
		select {
		case <-last:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
	require.NoError(t, err)
	require.Len(t, calls, 20)
	for i, c := range calls {
		require.NoError(t, c.err)
		require.Equal(t, i > 0, c.hit)
		require.GreaterOrEqual(t, c.latency, c.late, "latency counts from when the call was due")
	}
}
