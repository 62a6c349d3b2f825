package platformfx_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/certtest"
	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/platform/rpcserver"
)

func withDatabase(t *testing.T, database bunstore.Config, options ...fx.Option) *fxtest.App {
	t.Helper()
	c := platformfx.DefaultConfig()
	c.Server.Addr, c.Server.Drain.Notice = "127.0.0.1:0", 0
	return fxtest.New(t,
		fx.Supply(c, platformfx.Process{Name: "test"}, slog.New(slog.DiscardHandler), rpcserver.Metrics{}, database),
		platformfx.Database, platformfx.Module, fx.Options(options...))
}

func TestAProcessWithAReplicaShowsBothServers(t *testing.T) {
	database := bunstore.DefaultConfig()
	database.URL = config.NewSecret("postgres://u@127.0.0.1:1/x")
	database.ReplicaURL = config.NewSecret("postgres://u@127.0.0.1:2/x")
	var health *rpcserver.Health
	var reader *bunstore.Reader
	app := withDatabase(t, database, fx.Supply(&bunstore.Observer{}), fx.Populate(&health, &reader))
	app.RequireStart()
	defer app.RequireStop()
	require.True(t, reader.HasReplica())
	var names []string
	for _, one := range health.Dependencies() {
		require.False(t, one.Required)
		names = append(names, one.Name)
	}
	require.ElementsMatch(t, []string{"database primary", "database replica"}, names)
}

func TestAProcessWithoutAReplicaReadsFromItsDatabase(t *testing.T) {
	database := bunstore.DefaultConfig()
	database.URL = config.NewSecret("sqlite::memory:")
	var health *rpcserver.Health
	var reader *bunstore.Reader
	var decorated *bun.DB
	app := withDatabase(t, database, fx.Populate(&health, &reader),
		fx.Decorate(func(db *bun.DB) *bun.DB { decorated = db; return db }))
	app.RequireStart()
	defer app.RequireStop()
	require.False(t, reader.HasReplica())
	require.NotNil(t, decorated, "the reader takes the database that others prepared")
	require.Empty(t, health.Dependencies())
}

func TestTheInternalClientIsThereWhenItHasAnAddress(t *testing.T) {
	ca, files := certtest.NewAuthority(t), certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, connector), ca)
	cfg := rpcclient.DefaultConfig()
	for _, url := range []string{"", "https://127.0.0.1:1"} {
		cfg.URL = url
		cfg.TLS = rpcclient.TLSConfig{CertFile: files.Cert, KeyFile: files.Key, CAFile: files.CA}
		c := platformfx.DefaultConfig()
		c.Server.Addr, c.Server.Drain.Notice = "127.0.0.1:0", 0
		var client *rpcclient.Client
		app := fxtest.New(t,
			fx.Supply(c, platformfx.Process{Name: "test"}, slog.New(slog.DiscardHandler), rpcserver.Metrics{}, cfg),
			platformfx.Module, platformfx.InternalClient, fx.Populate(&client))
		app.RequireStart()
		require.Equal(t, url != "", client != nil)
		app.RequireStop()
	}
	cfg.TLS.KeyFile = strings.TrimSuffix(files.Key, "key")
	app := fx.New(fx.NopLogger, fx.Supply(platformfx.DefaultConfig(), platformfx.Process{Name: "test"}, slog.New(slog.DiscardHandler), rpcserver.Metrics{}, cfg),
		platformfx.Module, platformfx.InternalClient, fx.Invoke(func(*rpcclient.Client) {}))
	require.ErrorContains(t, app.Err(), "read a TLS file")
}
