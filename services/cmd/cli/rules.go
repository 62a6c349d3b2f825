package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

func rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Create, change, check, list, import and export routing rules",
		Example: `  trunkline rules list --prefix +44
  trunkline rules create +4479 --strategy cost --candidate Nordlink --candidate Meridian
  trunkline rules check
  trunkline rules export --file rules.csv
  trunkline rules import rules.csv --dry-run`,
	}
	cmd.AddCommand(
		ruleListCommand(), ruleGetCommand(), ruleCreateCommand(), ruleUpdateCommand(), ruleDeleteCommand(), ruleCheckCommand(),
		importCommand("rules",
			`The file is UTF-8 CSV, one line per candidate, with the header
account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency
An empty account is a global rule, empty message_types are all types; several are separated by |. A rule with
the same account, prefix and message types is replaced; rules that the file does not name stay as they are.`,
			(*client).importRules),
		ruleListing.exportCommand(),
	)
	return cmd
}

var ruleListing = listing[*operatorsv1.RoutingRule]{
	what: "rules",
	page: func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.RoutingRule, string, *operatorsv1.Freshness, error) {
		res, err := c.rules.ListRoutingRules(ctx, &operatorsv1.ListRoutingRulesRequest{PageSize: size, PageToken: token})
		return res.GetRules(), res.GetNextPageToken(), res.GetFreshness(), err
	},
	head: []string{"PREFIX", "COUNTRY", "OWNER", "TYPES", "STRATEGY", "WHEN EXHAUSTED", "VALID", "CANDIDATES", "RULE ID"},
	row: func(r *operatorsv1.RoutingRule) []string {
		names := make([]string, len(r.GetCandidates()))
		for i, c := range r.GetCandidates() {
			names[i] = c.GetOperatorName()
		}
		types := typeNames(r.GetMessageTypes())
		if types == "" {
			types = "all"
		}
		strategy := strategyName(r.GetStrategy())
		if !r.GetActive() {
			strategy += " (off)"
		}
		return []string{
			r.GetPrefix(), dash(r.GetCountry()), ownerName(r.GetAccountId()), types, strategy,
			onExhaustedName(r.GetOnExhausted()), validity(r.GetValidFrom(), r.GetValidTo()), strings.Join(names, ", "), r.GetRuleId(),
		}
	},
	csv: func(all []*operatorsv1.RoutingRule) ([]byte, error) {
		var b bytes.Buffer
		rows := make([]operators.Rule, len(all))
		for i, r := range all {
			var err error
			if rows[i], err = ruleOf(r); err != nil {
				return nil, fmt.Errorf("rule %s: %w", clean(r.GetPrefix()), err)
			}
		}
		err := operators.WriteRules(&b, rows)
		return b.Bytes(), err
	},
	lossy: func(r *operatorsv1.RoutingRule) bool {
		return !r.GetActive() || r.GetValidFrom() != nil || r.GetValidTo() != nil
	},
	loss: "switched off or limited in time, which the file cannot say; importing it where they do not exist makes them active",
}

// validity is a stretch of time such as 2027-01-01..2027-02-01, of which the end is not part.
func validity(from, to *timestamppb.Timestamp) string {
	if from == nil && to == nil {
		return "always"
	}
	return shortMoment(from) + ".." + shortMoment(to)
}

// shortMoment is a date, with the time when that is not midnight UTC.
func shortMoment(t *timestamppb.Timestamp) string {
	if t != nil && t.AsTime().Equal(t.AsTime().Truncate(24*time.Hour)) {
		return t.AsTime().Format(time.DateOnly)
	}
	return momentText(t)
}

// ruleOf gives the form that files are written from.
func ruleOf(r *operatorsv1.RoutingRule) (rule operators.Rule, err error) {
	if rule.ID, err = uuidOf(r.GetRuleId()); err != nil {
		return rule, err
	}
	if rule.Account, err = uuidOf(r.GetAccountId()); err != nil {
		return rule, err
	}
	if rule.Prefix, err = e164.ParsePrefix(r.GetPrefix()); err != nil {
		return rule, err
	}
	if rule.MessageTypes, err = messageTypesOf(r.GetMessageTypes()); err != nil {
		return rule, err
	}
	if rule.Strategy, err = operators.ParseStrategy(strategyName(r.GetStrategy())); err != nil {
		return rule, newerServer("strategy", err)
	}
	if rule.OnExhausted, err = operators.ParseOnExhausted(onExhaustedName(r.GetOnExhausted())); err != nil {
		return rule, newerServer("on_exhausted", err)
	}
	rule.Country = r.GetCountry()
	rule.Candidates = make([]operators.Candidate, len(r.GetCandidates()))
	for i, c := range r.GetCandidates() {
		candidate := operators.Candidate{OperatorName: c.GetOperatorName(), Priority: int(c.GetPriority()), Weight: int(c.GetWeight())}
		if candidate.OperatorID, err = uuidOf(c.GetOperatorId()); err != nil {
			return rule, err
		}
		if p := c.GetPrice(); p != nil {
			if candidate.Price, err = money.FromNanos(p.GetNanos(), p.GetCurrencyCode()); err != nil {
				return rule, err
			}
		}
		rule.Candidates[i] = candidate
	}
	return rule, nil
}

func (c *client) importRules(ctx context.Context, csv []byte, dryRun bool, step func(*operatorsv1.ImportProgress)) (*operatorsv1.ImportResult, error) {
	stream, err := c.rules.ImportRoutingRules(ctx, &operatorsv1.ImportRoutingRulesRequest{Csv: csv, ValidateOnly: dryRun, RequestId: newRequestID()})
	if err != nil {
		return nil, err
	}
	return importResult(stream, step)
}
