package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

func decisionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decisions",
		Short: "Export the log of decisions, and erase a number from it",
		Example: `  trunkline decisions export --from 2026-11-21T00:00:00Z -o csv > today.csv
  trunkline decisions erase +447911123456`,
	}
	cmd.AddCommand(decisionsExportCommand(), decisionsEraseCommand())
	return cmd
}

var decisionCSV = []string{
	"decision_id", "decide_time", "account_id", "number_hash", "hash_key_id", "message_type", "matched_prefix", "rule_id", "operator_id",
	"price", "currency", "failure", "config_version", "rules_version", "cache", "latency_ms", "outcomes",
}

func decisionRow(d *routingv1.DecisionRecord) []string {
	amount, currency := "", ""
	if p := d.GetUnitPrice(); p != nil {
		amount, currency = money.Money{Nanos: p.GetNanos()}.Decimal(), p.GetCurrencyCode()
	}
	outcomes := ""
	for i, o := range d.GetOutcomes() {
		if i > 0 {
			outcomes += " "
		}
		outcomes += strings.TrimPrefix(o.GetOutcome().String(), "OUTCOME_")
	}
	return []string{
		d.GetDecisionId(), momentText(d.GetDecideTime()), d.GetAccountId(), d.GetNumberHash(), d.GetHashKeyId(),
		typeName(d.GetMessageType()), d.GetMatchedPrefix(), d.GetRuleId(), d.GetOperatorId(), amount, currency, d.GetFailure(),
		strconv.FormatInt(d.GetMeta().GetConfigVersion(), 10), strconv.FormatInt(d.GetMeta().GetRulesVersion(), 10),
		strings.TrimPrefix(d.GetMeta().GetCache().String(), "CACHE_RESULT_"),
		strconv.FormatFloat(float64(d.GetLatency().AsDuration().Microseconds())/1000, 'f', 3, 64), outcomes,
	}
}

func decisionsExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write logged decisions, oldest first",
		Long: `Write logged decisions, oldest first, with what became of the messages where it was reported. Numbers are not in the
log; --number finds the decisions about one.`,
		Example: `  trunkline decisions export --from 2026-11-21T00:00:00Z > today.jsonl
  trunkline decisions export --number +447911123456
  trunkline decisions export --account 00000000-0000-0000-0000-000000000001 -o csv`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	from := flags.String("from", "", "only decisions from this `TIME` on, such as 2026-11-21T00:00:00Z")
	to := flags.String("to", "", "only decisions before this `TIME`")
	account := flags.String("account", "", "only decisions for this account `ID`")
	number := flags.String("number", "", "only decisions about this `NUMBER` in E.164")
	id := flags.String("decision", "", "only the decision with this `ID`")
	noValueCompletion(cmd, "from", "to", "account", "number", "decision")
	output := outputFlag(cmd, formJSONL, formJSON, formCSV)
	conn := addClientFlags(cmd, importTimeout, "the export")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		req := &routingv1.ExportDecisionsRequest{AccountId: *account, Number: *number, DecisionId: *id}
		var err error
		if req.FromTime, err = momentFlag("--from", *from); err != nil {
			return err
		}
		if req.ToTime, err = momentFlag("--to", *to); err != nil {
			return err
		}
		if err := numberArgument("--number", *number); *number != "" && err != nil {
			return err
		}
		for flag, text := range map[string]string{"--account": *account, "--decision": *id} {
			if _, err := uuid.Parse(text); text != "" && err != nil {
				return usagef("%s: write a UUID", flag)
			}
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			stream, err := c.decisions.ExportDecisions(callCtx, req)
			if err != nil {
				return c.describe(ctx, "export decisions", err)
			}
			defer func() { _ = stream.Close() }()
			out := newSeries(cmd.OutOrStdout(), output.value, func(all []*routingv1.DecisionRecord) ([]byte, error) {
				return plainCSV(decisionCSV, all, decisionRow)
			})
			for stream.Receive() {
				if err := out.add(stream.Msg().GetDecisions()); err != nil {
					return err
				}
			}
			if err := stream.Err(); err != nil {
				return c.describe(ctx, "export decisions", err)
			}
			return out.end()
		})
	}
	return cmd
}

func decisionsEraseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "erase NUMBER",
		Short: "Take every logged decision about a number away",
		Example: `  trunkline decisions erase +447911123456 --dry-run
  trunkline decisions erase +447911123456 --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	yes := yesFlag(cmd)
	dryRun := cmd.Flags().Bool("dry-run", false, "count them and erase nothing")
	conn := addClientFlags(cmd, importTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := numberArgument("NUMBER", args[0]); err != nil {
			return err
		}
		if !*dryRun {
			if err := confirm(cmd, *yes, "Erase every logged decision about this number? It cannot be undone."); err != nil {
				return err
			}
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.decisions.EraseDecisions(callCtx, &routingv1.EraseDecisionsRequest{Number: args[0], ValidateOnly: *dryRun})
			if err != nil {
				return c.describe(ctx, "erase decisions", err)
			}
			word := "erased"
			if *dryRun {
				word = "would be erased"
			}
			return printf(cmd.OutOrStdout(), "%s %s\n", plural(res.GetErased(), "decision", "decisions"), word)
		})
	}
	return cmd
}

func numberArgument(name, text string) error {
	if _, err := e164.Parse(text); err != nil {
		return usagef("%s: %s, such as +447911123456", name, err)
	}
	return nil
}
