package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/cmd/cli"
	"trunkline/services/operators"
)

// importing answers an import of rules with progress and a result, and keeps the request.
func importing(result *operatorsv1.ImportResult, kept *operatorsv1.ImportRoutingRulesRequest) *fake {
	return &fake{importRules: func(_ context.Context, req *operatorsv1.ImportRoutingRulesRequest, s *connect.ServerStream[operatorsv1.ImportRoutingRulesResponse]) error {
		kept.Csv, kept.ValidateOnly = req.GetCsv(), req.GetValidateOnly()
		for _, done := range []int64{1, 2, 1} {
			step := &operatorsv1.ImportProgress{Done: done, Total: 2}
			if err := s.Send(&operatorsv1.ImportRoutingRulesResponse{Step: &operatorsv1.ImportRoutingRulesResponse_Progress{Progress: step}}); err != nil {
				return err
			}
		}
		if result == nil {
			return nil
		}
		return s.Send(&operatorsv1.ImportRoutingRulesResponse{Step: &operatorsv1.ImportRoutingRulesResponse_Result{Result: result}})
	}}
}

func TestImportTellsWhatItDid(t *testing.T) {
	stored := &operatorsv1.ImportResult{Created: 3, Updated: 2, Unchanged: 1, Applied: true, ConfigVersion: 9}
	checked := &operatorsv1.ImportResult{Created: 3, Updated: 2, Unchanged: 1}
	bad := &operatorsv1.ImportResult{BadLineCount: 2, BadLines: []*operatorsv1.BadLine{
		{Line: 2, Column: "price", Message: "must be a decimal"},
		{Line: 7, Message: "the line has 3 fields, the header has 11"},
	}}
	for _, c := range []struct {
		name   string
		result *operatorsv1.ImportResult
		args   []string
		want   outcome
	}{
		{"a file is stored", stored, []string{"FILE"},
			outcome{cli.ExitOK, "3 created, 2 updated, 1 unchanged (configuration version 9)\n", ""}},
		{"a dry run stores nothing", checked, []string{"FILE", "--dry-run"},
			outcome{cli.ExitOK, "dry run, nothing was stored: 3 created, 2 updated, 1 unchanged\n", ""}},
		{"bad lines are told one by one", bad, []string{"FILE"},
			outcome{cli.ExitInvalid, "", "FILE:2: price: must be a decimal\nFILE:7: the line has 3 fields, the header has 11\n" +
				"trunkline: import: 2 lines of FILE cannot be taken; nothing was stored\n"}},
		{"bad lines of standard input have a name too", &operatorsv1.ImportResult{BadLineCount: 1, BadLines: bad.GetBadLines()[:1]}, []string{"-"},
			outcome{cli.ExitInvalid, "", "<stdin>:2: price: must be a decimal\ntrunkline: import: 1 line of <stdin> cannot be taken; nothing was stored\n"}},
		{"a stream without a result is a failure", nil, []string{"FILE"},
			outcome{cli.ExitFailed, "", "trunkline: import rules: the server ended without a result: run it again\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kept operatorsv1.ImportRoutingRulesRequest
			importing(c.result, &kept).start(t)
			file := filepath.Join(t.TempDir(), "rules.csv")
			require.NoError(t, os.WriteFile(file, []byte("content"), 0o600))
			args := []string{"rules", "import"}
			for _, arg := range c.args {
				args = append(args, strings.ReplaceAll(arg, "FILE", file))
			}
			got := run(t, strings.NewReader("content"), args...)
			got.stderr = strings.ReplaceAll(got.stderr, file, "FILE")
			require.Equal(t, c.want, got)
			require.Equal(t, "content", string(kept.GetCsv()))
			require.Equal(t, len(c.args) == 2, kept.GetValidateOnly())
		})
	}
}

func TestImportAsJSONHoldsTheBadLines(t *testing.T) {
	var kept operatorsv1.ImportRoutingRulesRequest
	importing(&operatorsv1.ImportResult{BadLineCount: 1, BadLines: []*operatorsv1.BadLine{{Line: 2, Column: "price", Message: "m"}}}, &kept).start(t)
	got := run(t, strings.NewReader("content"), "rules", "import", "-", "-o", "json")
	require.Equal(t, cli.ExitInvalid, got.exit)
	require.JSONEq(t, `{"badLines":[{"line":"2","column":"price","message":"m"}],"badLineCount":"1"}`, got.stdout)
	require.Equal(t, "trunkline: import: 1 line of <stdin> cannot be taken; nothing was stored\n", got.stderr)
}

func TestOperatorsAreImportedByTheirOwnCall(t *testing.T) {
	f := &fake{importOperators: func(_ context.Context, req *operatorsv1.ImportOperatorsRequest, s *connect.ServerStream[operatorsv1.ImportOperatorsResponse]) error {
		require.Equal(t, "a,b", string(req.GetCsv()))
		return s.Send(&operatorsv1.ImportOperatorsResponse{Step: &operatorsv1.ImportOperatorsResponse_Result{
			Result: &operatorsv1.ImportResult{Created: 8, Applied: true, ConfigVersion: 2},
		}})
	}}
	f.start(t)
	got := run(t, strings.NewReader("a,b"), "operators", "import", "-")
	require.Equal(t, outcome{cli.ExitOK, "8 created, 0 updated, 0 unchanged (configuration version 2)\n", ""}, got)
}

func TestFilesThatAreNotSent(t *testing.T) {
	(&fake{}).start(t)
	got := run(t, strings.NewReader(""), "rules", "import", "-")
	require.Equal(t, outcome{cli.ExitInvalid, "", "trunkline: import: <stdin> is empty: its first line must be the header\n"}, got)

	large := filepath.Join(t.TempDir(), "large.csv")
	f, err := os.Create(large)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(operators.MaxFileBytes+1))
	require.NoError(t, f.Close())
	got = run(t, nil, "operators", "import", large)
	require.Equal(t, cli.ExitInvalid, got.exit)
	require.Contains(t, got.stderr, "has more than 64 MiB: split it")

	got = run(t, nil, "operators", "import", filepath.Join(t.TempDir(), "none.csv"))
	require.Equal(t, cli.ExitFailed, got.exit)
	require.Contains(t, got.stderr, "no such file")
}

func TestAnImportThatTheServerRefuses(t *testing.T) {
	f := &fake{importRules: func(context.Context, *operatorsv1.ImportRoutingRulesRequest, *connect.ServerStream[operatorsv1.ImportRoutingRulesResponse]) error {
		return serverError(t, connect.CodeAborted, "OPERATORS_CHANGED", "Operators changed.")
	}}
	f.start(t)
	got := run(t, strings.NewReader("x"), "rules", "import", "-")
	require.Equal(t, outcome{cli.ExitConflict, "",
		"trunkline: import rules: Operators changed (OPERATORS_CHANGED): somebody changed operators meanwhile: run the import again\n"}, got)
}
