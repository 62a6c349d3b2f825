package config_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func TestWeakSecretsOfEveryKindAreFound(t *testing.T) {
	type nested struct {
		Password config.Secret   `koanf:"password" doc:"x"`
		List     []config.Secret `koanf:"list" doc:"x"`
		Plain    string          `koanf:"plain" doc:"x"`
	}
	type whole struct {
		Key    config.Secret            `koanf:"key" doc:"x"`
		Nested nested                   `koanf:"nested"`
		Map    map[string]config.Secret `koanf:"map" doc:"x"`
	}
	good, bad := config.NewSecret("9f3b-Kestrel-77ad"), config.NewSecret("changeme")
	require.Empty(t, config.WeakSecrets(whole{}))
	require.Empty(t, config.WeakSecrets(whole{
		Key: good, Nested: nested{Password: good, List: []config.Secret{good}, Plain: "changeme"}, Map: map[string]config.Secret{"a": good},
	}))
	found := config.WeakSecrets(whole{
		Key: bad, Nested: nested{Password: bad, List: []config.Secret{good, bad, bad}}, Map: map[string]config.Secret{"a": good, "b": bad},
	})
	keys := make([]string, len(found))
	for i, err := range found {
		var p *config.Problem
		require.True(t, errors.As(err, &p))
		keys[i] = p.Key
		require.Contains(t, p.Fix, "is a placeholder; make a random one")
		require.NotContains(t, err.Error(), "changeme")
	}
	require.Equal(t, []string{"key", "nested.password", "nested.list", "map"}, keys)
}
