package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, list, rotate and revoke API keys",
		Long: `API keys are the credentials of servers and scripts. The text of a key is shown once, when it is made, and is not
stored: keep it in a secret store.`,
		Example: `  trunkline keys bootstrap --name first
  trunkline keys create --name orchestrator --role viewer
  trunkline keys create --name acme-portal --role viewer --account Acme --lifetime 2160h
  trunkline keys rotate KEY_ID --overlap 1h`,
	}
	cmd.AddCommand(keyListCommand(), keyCreateCommand(), keyRotateCommand(), keyRevokeCommand(), keyBootstrapCommand())
	return cmd
}

var keyListing = listing[*accessv1.ApiKey]{
	what: "keys",
	head: []string{"NAME", "ROLE", "BEGINS", "STATE", "LAST USED", "ACCOUNT ID", "KEY ID"},
	row: func(k *accessv1.ApiKey) []string {
		return []string{
			k.GetName(), roleName(k.GetRole()), k.GetHint(), keyState(k, time.Now()), dash(momentText(k.GetLastUsedTime())),
			dash(k.GetAccountId()), k.GetKeyId(),
		}
	},
	csv: func(all []*accessv1.ApiKey) ([]byte, error) {
		rows := [][]string{{
			"key_id", "account_id", "name", "role", "hint", "created_by", "create_time", "expire_time", "revoke_time", "last_used_time",
		}}
		for _, k := range all {
			rows = append(rows, []string{
				k.GetKeyId(), k.GetAccountId(), k.GetName(), roleName(k.GetRole()), k.GetHint(), k.GetCreatedBy(), momentText(k.GetCreateTime()),
				momentText(k.GetExpireTime()), momentText(k.GetRevokeTime()), momentText(k.GetLastUsedTime()),
			})
		}
		return csvFile(rows)
	},
}

func roleName(r optionsv1.Role) string {
	return strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_"))
}

func keyState(k *accessv1.ApiKey, now time.Time) string {
	switch {
	case k.GetRevokeTime() != nil:
		return "revoked " + momentText(k.GetRevokeTime())
	case k.GetExpireTime() == nil:
		return "live"
	case now.Before(k.GetExpireTime().AsTime()):
		return "live until " + momentText(k.GetExpireTime())
	}
	return "expired " + momentText(k.GetExpireTime())
}

func keyListCommand() *cobra.Command {
	var account string
	var ended bool
	l := keyListing
	return l.listCommandWith(func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&account, "account", "", "only keys of this `ACCOUNT`, by name or id")
		cmd.Flags().BoolVar(&ended, "ended", false, "revoked and expired ones too")
		noValueCompletion(cmd, "account")
	}, func(ctx context.Context, c *client) (listing[*accessv1.ApiKey], error) {
		id, err := c.accountID(ctx, account)
		if err != nil {
			return l, err
		}
		l.page = func(ctx context.Context, c *client, size int32, token string) ([]*accessv1.ApiKey, string, *operatorsv1.Freshness, error) {
			res, err := c.keys.ListApiKeys(ctx, &accessv1.ListApiKeysRequest{PageSize: size, PageToken: token, AccountId: id, ShowEnded: ended})
			return res.GetApiKeys(), res.GetNextPageToken(), nil, err
		}
		return l, nil
	})
}

// writeNewKey shows a key with its text, this once. In a table nothing but the text is on standard output, so that it can
// go into a file.
func writeNewKey(cmd *cobra.Command, form string, answer proto.Message, k *accessv1.ApiKey, text string) error {
	if form == formJSON {
		if err := writeJSON(cmd.OutOrStdout(), answer); err != nil {
			return err
		}
	} else {
		if err := writePairs(cmd.ErrOrStderr(), []pair{
			{"key id", k.GetKeyId()}, {"name", k.GetName()}, {"role", roleName(k.GetRole())}, {"account id", k.GetAccountId()},
			{"state", keyState(k, k.GetCreateTime().AsTime())},
		}); err != nil {
			return err
		}
		if err := printf(cmd.OutOrStdout(), "%s\n", clean(text)); err != nil {
			return err
		}
	}
	note(cmd.ErrOrStderr(), "The key is shown this once and cannot be shown again: store it now.")
	return nil
}

