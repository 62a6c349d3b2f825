package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

// ReasonUnknownMigrations: the database was migrated by a newer binary.
const ReasonUnknownMigrations = "UNKNOWN_MIGRATIONS"

const (
	bookkeepingTable = "bun_migrations"
	// migrationLock is the key of the advisory lock: "migrate" in ASCII.
	migrationLock = 0x6d696772617465
	// lockWait bounds waiting for another migrator; ddlWait bounds waiting for a
	// table lock, because every query on the table queues behind that wait.
	lockWait = 60 * time.Second
	ddlWait  = 5 * time.Second
	// maxRaces bounds how often a run starts over because another migrator was faster.
	maxRaces = 1000
)

// Migrations names the files of one dialect.
type Migrations struct {
	// Files and Dir hold pairs <number>_<name>.tx.up.sql and .tx.down.sql.
	Files fs.FS
	Dir   string
	// Roles are the PostgreSQL roles that the migrations create unless they exist.
	Roles []string
}

// Migrator moves a database between schema versions. Each migration runs in one
// transaction together with its bookkeeping row, under an advisory lock
// (PostgreSQL) or the write lock (SQLite): a crash leaves it done or not done,
// and two migrators at once each find the work of the other. The bookkeeping is
// in the table bun_migrations, on PostgreSQL in the schema public.
//
// The migrations of one Up form a group, unless two migrators run at once.
type Migrator struct {
	db    *bun.DB
	known *migrate.Migrations
	roles []string
	clock clock.Clock
}

// MigrationStatus is one migration that this binary knows.
type MigrationStatus struct {
	// Name is the file name without its ending.
	Name string
	// Group numbers the Up that applied it; 0 while it is pending.
	Group     int64
	AppliedAt time.Time
}

// Applied reports whether the migration is in force.
func (s MigrationStatus) Applied() bool { return s.Group > 0 }

// NewMigrator reads the names of the migrations. It does not touch the database.
// It fails when a file is not part of a transactional up and down pair.
func NewMigrator(db *bun.DB, m Migrations, clk clock.Clock) (*Migrator, error) {
	files, err := fs.Sub(m.Files, m.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of the migrations: %w", err)
	}
	if err := checkPairs(files); err != nil {
		return nil, err
	}
	known := migrate.NewMigrations()
	if err := known.Discover(files); err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return &Migrator{db: db, known: known, roles: m.Roles, clock: clk}, nil
}

func checkPairs(files fs.FS) error {
	const up, down = ".tx.up.sql", ".tx.down.sql"
	all, err := fs.Glob(files, "*.sql")
	if err != nil {
		return fmt.Errorf("list the migrations: %w", err)
	}
	if len(all) == 0 {
		return errors.New("there are no migrations")
	}
	for _, name := range all {
		var other string
		if base, ok := strings.CutSuffix(name, up); ok {
			other = base + down
		} else if base, ok := strings.CutSuffix(name, down); ok {
			other = base + up
		} else {
			return fmt.Errorf("migration %s does not end in %s or %s, so it would not run in a transaction", name, up, down)
		}
		if _, err := fs.Stat(files, other); err != nil {
			return fmt.Errorf("migration %s has no counterpart %s", name, other)
		}
	}
	return nil
}

// Up applies every pending migration and returns the names of those it applied,
// also when a later one fails. It applies nothing when the database knows
// migrations that this binary does not: FailedPrecondition ReasonUnknownMigrations.
func (m *Migrator) Up(ctx context.Context) ([]string, error) {
	return m.run(ctx, true, func(runner *migrate.Migrator) error {
		_, err := runner.Migrate(ctx)
		return err
	})
}

// Down takes back the last group and returns the names of what it took back, the
// newest first. Data in dropped tables is lost. Errors as for Up, and Aborted
// ReasonConflict when another Down was faster.
func (m *Migrator) Down(ctx context.Context) ([]string, error) {
	return m.run(ctx, false, func(runner *migrate.Migrator) error {
		_, err := runner.Rollback(ctx)
		return err
	})
}

// errRace ends a migration that another migrator did in the meantime.
var errRace = errors.New("another migrator was faster")

func (m *Migrator) run(ctx context.Context, up bool, step func(*migrate.Migrator) error) ([]string, error) {
	if err := m.prepare(ctx); err != nil {
		return nil, Fault(err)
	}
	var began []string
	runner := m.runner(
		migrate.BeforeMigration(func(ctx context.Context, tx bun.IConn, one *migrate.Migration) error {
			began = append(began, one.String())
			if err := m.lock(ctx, tx); err != nil {
				return err
			}
			applied, err := m.isApplied(ctx, tx, one.Name)
			if err == nil && applied == up {
				return errRace
			}
			return err
		}),
		migrate.AfterMigration(func(ctx context.Context, tx bun.IConn, one *migrate.Migration) error {
			return m.record(ctx, tx, one, up)
		}),
	)
	for range maxRaces {
		if err := m.refuseUnknown(ctx, runner); err != nil {
			return began, err
		}
		before := len(began)
		err := step(runner)
		if err == nil {
			return began, nil
		}
		if len(began) > before {
			// The last one that began is the one that failed.
			began = began[:len(began)-1]
		}
		if !errors.Is(err, errRace) {
			return began, Fault(err)
		}
		if !up {
			// Starting over would take back one group more than was asked for.
			break
		}
	}
	return began, conflict.Wrap(errRace)
}

