package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func TestASecretThatIsNotSetShowsNothing(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{})
	require.NoError(t, err)
	require.Empty(t, setting(t, l, "store.dsn").Value)
}

func TestSecretsInMapsAreRedactedInSettingsAndErrors(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_KEYS=k2=hunter2,k1=hunter2"}})
	require.NoError(t, err)
	got := setting(t, l, "store.keys")
	require.Equal(t, "k1=[redacted],k2=[redacted]", got.Value)
	require.True(t, got.Secret)

	for _, env := range []string{"TRUNKLINE_STORE_KEYS=hunter2", "TRUNKLINE_STORE_KEYS=k=a,hunter2"} {
		_, err = config.Load(defaults(), config.Options{Environ: []string{env}})
		require.ErrorContains(t, err, `store.keys = "[redacted]"`)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = config.Load(defaults(), config.Options{File: write(t, "store: {dsn: 8675309}")})
	require.ErrorContains(t, err, "quotes")
	require.NotContains(t, err.Error(), "8675309")
}
