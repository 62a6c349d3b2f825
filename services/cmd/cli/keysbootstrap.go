package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/uptrace/bun"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/access"
	"trunkline/services/access/accessfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
)

const bootstrapTimeout = 30 * time.Second

// bootstrapSettings are those that a process and `keys bootstrap` must agree on.
type bootstrapSettings struct {
	Database bunstore.Config `koanf:"database"`
	Access   struct {
		Keys accessfx.KeysConfig `koanf:"keys"`
	} `koanf:"access"`
}

func keyBootstrapCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bootstrap", Short: "Make the first key, straight in the database",
		Long: `Make the first key, for nobody has one to ask a server with. It writes to the database of TRUNKLINE_DATABASE_URL with
the pepper of TRUNKLINE_ACCESS_KEYS_PEPPER, or of the files that TRUNKLINE_DATABASE_URL_FILE and
TRUNKLINE_ACCESS_KEYS_PEPPER_FILE name, or of the configuration of a process that --config names: the settings of the
processes. Standard output is the text of the key alone. The audit log calls who did it bootstrap. Where an admin who is
bound to no account has a key already, it refuses without --force.`,
		Example: `  trunkline keys bootstrap --name first > first.key
  trunkline keys bootstrap --name first --config management.yaml > first.key`,
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
	}
	name := cmd.Flags().String("name", "", "`NAME`: what it is for, 1 to 100 characters")
	role := choiceFlag(cmd, "role", "", "what its holder may do", "admin", "operator", "viewer")
	lifetime := cmd.Flags().Duration("lifetime", 0, "how long it lives, 1m to 87600h; 0 is without end")
	force := cmd.Flags().Bool("force", false, "also where an admin has a key already")
	file := cmd.Flags().String(configFlag, "", "YAML configuration `file` of a process: database and access.keys of it count")
	noValueCompletion(cmd, "name", "lifetime")
	output := outputFlag(cmd, formTable, formJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		wanted := access.NewAPIKey{Name: *name, Lifetime: *lifetime}
		wanted.Role, _ = caller.ParseRole(role.value) // the flag takes nothing else
		k, text, err := bootstrap(cmd, *file, wanted, *force)
		if f := (*fault.Fault)(nil); errors.As(err, &f) {
			return &failure{exit: exitCode(f), message: sentence("make the first key", connectName(f.Kind), f.Reason, f.Message), cause: err}
		}
		if err != nil {
			return err
		}
		out := &accessv1.CreateApiKeyResponse{Text: text.Reveal(), ApiKey: &accessv1.ApiKey{
			KeyId: k.KeyID.String(), Name: k.Name, Role: optionsv1.Role(optionsv1.Role_value["ROLE_"+strings.ToUpper(k.Role.String())]),
			Hint: access.KeyPrefix + k.Hint, CreatedBy: k.CreatedBy, CreateTime: timestamppb.New(k.CreatedAt),
		}}
		if !k.ExpiresAt.IsZero() {
			out.ApiKey.ExpireTime = timestamppb.New(k.ExpiresAt)
		}
		return writeNewKey(cmd, output.value, out, out.GetApiKey(), out.GetText())
	}
	return cmd
}

func bootstrap(cmd *cobra.Command, file string, wanted access.NewAPIKey, force bool) (k access.APIKey, text access.Key, err error) {
	ctx, cancel := context.WithTimeout(cmd.Context(), bootstrapTimeout)
	defer cancel()
	loaded, err := config.Load(bootstrapSettings{Database: bunstore.DefaultConfig()}, config.Options{
		File: file, Shared: true, Environ: os.Environ(),
	})
	if err != nil {
		return k, text, err
	}
	loaded.Value.Database.ReadOnly = false // that of an engine's file is about the engine
	pepper, err := access.NewPepper(loaded.Value.Access.Keys.Pepper)
	if err != nil {
		return k, text, usagef("TRUNKLINE_ACCESS_KEYS_PEPPER, or access.keys.pepper of --config: %s", err)
	}
	db, err := bunstore.Open(ctx, loaded.Value.Database, slog.New(slog.DiscardHandler))
	if err != nil {
		return k, text, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := schemaIsUpToDate(ctx, db); err != nil {
		return k, text, err
	}
	return accessfx.Bootstrap(ctx, db, pepper, wanted, force)
}

// schemaIsUpToDate says it better than a statement on a table that is missing. A role that may not read the list of
// migrations is told by that statement.
func schemaIsUpToDate(ctx context.Context, db *bun.DB) error {
	m, err := newMigrator(db)
	if err != nil {
		return err
	}
	all, err := m.Status(ctx)
	if f := (*fault.Fault)(nil); errors.As(err, &f) && f.Reason == bunstore.ReasonDenied {
		return nil
	}
	if err != nil {
		return err
	}
	for _, one := range all {
		if !one.Applied() {
			return failf(ExitConflict, "the database schema is not up to date: run `trunkline migrate up`")
		}
	}
	return nil
}
