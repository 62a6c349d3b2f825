package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

func accountsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accounts",
		Short: "Create, change and list the customers of the gateway",
		Example: `  trunkline accounts create --name Acme
  trunkline accounts list
  trunkline accounts delete Acme --yes`,
	}
	cmd.AddCommand(accountListCommand(), accountGetCommand(), accountCreateCommand(), accountUpdateCommand(), accountDeleteCommand())
	return cmd
}

var accountListing = listing[*accessv1.Account]{
	what: "accounts",
	head: []string{"NAME", "CREATED", "ACCOUNT ID"},
	row: func(a *accessv1.Account) []string {
		return []string{a.GetName(), momentText(a.GetCreateTime()), a.GetAccountId()}
	},
	csv: func(all []*accessv1.Account) ([]byte, error) {
		rows := [][]string{{"account_id", "name", "notes", "create_time", "update_time"}}
		for _, a := range all {
			rows = append(rows, []string{a.GetAccountId(), a.GetName(), a.GetNotes(), momentText(a.GetCreateTime()), momentText(a.GetUpdateTime())})
		}
		return csvFile(rows)
	},
}

func csvFile(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

func accountPages(search string) func(context.Context, *client, int32, string) ([]*accessv1.Account, string, *operatorsv1.Freshness, error) {
	return func(ctx context.Context, c *client, size int32, token string) ([]*accessv1.Account, string, *operatorsv1.Freshness, error) {
		res, err := c.accounts.ListAccounts(ctx, &accessv1.ListAccountsRequest{PageSize: size, PageToken: token, Search: search})
		return res.GetAccounts(), res.GetNextPageToken(), nil, err
	}
}

func accountListCommand() *cobra.Command {
	var search string
	l := accountListing
	return l.listCommandWith(func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&search, "search", "", "only accounts with this `TEXT` in their name")
		noValueCompletion(cmd, "search")
	}, func(context.Context, *client) (listing[*accessv1.Account], error) {
		l.page = accountPages(search)
		return l, nil
	})
}

// accountNamed finds an account by id or by its exact name.
func (c *client) accountNamed(ctx context.Context, ref string) (*accessv1.Account, error) {
	what := "find account " + clean(ref)
	if _, err := uuid.Parse(ref); err == nil {
		callCtx, cancel := c.call(ctx)
		defer cancel()
		res, err := c.accounts.GetAccount(callCtx, &accessv1.GetAccountRequest{AccountId: ref})
		if err != nil {
			return nil, c.describe(ctx, what, err)
		}
		return res.GetAccount(), nil
	}
	var found *accessv1.Account
	search := accountListing
	search.page = accountPages(ref)
	err := search.pages(ctx, c, 0, func(all []*accessv1.Account, _ *operatorsv1.Freshness) error {
		for _, a := range all {
			if a.GetName() == ref {
				found = a
			}
		}
		return nil
	})
	if err == nil && found == nil {
		err = failf(ExitNotFound, "%s: no live account has this name: `trunkline accounts list` shows them", what)
	}
	return found, err
}

// accountID is accountNamed for a flag that may be empty.
func (c *client) accountID(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	if id, err := uuid.Parse(ref); err == nil {
		return id.String(), nil
	}
	a, err := c.accountNamed(ctx, ref)
	return a.GetAccountId(), err
}

func accountGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get ACCOUNT", Short: "Show one account, named by its name or id",
		Example: "  trunkline accounts get Acme",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			a, err := c.accountNamed(ctx, args[0])
			if err != nil {
				return err
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), a)
			}
			return writePairs(cmd.OutOrStdout(), []pair{
				{"account id", a.GetAccountId()}, {"name", a.GetName()}, {"notes", a.GetNotes()},
				{"created", momentText(a.GetCreateTime())}, {"updated", momentText(a.GetUpdateTime())},
			})
		})
	}
	return cmd
}

// writeAccount tells what became of an account.
func writeAccount(cmd *cobra.Command, form string, answer proto.Message, a *accessv1.Account, done string) error {
	if form == formJSON {
		return writeJSON(cmd.OutOrStdout(), answer)
	}
	return printf(cmd.OutOrStdout(), "%s\n", clean(fmt.Sprintf("%s  %s: %s", a.GetAccountId(), a.GetName(), done)))
}

func accountCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "Create an account",
		Example: `  trunkline accounts create --name Acme --notes "contract 4711"`,
		Args:    cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
	}
	a := &accessv1.Account{}
	cmd.Flags().StringVar(&a.Name, "name", "", "`NAME`, 1 to 100 characters, unique among live accounts")
	cmd.Flags().StringVar(&a.Notes, "notes", "", "for people, at most 2000 characters")
	cmd.Flags().StringVar(&a.AccountId, "id", "", "`UUID` of an account that others know already")
	noValueCompletion(cmd, "name", "notes", "id")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.accounts.CreateAccount(callCtx, &accessv1.CreateAccountRequest{Account: a, RequestId: newRequestID()})
			if err != nil {
				return c.describe(ctx, "create the account", err)
			}
			return writeAccount(cmd, output.value, res, res.GetAccount(), "created")
		})
	}
	return cmd
}

func accountUpdateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "update ACCOUNT", Short: "Change fields of an account: those whose flags are given",
		Example: "  trunkline accounts update Acme --name \"Acme Ltd\"",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}
	a := &accessv1.Account{}
	cmd.Flags().StringVar(&a.Name, "name", "", "new `NAME`")
	cmd.Flags().StringVar(&a.Notes, "notes", "", "for people, at most 2000 characters")
	noValueCompletion(cmd, "name", "notes")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		mask := &fieldmaskpb.FieldMask{}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if f.Name == "name" || f.Name == "notes" {
				mask.Paths = append(mask.Paths, f.Name)
			}
		})
		if len(mask.GetPaths()) == 0 {
			return usagef("give a flag for each field to change: see `%s --help`", cmd.CommandPath())
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			present, err := c.accountNamed(ctx, args[0])
			if err != nil {
				return err
			}
			a.AccountId, a.Etag = present.GetAccountId(), present.GetEtag()
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.accounts.UpdateAccount(callCtx, &accessv1.UpdateAccountRequest{Account: a, UpdateMask: mask, RequestId: newRequestID()})
			if err != nil {
				return c.describe(ctx, "update the account", err)
			}
			return writeAccount(cmd, output.value, res, res.GetAccount(), "updated")
		})
	}
	return cmd
}

func accountDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete ACCOUNT", Short: "Take an account away and revoke its keys; asks first",
		Long: `Take an account away. Its API keys are refused within 2 seconds and cannot be brought back. Its rules stay and serve
nobody; its name is free again.`,
		Example: "  trunkline accounts delete Acme --yes",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}
	yes := yesFlag(cmd)
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			a, err := c.accountNamed(ctx, args[0])
			if err != nil {
				return err
			}
			if err := confirm(cmd, *yes, clean(fmt.Sprintf("Really delete %s and revoke its API keys?", a.GetName()))); err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.accounts.DeleteAccount(callCtx, &accessv1.DeleteAccountRequest{
				AccountId: a.GetAccountId(), Etag: a.GetEtag(), RequestId: newRequestID(),
			})
			if err != nil {
				return c.describe(ctx, "delete the account", err)
			}
			if output.value == formJSON {
				return writeCounts(cmd.OutOrStdout(), res)
			}
			return writeAccount(cmd, formTable, nil, a, "deleted, "+plural(int64(res.GetRevokedKeys()), "key revoked", "keys revoked"))
		})
	}
	return cmd
}
