package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

func ratesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rates",
		Short: "Import, list and export what operators charge",
		Example: `  trunkline rates import deck.xlsx --operator Nordlink --scope full --dry-run
  trunkline rates list --operator Nordlink --prefix +44
  trunkline rates fx set EUR=1 USD=0.92`,
	}
	cmd.AddCommand(ratesListCommand(), ratesImportCommand(), ratesExportCommand(), fxCommand())
	return cmd
}

var rateListing = listing[*operatorsv1.Rate]{
	what: "rates",
	head: []string{"PREFIX", "TYPE", "PRICE", "FROM", "TO", "MCC", "MNC", "OPERATOR ID"},
	row: func(r *operatorsv1.Rate) []string {
		return []string{
			r.GetPrefix(), typeName(r.GetMessageType()), price(r.GetPrice()), momentText(r.GetEffectiveFrom()),
			dash(momentText(r.GetEffectiveTo())), dash(r.GetMcc()), dash(r.GetMnc()), r.GetOperatorId(),
		}
	},
	csv: func(all []*operatorsv1.Rate) ([]byte, error) {
		var b bytes.Buffer
		rows := make([]operators.Rate, len(all))
		for i, r := range all {
			var err error
			if rows[i], err = rateOf(r); err != nil {
				return nil, fmt.Errorf("rate %s: %w", clean(r.GetPrefix()), err)
			}
		}
		err := operators.WriteRates(&b, rows)
		return b.Bytes(), err
	},
}

// rateFilter is the listing of some rates.
func rateFilter(req *operatorsv1.ListRatesRequest) listing[*operatorsv1.Rate] {
	l := rateListing
	l.page = func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.Rate, string, *operatorsv1.Freshness, error) {
		req.PageSize, req.PageToken = size, token
		res, err := c.rates.ListRates(ctx, req)
		return res.GetRates(), res.GetNextPageToken(), res.GetFreshness(), err
	}
	return l
}

// liveRates leaves out what has ended. The server gives the rates in force at one moment, or all of them.
func liveRates(l listing[*operatorsv1.Rate], now time.Time) listing[*operatorsv1.Rate] {
	page := l.page
	l.page = func(ctx context.Context, c *client, size int32, token string) ([]*operatorsv1.Rate, string, *operatorsv1.Freshness, error) {
		all, next, fresh, err := page(ctx, c, size, token)
		all = slices.DeleteFunc(all, func(r *operatorsv1.Rate) bool {
			return r.GetEffectiveTo() != nil && !r.GetEffectiveTo().AsTime().After(now)
		})
		return all, next, fresh, err
	}
	return l
}

// ratesOfAll is the file of rates of several operators: each line says whose it is.
func ratesOfAll(all []*operatorsv1.Rate) ([]byte, error) {
	file, err := rateListing.csv(all)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		owner := "operator_id"
		if i > 0 {
			owner = all[i-1].GetOperatorId()
		}
		rows[i] = slices.Insert(row, 0, owner)
	}
	return csvFile(rows)
}

// rateOf gives the form that files are written from.
func rateOf(r *operatorsv1.Rate) (rate operators.Rate, err error) {
	if rate.OperatorID, err = uuidOf(r.GetOperatorId()); err != nil {
		return rate, err
	}
	if rate.Prefix, err = e164.ParsePrefix(r.GetPrefix()); err != nil {
		return rate, err
	}
	if rate.MessageType, err = operators.ParseMessageTypes(typeName(r.GetMessageType())); err != nil {
		return rate, newerServer("message type", err)
	}
	if rate.Price, err = money.FromNanos(r.GetPrice().GetNanos(), r.GetPrice().GetCurrencyCode()); err != nil {
		return rate, err
	}
	rate.MCC, rate.MNC, rate.EffectiveFrom = r.GetMcc(), r.GetMnc(), r.GetEffectiveFrom().AsTime()
	if r.GetEffectiveTo() != nil {
		rate.EffectiveTo = r.GetEffectiveTo().AsTime()
	}
	return rate, nil
}

func ratesListCommand() *cobra.Command {
	var operator, prefix, at string
	return rateListing.listCommandWith(func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&operator, "operator", "", "only rates of this `OPERATOR`, by name or id")
		cmd.Flags().StringVar(&prefix, "prefix", "", "only prefixes that start with this one, such as +44")
		cmd.Flags().StringVar(&at, "at", "", "only rates in force at this `MOMENT`, such as 2027-01-01T00:00:00Z")
		noValueCompletion(cmd, "operator", "prefix", "at")
	}, func(ctx context.Context, c *client) (listing[*operatorsv1.Rate], error) {
		id, err := c.operatorID(ctx, operator)
		if err != nil {
			return rateListing, err
		}
		moment, err := momentFlag("--at", at)
		if err != nil {
			return rateListing, err
		}
		l := rateFilter(&operatorsv1.ListRatesRequest{OperatorId: id, Prefix: prefix, InForceAt: moment})
		if id == "" {
			l.csv = ratesOfAll
		}
		return l, nil
	})
}

func ratesExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "export",
		Short:             "Write the rates of one operator as CSV, in the format that import reads",
		Long:              "Write the rates of one operator that are in force or will be, as CSV, in the format that import reads. With\n--history those that have ended are in it too.",
		Example:           "  trunkline rates export --operator Nordlink --file nordlink.csv",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	operator := cmd.Flags().String("operator", "", "the `OPERATOR`, by name or id")
	file := cmd.Flags().String("file", "", "`FILE` to write; it is replaced only when all is read")
	history := cmd.Flags().Bool("history", false, "prices that have ended too")
	noValueCompletion(cmd, "operator")
	conn := addClientFlags(cmd, callTimeout, "one page")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *operator == "" {
			return usagef("--operator: name the operator whose rates to export")
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			id, err := c.operatorID(ctx, *operator)
			if err != nil {
				return err
			}
			l := rateFilter(&operatorsv1.ListRatesRequest{OperatorId: id})
			if !*history {
				l = liveRates(l, time.Now())
			}
			return l.export(ctx, c, cmd, *file)
		})
	}
	return cmd
}

func fxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "fx",
		Short:   "List and set what each currency is worth",
		Long:    "List and set what each currency is worth. Engines compare prices in different currencies by this table.",
		Example: "  trunkline rates fx list\n  trunkline rates fx set EUR=1 USD=0.92 GBP=1.17",
	}
	cmd.AddCommand(fxListCommand(), fxSetCommand())
	return cmd
}

func fxListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List what each currency is worth", Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions, Example: "  trunkline rates fx list"}
	output := outputFlag(cmd, formTable, formJSON, formCSV)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.rates.ListFxRates(callCtx, &operatorsv1.ListFxRatesRequest{})
			if err != nil {
				return c.describe(ctx, "list the exchange rates", err)
			}
			row := func(r *operatorsv1.FxRate) []string { return []string{r.GetCurrencyCode(), fxText(r.GetRateNanos())} }
			switch output.value {
			case formJSON:
				return writeJSON(cmd.OutOrStdout(), res)
			case formCSV:
				file, err := plainCSV([]string{"currency", "worth"}, res.GetFxRates(), row)
				if err == nil {
					_, err = cmd.OutOrStdout().Write(file)
				}
				return err
			}
			if err := staleLine(cmd.ErrOrStderr(), res.GetFreshness()); err != nil {
				return err
			}
			var rows [][]string
			for _, r := range res.GetFxRates() {
				rows = append(rows, row(r))
			}
			return (&columns{w: cmd.OutOrStdout(), head: []string{"CURRENCY", "WORTH"}}).print(rows)
		})
	}
	return cmd
}

// fxText is decimal text without trailing zeros.
func fxText(nanos int64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%09d", nanos/money.NanosPerUnit, nanos%money.NanosPerUnit), "0"), ".")
}

func fxSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set CURRENCY=WORTH...",
		Short: "Replace the table of what each currency is worth",
		Long: `Replace the table of what each currency is worth. WORTH is how much of the base currency one unit buys; the base
itself is 1. Currencies that are not named are taken out; COST rules whose prices cannot be compared then are
warned of.`,
		Example:           "  trunkline rates fx set EUR=1 USD=0.92 GBP=1.17 --yes",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	yes := yesFlag(cmd)
	dryRun := cmd.Flags().Bool("dry-run", false, "check everything and store nothing")
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req := &operatorsv1.SetFxRatesRequest{RequestId: newRequestID(), ValidateOnly: *dryRun}
		for _, arg := range args {
			code, worth, _ := strings.Cut(arg, "=")
			amount, err := money.Parse(worth, strings.ToUpper(code))
			if err != nil {
				return usagef("%q: %s: write CURRENCY=WORTH, such as USD=0.92", clean(arg), err)
			}
			req.FxRates = append(req.FxRates, &operatorsv1.FxRate{CurrencyCode: strings.ToUpper(code), RateNanos: amount.Nanos})
		}
		if err := confirm(cmd, *yes || *dryRun, "Prices in different currencies will be compared by this table. Replace it?"); err != nil {
			return err
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.rates.SetFxRates(callCtx, req)
			if err != nil {
				return c.describe(ctx, "set the exchange rates", err)
			}
			for _, w := range res.GetWarnings() {
				if err := printf(cmd.ErrOrStderr(), "%s\n", findingLine(w)); err != nil {
					return err
				}
			}
			if all := res.GetWarningCount(); all > int64(len(res.GetWarnings())) {
				if err := printf(cmd.ErrOrStderr(), "warning: %s in all: `trunkline rules check` tells of every rule\n", plural(all, "warning", "warnings")); err != nil {
					return err
				}
			}
			return printf(cmd.OutOrStdout(), "%s: %s\n", plural(int64(len(res.GetFxRates())), "currency", "currencies"), changed(*dryRun, "stored"))
		})
	}
	return cmd
}
