package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

func explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain NUMBER",
		Short: "Show how a decision comes about: every rule, every candidate",
		Long: `Show the decision for a number and the reasons for it: every rule whose prefix matches, longest first,
what became of it, and for each candidate its rank or why it was rejected. It changes nothing.`,
		Example: `  trunkline routes explain +447911123456
  trunkline routes explain +447911123456 --type wap
  trunkline routes explain +447911123456 -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	query := addQueryFlags(cmd)
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		base, err := query.request(cmd)
		if err != nil {
			return err
		}
		if bad := numberProblem(args[0]); bad != nil {
			return failf(ExitInvalid, "%s", sentence("explain the route", bad.GetCode(), bad.GetReason(), bad.GetMessage()))
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			req := &routingv1.ExplainRouteRequest{Query: withNumber(base, args[0])}
			answer, err := c.routing.ExplainRoute(callCtx, req)
			if err != nil {
				return c.describe(ctx, "explain the route", err)
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), answer)
			}
			return writeExplanation(cmd.OutOrStdout(), req.GetQuery(), answer)
		})
	}
	return cmd
}

func writeExplanation(w io.Writer, query *routingv1.SelectOperatorRequest, answer *routingv1.ExplainRouteResponse) error {
	err := printf(w, "%s, %s, account %s\n", query.GetTo(), typeName(query.GetMessageType()), query.GetAccountId())
	if err == nil {
		err = writeOutcome(w, answer)
	}
	if err == nil && len(answer.GetRules()) == 0 {
		return printf(w, "\nNo rule has a prefix of this number.\n")
	}
	for _, rule := range answer.GetRules() {
		if err == nil {
			err = writeRuleTrace(w, rule)
		}
	}
	return err
}

func writeOutcome(w io.Writer, answer *routingv1.ExplainRouteResponse) error {
	d := answer.GetDecision()
	if d == nil {
		f := answer.GetFailure()
		// The server sends callers of SelectOperator here; who reads this is here.
		message := strings.TrimSuffix(strings.TrimSuffix(f.GetMessage(), "."), "; ExplainRoute tells why")
		return printf(w, "No operator: %s (%s)\n", clean(message), clean(f.GetReason()))
	}
	text := fmt.Sprintf("Decision: %s at %s, %s", d.GetOperatorName(), address(d.GetHost(), d.GetPort()), price(d.GetUnitPrice()))
	for i, a := range d.GetAlternates() {
		separator := ", "
		if i == 0 {
			separator = "; then "
		}
		text += separator + a.GetOperatorName()
	}
	if answer.GetMeta().GetHealthUnknown() {
		text += "; its health is not known"
	}
	return printf(w, "%s\n", clean(text))
}

func writeRuleTrace(w io.Writer, rule *routingv1.RuleTrace) error {
	strategy := strategyName(rule.GetStrategy())
	if words, known := strategyWords[rule.GetStrategy()]; known {
		strategy += " (" + words + ")"
	}
	owner := "global"
	if rule.GetAccountId() != "" {
		owner = "of account " + rule.GetAccountId()
	}
	head := fmt.Sprintf("Rule %s, %s, %s, when exhausted %s: %s",
		rule.GetPrefix(), owner, strategy, onExhaustedName(rule.GetOnExhausted()), word(ruleOutcomes, rule.GetOutcome()))
	if err := printf(w, "\n%s\n", clean(head)); err != nil || len(rule.GetCandidates()) == 0 {
		return err
	}
	table := &columns{w: w, indent: "  ", head: []string{
		"RANK", "OPERATOR", "PRIORITY", "WEIGHT", "PRICE", "RATE", "HEALTH", "REJECTED BECAUSE",
	}}
	rows := make([][]string, len(rule.GetCandidates()))
	for i, c := range rule.GetCandidates() {
		rank := "-"
		if c.GetRank() > 0 {
			rank = fmt.Sprint(c.GetRank())
		}
		rows[i] = []string{
			rank, dash(c.GetOperatorName()), fmt.Sprint(c.GetPriority()), fmt.Sprint(c.GetWeight()), price(c.GetUnitPrice()),
			rateSource(c), health(c.GetBindState(), c.GetQuality()), word(rejections, c.GetRejection()),
		}
	}
	return table.print(rows)
}

// rateSource tells where the price comes from.
func rateSource(c *routingv1.CandidateTrace) string {
	switch {
	case c.GetRatePrefix() != "":
		return c.GetRatePrefix()
	case c.GetUnitPrice() != nil:
		return "rule"
	}
	return "-"
}
