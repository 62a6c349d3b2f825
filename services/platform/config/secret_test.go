package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"trunkline/services/platform/config"
)

func TestASecretNeverPrintsItsValue(t *testing.T) {
	const value = "hunter2"
	type open struct {
		Token  config.Secret
		Tokens map[string]config.Secret
	}
	type closed struct{ token config.Secret }
	secret := config.NewSecret(value)
	subjects := []any{
		secret, &secret, open{secret, map[string]config.Secret{"a": secret}}, []config.Secret{secret},
		closed{secret}, &closed{secret},
	}
	var out bytes.Buffer
	for _, subject := range subjects {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10s"} {
			fmt.Fprintf(&out, verb+"\n", subject)
		}
		for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(h).Info("x", "subject", subject)
		}
		encoded, err := json.Marshal(subject)
		require.NoError(t, err)
		out.Write(encoded)
	}
	for _, subject := range subjects[:4] {
		encoded, err := yaml.Marshal(subject)
		require.NoError(t, err)
		out.Write(encoded)
	}
	fmt.Fprint(&out, errors.New("x"), fmt.Errorf("bad %v", secret))
	require.NotContains(t, out.String(), value)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", value))
	require.Equal(t, value, secret.Reveal())
}

func TestEachFormOfASecretIsTheWordRedacted(t *testing.T) {
	secret := config.NewSecret("hunter2")
	require.Equal(t, "[redacted]", secret.String())
	require.Equal(t, "[redacted]", fmt.Sprint(secret))
	require.Equal(t, "[redacted]", fmt.Sprintf("%#v", secret))
	require.Equal(t, "[redacted]", secret.LogValue().String())
	encoded, err := json.Marshal(secret)
	require.NoError(t, err)
	require.Equal(t, `"[redacted]"`, string(encoded))
	text, err := secret.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[redacted]", string(text))
	written, err := yaml.Marshal(map[string]config.Secret{"a": secret})
	require.NoError(t, err)
	require.Equal(t, "a: '[redacted]'\n", string(written))
}

func TestTheEmptySecret(t *testing.T) {
	require.True(t, config.Secret{}.IsZero())
	require.True(t, config.NewSecret("").IsZero())
	require.False(t, config.NewSecret("x").IsZero())
	require.Empty(t, config.Secret{}.Reveal())
	require.Equal(t, "[redacted]", config.Secret{}.String())

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
