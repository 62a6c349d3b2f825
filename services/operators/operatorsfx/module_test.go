package operatorsfx_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/migrations"
	"trunkline/services/operators/demo"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

func migrated(db *bun.DB) (*bun.DB, error) {
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}, clock.System())
	if err == nil {
		_, err = m.Up(context.Background())
	}
	return db, err
}

func TestTheModuleServesImportsAndLeavesExistingDataAlone(t *testing.T) {
	server, importer := newApp(t)
	require.NoError(t, importer.ImportDemo(t.Context(), demo.Operators, demo.Rules))
	client := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, server.URL())
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
	require.NoError(t, importer.ImportDemo(t.Context(), demo.Operators, demo.Rules))
	list, err = client.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{PageSize: 1})
	require.NoError(t, err)
	require.Equal(t, "changed.example", list.GetOperators()[0].GetHost())
	require.NotEmpty(t, list.GetNextPageToken())
}

func TestDemoFilesWithBadLinesAreAnError(t *testing.T) {
	_, app := newApp(t)
	require.ErrorContains(t, app.ImportDemo(t.Context(), []byte("x"), demo.Rules), "import the demo operators: ")
	require.ErrorContains(t, app.ImportDemo(t.Context(), demo.Operators, []byte("x")), "import the demo rules: ")
	require.NoError(t, app.ImportDemo(t.Context(), demo.Operators, demo.Rules))
}

func newApp(t *testing.T) (*rpcserver.Server, *operatorsfx.Importer) {
	t.Helper()
	nats, err := jetstream.Embedded(filepath.Join(t.TempDir(), "nats"), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, nats.Shutdown()) })
	database := bunstore.DefaultConfig()
	database.URL = config.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "x.db"))
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	var (
		server   *rpcserver.Server
		importer *operatorsfx.Importer
	)
	app := fxtest.New(t,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "test"}, database, jetstream.DefaultConfig(), nats, rpcserver.Metrics{}),
		platformfx.Module, platformfx.Database, platformfx.NATS, fx.Decorate(migrated), operatorsfx.Module, fx.Populate(&server, &importer))
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	return server, importer
}
