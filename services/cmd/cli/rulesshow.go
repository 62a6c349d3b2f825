package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

func ruleListCommand() *cobra.Command {
	var operator, prefix, country, owner, search string
	l := ruleListing
	return l.listCommandWith(func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&operator, "operator", "", "only rules that select this `OPERATOR`, by name or id")
		cmd.Flags().StringVar(&prefix, "prefix", "", "only prefixes that start with this one, such as +44")
		cmd.Flags().StringVar(&country, "country", "", "only rules of this country `CODE`")
		cmd.Flags().StringVar(&owner, "owner", "", "only rules of this account `UUID`")
		cmd.Flags().StringVar(&search, "search", "", "only rules with this `TEXT` in prefix, country or description")
		noValueCompletion(cmd, "operator", "prefix", "country", "owner", "search")
	}, func(ctx context.Context, c *client) (listing[*operatorsv1.RoutingRule], error) {
		id, err := c.operatorID(ctx, operator)
		if err != nil {
			return l, err
		}
		req := &operatorsv1.ListRoutingRulesRequest{OperatorId: id, Prefix: prefix, Country: country, AccountId: owner, Search: search}
		l.page = func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.RoutingRule, string, *operatorsv1.Freshness, error) {
			req.PageSize, req.PageToken = size, token
			res, err := c.rules.ListRoutingRules(ctx, req)
			return res.GetRules(), res.GetNextPageToken(), res.GetFreshness(), err
		}
		return l, nil
	})
}

func ruleGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "get RULE_ID",
		Short:             "Show one rule",
		Example:           "  trunkline rules get 0190a8f0-0000-7000-8000-000000000002",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.rules.GetRoutingRule(callCtx, &operatorsv1.GetRoutingRuleRequest{RuleId: args[0]})
			if err != nil {
				return c.describe(ctx, "get the rule", err)
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), res)
			}
			if err := staleLine(cmd.ErrOrStderr(), res.GetFreshness()); err != nil {
				return err
			}
			return writePairs(cmd.OutOrStdout(), rulePairs(res.GetRule()))
		})
	}
	return cmd
}

func rulePairs(r *operatorsv1.RoutingRule) []pair {
	types := typeNames(r.GetMessageTypes())
	if types == "" {
		types = "all"
	}
	state := "yes"
	if !r.GetActive() {
		state = "no"
	}
	pairs := []pair{
		{"rule id", r.GetRuleId()},
		{"prefix", r.GetPrefix()},
		{"country", r.GetCountry()},
		{"owner", ownerName(r.GetAccountId())},
		{"description", r.GetDescription()},
		{"message types", types},
		{"strategy", strategyName(r.GetStrategy())},
		{"when exhausted", onExhaustedName(r.GetOnExhausted())},
		{"active", state},
		{"valid from", momentText(r.GetValidFrom())},
		{"valid to", momentText(r.GetValidTo())},
		{"version", strconv.FormatInt(r.GetVersion(), 10)},
		{"created", momentText(r.GetCreateTime()) + by(r.GetCreatedBy())},
		{"updated", momentText(r.GetUpdateTime()) + by(r.GetUpdatedBy())},
	}
	for i, c := range r.GetCandidates() {
		key := ""
		if i == 0 {
			key = "candidates"
		}
		text := fmt.Sprintf("%d  %s, price %s", c.GetPriority(), c.GetOperatorName(), price(c.GetPrice()))
		if c.Weight != nil {
			text += fmt.Sprintf(", weight %d", c.GetWeight())
		}
		pairs = append(pairs, pair{key, text})
	}
	return pairs
}

func ruleDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "delete RULE_ID",
		Short:             "Take a rule away",
		Long:              "Take a rule away. Numbers that it answered go to the next shorter prefix, or have no route. Rules\nthat fell through to it and have nothing shorter now are warned of.",
		Example:           "  trunkline rules delete 0190a8f0-0000-7000-8000-000000000002 --yes",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	yes := yesFlag(cmd)
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and change nothing")
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			r, err := c.rule(ctx, args[0])
			if err != nil {
				return err
			}
			question := clean(fmt.Sprintf("Really delete the %s rule for %s (%s)?", ownerName(r.GetAccountId()), r.GetPrefix(), strategyName(r.GetStrategy())))
			if err := confirm(cmd, *yes || *dryRun, question); err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.rules.DeleteRoutingRule(callCtx, &operatorsv1.DeleteRoutingRuleRequest{
				RuleId: r.GetRuleId(), Etag: r.GetEtag(), RequestId: newRequestID(), ValidateOnly: *dryRun,
			})
			if err != nil {
				return c.describe(ctx, "delete the rule", err)
			}
			return writeRuleChange(cmd, formTable, nil, r, res.GetWarnings(), changed(*dryRun, "deleted"))
		})
	}
	return cmd
}

func ruleCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE | -]",
		Short: "Look for conflicts in the stored rules, or in a file on top of them",
		Long: fmt.Sprintf(`Look for conflicts in the stored rules, or in a CSV file as if it were imported on top of them. Nothing is
stored. Each finding is told with a number that shows it. With errors or bad lines the exit code is %d; warnings
alone leave it 0.`, ExitInvalid),
		Example: "  trunkline rules check\n  trunkline rules check rules.csv\n  trunkline rules check rules.csv -o json",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{"csv"}, cobra.ShellCompDirectiveFilterFileExt
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, importTimeout, "the check")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			req, name := &operatorsv1.CheckRoutingRulesRequest{}, "the stored rules"
			if len(args) > 0 {
				var err error
				if name, req.Csv, err = readImport(ctx, cmd.InOrStdin(), args[0]); err != nil {
					return err
				}
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			bar := newProgress(cmd.ErrOrStderr(), "checking rules", -1)
			res, err := c.rules.CheckRoutingRules(callCtx, req)
			bar.close()
			if err != nil {
				return c.describe(ctx, "check the rules", err)
			}
			return writeCheck(cmd, output.value, name, res)
		})
	}
	return cmd
}

func writeCheck(cmd *cobra.Command, form, name string, res *operatorsv1.CheckRoutingRulesResponse) error {
	if form == formJSON {
		if err := writeJSON(cmd.OutOrStdout(), res); err != nil {
			return err
		}
	} else {
		for _, line := range res.GetBadLines() {
			if err := printf(cmd.OutOrStdout(), "%s\n", badLine(name, line)); err != nil {
				return err
			}
		}
		for _, f := range res.GetFindings() {
			if err := printf(cmd.OutOrStdout(), "%s\n", findingLine(f)); err != nil {
				return err
			}
		}
	}
	if bad := res.GetBadLineCount(); bad > 0 {
		return failf(ExitInvalid, "check: %s of %s cannot be read", plural(bad, "line", "lines"), clean(name))
	}
	counts := fmt.Sprintf("%s, %s in %s", plural(res.GetErrorCount(), "error", "errors"),
		plural(res.GetWarningCount(), "warning", "warnings"), plural(res.GetRuleCount(), "rule", "rules"))
	if res.GetErrorCount() > 0 {
		return failf(ExitInvalid, "check: %s", counts)
	}
	if form == formJSON {
		return nil
	}
	return printf(cmd.OutOrStdout(), "%s\n", counts)
}
