package database_test

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

// kit is one store with an importer over it.
type kit struct {
	db       *bun.DB
	store    *database.Store
	importer *operators.Importer
	told     *told
	clock    *clock.Fake
}

type told struct{ changes []operators.Change }

func (t *told) Announce(_ context.Context, change operators.Change) {
	t.changes = append(t.changes, change)
}

// onBoth runs a test on both stores, migrated and empty.
func onBoth(t *testing.T, test func(t *testing.T, k kit)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, newKit(t, pgtest.Database(t), migrations.Postgres, "postgres")) })
	t.Run("sqlite", func(t *testing.T) {
		test(t, newKit(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), migrations.SQLite, "sqlite"))
	})
}

func newKit(t testing.TB, url string, files fs.FS, dir string) kit {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	cfg.StatementTimeout = time.Minute
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: files, Dir: dir}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	k := kit{db: db, store: database.New(db), told: &told{}, clock: clock.NewFake(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))}
	k.importer = operators.NewImporter(k.store, k.told, k.clock.Now, slog.New(slog.DiscardHandler))
	return k
}

const (
	operatorHeader = "name,host,port,system_id,bind_type,max_tps,message_types,status\n"
	ruleHeader     = "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"
	account        = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d"
)

const three = operatorHeader +
	"Alpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|FLASH,ACTIVE\n" +
	"Beta,b.example,2775,beta,TRANSMITTER,50,,ACTIVE\n" +
	"Gamma,10.0.0.1,2776,gamma,RECEIVER,1,SMS,\n"

func (k kit) operators(t *testing.T, csv string) operators.Result {
	t.Helper()
	result, err := k.importer.ImportOperators(t.Context(), []byte(csv), operators.Options{})
	require.NoError(t, err)
	return result
}

func (k kit) rules(t *testing.T, csv string) operators.Result {
	t.Helper()
	result, err := k.importer.ImportRules(t.Context(), []byte(csv), operators.Options{})
	require.NoError(t, err)
	return result
}

func (k kit) versions(t *testing.T) (config, rules int64) {
	t.Helper()
	require.NoError(t, k.db.NewRaw("SELECT config_version, rules_version FROM config_state").Scan(t.Context(), &config, &rules))
	return config, rules
}

func (k kit) allOperators(t *testing.T) []operators.Operator {
	t.Helper()
	all, err := k.store.LiveOperators(t.Context())
	require.NoError(t, err)
	return all
}

func (k kit) allRules(t *testing.T) []operators.Rule {
	t.Helper()
	all, more, err := k.store.ListRules(t.Context(), nil, 100_000)
	require.NoError(t, err)
	require.False(t, more)
	return all
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, kind.String()+" "+reason, f.Kind.String()+" "+f.Reason)
}
