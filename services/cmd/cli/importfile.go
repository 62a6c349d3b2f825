package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
)

type importCall func(c *client, ctx context.Context, csv []byte, dryRun bool, step func(*operatorsv1.ImportProgress)) (*operatorsv1.ImportResult, error)

func importCommand(what, format string, call importCall) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE | -",
		Short: "Import " + what + " from a CSV file, all or nothing",
		Long: fmt.Sprintf(`Import %s from a CSV file, or from standard input. %s

When lines cannot be taken, each is told as FILE:LINE: column: message, nothing is stored and the exit code
is %d. A file has at most 64 MiB; larger ones can be split, because imports add to what is there.`, what, format, ExitInvalid),
		Example: fmt.Sprintf(`  trunkline %[1]s import %[1]s.csv --dry-run
  trunkline %[1]s import %[1]s.csv
  zcat %[1]s.csv.gz | trunkline %[1]s import -`, what),
		Args: cobra.ExactArgs(1),
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{"csv"}, cobra.ShellCompDirectiveFilterFileExt
	}
	output := outputFlag(cmd, formTable, formJSON)
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and store nothing")
	conn := addClientFlags(cmd, importTimeout, "the import")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			name, csv, err := readImport(ctx, cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			result, err := c.runImport(ctx, cmd.ErrOrStderr(), what, csv, *dryRun, call)
			if err != nil {
				return err
			}
			return writeImport(cmd, name, result, *dryRun, output.value)
		})
	}
	return cmd
}

// readImport reads the whole file and says what it is called in messages.
func readImport(ctx context.Context, stdin io.Reader, arg string) (name string, content []byte, err error) {
	return readWhole(ctx, stdin, arg, "import", "its first line must be the header")
}

// readWhole is readImport for another command. expected says what a file holds.
func readWhole(ctx context.Context, stdin io.Reader, arg, what, expected string) (name string, content []byte, err error) {
	name, in := "<stdin>", stdin
	if arg != "-" {
		f, err := os.Open(arg)
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w", what, err)
		}
		defer func() { _ = f.Close() }() // it was only read
		name, in = arg, f
	}
	type read struct {
		content []byte
		err     error
	}
	done := make(chan read, 1)
	go func() {
		content, err := io.ReadAll(io.LimitReader(in, operators.MaxFileBytes+1))
		done <- read{content, err}
	}()
	select {
	case r := <-done:
		switch {
		case r.err != nil:
			return "", nil, fmt.Errorf("%s: read %s: %w", what, name, r.err)
		case len(r.content) == 0:
			return "", nil, failf(ExitInvalid, "%s: %s is empty: %s", what, name, expected)
		case len(r.content) > operators.MaxFileBytes:
			return "", nil, failf(ExitInvalid, "%s: %s has more than 64 MiB: split it, and repeat the header in each part", what, name)
		}
		return name, r.content, nil
	case <-ctx.Done():
		return "", nil, &failure{exit: ExitInterrupted, message: what + ": interrupted, nothing was stored", cause: ctx.Err()}
	}
}

func (c *client) runImport(ctx context.Context, stderr io.Writer, what string, csv []byte, dryRun bool, call importCall) (*operatorsv1.ImportResult, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	bar := newProgress(stderr, "importing "+what, -1, "reading "+what, "storing "+what)
	defer bar.close()
	result, err := call(c, callCtx, csv, dryRun, func(p *operatorsv1.ImportProgress) { bar.set(p.GetDone(), p.GetTotal()) })
	bar.close()
	if err != nil {
		return nil, importFailure(c.describe(ctx, "import "+what, err), what, dryRun)
	}
	if result == nil {
		return nil, failf(ExitFailed, "import %s: the server ended without a result: run it again", what)
	}
	return result, nil
}

// importFailure says what an import without an answer left: nobody knows whether it was committed.
func importFailure(err error, what string, dryRun bool) error {
	var f *failure
	if !errors.As(err, &f) || connect.CodeOf(f.cause) == connect.CodeResourceExhausted {
		return err
	}
	if f.exit != ExitInterrupted && f.exit != ExitUnavailable {
		return err
	}
	text := fmt.Sprintf("it is all or nothing: `trunkline %s list` shows whether it was stored; the same import again changes nothing more", what)
	if dryRun {
		text = "nothing was stored"
	}
	f.lines = append(f.lines, text)
	return err
}

func writeImport(cmd *cobra.Command, name string, r *operatorsv1.ImportResult, dryRun bool, form string) error {
	bad := r.GetBadLineCount()
	if form == formJSON {
		if err := writeJSON(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	} else {
		for _, line := range r.GetBadLines() {
			if err := printf(cmd.ErrOrStderr(), "%s\n", badLine(name, line)); err != nil {
				return err
			}
		}
	}
	if bad > 0 || len(r.GetBadLines()) > 0 {
		text := fmt.Sprintf("import: %s of %s cannot be taken; nothing was stored", plural(bad, "line", "lines"), name)
		if told := len(r.GetBadLines()); told == operators.MaxBadLines {
			text += fmt.Sprintf(" (the first %d findings are told)", told)
		}
		return failf(ExitInvalid, "%s", text)
	}
	if form == formJSON {
		return nil
	}
	for _, w := range r.GetWarnings() {
		if err := printf(cmd.ErrOrStderr(), "%s\n", importWarning(name, w)); err != nil {
			return err
		}
	}
	counts := fmt.Sprintf("%d created, %d updated, %d unchanged", r.GetCreated(), r.GetUpdated(), r.GetUnchanged())
	switch {
	case dryRun:
		counts = "dry run, nothing was stored: " + counts
	case r.GetConfigVersion() > 0:
		counts += fmt.Sprintf(" (configuration version %d)", r.GetConfigVersion())
	}
	return printf(cmd.OutOrStdout(), "%s\n", counts)
}

func importWarning(name string, w *operatorsv1.ImportWarning) string {
	text := fmt.Sprintf("%s:%d: warning: %s: %s", name, w.GetLine(), w.GetReason(), w.GetMessage())
	if w.GetWitness() != "" {
		text += " (for example " + w.GetWitness() + ")"
	}
	return clean(text)
}

// badLine is the form that editors and terminals make links of.
func badLine(name string, b *operatorsv1.BadLine) string {
	text := fmt.Sprintf("%s:%d: ", name, b.GetLine())
	if b.GetColumn() != "" {
		text += b.GetColumn() + ": "
	}
	return clean(text + b.GetMessage())
}
