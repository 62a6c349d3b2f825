package cli

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

func outboxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "outbox",
		Short:   "See how far events of changes are on their way",
		Example: "  trunkline outbox status",
	}
	cmd.AddCommand(outboxStatusCommand())
	return cmd
}

func outboxStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Count the events that wait, and tell the oldest",
		Long: `Count the events of committed changes that wait to be published. pending ones wait for the relay, for
milliseconds; pending_publish ones failed three times and are tried again with pauses until NATS takes them.`,
		Example:           "  trunkline outbox status\n  trunkline outbox status -o json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, formTable, formJSON, formCSV)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.outbox.GetOutboxStatus(callCtx, &operatorsv1.GetOutboxStatusRequest{})
			if err != nil {
				return c.describe(ctx, "ask for the outbox", err)
			}
			switch output.value {
			case formJSON:
				return writeCounts(cmd.OutOrStdout(), res)
			case formCSV:
				return writeOutboxCSV(cmd.OutOrStdout(), res)
			}
			oldest := "nothing waits"
			if res.GetOldest() != nil {
				oldest = res.GetOldest().AsDuration().Round(100 * time.Millisecond).String()
			}
			return writePairs(cmd.OutOrStdout(), []pair{
				{"pending", strconv.FormatInt(res.GetPending(), 10)},
				{"pending_publish", strconv.FormatInt(res.GetPendingPublish(), 10)},
				{"oldest waits", oldest},
				{"published", strconv.FormatInt(res.GetPublished(), 10) + " (kept 24 h)"},
				{"last error", res.GetLastError()},
			})
		})
	}
	return cmd
}

// writeOutboxCSV writes one row. The oldest event's age is in seconds, and empty when nothing waits.
func writeOutboxCSV(w io.Writer, res *operatorsv1.GetOutboxStatusResponse) error {
	oldest := ""
	if res.GetOldest() != nil {
		oldest = strconv.FormatFloat(res.GetOldest().AsDuration().Seconds(), 'f', 3, 64)
	}
	file, err := csvFile([][]string{
		{"pending", "pending_publish", "oldest_seconds", "published", "last_error"},
		{
			strconv.FormatInt(res.GetPending(), 10), strconv.FormatInt(res.GetPendingPublish(), 10), oldest,
			strconv.FormatInt(res.GetPublished(), 10), res.GetLastError(),
		},
	})
	if err == nil {
		_, err = w.Write(file)
	}
	return err
}
