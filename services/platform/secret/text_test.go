package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"trunkline/services/platform/secret"
)

func TestASecretNeverPrintsItsValue(t *testing.T) {
	const value = "hunter2"
	type open struct {
		Token  secret.Text
		Tokens map[string]secret.Text
	}
	type closed struct{ token secret.Text }
	password := secret.New(value)
	subjects := []any{
		password, &password, open{password, map[string]secret.Text{"a": password}}, []secret.Text{password},
		closed{password}, &closed{password},
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
	fmt.Fprint(&out, errors.New("x"), fmt.Errorf("bad %v", password))
	require.NotContains(t, out.String(), value)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", value))
	require.Equal(t, value, password.Reveal())
}

func TestEachFormOfASecretIsTheWordRedacted(t *testing.T) {
	password := secret.New("hunter2")
	require.Equal(t, "[redacted]", password.String())
	require.Equal(t, "[redacted]", fmt.Sprint(password))
	require.Equal(t, "[redacted]", fmt.Sprintf("%#v", password))
	require.Equal(t, "[redacted]", password.LogValue().String())
	encoded, err := json.Marshal(password)
	require.NoError(t, err)
	require.Equal(t, `"[redacted]"`, string(encoded))
	text, err := password.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[redacted]", string(text))
	written, err := yaml.Marshal(map[string]secret.Text{"a": password})
	require.NoError(t, err)
	require.Equal(t, "a: '[redacted]'\n", string(written))
}

func TestTheEmptySecret(t *testing.T) {
	require.True(t, secret.Text{}.IsZero())
	require.True(t, secret.New("").IsZero())
	require.False(t, secret.New("x").IsZero())
	require.Empty(t, secret.Text{}.Reveal())
	require.Equal(t, "[redacted]", secret.Text{}.String())
	var read secret.Text
	require.NoError(t, read.UnmarshalText([]byte("x")))
	require.Equal(t, "x", read.Reveal())
}