// runner returns bun's migrator. It upserts its rows, so that finding the row
// that record wrote inside the transaction is no error.
func (m *Migrator) runner(options ...migrate.MigratorOption) *migrate.Migrator {
	return migrate.NewMigrator(m.db, m.known, append(options,
		migrate.WithTableName(m.table()), migrate.WithMarkAppliedOnSuccess(true), migrate.WithUpsert(true))...)
}

func (m *Migrator) table() string {
	if DialectOf(m.db) == Postgres {
		return "public." + bookkeepingTable
	}
	return bookkeepingTable
}

// prepare creates the bookkeeping table. IF NOT EXISTS alone is not safe on
// PostgreSQL when two sessions create at once, hence the lock.
func (m *Migrator) prepare(ctx context.Context) error {
	id := "integer PRIMARY KEY AUTOINCREMENT"
	if DialectOf(m.db) == Postgres {
		id = "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
	}
	return m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := m.lock(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+m.table()+" (id "+id+
			", name varchar NOT NULL UNIQUE, group_id bigint NOT NULL"+
			", migrated_at timestamp NOT NULL DEFAULT current_timestamp)")
		return err
	})
}

// lock makes this transaction the only migrator. SQLite's immediate transaction
// is that already. Migrations may take longer than other statements.
func (m *Migrator) lock(ctx context.Context, tx bun.IConn) error {
	if DialectOf(m.db) != Postgres {
		return nil
	}
	for _, statement := range []string{
		"SET LOCAL statement_timeout = 0",
		"SET LOCAL lock_timeout = " + milliseconds(lockWait),
		fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock),
		"SET LOCAL lock_timeout = " + milliseconds(ddlWait),
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (m *Migrator) isApplied(ctx context.Context, tx bun.IConn, name string) (bool, error) {
	var n int
	query := m.db.QueryGen().FormatQuery("SELECT count(*) FROM "+m.table()+" WHERE name = ?", name)
	err := tx.QueryRowContext(ctx, query).Scan(&n)
	return n > 0, err
}

// record writes the bookkeeping in the transaction of the migration itself.
func (m *Migrator) record(ctx context.Context, tx bun.IConn, one *migrate.Migration, up bool) error {
	query := m.db.QueryGen().FormatQuery("DELETE FROM "+m.table()+" WHERE name = ?", one.Name)
	if up {
		query = m.db.QueryGen().FormatQuery("INSERT INTO "+m.table()+" (name, group_id, migrated_at) VALUES (?, ?, ?)",
			one.Name, one.GroupID, m.clock.Now().UTC())
	}
	_, err := tx.ExecContext(ctx, query)
	return err
}

func (m *Migrator) refuseUnknown(ctx context.Context, runner *migrate.Migrator) error {
	unknown, err := runner.MissingMigrations(ctx)
	if err != nil {
		return Fault(err)
	}
	if len(unknown) == 0 {
		return nil
	}
	return fault.New(fault.FailedPrecondition, ReasonUnknownMigrations,
		"The database has migrations that this binary does not know: %s. Use the newer binary.", numbers(unknown))
}

func numbers(group migrate.MigrationSlice) string {
	var all []string
	for _, one := range group {
		all = append(all, one.Name)
	}
	return strings.Join(all, ", ")
}

// Status lists the known migrations in order. It changes nothing and works on an
// empty database.
func (m *Migrator) Status(ctx context.Context) ([]MigrationStatus, error) {
	all := m.known.Sorted()
	exists, err := m.hasBookkeeping(ctx)
	if err != nil {
		return nil, Fault(err)
	}
	if exists {
		if all, err = m.runner().MigrationsWithStatus(ctx); err != nil {
			return nil, Fault(err)
		}
	}
	out := make([]MigrationStatus, len(all))
	for i, one := range all {
		out[i] = MigrationStatus{Name: one.String(), Group: one.GroupID, AppliedAt: one.MigratedAt}
	}
	return out, nil
}

func (m *Migrator) hasBookkeeping(ctx context.Context) (bool, error) {
	query := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '" + bookkeepingTable + "'"
	if DialectOf(m.db) == Postgres {
		query = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename = '" + bookkeepingTable + "'"
	}
	var n int
	if err := m.db.QueryRowContext(ctx, query).Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	return n > 0, nil
}
