package cli

import (
	"context"
	"strconv"

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
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.outbox.GetOutboxStatus(callCtx, &operatorsv1.GetOutboxStatusRequest{})
			if err != nil {
				return c.describe(ctx, "ask for the outbox", err)
			}
			if output.value == formJSON {
				return writeCounts(cmd.OutOrStdout(), res)
			}
			oldest := "nothing waits"
			if res.GetOldest() != nil {
				oldest = res.GetOldest().AsDuration().String()
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
