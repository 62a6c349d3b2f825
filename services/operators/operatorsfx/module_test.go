package operatorsfx_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/operators/demo"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/release"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func migrated(db *bun.DB) (*bun.DB, error) {
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}, clock.System())
	if err == nil {
		_, err = m.Up(context.Background())
	}
	return db, err
}

// app is the control plane in one process.
type app struct {
	server   *rpcserver.Server
	importer *operators.Importer
	store    *database.Store
}

func (a app) importDemo(t *testing.T, operatorsFile, rulesFile []byte) error {
	t.Helper()
	return operatorsfx.ImportDemo(t.Context(), a.importer, a.store, operatorsFile, rulesFile)
}

func TestTheModuleServesImportsAndLeavesExistingDataAlone(t *testing.T) {
	a := newApp(t)
	require.NoError(t, a.importDemo(t, demo.Operators, demo.Rules))
	client := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, a.server.URL())
	list, err := client.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	require.NotEmpty(t, list.GetOperators())
	require.Empty(t, list.GetNextPageToken())

	// A second start changes nothing, not even what was changed by hand.
	first := list.GetOperators()[0]
	file := "name,host,port,system_id,bind_type,max_tps,message_types,status\n" + first.GetName() + ",changed.example,1,changed,TRANSCEIVER,1,,\n"
	stream, err := client.ImportOperators(t.Context(), &operatorsv1.ImportOperatorsRequest{Csv: []byte(file)})
	require.NoError(t, err)
	var last *operatorsv1.ImportResult
	for stream.Receive() {
		last = stream.Msg().GetResult()
	}
	require.NoError(t, stream.Err())
	require.True(t, last.GetApplied())
	require.NoError(t, a.importDemo(t, demo.Operators, demo.Rules))
	list, err = client.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{PageSize: 1})
	require.NoError(t, err)
	require.Equal(t, "changed.example", list.GetOperators()[0].GetHost())
	require.NotEmpty(t, list.GetNextPageToken())
}

func TestDemoFilesWithBadLinesAreAnError(t *testing.T) {
	a := newApp(t)
	require.ErrorContains(t, a.importDemo(t, []byte("x"), demo.Rules), "import the demo operators: ")
	require.ErrorContains(t, a.importDemo(t, demo.Operators, []byte("x")), "import the demo rules: ")
	require.NoError(t, a.importDemo(t, demo.Operators, demo.Rules))
}

func TestTheDemoRulesHaveNoConflicts(t *testing.T) {
	a := newApp(t)
	require.NoError(t, a.importDemo(t, demo.Operators, demo.Rules))
	client := operatorsv1connect.NewRoutingRuleServiceClient(http.DefaultClient, a.server.URL())
	report, err := client.CheckRoutingRules(t.Context(), &operatorsv1.CheckRoutingRulesRequest{})
	require.NoError(t, err)
	require.Zero(t, report.GetErrorCount(), "%v", report.GetFindings())
}

func TestOneSecretStoreIsWanted(t *testing.T) {
	for name, c := range map[string]operatorsfx.Config{
		"neither": operatorsfx.DefaultConfig(),
		"both": func() operatorsfx.Config {
			c := operatorsfx.DefaultConfig()
			c.Vault.Address, c.Keyring.File = "https://vault:8200", "secrets"
			return c
		}(),
	} {
		require.ErrorContains(t, c.Validate(), "vault.address", name)
	}
	c := operatorsfx.DefaultConfig()
	c.Keyring.File = "secrets"
	require.NoError(t, c.Validate())
}

func TestACeilingIsAnAmountWithACurrency(t *testing.T) {
	c := operatorsfx.DefaultConfig()
	c.Keyring.File = "secrets"
	for _, bad := range []string{"0.25", "EUR 0.25", "0.25EUR", "0 EUR", "-1 EUR", "0.25 eur", "0.25 EUR EUR"} {
		c.PriceCeiling = bad
		require.ErrorContains(t, c.Validate(), "price_ceiling", bad)
	}
	c.PriceCeiling = "0.25 EUR"
	require.NoError(t, c.Validate())
}

func TestTheCheckerWarnsOfPricesAboveTheCeiling(t *testing.T) {
	a := newApp(t, func(c *operatorsfx.Config) { c.PriceCeiling = "0.000001 EUR" })
	require.NoError(t, a.importDemo(t, demo.Operators, demo.Rules))
	client := operatorsv1connect.NewRoutingRuleServiceClient(http.DefaultClient, a.server.URL())
	report, err := client.CheckRoutingRules(t.Context(), &operatorsv1.CheckRoutingRulesRequest{})
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(report.GetFindings(), func(f *operatorsv1.RuleFinding) bool { return f.GetReason() == operators.FindingAboveCeiling }))
}

func newApp(t *testing.T, change ...func(*operatorsfx.Config)) app {
	t.Helper()
	return newAppWith(t, fx.Options(), change...)
}

// newAppWith has another part beside the module.
func newAppWith(t *testing.T, part fx.Option, change ...func(*operatorsfx.Config)) (a app) {
	t.Helper()
	nats, err := jetstream.Embedded(filepath.Join(t.TempDir(), "nats"), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, nats.Shutdown()) })
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "x.db"))
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	control := operatorsfx.DefaultConfig()
	control.Keyring.File = filepath.Join(t.TempDir(), "secrets")
	for _, c := range change {
		c(&control)
	}
	running := fxtest.New(t,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "test"}, store, control, jetstream.DefaultConfig(), nats, rpcserver.Metrics{}),
		platformfx.Module, platformfx.Database, platformfx.NATS, fx.Decorate(migrated), fx.Provide(newCache, newReplayer, rpcservertest.Everybody),
		operatorsfx.Module, part, fx.Populate(&a.server, &a.importer, &a.store))
	running.RequireStart()
	t.Cleanup(running.RequireStop)
	return a
}

func newCache(clk clock.Clock) (operatorsfx.HealthCache, error) {
	return rediscache.NewMemory(100, clk)
}

func newReplayer() operatorsfx.Replayer { return noReplays{} }

// noReplays counts what it is asked to decide, and decides nothing.
type noReplays struct{}

func (noReplays) Replay(
	_ context.Context, req *releasesv1.ReplayReleaseRequest, _, _ release.Source, _ func(done, total int64),
) (*releasesv1.ReplayReport, error) {
	return &releasesv1.ReplayReport{DecisionCount: int64(len(req.GetCsv()))}, nil
}
