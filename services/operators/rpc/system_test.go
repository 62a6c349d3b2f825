package rpc_test

import (
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func TestTheProcessTellsOfItselfAndItsSettings(t *testing.T) {
	started := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	system := rpc.NewSystem(rpc.Process{Name: "operator-management", Version: "1.2.3", Started: started, Settings: []config.Setting{
		{Key: "server.addr", Env: "TRUNKLINE_SERVER_ADDR", Value: ":8081", Origin: "flag --addr", Doc: "Where."},
		{Key: "database.url", Value: "[redacted]", Origin: "file x.yaml", Secret: true},
	}})
	running := rpcservertest.Start(t, nil, rpcserver.Mount{Name: operatorsv1connect.SystemServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return operatorsv1connect.NewSystemServiceHandler(system, opts...)
	}})
	client := operatorsv1connect.NewSystemServiceClient(running.HTTP1, running.URL)
	got, err := client.GetSystem(t.Context(), &operatorsv1.GetSystemRequest{})
	require.NoError(t, err)
	require.Equal(t, []any{"operator-management", "1.2.3", started}, []any{got.GetProcess(), got.GetVersion(), got.GetStartTime().AsTime()})

	list, err := client.ListSettings(t.Context(), &operatorsv1.ListSettingsRequest{})
	require.NoError(t, err)
	var settings [][]string
	for _, s := range list.GetSettings() {
		settings = append(settings, []string{s.GetKey(), s.GetValue(), s.GetOrigin()})
	}
	require.Equal(t, [][]string{{"server.addr", ":8081", "flag --addr"}, {"database.url", "[redacted]", "file x.yaml"}}, settings)
}
