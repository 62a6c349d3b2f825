package cli

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"trunkline/services/platform/fault"
)

const suggestionDistance = 2

// New returns the root command with the client commands and extra ones.
func New(version string, extra ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "trunkline",
		Short: "Operator routing of an SMS gateway",
		Long: `Trunkline decides which mobile operator connection carries each message, and explains why.

Commands that ask a server find it by --server or TRUNKLINE_SERVER (http://127.0.0.1:8080), and show the API key or
token of TRUNKLINE_API_KEY, TRUNKLINE_API_KEY_FILE or --api-key-file.`,
		Example: `  trunkline routes select +447911123456
  trunkline routes explain +447911123456 --type flash
  trunkline rules import rules.csv --dry-run`,
		Version:           version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddGroup(&cobra.Group{ID: "client", Title: "Ask a server:"}, &cobra.Group{ID: "server", Title: "Run and configure:"})
	for _, cmd := range []*cobra.Command{routesCommand(), operatorsCommand(), rulesCommand(), ratesCommand(), releasesCommand(), outboxCommand(), accountsCommand(), keysCommand(), auditCommand(), decisionsCommand()} {
		cmd.GroupID = "client"
		root.AddCommand(cmd)
	}
	for _, cmd := range extra {
		if cmd.GroupID == "" {
			cmd.GroupID = "server"
		}
		root.AddCommand(cmd)
	}
	root.AddCommand(exitCodesTopic())
	root.InitDefaultHelpCmd()
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s: see `%s --help`", err, cmd.CommandPath())
	})
	return root
}

// markUsage makes wrong arguments usage failures, and suggestions generous, in
// the whole tree.
func markUsage(cmd *cobra.Command) {
	cmd.SuggestionsMinimumDistance = suggestionDistance
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			var own *failure
			if err == nil || errors.As(err, &own) {
				return err
			}
			return usagef("%s: see `%s --help`", err, cmd.CommandPath())
		}
	}
	for _, sub := range cmd.Commands() {
		markUsage(sub)
	}
}

// unknownCommand finds a word that should be a command and is none. Cobra would
// answer it with help and success below the root.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) > 0 && (strings.HasPrefix(args[0], "__complete") || args[0] == "help") {
		return nil
	}
	cmd, rest, err := root.Find(args)
	if cmd == nil || err != nil {
		cmd, rest = root, args
	}
	if cmd.Runnable() || !cmd.HasSubCommands() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil
	}
	text := clean(rest[0])
	f := usagef("unknown command %q for %q: see `%s --help`", text, cmd.CommandPath(), cmd.CommandPath())
	if near := cmd.SuggestionsFor(rest[0]); len(near) > 0 {
		f = usagef("unknown command %q for %q: did you mean %s?", text, cmd.CommandPath(), alternatives(near))
	}
	return f
}

// Run is the program: it runs the command that args name and returns the exit
// code. Whatever went wrong is one line on stderr, with details below it.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, version string, extra ...*cobra.Command) int {
	root := New(version, extra...)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.InitDefaultCompletionCmd() // it keeps the output of this moment
	markUsage(root)
	err := unknownCommand(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	exit := exitCode(err)
	report(stderr, err, exit)
	return exit
}

// report tells why a command failed. Nobody reads it when stderr is closed.
func report(w io.Writer, err error, exit int) {
	var own *failure
	var f *fault.Fault
	var lines []string
	switch {
	case err == nil || exit == ExitPipe:
		return
	case errors.As(err, &own):
		if own.silent {
			return
		}
		lines = own.lines
	case errors.As(err, &f):
		for _, v := range f.Violations {
			lines = append(lines, clean(v.Field+": "+v.Description))
		}
	}
	_ = printf(w, "trunkline: %s\n", err)
	for _, line := range lines {
		_ = printf(w, "  %s\n", line)
	}
}
