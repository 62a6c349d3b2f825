package secrets_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
	"trunkline/services/platform/vaulttest"
)

func appRoleConfig(server *vaulttest.Server, ttl, limit time.Duration) secrets.VaultConfig {
	cfg := tokenConfig(server, "")
	cfg.Auth.Method = secrets.AuthAppRole
	roleID, secretID := server.AppRole("trunkline", policy, ttl, limit)
	cfg.Auth.RoleID, cfg.Auth.SecretID = roleID, config.NewSecret(secretID)
	return cfg
}

func requireDenied(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, secrets.ErrDenied)
	var f *fault.Fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, fault.Unavailable, f.Kind)
	require.Equal(t, "VAULT_DENIED", f.Reason)
	require.Positive(t, f.RetryAfter)
}

// requireRefused is requireDenied for a wrong secret id, to which this version of Vault answers 500. Others answer 400.
func requireRefused(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, "VAULT_UNAVAILABLE") {
		requireDenied(t, err)
	}
}

// tally counts what an Observer is told, by operation and by whether it failed.
type tally struct {
	mu     sync.Mutex
	counts map[secrets.Operation]map[bool]int
}

func (c *tally) observe(op secrets.Operation, _ time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[secrets.Operation]map[bool]int{}
	}
	if c.counts[op] == nil {
		c.counts[op] = map[bool]int{}
	}
	c.counts[op][err == nil]++
}

func (c *tally) succeeded(op secrets.Operation) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[op][true]
}

func (c *tally) failed(op secrets.Operation) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[op][false]
}

// observed opens a Vault with a tally and a log.
func observed(t *testing.T, cfg secrets.VaultConfig) (*secrets.Vault, *tally, *lockedBuffer) {
	t.Helper()
	seen, out := &tally{}, &lockedBuffer{}
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	v, err := secrets.OpenVault(cfg, seen.observe, log)
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v, seen, out
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestLogInWithAnAppRole(t *testing.T) {
	server := vaulttest.Start(t)
	t.Run("the secret id is in the settings", func(t *testing.T) {
		v, seen, _ := observed(t, appRoleConfig(server, time.Hour, 0))
		version := put(t, v, "a", "value")
		requireHas(t, v, "a", version, "value")
		require.Equal(t, 1, seen.succeeded(secrets.OpLogin))
	})
	t.Run("the secret id is in a file, which is read at every log-in", func(t *testing.T) {
		cfg := appRoleConfig(server, time.Hour, 0)
		former := cfg.Auth.SecretID.Reveal()
		cfg.Auth.SecretID = config.Secret{}
		cfg.Auth.SecretIDPath = filepath.Join(t.TempDir(), "secret-id")
		v, seen, _ := observed(t, cfg)
		requireDenied(t, v.Check(t.Context()))

		writeFile(t, cfg.Auth.SecretIDPath, former+"\n")
		require.NoError(t, v.Check(t.Context()))

		_, latter := server.AppRole("trunkline", policy, time.Hour, 0)
		server.Request(http.MethodPost, "auth/approle/role/trunkline/secret-id/destroy", map[string]any{"secret_id": former})
		server.RevokeLogins()
		requireRefused(t, v.Check(t.Context()))
		writeFile(t, cfg.Auth.SecretIDPath, latter)
		require.NoError(t, v.Check(t.Context()))
		require.Equal(t, 2, seen.succeeded(secrets.OpLogin))
	})
	t.Run("the log-in is mounted elsewhere", func(t *testing.T) {
		server.Request(http.MethodPost, "sys/auth/team/machines", map[string]any{"type": "approle"})
		server.Request(http.MethodPost, "auth/team/machines/role/r", map[string]any{"token_policies": []string{policy}, "bind_secret_id": true})
		id := server.Request(http.MethodGet, "auth/team/machines/role/r/role-id", nil)["data"].(map[string]any)["role_id"].(string)
		of := server.Request(http.MethodPut, "auth/team/machines/role/r/secret-id", nil)["data"].(map[string]any)["secret_id"].(string)
		cfg := appRoleConfig(server, time.Hour, 0)
		cfg.Auth.Mount, cfg.Auth.RoleID, cfg.Auth.SecretID = "team/machines", id, config.NewSecret(of)
		require.NoError(t, openVault(t, cfg).Check(t.Context()))
	})
}

func TestLogInWithAKubernetesServiceAccount(t *testing.T) {
	server := vaulttest.Start(t)
	account := server.Kubernetes("trunkline", policy, time.Hour, 0)
	cfg := tokenConfig(server, "")
	cfg.Auth.Method, cfg.Auth.Role = secrets.AuthKubernetes, "trunkline"
	cfg.Auth.JWTPath = filepath.Join(t.TempDir(), "token")
	writeFile(t, cfg.Auth.JWTPath, account.Issue())
	v, seen, _ := observed(t, cfg)
	version := put(t, v, "a", "value")
	requireHas(t, v, "a", version, "value")

	// Kubernetes renews the token in the file; the old one ends.
	renewed := account.Issue()
	server.RevokeLogins()
	requireDenied(t, v.Check(t.Context()))
	writeFile(t, cfg.Auth.JWTPath, renewed)
	require.NoError(t, v.Check(t.Context()))
	requireHas(t, v, "a", version, "value")
	require.Equal(t, 2, seen.succeeded(secrets.OpLogin))
}

func TestARevokedTokenIsReplacedOnceForAllCallers(t *testing.T) {
	server := vaulttest.Start(t)
	v, seen, _ := observed(t, appRoleConfig(server, time.Hour, 0))
	version := put(t, v, "a", "value")
	server.RevokeLogins()
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			got, err := v.Get(t.Context(), "a", version)
			assert.NoError(t, err)
			assert.Equal(t, "value", got.Reveal())
		})
	}
	callers.Wait()
	require.Equal(t, 2, seen.succeeded(secrets.OpLogin))
	require.Zero(t, seen.failed(secrets.OpGet))
}

