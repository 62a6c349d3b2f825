package secrets_test

import (
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
	"trunkline/services/platform/secrets/secretstest"
	"trunkline/services/platform/vaulttest"
)

const (
	// limit bounds what a test waits for; patience is a timeout that a busy machine does not use up.
	limit    = 15 * time.Second
	patience = 20 * time.Second
	tick     = 5 * time.Millisecond
	policy   = "operator-management"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeyringConforms(t *testing.T) {
	secretstest.Run(t, func(t *testing.T) secretstest.Store {
		return openKeyring(t, secrets.KeyringConfig{File: filepath.Join(t.TempDir(), "keyring")})
	})
}

// The token has the policy of deploy/vault, so the suite also proves that the policy is enough.
func TestVaultConforms(t *testing.T) {
	server := vaulttest.Start(t)
	cfg := tokenConfig(server, server.Token(policy, time.Hour, 0))
	secretstest.Run(t, func(t *testing.T) secretstest.Store {
		cfg := cfg
		cfg.Base = "ops/operators/" + rand.Text()
		return openVault(t, cfg)
	})
}

func openKeyring(t *testing.T, cfg secrets.KeyringConfig) *secrets.Keyring {
	t.Helper()
	k, err := secrets.OpenKeyring(cfg, nil, clock.System())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

// tokenConfig puts the base where the policy of deploy/vault allows it.
func tokenConfig(server *vaulttest.Server, token string) secrets.VaultConfig {
	cfg := secrets.DefaultVaultConfig()
	cfg.Address = server.URL()
	cfg.Base = "ops/operators"
	cfg.Timeout = patience
	cfg.Auth.Token = config.NewSecret(token)
	return cfg
}

func openVault(t *testing.T, cfg secrets.VaultConfig) *secrets.Vault {
	t.Helper()
	v, err := secrets.OpenVault(cfg, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v
}

func put(t *testing.T, s secretstest.Store, path, value string) int64 {
	t.Helper()
	version, err := s.Put(t.Context(), path, secret.New(value))
	require.NoError(t, err)
	return version
}

func requireHas(t *testing.T, s secretstest.Store, path string, version int64, want string) {
	t.Helper()
	got, err := s.Get(t.Context(), path, version)
	require.NoError(t, err)
	require.Equal(t, want, got.Reveal())
}
