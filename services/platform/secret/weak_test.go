package secret_test

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/secret"
)

func TestWeakSecretsAreNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a placeholder", "changeme", "is a placeholder"},
		{"one in capitals", "ChangeMe", "is a placeholder"},
		{"one with signs between", "change-me", "is a placeholder"},
		{"one with digits behind", "Password123!", "is a placeholder"},
		{"one with digits in it", "passw0rd", "is a placeholder"},
		{"one made long enough", "changeme........................", "is a placeholder"},
		{"one made long by zeros", "secret00000000000000000000000000", "is a placeholder"},
		{"several in a row", "super-secret_key-please-change-me", "is a placeholder"},
		{"the name of a server", "postgres", "is a placeholder"},
		{"one repeated", "secretsecretsecretsecretsecretsecret", "repeats itself"},
		{"one character", strings.Repeat("x", 32), "repeats itself"},
		{"one character in both cases", "aAaAaAaA", "repeats itself"},
		{"a key of zeros in base64", base64.StdEncoding.EncodeToString(make([]byte, 32)), "repeats itself"},
		{"the hexadecimal digits twice", "0123456789abcdef0123456789abcdef", "repeats itself"},
		{"digits in order", "1234567890", "is a row of neighbouring characters"},
		{"letters in order", "abcdefghijklmnopqrstuvwxyzabcdef", "is a row of neighbouring characters"},
		{"backwards", "987654321", "is a row of neighbouring characters"},
		{"a variable of a shell", "${REDIS_PASSWORD}", "is a template that nobody filled in"},
		{"a field of a chart", "{{ .Values.pepper }}", "is a template that nobody filled in"},
		{"a hint", "<your password here>", "is a template that nobody filled in"},
		{"words and something of one's own", "secret-kestrel-9x", ""},
		{"a connection string without a password", "postgres://engine@db/trunkline", ""},
		{"a connection string with a placeholder", "postgres://engine:changeme@db/trunkline", "has a password that is a placeholder"},
		{"a connection string whose password is the user", "postgres://kestrel:kestrel@db/x", "has the name of the user as its password"},
		{"a connection string with the password behind", "postgres://db/x?user=a&password=secret", "has a password that is a placeholder"},
		{"a connection string with a good password", "postgres://engine:9f3b-Kestrel-77ad@db/trunkline", ""},
		{"a file", "sqlite:secret.db", ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, secret.New(c.text).Weakness(0)) })
	}
}

func TestASecretCanHaveALeastLength(t *testing.T) {
	text := "9f3b77ad51c0e2d84b6a1f9037c5e8d"
	require.Len(t, text, 31)
	require.Equal(t, "is too short", secret.New(text).Weakness(32))
	require.Empty(t, secret.New(text+"2").Weakness(32))
	require.Equal(t, "is too short", secret.Text{}.Weakness(32))
}

func TestRandomSecretsAreNeverCalledWeak(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1}) // the same ones in every run
	for range 2000 {
		for _, size := range []int{8, 16, 32} {
			raw := make([]byte, size)
			_, err := source.Read(raw)
			require.NoError(t, err)
			for _, text := range []string{base64.StdEncoding.EncodeToString(raw), hex.EncodeToString(raw)} {
				require.Empty(t, secret.New(text).Weakness(0), text)
			}
		}
	}
}
