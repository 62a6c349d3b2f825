package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
)

// ruleFields are the flags of what a person may change of a rule.
type ruleFields struct {
	country, description, strategy, onExhausted, from, to string
	candidates                                            []string
	active                                                bool
}

// ruleMask names the field that each flag changes.
var ruleMask = map[string]string{
	"country": "country", "description": "description", "strategy": "strategy", "on-exhausted": "on_exhausted",
	"candidate": "candidates", "active": "active", "valid-from": "valid_from", "valid-to": "valid_to",
}

func (f *ruleFields) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.country, "country", "", "ISO 3166-1 `CODE` such as GB")
	flags.StringVar(&f.description, "description", "", "for people, at most 500 characters")
	flags.StringVar(&f.strategy, "strategy", "priority", "cost, priority, failover or weighted")
	flags.StringVar(&f.onExhausted, "on-exhausted", "fail", "when no operator is usable: fail or fall_through")
	flags.StringArrayVar(&f.candidates, "candidate", nil,
		"`OPERATOR[,priority=N][,weight=N][,price=0.01EUR]`, by name or id; repeat it, the first has priority 1")
	flags.BoolVar(&f.active, "active", true, "whether the rule counts")
	flags.StringVar(&f.from, "valid-from", "", "first `MOMENT` of validity, such as 2027-01-01T00:00:00Z; empty is always")
	flags.StringVar(&f.to, "valid-to", "", "first `MOMENT` after validity; empty is for ever")
	flags.VisitAll(func(one *pflag.Flag) {
		switch one.Name {
		case "active", "strategy", "on-exhausted", "candidate":
		default:
			if ruleMask[one.Name] != "" {
				noValueCompletion(cmd, one.Name)
			}
		}
	})
}

// complete offers words and, for candidates, the names of live operators.
func (f *ruleFields) complete(cmd *cobra.Command, conn *clientFlags) {
	words := func(all ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
	}
	names := completeOperators(conn)
	// They fail only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("strategy", words("cost", "priority", "failover", "weighted"))
	_ = cmd.RegisterFlagCompletionFunc("on-exhausted", words("fail", "fall_through"))
	_ = cmd.RegisterFlagCompletionFunc("candidate", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return names(cmd, nil, typed)
	})
}

func (f *ruleFields) message(ctx context.Context, c *client) (*operatorsv1.RoutingRule, error) {
	strategy, err := enumOf("--strategy", "ROUTING_STRATEGY_", f.strategy, routingv1.RoutingStrategy_value)
	if err != nil {
		return nil, err
	}
	exhausted, err := enumOf("--on-exhausted", "ON_EXHAUSTED_", f.onExhausted, routingv1.OnExhausted_value)
	if err != nil {
		return nil, err
	}
	r := &operatorsv1.RoutingRule{
		Country: f.country, Description: f.description, Active: f.active,
		Strategy: routingv1.RoutingStrategy(strategy), OnExhausted: routingv1.OnExhausted(exhausted),
	}
	if r.ValidFrom, err = momentFlag("--valid-from", f.from); err != nil {
		return nil, err
	}
	if r.ValidTo, err = momentFlag("--valid-to", f.to); err != nil {
		return nil, err
	}
	for i, text := range f.candidates {
		candidate, err := c.candidate(ctx, text, i+1)
		if err != nil {
			return nil, err
		}
		r.Candidates = append(r.Candidates, candidate)
	}
	return r, nil
}

func momentFlag(flag, text string) (*timestamppb.Timestamp, error) {
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, usagef("%s %q: write a moment such as 2027-01-01T00:00:00Z", flag, clean(text))
	}
	return timestamppb.New(t), nil
}

// candidate reads one --candidate.
func (c *client) candidate(ctx context.Context, text string, priority int) (*operatorsv1.RuleCandidate, error) {
	parts := strings.Split(text, ",")
	wrong := func(part string) error {
		return usagef("--candidate %q: %q: write OPERATOR, then priority=N, weight=N or price=0.01EUR", clean(text), clean(part))
	}
	id, err := c.operatorID(ctx, strings.TrimSpace(parts[0]))
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, wrong(parts[0])
	}
	out := &operatorsv1.RuleCandidate{OperatorId: id, Priority: int32(priority)}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "priority", "weight":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return nil, wrong(part)
			}
			if key == "priority" {
				out.Priority = int32(n)
			} else {
				out.Weight = proto.Int32(int32(n))
			}
		case "price":
			if len(value) < 4 {
				return nil, wrong(part)
			}
			amount, err := money.Parse(strings.TrimSpace(value[:len(value)-3]), strings.ToUpper(value[len(value)-3:]))
			if err != nil {
				return nil, wrong(part)
			}
			out.Price = &routingv1.Money{CurrencyCode: amount.Currency.String(), Nanos: amount.Nanos}
		default:
			return nil, wrong(part)
		}
	}
	return out, nil
}

func ruleCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create PREFIX",
		Short: "Create a rule",
		Long: fmt.Sprintf(`Create a rule for numbers with a prefix. A conflict with stored rules is refused: each finding is told, with a
number that shows it, and the exit code is %d.`, ExitConflict),
		Example: `  trunkline rules create +4479 --country GB --strategy cost --candidate Nordlink --candidate Meridian
  trunkline rules create +33 --strategy weighted --candidate "Nordlink,weight=70" --candidate "Meridian,weight=30"
  trunkline rules create +1 --candidate "Atlantica,price=0.0042USD" --dry-run`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var fields ruleFields
	fields.add(cmd)
	owner := cmd.Flags().String("owner", "", "`UUID` of the account that owns the rule; without it the rule is global")
	types := cmd.Flags().StringSlice("types", nil, "message types it is for: sms, flash, wap; without it all")
	noValueCompletion(cmd, "owner", "types")
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and store nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	fields.complete(cmd, conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			r, err := fields.message(ctx, c)
			if err != nil {
				return err
			}
			r.Prefix, r.AccountId = args[0], *owner
			if r.MessageTypes, err = messageTypeFlags(*types); err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.rules.CreateRoutingRule(callCtx, &operatorsv1.CreateRoutingRuleRequest{
				Rule: r, RequestId: newRequestID(), ValidateOnly: *dryRun,
			})
			if err != nil {
				return c.describe(ctx, "create the rule", err)
			}
			return writeRuleChange(cmd, output.value, res, res.GetRule(), res.GetWarnings(), changed(*dryRun, "created"))
		})
	}
	return cmd
}

func ruleUpdateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update RULE_ID",
		Short: "Change fields of a rule: those whose flags are given",
		Long: `Change fields of a rule. Only fields whose flags are given change; --candidate replaces all candidates. The owner,
prefix and message types of a rule never change: create another rule. When somebody else changed the rule in
between, nothing is changed.`,
		Example: `  trunkline rules update 0190a8f0-0000-7000-8000-000000000002 --active=false
  trunkline rules update 0190a8f0-0000-7000-8000-000000000002 --candidate Meridian --candidate Nordlink`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var fields ruleFields
	fields.add(cmd)
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and store nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	fields.complete(cmd, conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		mask := &fieldmaskpb.FieldMask{}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if path := ruleMask[f.Name]; path != "" {
				mask.Paths = append(mask.Paths, path)
			}
		})
		if len(mask.GetPaths()) == 0 {
			return usagef("give a flag for each field to change: see `%s --help`", cmd.CommandPath())
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			present, err := c.rule(ctx, args[0])
			if err != nil {
				return err
			}
			r, err := fields.message(ctx, c)
			if err != nil {
				return err
			}
			r.RuleId, r.Etag = present.GetRuleId(), present.GetEtag()
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.rules.UpdateRoutingRule(callCtx, &operatorsv1.UpdateRoutingRuleRequest{
				Rule: r, UpdateMask: mask, RequestId: newRequestID(), ValidateOnly: *dryRun,
			})
			if err != nil {
				return c.describe(ctx, "update the rule", err)
			}
			return writeRuleChange(cmd, output.value, res, res.GetRule(), res.GetWarnings(),
				changed(*dryRun, updated(present.GetVersion(), res.GetRule().GetVersion())))
		})
	}
	return cmd
}

func (c *client) rule(ctx context.Context, id string) (*operatorsv1.RoutingRule, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	res, err := c.rules.GetRoutingRule(callCtx, &operatorsv1.GetRoutingRuleRequest{RuleId: id})
	if err != nil {
		return nil, c.describe(ctx, "get the rule", err)
	}
	return res.GetRule(), nil
}

func writeRuleChange(
	cmd *cobra.Command, form string, answer proto.Message, r *operatorsv1.RoutingRule, warnings []*operatorsv1.RuleFinding, done string,
) error {
	if form == formJSON {
		return writeJSON(cmd.OutOrStdout(), answer)
	}
	for _, w := range warnings {
		if err := printf(cmd.ErrOrStderr(), "%s\n", findingLine(w)); err != nil {
			return err
		}
	}
	id := r.GetRuleId()
	if id != "" {
		id += "  "
	}
	return printf(cmd.OutOrStdout(), "%s\n", clean(fmt.Sprintf("%s%s  %s: %s", id, r.GetPrefix(), ownerName(r.GetAccountId()), done)))
}

// findingLine is one finding of the conflict checker.
func findingLine(f *operatorsv1.RuleFinding) string {
	severity := strings.ToLower(strings.TrimPrefix(f.GetSeverity().String(), "FINDING_SEVERITY_"))
	text := severity + ": " + f.GetReason() + ": " + f.GetMessage()
	if f.GetLine() > 0 {
		text = fmt.Sprintf("line %d: %s", f.GetLine(), text)
	}
	if f.GetWitness() != "" {
		text += " (for example " + f.GetWitness() + ")"
	}
	return clean(text)
}