func addRoleFlag(cmd *cobra.Command) *choice {
	return choiceFlag(cmd, "role", "", "what its holder may do", "viewer", "operator", "admin")
}

func keyCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "Make a key and show it once",
		Example: `  trunkline keys create --name orchestrator --role viewer
  trunkline keys create --name acme-portal --account Acme --lifetime 2160h -o json`,
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
	}
	name := cmd.Flags().String("name", "", "`NAME`: what it is for, 1 to 100 characters")
	role := addRoleFlag(cmd)
	account := cmd.Flags().String("account", "", "bind it to this `ACCOUNT`, by name or id; its holder sees no other")
	lifetime := cmd.Flags().Duration("lifetime", 0, "how long it lives, 1m to 87600h; 0 is without end")
	noValueCompletion(cmd, "name", "account", "lifetime")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			wanted, err := enumOf("--role", "ROLE_", role.value, optionsv1.Role_value)
			if err != nil {
				return err
			}
			id, err := c.accountID(ctx, *account)
			if err != nil {
				return err
			}
			req := &accessv1.CreateApiKeyRequest{Name: *name, Role: optionsv1.Role(wanted), AccountId: id, RequestId: newRequestID()}
			if *lifetime != 0 {
				req.Lifetime = durationpb.New(*lifetime)
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.keys.CreateApiKey(callCtx, req)
			if err != nil {
				return c.describe(ctx, "make the key", err)
			}
			return writeNewKey(cmd, output.value, res, res.GetApiKey(), res.GetText())
		})
	}
	return cmd
}

func keyRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate KEY_ID", Short: "Make a new key in place of another and show it once",
		Long: `Make a new key with the name, role, account and lifetime of another one. Without --overlap the other one ends at once,
so it asks first.`,
		Example: "  trunkline keys rotate 6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d --overlap 1h",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}
	overlap := cmd.Flags().Duration("overlap", 0, "how long the former key is accepted beside the new one, up to 720h")
	noValueCompletion(cmd, "overlap")
	yes := yesFlag(cmd)
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			if err := confirm(cmd, *yes || *overlap > 0, "Really end the former key at once?"); err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.keys.RotateApiKey(callCtx, &accessv1.RotateApiKeyRequest{
				KeyId: args[0], Overlap: durationpb.New(*overlap), RequestId: newRequestID(),
			})
			if err != nil {
				return c.describe(ctx, "rotate the key", err)
			}
			return writeNewKey(cmd, output.value, res, res.GetApiKey(), res.GetText())
		})
	}
	return cmd
}

func keyRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke KEY_ID", Short: "End a key; asks first",
		Long:    "End a key. Every process refuses it within 2 seconds. It cannot be brought back.",
		Example: "  trunkline keys revoke 6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d --yes",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
	}
	yes := yesFlag(cmd)
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "the call")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			if err := confirm(cmd, *yes, clean(fmt.Sprintf("Really revoke the key %s?", args[0]))); err != nil {
				return err
			}
			callCtx, cancel := c.call(ctx)
			defer cancel()
			res, err := c.keys.RevokeApiKey(callCtx, &accessv1.RevokeApiKeyRequest{KeyId: args[0], RequestId: newRequestID()})
			if err != nil {
				return c.describe(ctx, "revoke the key", err)
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), res)
			}
			k := res.GetApiKey()
			return printf(cmd.OutOrStdout(), "%s\n", clean(fmt.Sprintf("%s  %s: %s", k.GetKeyId(), k.GetName(), keyState(k, time.Now()))))
		})
	}
	return cmd
}
