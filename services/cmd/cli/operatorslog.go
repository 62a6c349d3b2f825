package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// transitionCSV names the columns of the log as CSV.
var transitionCSV = []string{"occur_time", "operator_id", "from", "to", "cause", "submits", "errors", "version"}

func transitionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "transitions [OPERATOR]",
		Short: "List changes of health, newest first",
		Example: `  trunkline operators transitions --limit 20
  trunkline operators transitions Nordlink -o csv`,
		Args: cobra.MaximumNArgs(1),
	}
	output := outputFlag(cmd, formTable, formJSON, formJSONL, formCSV)
	limit := cmd.Flags().Int("limit", 100, "most changes to list; 0 lists all")
	noValueCompletion(cmd, "limit")
	conn := addClientFlags(cmd, callTimeout, "one page")
	cmd.ValidArgsFunction = completeOperators(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *limit < 0 {
			return usagef("--limit: must be 0 or more")
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			var id string
			if len(args) > 0 {
				var err error
				if id, err = c.operatorID(ctx, args[0]); err != nil {
					return err
				}
			}
			return transitionListing(id).write(ctx, c, cmd.OutOrStdout(), cmd.ErrOrStderr(), *limit, output.value)
		})
	}
	return cmd
}

func transitionListing(operatorID string) listing[*operatorsv1.HealthTransition] {
	row := func(t *operatorsv1.HealthTransition) []string {
		return []string{
			momentText(t.GetOccurTime()), t.GetOperatorId(), health(t.GetFromBindState(), t.GetFromQuality()),
			health(t.GetToBindState(), t.GetToQuality()), t.GetCause(), strconv.FormatInt(t.GetSubmits(), 10),
			strconv.FormatInt(t.GetErrors(), 10), strconv.FormatInt(t.GetVersion(), 10),
		}
	}
	return listing[*operatorsv1.HealthTransition]{
		what: "transitions",
		page: func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.HealthTransition, string, *operatorsv1.Freshness, error) {
			res, err := c.operators.ListHealthTransitions(ctx, &operatorsv1.ListHealthTransitionsRequest{
				OperatorId: operatorID, PageSize: size, PageToken: token,
			})
			return res.GetTransitions(), res.GetNextPageToken(), res.GetFreshness(), err
		},
		head: []string{"TIME", "OPERATOR ID", "FROM", "TO", "CAUSE", "SUBMITS", "ERRORS", "VERSION"},
		row:  row,
		csv:  func(all []*operatorsv1.HealthTransition) ([]byte, error) { return plainCSV(transitionCSV, all, row) },
	}
}

// plainCSV writes rows whose cells this program made itself.
func plainCSV[T any](head []string, all []T, row func(T) []string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(head); err != nil {
		return nil, err
	}
	for _, one := range all {
		if err := w.Write(row(one)); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
