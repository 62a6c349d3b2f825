package secrets_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
	"trunkline/services/platform/secrets"
)

func TestVaultConfigProblemsAreNamed(t *testing.T) {
	good := func(method string) secrets.VaultConfig {
		c := secrets.DefaultVaultConfig()
		c.Address = "https://vault:8200"
		c.Auth.Method, c.Auth.Token = method, config.NewSecret("t")
		c.Auth.RoleID, c.Auth.SecretID, c.Auth.Role = "r", config.NewSecret("s"), "r"
		return c
	}
	require.NoError(t, secrets.DefaultVaultConfig().Validate(), "it is not used then")
	for _, method := range []string{secrets.AuthToken, secrets.AuthAppRole, secrets.AuthKubernetes} {
		require.NoError(t, good(method).Validate())
	}
	for _, address := range []string{"http://localhost:8200", "http://127.0.0.1:8200", "http://[::1]:8200/", "https://vault"} {
		c := good(secrets.AuthToken)
		c.Address = address
		require.NoError(t, c.Validate(), address)
	}
	for name, c := range map[string]struct {
		method string
		change func(*secrets.VaultConfig)
		want   string
	}{
		"plain text to another machine": {"token", func(c *secrets.VaultConfig) { c.Address = "http://vault:8200" }, "use https"},
		"an address without scheme":     {"token", func(c *secrets.VaultConfig) { c.Address = "vault:8200" }, "address"},
		"an address of another kind":    {"token", func(c *secrets.VaultConfig) { c.Address = "unix://vault/socket" }, "address"},
		"an address with a path":        {"token", func(c *secrets.VaultConfig) { c.Address = "https://vault/v1" }, "address"},
		"a password in the address":     {"token", func(c *secrets.VaultConfig) { c.Address = "https://u:hunter2@vault" }, "address"},
		"no mount":                      {"token", func(c *secrets.VaultConfig) { c.Mount = "" }, "mount"},
		"a base that leads elsewhere":   {"token", func(c *secrets.VaultConfig) { c.Base = "ops/../x" }, "base"},
		"no field":                      {"token", func(c *secrets.VaultConfig) { c.Field = "" }, "field"},
		"no time":                       {"token", func(c *secrets.VaultConfig) { c.Timeout = 0 }, "timeout"},
		"a lot of time":                 {"token", func(c *secrets.VaultConfig) { c.Timeout = time.Hour }, "timeout"},
		"renewals without end":          {"token", func(c *secrets.VaultConfig) { c.RenewAt = 0 }, "renew_at"},
		"no renewal":                    {"token", func(c *secrets.VaultConfig) { c.RenewAt = 1 }, "renew_at"},
		"an unknown method":             {"ldap", func(*secrets.VaultConfig) {}, "auth.method"},
		"a wrong mount of the log-in":   {"approle", func(c *secrets.VaultConfig) { c.Auth.Mount = "/x" }, "auth.mount"},
		"no token":                      {"token", func(c *secrets.VaultConfig) { c.Auth.Token = config.Secret{} }, "auth.token"},
		"no role id":                    {"approle", func(c *secrets.VaultConfig) { c.Auth.RoleID = "" }, "auth.role_id"},
		"no secret id":                  {"approle", func(c *secrets.VaultConfig) { c.Auth.SecretID = config.Secret{} }, "auth.secret_id_path"},
		"two secret ids":                {"approle", func(c *secrets.VaultConfig) { c.Auth.SecretIDPath = "f" }, "auth.secret_id_path"},
		"no role":                       {"kubernetes", func(c *secrets.VaultConfig) { c.Auth.Role = "" }, "auth.role"},
		"no service account":            {"kubernetes", func(c *secrets.VaultConfig) { c.Auth.JWTPath = "" }, "auth.jwt_path"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good(c.method)
			c.change(&cfg)
			require.ErrorContains(t, cfg.Validate(), c.want)
			require.NotContains(t, cfg.Validate().Error(), "hunter2")
			_, err := secrets.OpenVault(cfg, nil, slog.New(slog.DiscardHandler))
			require.Error(t, err)
		})
	}
	_, err := secrets.OpenVault(secrets.DefaultVaultConfig(), nil, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "address")
}

func TestSettingsAreLoadedByTheirKeys(t *testing.T) {
	type settings struct {
		Vault   secrets.VaultConfig   `koanf:"vault"`
		Keyring secrets.KeyringConfig `koanf:"keyring"`
	}
	loaded, err := config.Load(settings{Vault: secrets.DefaultVaultConfig()}, config.Options{Environ: []string{
		"TRUNKLINE_VAULT_ADDRESS=https://vault:8200", "TRUNKLINE_VAULT_AUTH_METHOD=approle",
		"TRUNKLINE_VAULT_AUTH_ROLE_ID=r", "TRUNKLINE_VAULT_AUTH_SECRET_ID_PATH=/run/secret-id",
		"TRUNKLINE_KEYRING_KEY=" + randomKey(3).Reveal(),
	}})
	require.NoError(t, err)
	require.Equal(t, "/run/secret-id", loaded.Value.Vault.Auth.SecretIDPath)
	require.Equal(t, randomKey(3).Reveal(), loaded.Value.Keyring.Key.Reveal())
}
