package bunstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"trunkline/services/platform/fault"
)

// ReasonConfig marks a configuration that cannot be used.
const ReasonConfig = "DATABASE_CONFIG"

// busyTimeout is how long SQLite waits for the one writer before it gives up.
const busyTimeout = 5 * time.Second

// Open prepares the database of a valid cfg. PostgreSQL is not contacted: a
// server that is down shows at the first statement, as UNAVAILABLE. SQLite
// files are opened at once, so that a wrong path shows here; ctx bounds that.
// The caller closes the result.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*bun.DB, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	kind, rest := split(cfg.URL)
	var (
		db  *bun.DB
		err error
	)
	if kind == Postgres {
		db, err = openPostgres(cfg, rest)
	} else {
		db, err = openSQLite(ctx, cfg, rest)
	}
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(cfg.MaxOpen)
	db.SetMaxIdleConns(cfg.MaxIdle)
	db.SetConnMaxLifetime(cfg.MaxLifetime)
	db.SetConnMaxIdleTime(cfg.MaxIdleTime)
	if kind == SQLite && rest == memoryPath {
		// The database lives and dies with its only connection.
		db.SetMaxOpenConns(1)
		db.SetMaxIdleConns(1)
		db.SetConnMaxLifetime(0)
		db.SetConnMaxIdleTime(0)
	}
	log.Info("database opened", "dialect", kind.String(), "read_only", cfg.ReadOnly, "max_open_conns", cfg.MaxOpen)
	return db, nil
}

// check is Validate as a fault.
func (c Config) check() error {
	if err := c.Validate(); err != nil {
		return fault.New(fault.FailedPrecondition, ReasonConfig, "The database settings are not valid.").Wrap(err)
	}
	return nil
}

func openPostgres(cfg Config, text string) (*bun.DB, error) {
	pg, err := pgx.ParseConfig(text)
	if err != nil {
		// The driver's text may repeat parts of the URL, so it is dropped.
		return nil, fault.New(fault.FailedPrecondition, ReasonConfig,
			"The database URL cannot be read: write postgres://user:password@host:port/database.")
	}
	if !strings.Contains(text, "default_query_exec_mode=") {
		pg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if !strings.Contains(text, "connect_timeout=") {
		pg.ConnectTimeout = cfg.ConnectTimeout
	}
	settings := map[string]string{
		"statement_timeout":                   milliseconds(cfg.StatementTimeout),
		"idle_in_transaction_session_timeout": milliseconds(cfg.IdleTxTimeout),
		"search_path":                         cfg.Schema + ",public",
	}
	if cfg.ReadOnly {
		settings["default_transaction_read_only"] = "on"
	}
	for name, value := range settings {
		if _, given := pg.RuntimeParams[name]; !given {
			pg.RuntimeParams[name] = value
		}
	}
	// bun's quoting is only right under these two.
	pg.RuntimeParams["standard_conforming_strings"] = "on"
	pg.RuntimeParams["client_encoding"] = "UTF8"
	return bun.NewDB(sql.OpenDB(oneStatement{stdlib.GetConnector(*pg)}), pgdialect.New()), nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func openSQLite(ctx context.Context, cfg Config, path string) (*bun.DB, error) {
	if path != memoryPath {
		if err := folderExists(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	query := url.Values{
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			"journal_mode(WAL)",
			// A commit survives a power cut.
			"synchronous(FULL)",
			"foreign_keys(1)",
		},
	}
	if cfg.ReadOnly {
		query.Add("_pragma", "query_only(1)")
	}
	opaque := memoryPath
	if path != memoryPath {
		opaque = (&url.URL{Path: path}).EscapedPath()
	}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: opaque, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, Fault(err)
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(Fault(err), pool.Close())
	}
	return bun.NewDB(pool, sqlitedialect.New()), nil
}

func folderExists(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	return fault.New(fault.FailedPrecondition, ReasonConfig,
		"The folder of the SQLite database does not exist: make it, or choose another path.").Wrap(err)
}

// DialectOf tells the dialect of an open database or transaction.
func DialectOf(db bun.IDB) Dialect {
	switch db.Dialect().Name() {
	case dialect.PG:
		return Postgres
	case dialect.SQLite:
		return SQLite
	}
	return 0
}
