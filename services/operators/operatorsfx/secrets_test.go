package operatorsfx_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/config"
	"trunkline/services/platform/secrets"
	"trunkline/services/platform/vaulttest"
)

// TestOperatorsAreCreatedOnlyWithTheirPassword runs the control plane on a real Vault and takes it
// away.
func TestOperatorsAreCreatedOnlyWithTheirPassword(t *testing.T) {
	vault := vaulttest.Start(t)
	a := newApp(t, func(c *operatorsfx.Config) {
		c.Keyring = secrets.KeyringConfig{}
		c.Vault.Address = vault.URL()
		c.Vault.Auth.Token = config.NewSecret(vault.RootToken())
	})
	client := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, a.server.URL())
	create := func(name string) error {
		_, err := client.CreateOperator(t.Context(), &operatorsv1.CreateOperatorRequest{
			Operator: &operatorsv1.Operator{Name: name, Host: name + ".example", Port: 1, SystemId: "s", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 1}},
			Password: "geheim", RequestId: "create-" + name,
		})
		return err
	}
	require.NoError(t, create("before"))
	vault.Kill()
	require.ErrorContains(t, create("while-down"), "secret store")
	list, err := client.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetOperators(), 1, "nothing was stored")
	vault.Restart()
	require.NoError(t, create("while-down"), "the same request works when Vault is back")
	vault.Seal()
	require.ErrorContains(t, create("while-sealed"), "secret store")
	vault.Unseal()
	require.NoError(t, create("while-sealed"))
}
