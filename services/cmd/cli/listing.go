package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// pageSize is the largest that the schema allows.
const pageSize = 1000

// listing is what list and export know about one kind of thing. Both read page by
// page and hold one page.
type listing[T proto.Message] struct {
	what string
	// page gives one page and the token of the next, "" after the last, and whether the answer may be old.
	page func(ctx context.Context, c *client, size int32, token string) ([]T, string, *operatorsv1.Freshness, error)
	head []string
	row  func(T) []string
	// csv gives a whole file, with its header.
	csv func([]T) ([]byte, error)
	// lossy finds things that a file cannot hold wholly; loss says what is lost. May be nil.
	lossy func(T) bool
	loss  string
}

// pages calls do for every page until limit things are seen; 0 is no limit.
func (l listing[T]) pages(ctx context.Context, c *client, limit int, do func([]T, *operatorsv1.Freshness) error) error {
	token := ""
	for left := limit; ; {
		size := pageSize
		if limit > 0 {
			size = min(size, left)
		}
		callCtx, cancel := c.call(ctx)
		all, next, fresh, err := l.page(callCtx, c, int32(size), token)
		cancel()
		if err != nil {
			return c.describe(ctx, "list "+l.what, err)
		}
		if limit > 0 {
			all = all[:min(left, len(all))]
			left -= len(all)
		}
		if err := do(all, fresh); err != nil {
			return err
		}
		if next == "" || limit > 0 && left == 0 {
			return nil
		}
		if next == token {
			return failf(ExitFailed, "list %s: the server gave the same page twice", l.what)
		}
		token = next
	}
}

// listCommandWith lists everything, or what further flags ask for; filtered gives the listing that they ask for.
func (l listing[T]) listCommandWith(
	flags func(*cobra.Command), filtered func(ctx context.Context, c *client) (listing[T], error),
) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List all " + l.what,
		Example: fmt.Sprintf(`  trunkline %[1]s list
  trunkline %[1]s list --limit 20
  trunkline %[1]s list -o jsonl`, l.what),
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, formTable, formJSON, formJSONL, formCSV)
	limit := cmd.Flags().Int("limit", 0, "most "+l.what+" to list; 0 lists all")
	noValueCompletion(cmd, "limit")
	flags(cmd)
	conn := addClientFlags(cmd, callTimeout, "one page")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *limit < 0 {
			return usagef("--limit: must be 0 or more")
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			l, err := filtered(ctx, c)
			if err != nil {
				return err
			}
			return l.write(ctx, c, cmd.OutOrStdout(), cmd.ErrOrStderr(), *limit, output.value)
		})
	}
	return cmd
}

func (l listing[T]) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all " + l.what + " as CSV, in the format that import reads",
		Example: fmt.Sprintf(`  trunkline %[1]s export > %[1]s.csv
  trunkline %[1]s export --file %[1]s.csv
  trunkline %[1]s export --server http://old:8080 | trunkline %[1]s import - --server http://new:8080`, l.what),
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	file := cmd.Flags().String("file", "", "`FILE` to write; it is replaced only when all is read")
	conn := addClientFlags(cmd, callTimeout, "one page")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			return l.export(ctx, c, cmd, *file)
		})
	}
	return cmd
}

// export writes everything as CSV to a file, or to standard output.
func (l listing[T]) export(ctx context.Context, c *client, cmd *cobra.Command, file string) error {
	write := func(w io.Writer) error { return l.write(ctx, c, w, cmd.ErrOrStderr(), 0, formCSV) }
	if file == "" || file == "-" {
		return write(cmd.OutOrStdout())
	}
	return replaceFile(file, write)
}

func (l listing[T]) write(ctx context.Context, c *client, w, warnings io.Writer, limit int, form string) error {
	out := bufio.NewWriterSize(w, 64<<10)
	json := &jsonSequence{w: out, array: form == formJSON}
	table := &columns{w: out, head: l.head}
	first, stale, lossy := true, false, int64(0)
	err := l.pages(ctx, c, limit, func(all []T, fresh *operatorsv1.Freshness) error {
		var err error
		if !stale {
			// Told once, for the first page that may be old.
			stale, err = fresh.GetStale(), staleLine(warnings, fresh)
		}
		if err != nil {
			return err
		}
		switch form {
		case formCSV:
			var file []byte
			if file, err = l.csv(all); err != nil {
				return err
			}
			if !first {
				_, file, _ = bytes.Cut(file, []byte("\n"))
			}
			_, err = out.Write(file)
		case formTable:
			rows := make([][]string, len(all))
			for i, one := range all {
				rows[i] = l.row(one)
			}
			err = table.print(rows)
		default:
			for _, one := range all {
				err = errors.Join(err, json.add(one))
			}
		}
		for _, one := range all {
			if l.lossy != nil && l.lossy(one) {
				lossy++
			}
		}
		first = false
		return errors.Join(err, out.Flush())
	})
	if err != nil {
		return err
	}
	if form == formJSON || form == formJSONL {
		err = json.end()
	}
	if form == formCSV && lossy > 0 {
		_ = printf(warnings, "warning: %s %s\n", plural(lossy, "of the "+l.what+" is", "of the "+l.what+" are"), l.loss)
	}
	return errors.Join(err, out.Flush())
}

// replaceFile writes a file beside the target and renames it, so that a failure
// leaves the former one as it was.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	const readable = 0o644
	if err := errors.Join(f.Chmod(readable), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
