package secrets_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/secrets"
	"trunkline/services/platform/vaulttest"
)

// run starts v.Run and ends it with the test.
func run(t *testing.T, v *secrets.Vault) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// The tests that wait for Vault's own clock do so together.

func TestRunRenewsTheTokenBeforeItEnds(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	v, seen, _ := observed(t, appRoleConfig(server, 4*time.Second, 0))
	run(t, v)
	// Two renewals need two seconds each and make the token older than it was to become.
	require.Eventually(t, func() bool { return seen.succeeded(secrets.OpRenew) >= 2 }, limit, tick)
	require.NoError(t, v.Check(t.Context()))
}

func TestRunLogsInAgainAtTheEndOfTheLongestLife(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	v, seen, _ := observed(t, appRoleConfig(server, 4*time.Second, 4*time.Second))
	run(t, v)
	require.Eventually(t, func() bool { return seen.succeeded(secrets.OpLogin) >= 2 }, limit, tick)
	require.NoError(t, v.Check(t.Context()))
}

func TestRunRenewsATokenOfTheSettings(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	// Nothing would bring this token back, so its life is long enough for a machine that stalls.
	v, seen, _ := observed(t, tokenConfig(server, server.Token(policy, 8*time.Second, 0)))
	run(t, v)
	require.Eventually(t, func() bool { return seen.succeeded(secrets.OpRenew) >= 1 }, limit, tick)
	require.NoError(t, v.Check(t.Context()))
}

// Without Run nobody renews: the call itself meets the end of the token.
func TestACallAfterTheEndOfTheTokenLogsInAgain(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	v, seen, _ := observed(t, appRoleConfig(server, 3*time.Second, 0))
	version := put(t, v, "a", "value")
	require.Eventually(t, func() bool {
		_, err := v.Get(t.Context(), "a", version)
		return err == nil && seen.succeeded(secrets.OpLogin) >= 2
	}, limit, 100*time.Millisecond)
	require.Zero(t, seen.failed(secrets.OpGet), "no call shows that the token ended")
}

func TestReadinessIsLostWithTheTokenAndComesBack(t *testing.T) {
	server := vaulttest.Start(t)
	account := server.Kubernetes("trunkline", policy, time.Hour, 0)
	cfg := tokenConfig(server, "")
	cfg.Auth.Method, cfg.Auth.Role = secrets.AuthKubernetes, "trunkline"
	cfg.Auth.JWTPath = t.TempDir() + "/token"
	writeFile(t, cfg.Auth.JWTPath, account.Issue())
	v, _, _ := observed(t, cfg)
	run(t, v)
	require.Eventually(t, func() bool { return v.Check(t.Context()) == nil }, limit, tick)
	renewed := account.Issue()
	server.RevokeLogins()
	requireDenied(t, v.Check(t.Context()))
	writeFile(t, cfg.Auth.JWTPath, renewed)
	require.NoError(t, v.Check(t.Context()))
}

func TestRunLogsInWhenVaultComesUpLater(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	cfg := appRoleConfig(server, time.Hour, 0)
	server.Kill()
	v, seen, out := observed(t, cfg)
	run(t, v)
	require.Eventually(t, func() bool { return seen.failed(secrets.OpLogin) >= 2 }, limit, tick)
	server.Restart()
	require.Eventually(t, func() bool { return seen.succeeded(secrets.OpLogin) == 1 }, limit, tick)
	require.NoError(t, v.Check(t.Context()))
	require.Equal(t, 1, strings.Count(out.String(), `"level":"WARN"`), out.String())
}

func TestRunEndsWhileVaultHangs(t *testing.T) {
	server := vaulttest.Start(t)
	cfg := appRoleConfig(server, time.Hour, 0)
	server.Pause()
	v, seen, out := observed(t, cfg)
	stop := run(t, v)
	stop()
	require.Zero(t, seen.succeeded(secrets.OpLogin))
	require.NotContains(t, out.String(), "WARN", "the end of the process is no failure of Vault")
	server.Resume()
}