func TestARevokedTokenOfTheSettingsIsNotReplaced(t *testing.T) {
	server := vaulttest.Start(t)
	token := server.Token(policy, time.Hour, 0)
	v := openVault(t, tokenConfig(server, token))
	require.NoError(t, v.Check(t.Context()))
	server.Revoke(token)
	for _, err := range everyCall(t.Context(), v) {
		requireDenied(t, err)
	}
}

func TestAWrongLogInIsDeniedAndShowsNoCredential(t *testing.T) {
	server := vaulttest.Start(t)
	roleID, _ := server.AppRole("trunkline", policy, time.Hour, 0)
	server.Kubernetes("trunkline", policy, time.Hour, 0)
	const canary = "canary-41c9"
	jwt := filepath.Join(t.TempDir(), "token")
	writeFile(t, jwt, canary)
	for name, auth := range map[string]secrets.AuthConfig{
		"token":                       {Method: secrets.AuthToken, Token: secret.New(canary)},
		"secret id":                   {Method: secrets.AuthAppRole, RoleID: roleID, SecretID: secret.New(canary)},
		"role of Kubernetes":          {Method: secrets.AuthKubernetes, Role: "another", JWTPath: jwt},
		"service account":             {Method: secrets.AuthKubernetes, Role: "trunkline", JWTPath: jwt},
		"file of the service account": {Method: secrets.AuthKubernetes, Role: "trunkline", JWTPath: jwt + ".missing"},
		"mount of the log-in":         {Method: secrets.AuthAppRole, Mount: "elsewhere", RoleID: roleID, SecretID: secret.New(canary)},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tokenConfig(server, "")
			cfg.Auth = auth
			v, seen, out := observed(t, cfg)
			err := v.Check(t.Context())
			requireRefused(t, err)
			require.Equal(t, 1, seen.failed(secrets.OpLogin))
			require.NotContains(t, everyForm(err)+out.String(), canary)
		})
	}
}

func TestThePolicyAllowsItsSubtreeOnly(t *testing.T) {
	server := vaulttest.Start(t)
	cfg := appRoleConfig(server, time.Hour, 0)
	for _, base := range []string{"elsewhere", "ops", "ops/operators-of-others"} {
		t.Run(base, func(t *testing.T) {
			cfg := cfg
			cfg.Base = base
			v, seen, _ := observed(t, cfg)
			for call, err := range everyCall(t.Context(), v) {
				if call == "check" { // is about the engine
					require.NoError(t, err)
					continue
				}
				require.Error(t, err, call)
				requireDenied(t, err)
			}
			// The token lives: another one would be refused just the same.
			require.Equal(t, 1, seen.succeeded(secrets.OpLogin))
		})
	}
}
