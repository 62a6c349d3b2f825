package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
)

// databaseSettings is the configuration of commands that need only the database.
type databaseSettings struct {
	Database bunstore.Config `koanf:"database"`
}

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database schema up to date, or look at it",
		Long: `The database is named by --database-url or TRUNKLINE_DATABASE_URL (or TRUNKLINE_DATABASE_URL_FILE):
postgres://user:password@host:port/database or sqlite:PATH. Prefer the variables: other users of the
machine can see flags. Migrating needs a role that may create a schema and roles; the engine itself
logs in as a member of ops_routing_reader.`,
		Args: cobra.NoArgs,
	}
	cmd.PersistentFlags().String("database-url", "", "database to migrate (database.url)")
	cmd.PersistentFlags().Duration("timeout", 10*time.Minute, "longest time for the whole command")
	steps := []struct {
		use, short string
		run        func(context.Context, *cobra.Command, *bunstore.Migrator) error
	}{
		{"up", "Apply every pending migration", migrateUp},
		{"down", "Take back the migrations of the last up; data in what they made is lost", migrateDown},
		{"status", "List the migrations and which are applied", migrateStatus},
		{"preflight", "Check whether up would work; changes nothing", migratePreflight},
	}
	for _, s := range steps {
		sub := &cobra.Command{
			Use: s.use, Short: s.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return withMigrator(cmd, s.run) },
		}
		if s.use == "down" {
			sub.Flags().Bool("yes", false, "do it without asking")
		}
		cmd.AddCommand(sub)
	}
	return cmd
}

func withMigrator(cmd *cobra.Command, run func(context.Context, *cobra.Command, *bunstore.Migrator) error) (err error) {
	limit, err := cmd.Flags().GetDuration("timeout")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), limit)
	defer cancel()
	loaded, err := config.Load(databaseSettings{bunstore.DefaultConfig()}, config.Options{
		Environ: os.Environ(), Flags: cmd.Flags(), FlagKeys: map[string]string{"database-url": "database.url"},
	})
	if err != nil {
		return err
	}
	db, err := bunstore.Open(ctx, loaded.Value.Database, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := newMigrator(db)
	if err != nil {
		return err
	}
	return run(ctx, cmd, m)
}

func newMigrator(db *bun.DB) (*bunstore.Migrator, error) {
	files := bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}
	if bunstore.DialectOf(db) == bunstore.Postgres {
		files = bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres", Roles: []string{"ops_routing_reader"}}
	}
	return bunstore.NewMigrator(db, files, clock.System())
}

func migrateUp(ctx context.Context, cmd *cobra.Command, m *bunstore.Migrator) error {
	names, err := m.Up(ctx)
	for _, name := range names {
		note(cmd.OutOrStdout(), "applied %s", name)
	}
	if err == nil && len(names) == 0 {
		note(cmd.OutOrStdout(), "nothing to do: the schema is up to date")
	}
	return err
}

func migrateDown(ctx context.Context, cmd *cobra.Command, m *bunstore.Migrator) error {
	if yes, err := cmd.Flags().GetBool("yes"); err != nil || !yes {
		return errors.Join(err, errors.New("migrate down destroys the data in the tables it drops; say --yes to go on"))
	}
	names, err := m.Down(ctx)
	for _, name := range names {
		note(cmd.OutOrStdout(), "took back %s", name)
	}
	if err == nil && len(names) == 0 {
		note(cmd.OutOrStdout(), "nothing to do: no migration is applied")
	}
	return err
}

func migrateStatus(ctx context.Context, cmd *cobra.Command, m *bunstore.Migrator) error {
	list, err := m.Status(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	note(w, "MIGRATION\tSTATE\tAPPLIED AT")
	for _, one := range list {
		state, at := "pending", ""
		if one.Applied() {
			state, at = "applied", one.AppliedAt.UTC().Format(time.RFC3339)
		}
		note(w, "%s\t%s\t%s", one.Name, state, at)
	}
	return w.Flush()
}

func migratePreflight(ctx context.Context, cmd *cobra.Command, m *bunstore.Migrator) error {
	failed := 0
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	note(w, "CHECK\tRESULT\tDETAIL")
	for _, check := range m.Preflight(ctx) {
		result := "ok"
		if !check.OK {
			result = "FAILED"
			failed++
		}
		note(w, "%s\t%s\t%s", check.Name, result, check.Detail)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d checks failed: mend them before `trunkline migrate up`", failed)
	}
	return nil
}
