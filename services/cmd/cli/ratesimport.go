package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
)

func ratesImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE | -",
		Short: "Import the rate deck of one operator, all or nothing",
		Long: fmt.Sprintf(`Import a rate deck, CSV or XLSX. First look at what it would change: --dry-run.

Its columns are found by our names: prefix, country_code, price, currency, message_type, mcc, mnc,
effective_from, effective_to. Where the deck calls them otherwise, say so: --column prefix="Dial code". Where a
header has the name of our column and is something else, say that too: --column country_code= leaves it alone.
--scope full means that the deck is the whole price list and prefixes it does not name end, so when any would it asks
first; --scope partial leaves them. When lines cannot be taken, each is told, nothing is stored and the exit code is %d.`, ExitInvalid),
		Example: `  trunkline rates import deck.csv --operator Nordlink --scope full --dry-run
  trunkline rates import deck.xlsx --operator Nordlink --scope full --column prefix=Code --column "price=Rate EUR" --currency EUR
  trunkline rates import changes.csv --operator Nordlink --scope partial --effective 2027-01-01T00:00:00Z`,
		Args: cobra.ExactArgs(1),
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{"csv", "xlsx", "txt"}, cobra.ShellCompDirectiveFilterFileExt
	}
	flags := cmd.Flags()
	operator := flags.String("operator", "", "the `OPERATOR` whose deck it is, by name or id")
	scope := flags.String("scope", "", "full: the deck is the whole price list; partial: it holds changes only")
	columnsOf := flags.StringArray("column", nil, "`OURS=THEIRS`: which header of the deck is our column; OURS= says that none is; repeat it")
	sheet := flags.String("sheet", "", "`NAME` of the sheet; without it the first")
	currency := flags.String("currency", "", "ISO 4217 `CODE` of lines without one")
	messageType := flags.String("type", "sms", "message type of lines without one: sms, flash or wap")
	effective := flags.String("effective", "", "when lines without a date take effect; without it now")
	changes := flags.Int("changes", 20, "how many changed prices to show; 0 shows none")
	noValueCompletion(cmd, "operator", "column", "sheet", "currency", "type", "effective", "changes")
	_ = cmd.RegisterFlagCompletionFunc("scope", cobra.FixedCompletions([]string{"full", "partial"}, cobra.ShellCompDirectiveNoFileComp))
	yes := yesFlag(cmd)
	dryRun := flags.Bool("dry-run", false, "show what would change and store nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, importTimeout, "the import")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req := &operatorsv1.ImportRatesRequest{
			Sheet: *sheet, DefaultCurrency: strings.ToUpper(*currency), ValidateOnly: *dryRun, RequestId: newRequestID(),
			Columns: make(map[string]string, len(*columnsOf)),
		}
		if *operator == "" {
			return usagef("--operator: name the operator whose deck it is")
		}
		kind, err := enumOf("--scope", "DECK_SCOPE_", *scope, operatorsv1.DeckScope_value)
		if err != nil {
			return err
		}
		req.Scope = operatorsv1.DeckScope(kind)
		carried, err := enumOf("--type", "MESSAGE_TYPE_", *messageType, routingv1.MessageType_value)
		if err != nil {
			return err
		}
		req.DefaultMessageType = routingv1.MessageType(carried)
		if req.EffectiveFrom, err = momentFlag("--effective", *effective); err != nil {
			return err
		}
		for _, text := range *columnsOf {
			ours, theirs, found := strings.Cut(text, "=")
			if !found || ours == "" {
				return usagef("--column %q: write OURS=THEIRS, such as prefix=\"Dial code\", or OURS= when the deck has no such column", clean(text))
			}
			if _, twice := req.Columns[ours]; twice {
				return usagef("--column %q: name each of our columns once", clean(text))
			}
			req.Columns[ours] = theirs
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			var name string
			if req.OperatorId, err = c.operatorID(ctx, *operator); err != nil {
				return err
			}
			if name, req.Deck, err = readImport(ctx, cmd.InOrStdin(), args[0]); err != nil {
				return err
			}
			diff, err := c.askBeforeEnding(ctx, cmd, req, *yes)
			if err != nil {
				return err
			}
			if diff.GetBadLineCount() == 0 {
				if diff, err = c.importRates(ctx, cmd, req); err != nil {
					return err
				}
			}
			return writeDiff(cmd, name, diff, *dryRun, *changes, output.value)
		})
	}
	return cmd
}

