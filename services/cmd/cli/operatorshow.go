package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// pair is a line of a record: what and which.
type pair struct{ key, value string }

// writePairs prints a record with its keys aligned, leaving out what is empty.
func writePairs(w io.Writer, all []pair) error {
	for _, p := range all {
		if p.value == "" {
			continue
		}
		if err := printf(w, "%-16s %s\n", p.key, clean(p.value)); err != nil {
			return err
		}
	}
	return nil
}

func momentText(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}

// staleLine tells people that an answer may be old.
func staleLine(w io.Writer, f *operatorsv1.Freshness) error {
	if !f.GetStale() {
		return nil
	}
	return printf(w, "warning: the primary database is down; this comes from a replica and may be %s old\n",
		f.GetAge().AsDuration().Round(time.Second))
}

func operatorGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "get OPERATOR",
		Short:   "Show one operator",
		Long:    "Show one operator, named by its name or id. A deleted one is found by its id.",
		Example: "  trunkline operators get Nordlink\n  trunkline operators get Nordlink -o json",
		Args:    cobra.ExactArgs(1),
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeOperators(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			found, err := c.operatorNamed(ctx, args[0])
			if err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.operators.GetOperator(callCtx, &operatorsv1.GetOperatorRequest{OperatorId: found.GetOperatorId()})
			if err != nil {
				return c.describe(ctx, "get the operator", err)
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), res)
			}
			if err := staleLine(cmd.ErrOrStderr(), res.GetFreshness()); err != nil {
				return err
			}
			return writePairs(cmd.OutOrStdout(), operatorPairs(res.GetOperator()))
		})
	}
	return cmd
}

func operatorPairs(o *operatorsv1.Operator) []pair {
	status := statusName(o.GetStatus())
	if o.GetDeleteTime() != nil {
		status = "DELETED " + momentText(o.GetDeleteTime())
	}
	kept := "none: rotate-credentials gives a password"
	if o.GetHasCredentials() {
		kept = "in the secret store"
	}
	limit := o.GetTpsLimit()
	return []pair{
		{"operator id", o.GetOperatorId()},
		{"name", o.GetName()},
		{"status", status},
		{"address", address(o.GetHost(), o.GetPort())},
		{"system id", o.GetSystemId()},
		{"system type", o.GetSystemType()},
		{"bind type", bindName(o.GetBindType())},
		{"message types", typeNames(o.GetMessageTypes())},
		{"limit", fmt.Sprintf("%d/s, bursts up to %s times, %s", limit.GetMaxTps(),
			strconv.FormatFloat(limit.GetBurstMultiplier(), 'f', -1, 64), enforcementName(limit.GetEnforcementMode()))},
		{"credentials", kept},
		{"backup", o.GetBackupOperatorId()},
		{"notes", o.GetNotes()},
		{"version", strconv.FormatInt(o.GetVersion(), 10)},
		{"created", momentText(o.GetCreateTime()) + by(o.GetCreatedBy())},
		{"updated", momentText(o.GetUpdateTime()) + by(o.GetUpdatedBy())},
	}
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

func operatorHealthCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "health OPERATOR",
		Short:   "Show what is known of an operator's health",
		Example: "  trunkline operators health Nordlink",
		Args:    cobra.ExactArgs(1),
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeOperators(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			id, err := c.operatorID(ctx, args[0])
			if err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.operators.GetOperatorHealth(callCtx, &operatorsv1.GetOperatorHealthRequest{OperatorId: id})
			if err != nil {
				return c.describe(ctx, "get the operator's health", err)
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), res)
			}
			if err := staleLine(cmd.ErrOrStderr(), res.GetFreshness()); err != nil {
				return err
			}
			h := res.GetHealth()
			throttled := ""
			if h.GetThrottled() {
				throttled = "yes: the operator slows us down"
			}
			return writePairs(cmd.OutOrStdout(), []pair{
				{"health", healthText(h)},
				{"throttled", throttled},
				{"since", momentText(h.GetChangeTime())},
				{"last report", momentText(h.GetObserveTime())},
				{"version", strconv.FormatInt(h.GetVersion(), 10)},
			})
		})
	}
	return cmd
}
