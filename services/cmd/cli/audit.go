package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "See who changed what, and prove that the record is whole",
		Example: `  trunkline audit list --action operator. --limit 20
  trunkline audit verify`,
	}
	cmd.AddCommand(auditListCommand(), auditExportCommand(), auditVerifyCommand())
	return cmd
}

var auditCSV = []string{"sequence", "occur_time", "actor", "action", "entity", "entity_id", "request_id", "before", "after", "audit_id", "hash"}

func auditRow(r *accessv1.AuditRow) []string {
	return []string{
		strconv.FormatInt(r.GetSequence(), 10), momentText(r.GetOccurTime()), r.GetActor(), r.GetAction(), r.GetEntity(), r.GetEntityId(),
		r.GetRequestId(), r.GetBefore(), r.GetAfter(), r.GetAuditId(), r.GetHash(),
	}
}

// auditFlags choose rows.
func auditFlags(cmd *cobra.Command) func() (*accessv1.AuditFilter, error) {
	flags := cmd.Flags()
	actor := flags.String("actor", "", "only rows of this `ACTOR`, such as key:ID, jwt:SUBJECT or dev")
	action := flags.String("action", "", "only this `ACTION`, such as operator.update; with a dot at the end all that begin so: operator.")
	entity := flags.String("entity", "", "only rows about this `KIND`, such as operator or rule")
	id := flags.String("id", "", "only rows about the entity with this `ID`")
	from := flags.String("from", "", "only rows from this `TIME` on, such as 2026-11-21T00:00:00Z")
	to := flags.String("to", "", "only rows before this `TIME`")
	noValueCompletion(cmd, "actor", "action", "entity", "id", "from", "to")
	return func() (*accessv1.AuditFilter, error) {
		f := &accessv1.AuditFilter{Actor: *actor, Action: *action, Entity: *entity, EntityId: *id}
		var err error
		if f.FromTime, err = momentFlag("--from", *from); err != nil {
			return nil, err
		}
		f.ToTime, err = momentFlag("--to", *to)
		return f, err
	}
}

func auditListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List audit rows, newest first",
		Example: `  trunkline audit list --limit 20
  trunkline audit list --action access.denied --from 2026-11-21T00:00:00Z
  trunkline audit list --entity operator --id 0190a8f0-0000-7000-8000-000000000002 -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, formTable, formJSON, formJSONL, formCSV)
	limit := cmd.Flags().Int("limit", 100, "most rows to list; 0 lists all")
	noValueCompletion(cmd, "limit")
	filter := auditFlags(cmd)
	conn := addClientFlags(cmd, callTimeout, "one page")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *limit < 0 {
			return usagef("--limit: must be 0 or more")
		}
		f, err := filter()
		if err != nil {
			return err
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			return auditListing(f).write(ctx, c, cmd.OutOrStdout(), cmd.ErrOrStderr(), *limit, output.value)
		})
	}
	return cmd
}

func auditListing(f *accessv1.AuditFilter) listing[*accessv1.AuditRow] {
	return listing[*accessv1.AuditRow]{
		what: "audit rows",
		page: func(ctx context.Context, c *client, size int32, token string) ([]*accessv1.AuditRow, string, *operatorsv1.Freshness, error) {
			res, err := c.audit.ListAuditRows(ctx, &accessv1.ListAuditRowsRequest{Filter: f, PageSize: size, PageToken: token})
			return res.GetRows(), res.GetNextPageToken(), nil, err
		},
		head: []string{"PLACE", "TIME", "ACTOR", "ACTION", "ENTITY", "ENTITY ID", "REQUEST"},
		row:  func(r *accessv1.AuditRow) []string { return auditRow(r)[:7] },
		csv:  safeAuditCSV,
	}
}

// safeAuditCSV keeps a spreadsheet from taking a cell for a formula: names in the rows are somebody's words.
func safeAuditCSV(all []*accessv1.AuditRow) ([]byte, error) {
	return plainCSV(auditCSV, all, func(r *accessv1.AuditRow) []string {
		cells := auditRow(r)
		for i, cell := range cells {
			cells[i] = neutral(cell)
		}
		return cells
	})
}

func auditExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write audit rows, oldest first",
		Example: `  trunkline audit export -o jsonl > audit.jsonl
  trunkline audit export -o csv --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z > november.csv`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, formJSONL, formJSON, formCSV)
	filter := auditFlags(cmd)
	conn := addClientFlags(cmd, importTimeout, "the export")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f, err := filter()
		if err != nil {
			return err
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			stream, err := c.audit.ExportAuditRows(callCtx, &accessv1.ExportAuditRowsRequest{Filter: f})
			if err != nil {
				return c.describe(ctx, "export the audit log", err)
			}
			defer func() { _ = stream.Close() }()
			out := newSeries(cmd.OutOrStdout(), output.value, safeAuditCSV)
			for stream.Receive() {
				if err := out.add(stream.Msg().GetRows()); err != nil {
					return err
				}
			}
			if err := stream.Err(); err != nil {
				return c.describe(ctx, "export the audit log", err)
			}
			return out.end()
		})
	}
	return cmd
}

func auditVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Recompute the hash chain of the audit log",
		Long: fmt.Sprintf(`Recompute the hash of every audit row and of the one before it. The first row that is not as it was written is