// askBeforeEnding asks before a whole price list ends prices. It looks at what the import would do, and gives that: with bad
// lines there is nothing to be asked about.
func (c *client) askBeforeEnding(ctx context.Context, cmd *cobra.Command, req *operatorsv1.ImportRatesRequest, yes bool) (*operatorsv1.RateDiff, error) {
	if yes || req.GetValidateOnly() || req.GetScope() != operatorsv1.DeckScope_DECK_SCOPE_FULL {
		return nil, nil
	}
	req.ValidateOnly = true
	diff, err := c.importRates(ctx, cmd, req)
	req.ValidateOnly = false
	if err != nil || diff.GetBadLineCount() > 0 || diff.GetEndedCount() == 0 {
		return diff, err
	}
	ended := plural(diff.GetEndedCount(), "price ends", "prices end")
	if err := printf(cmd.ErrOrStderr(), "warning: %s: --dry-run shows them\n", ended); err != nil {
		return nil, err
	}
	return diff, confirm(cmd, false, ended+". Really import the deck?")
}

func (c *client) importRates(ctx context.Context, cmd *cobra.Command, req *operatorsv1.ImportRatesRequest) (*operatorsv1.RateDiff, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	bar := newProgress(cmd.ErrOrStderr(), "importing rates", -1, "reading rates", "storing rates")
	defer bar.close()
	var diff *operatorsv1.RateDiff
	stream, err := c.rates.ImportRates(callCtx, req)
	if err == nil {
		for stream.Receive() {
			if p := stream.Msg().GetProgress(); p != nil {
				bar.set(p.GetDone(), p.GetTotal())
			}
			if r := stream.Msg().GetResult(); r != nil {
				diff = r
			}
		}
		err = stream.Err()
		_ = stream.Close() // nothing is left to be read
	}
	bar.close()
	if err != nil {
		return nil, importFailure(c.describe(ctx, "import rates", err), "rates", req.GetValidateOnly())
	}
	if diff == nil {
		return nil, failf(ExitFailed, "import rates: the server ended without a result: run it again")
	}
	return diff, nil
}

func writeDiff(cmd *cobra.Command, name string, d *operatorsv1.RateDiff, dryRun bool, shown int, form string) error {
	if form == formJSON {
		if err := writeJSON(cmd.OutOrStdout(), d); err != nil {
			return err
		}
	} else {
		for _, line := range d.GetBadLines() {
			if err := printf(cmd.ErrOrStderr(), "%s\n", badLine(name, line)); err != nil {
				return err
			}
		}
	}
	if bad := d.GetBadLineCount(); bad > 0 {
		text := fmt.Sprintf("import: %s of %s cannot be taken; nothing was stored", plural(bad, "line", "lines"), name)
		if len(d.GetBadLines()) == operators.MaxBadLines {
			text += fmt.Sprintf(" (the first %d findings are told)", operators.MaxBadLines)
		}
		if len(d.GetHeaders()) > 0 {
			text += "; the deck's columns are " + clean(strings.Join(d.GetHeaders(), ", "))
		}
		return failf(ExitInvalid, "%s", text)
	}
	if form == formJSON {
		return nil
	}
	if err := writeRateChanges(cmd, d.GetChanges(), shown); err != nil {
		return err
	}
	counts := fmt.Sprintf("%d new, %d raised, %d lowered, %d ended, %d unchanged",
		d.GetNewCount(), d.GetRaisedCount(), d.GetLoweredCount(), d.GetEndedCount(), d.GetUnchangedCount())
	if d.GetCurrencyCount() > 0 {
		counts += fmt.Sprintf(", %d in another currency", d.GetCurrencyCount())
	}
	switch {
	case dryRun:
		counts = "dry run, nothing was stored: " + counts
	case d.GetConfigVersion() > 0:
		counts += fmt.Sprintf(" (configuration version %d)", d.GetConfigVersion())
	}
	return printf(cmd.OutOrStdout(), "%s\n", counts)
}

func writeRateChanges(cmd *cobra.Command, all []*operatorsv1.RateChange, shown int) error {
	if shown <= 0 || len(all) == 0 {
		return nil
	}
	var rows [][]string
	for _, ch := range all[:min(shown, len(all))] {
		rows = append(rows, []string{
			strings.TrimPrefix(ch.GetKind().String(), "RATE_CHANGE_KIND_"), ch.GetPrefix(), typeName(ch.GetMessageType()),
			price(ch.GetBefore()), price(ch.GetAfter()), momentText(ch.GetEffectiveFrom()),
		})
	}
	if err := (&columns{w: cmd.OutOrStdout(), head: []string{"CHANGE", "PREFIX", "TYPE", "BEFORE", "AFTER", "FROM"}}).print(rows); err != nil {
		return err
	}
	return nil
}
