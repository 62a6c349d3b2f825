package cli_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"trunkline/services/cmd/cli"
	"trunkline/services/platform/fault"
)

func TestUsageMistakes(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   string
		stderr string
	}{
		{"a command with a slip", "routs", `unknown command "routs" for "trunkline": did you mean routes?`},
		{"a command below another with a slip", "routes selct", `unknown command "selct" for "trunkline routes": did you mean select?`},
		{"a command that nothing resembles", "rules frobnicate", "unknown command \"frobnicate\" for \"trunkline rules\": see `trunkline rules --help`"},
		{"a command of the server side", "serve engine", "unknown command \"engine\" for \"trunkline serve\": see `trunkline serve --help`"},
		{"an unknown flag", "rules list --frob", "unknown flag: --frob: see `trunkline rules list --help`"},
		{"an unknown form", "rules list -o yaml", "choose table, json, jsonl or csv"},
		{"an unknown type", "routes select +447911123456 --type mms", "choose sms, flash or wap"},
		{"no number", "routes select", "give a NUMBER, --file FILE, or - to read standard input"},
		{"a number and a file", "routes select +447911123456 --file x", "not both"},
		{"standard input among numbers", "routes select +447911123456 -", "stands alone"},
		{"a message id for many", "routes select - --message-id m", "--message-id belongs to one message"},
		{"two numbers to explain", "routes explain +447911123456 +447911123457", "accepts 1 arg(s), received 2"},
		{"no file to import", "rules import", "accepts 1 arg(s), received 0"},
		{"an account that is no UUID", "routes select +447911123456 --account acme", "--account: must be a UUID"},
		{"an operator that is no UUID", "routes select +447911123456 --exclude Nordlink", "--exclude: must be the UUID"},
		{"a negative limit", "rules list --limit -1", "--limit: must be 0 or more"},
		{"no time at all", "rules list --timeout 0s", "--timeout 0s: must be above 0"},
		{"a server with another scheme", "rules list --server ftp://h", "the scheme must be http or https"},
		{"a server with a password", "rules list --server http://me:secret@h", "would be shown"},
		{"a server that is no URL", "rules list --server http://", "give a URL such as http://127.0.0.1:8080"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, nil, strings.Fields(c.args)...)
			require.Equal(t, cli.ExitUsage, got.exit, got.stderr)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, c.stderr)
			require.Len(t, lines(got.stderr), 1)
			require.NotContains(t, got.stderr, "secret")
		})
	}
}

func TestTooManyExcludedOperators(t *testing.T) {
	args := []string{"routes", "select", number}
	for range 33 {
		args = append(args, "--exclude", nordlink)
	}
	got := run(t, nil, args...)
	require.Equal(t, cli.ExitUsage, got.exit)
	require.Contains(t, got.stderr, "at most 32")
}

func TestHelpAndVersion(t *testing.T) {
	got := run(t, nil)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stdout, "Ask a server:")
	require.Contains(t, got.stdout, "serve")

	got = run(t, nil, "--version")
	require.Equal(t, outcome{stdout: "trunkline v1.2.3\n"}, got)

	got = run(t, nil, "help", "exit-codes")
	require.Equal(t, cli.ExitOK, got.exit)
	for _, code := range []string{"  0  ", "  1  ", "  2  ", "  3  ", "  4  ", "  5  ", "  6  ", "  7  ", "130  ", "141  "} {
		require.Contains(t, got.stdout, code)
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" && sub.Name() != "exit-codes" {
				require.NotEmpty(t, sub.Short, sub.CommandPath())
				require.Contains(t, sub.Example, "trunkline "+strings.Fields(sub.CommandPath())[1], sub.CommandPath())
				walk(sub)
			}
		}
	}
	walk(cli.New("v1"))
}

func TestCompletion(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"commands", "__complete routes |", "explain\t"},
		{"forms", "__complete rules list -o |", "jsonl\n"},
		{"message types", "__complete routes select --type |", "flash\n"},
		{"files to import", "__complete rules import |", "csv\n:8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields(c.args)
			args[len(args)-1] = ""
			got := run(t, nil, args...)
			require.Equal(t, cli.ExitOK, got.exit)
			require.Contains(t, got.stdout, c.want)
		})
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		require.Contains(t, run(t, nil, "completion", shell).stdout, "trunkline")
	}
}

func TestErrorsOfOtherCommands(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		exit   int
		stderr string
	}{
		{"success", nil, cli.ExitOK, ""},
		{"a plain error", errors.New("the port is taken"), cli.ExitFailed, "trunkline: the port is taken\n"},
		{"a fault with violations", fault.Invalid("VALIDATION_FAILED", fault.Violation{Field: "port", Description: "is too large"}), cli.ExitInvalid, "  port: is too large\n"},
		{"a fault of a neighbour", fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "The database is down."), cli.ExitUnavailable, "The database is down."},
		{"an interruption", context.Canceled, cli.ExitInterrupted, "canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr strings.Builder
			extra := &cobra.Command{Use: "extra", RunE: func(*cobra.Command, []string) error { return c.err }}
			exit := cli.Run(t.Context(), []string{"extra"}, nil, io.Discard, &stderr, "v1", extra)
			require.Equal(t, c.exit, exit)
			require.Contains(t, stderr.String(), c.stderr)
		})
	}
}

func TestAServerThatHangsUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			err = conn.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	got := run(t, nil, "routes", "select", number, "--server", server.URL)
	require.Equal(t, cli.ExitUnavailable, got.exit, got.stderr)
	require.Contains(t, got.stderr, "lost the connection to "+server.URL)
}

func TestAServerOfAnotherProduct(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	got := run(t, nil, "rules", "list", "--server", server.URL)
	require.Equal(t, cli.ExitFailed, got.exit)
	require.Contains(t, got.stderr, "check --server")
}