named, and the exit code is %d. The end of a chain can be cut off without a trace in it: keep the head that is
printed somewhere else, such as in a ticket, and give it next time with --head.`, ExitInvalid),
		Example:           "  trunkline audit verify\n  trunkline audit verify --head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	head := cmd.Flags().String("head", "", "a head `HASH` noted before, which must still be in the chain")
	noValueCompletion(cmd, "head")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, importTimeout, "the verification")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if raw, err := hex.DecodeString(*head); err != nil || *head != "" && len(raw) != 32 {
			return usagef("--head: write the 64 hexadecimal digits that `trunkline audit verify` printed")
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			verdict, err := c.verifyAudit(ctx, cmd, *head)
			if err != nil {
				return err
			}
			if output.value == formJSON {
				err = writeJSON(cmd.OutOrStdout(), verdict)
			} else {
				err = writePairs(cmd.OutOrStdout(), []pair{
					{"verified", strconv.FormatInt(verdict.GetVerified(), 10)},
					{"unsealed", strconv.FormatInt(verdict.GetUnsealed(), 10)},
					{"head", verdict.GetHead()},
				})
			}
			if d := verdict.GetDefect(); err == nil && d != nil {
				return failf(ExitInvalid, "the audit log is not whole: %s: %s (row %s)", d.GetReason(), clean(d.GetMessage()), orNone(d.GetAuditId()))
			}
			return err
		})
	}
	return cmd
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return clean(text)
}

func (c *client) verifyAudit(ctx context.Context, cmd *cobra.Command, head string) (*accessv1.AuditVerdict, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	stream, err := c.audit.VerifyAuditChain(callCtx, &accessv1.VerifyAuditChainRequest{KnownHead: head})
	if err != nil {
		return nil, c.describe(ctx, "verify the audit log", err)
	}
	defer func() { _ = stream.Close() }()
	bar := newProgress(cmd.ErrOrStderr(), "verify", -1)
	defer bar.close()
	for stream.Receive() {
		if verdict := stream.Msg().GetVerdict(); verdict != nil {
			return verdict, nil
		}
		bar.set(stream.Msg().GetVerified(), -1)
	}
	if err := stream.Err(); err != nil {
		return nil, c.describe(ctx, "verify the audit log", err)
	}
	return nil, failf(ExitFailed, "verify the audit log: the server ended without a verdict")
}

// neutral puts an apostrophe before a cell that a spreadsheet would run as a formula.
func neutral(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
