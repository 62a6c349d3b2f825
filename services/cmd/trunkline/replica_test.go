package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/redistest"
)

// TestTheReplicaAnswersWhileThePrimaryIsDown: reads say that they are stale and how old, changes are UNAVAILABLE, and
// both come back by themselves.
func TestTheReplicaAnswersWhileThePrimaryIsDown(t *testing.T) {
	primary := pgtest.Start(t)
	_, stderr, code := run(t, nil, "migrate", "up", "--database-url", primary.URL())
	require.Zero(t, code, stderr)
	replica := primary.StartReplica(t)
	redis, events := redistest.Start(t), natstest.Start(t)
	file := filepath.Join(t.TempDir(), "management.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil,
		noCredentials+"database:\n  url: %q\n  replica_url: %q\nnats:\n  urls: [%q]\nredis:\n  addrs: [%q]\nserver:\n  addr: 127.0.0.1:0\n  drain:\n    notice: 0s\noperators:\n  keyring:\n    file: %q\n",
		primary.URL(), replica.URL(), events.URL(), redis.Addr(), filepath.Join(t.TempDir(), "secrets")), 0o600))
	url := start(t, "serve", "operator-management", "--config", file).url(t)
	operators := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, url)
	create := func(name string) error {
		_, err := operators.CreateOperator(t.Context(), &operatorsv1.CreateOperatorRequest{
			Operator: &operatorsv1.Operator{Name: name, Host: name + ".example", Port: 2775, SystemId: "nl", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 1}}, Password: "geheim",
		})
		return err
	}
	list := func() (*operatorsv1.ListOperatorsResponse, error) {
		return operators.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	}
	require.NoError(t, create("nord"))
	replica.CatchUp(t)
	fresh, err := list()
	require.NoError(t, err)
	require.Nil(t, fresh.GetFreshness())

	primary.Kill(t)
	var stale *operatorsv1.ListOperatorsResponse
	require.Eventually(t, func() bool { stale, err = list(); return err == nil }, eventually, tick)
	require.Len(t, stale.GetOperators(), 1)
	require.True(t, stale.GetFreshness().GetStale())
	require.NotNil(t, stale.GetFreshness().GetAge())
	err = create("sued")
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err), "%v", err)
	require.Equal(t, http.StatusOK, status(url+"/ready"), "reads are still to be had")

	primary.Restart(t)
	require.Eventually(t, func() bool { return create("sued") == nil }, eventually, tick)
	require.Eventually(t, func() bool { fresh, err = list(); return err == nil && fresh.GetFreshness() == nil }, eventually, tick)
	require.Len(t, fresh.GetOperators(), 2)
}
