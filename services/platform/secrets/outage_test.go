package secrets_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
	"trunkline/services/platform/secrets/secretstest"
	"trunkline/services/platform/vaulttest"
)

// hasty is a timeout for tests in which Vault never answers.
const hasty = 300 * time.Millisecond

func requireUnavailable(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, secrets.ErrUnavailable)
	var f *fault.Fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, fault.Unavailable, f.Kind)
	require.Equal(t, "VAULT_UNAVAILABLE", f.Reason)
	require.Positive(t, f.RetryAfter)
}

// everyCall returns the error of each method.
func everyCall(ctx context.Context, s secretstest.Store) map[string]error {
	_, put := s.Put(ctx, "a", secret.New("value"))
	_, get := s.Get(ctx, "a", 1)
	_, list := s.List(ctx, "")
	return map[string]error{
		"put": put, "get": get, "list": list,
		"drop": s.Drop(ctx, "a", 1), "remove": s.Remove(ctx, "a"), "check": s.Check(ctx),
	}
}

func TestAnOutageFailsEveryCallAndEndsByItself(t *testing.T) {
	for name, outage := range map[string]struct{ begin, end func(*vaulttest.Server) }{
		"killed": {func(s *vaulttest.Server) { s.Kill() }, func(s *vaulttest.Server) { s.Restart() }},
		"paused": {func(s *vaulttest.Server) { s.Pause() }, func(s *vaulttest.Server) { s.Resume() }},
		"sealed": {(*vaulttest.Server).Seal, (*vaulttest.Server).Unseal},
	} {
		t.Run(name, func(t *testing.T) {
			server := vaulttest.Start(t)
			token := server.Token(policy, time.Hour, 0)
			patient := openVault(t, tokenConfig(server, token))
			put(t, patient, "a", "kept")
			cfg := tokenConfig(server, token)
			cfg.Timeout = hasty
			loggedIn, fresh := openVault(t, cfg), openVault(t, cfg)
			require.Eventually(t, func() bool { return loggedIn.Check(t.Context()) == nil }, limit, tick)

			outage.begin(server)
			for _, v := range []*secrets.Vault{loggedIn, fresh} {
				for call, err := range everyCall(t.Context(), v) {
					require.Error(t, err, call)
					requireUnavailable(t, err)
				}
			}
			outage.end(server)

			// A request that was under way when the server froze may be done by now: see the package's doc. The
			// calls above changed "a" only.
			for _, v := range []*secrets.Vault{loggedIn, fresh} {
				require.Eventually(t, func() bool { return v.Check(t.Context()) == nil }, limit, tick)
			}
			version := put(t, patient, "b", "new")
			requireHas(t, patient, "b", version, "new")
		})
	}
}

// stopPut begins a Put that stops at the write of the value, before or after Vault did it.
func stopPut(t *testing.T, g *gate, v *secrets.Vault, answered bool) (release func() error) {
	t.Helper()
	s := g.next(http.MethodPut, "secret/data/", answered)
	done := make(chan error, 1)
	go func() {
		_, err := v.Put(t.Context(), "a", secret.New("second"))
		done <- err
	}()
	<-s.reached
	return func() error {
		close(s.release)
		return <-done
	}
}

// numbers returns the versions of "a".
func numbers(t *testing.T, s secretstest.Store) (versions []int64) {
	t.Helper()
	all, err := s.List(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, all, 1)
	for _, version := range all[0].Versions {
		versions = append(versions, version.Number)
	}
	return versions
}

func TestVaultKilledAroundAWrite(t *testing.T) {
	start := func(t *testing.T) (*vaulttest.Server, *gate, *secrets.Vault) {
		server := vaulttest.Start(t)
		g := newGate(t, server.URL(), httptest.NewServer)
		cfg := tokenConfig(server, server.Token(policy, time.Hour, 0))
		cfg.Address = g.url
		v := openVault(t, cfg)
		put(t, v, "a", "first")
		return server, g, v
	}
	t.Run("before it: nothing is stored", func(t *testing.T) {
		server, g, v := start(t)
		release := stopPut(t, g, v, false)
		server.Kill()
		requireUnavailable(t, release())
		server.Restart()
		require.Equal(t, []int64{1}, numbers(t, v))
		require.EqualValues(t, 2, put(t, v, "a", "retried"))
	})
	t.Run("after it, before the answer: the version is there to be dropped", func(t *testing.T) {
		server, g, v := start(t)
		release := stopPut(t, g, v, true)
		server.Kill()
		requireUnavailable(t, release())
		server.Restart()
		require.Equal(t, []int64{1, 2}, numbers(t, v))
		requireHas(t, v, "a", 1, "first")
		require.NoError(t, v.Drop(t.Context(), "a", 2))
		require.EqualValues(t, 3, put(t, v, "a", "retried"))
		require.Equal(t, []int64{1, 3}, numbers(t, v))
	})
	t.Run("after the answer: the version outlives it", func(t *testing.T) {
		server, _, v := start(t)
		require.EqualValues(t, 2, put(t, v, "a", "second"))
		server.Kill()
		server.Restart()
		requireHas(t, v, "a", 1, "first")
		requireHas(t, v, "a", 2, "second")
	})
}

func TestACallEndsAtItsTimeoutThoughTheCallerWouldWait(t *testing.T) {
	ended := t.Context().Done()
	cfg := standIn(t, func(http.ResponseWriter, *http.Request) { <-ended })
	cfg.Timeout = hasty
	v := openVault(t, cfg)
	for call, err := range everyCall(context.WithoutCancel(t.Context()), v) {
		require.Error(t, err, call)
		requireUnavailable(t, err)
	}
}
