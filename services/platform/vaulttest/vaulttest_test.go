package vaulttest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const path = "secret/data/ops/operators/a"

func write(s *Server, value string) {
	s.Request(http.MethodPut, path, map[string]any{"data": map[string]any{"password": value}})
}

func value(s *Server) any {
	return s.Request(http.MethodGet, path, nil)["data"].(map[string]any)["data"].(map[string]any)["password"]
}

// status asks without the root token.
func status(t *testing.T, s *Server, token, path string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, s.URL()+"/v1/"+path, nil)
	require.NoError(t, err)
	request.Header.Set("X-Vault-Token", token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestDataOutliveAKill(t *testing.T) {
	s := Start(t)
	write(s, "kept")
	before := s.URL()
	s.Kill()
	_, _, err := s.call(http.MethodGet, "sys/health", nil)
	require.Error(t, err, "a killed server must not answer")
	s.Restart()
	require.Equal(t, before, s.URL())
	require.Equal(t, "kept", value(s))
}

func TestASealedServerRefusesUntilItIsUnsealed(t *testing.T) {
	s := Start(t)
	write(s, "kept")
	s.Seal()
	require.Equal(t, http.StatusServiceUnavailable, status(t, s, s.RootToken(), path))
	s.Unseal()
	require.Equal(t, "kept", value(s))
	s.Seal()
	s.Restart()
	require.Equal(t, "kept", value(s))
}

func TestAPausedServerAnswersAfterResume(t *testing.T) {
	s := Start(t)
	s.Pause()
	answered := make(chan error, 1)
	go func() {
		_, _, err := s.call(http.MethodGet, "sys/health", nil)
		answered <- err
	}()
	s.Resume()
	require.NoError(t, <-answered)
}

func TestTokensHaveTheirPolicyAndEnd(t *testing.T) {
	s := Start(t)
	write(s, "one")
	token := s.Token("operator-management", time.Hour, 0)
	require.Equal(t, http.StatusOK, status(t, s, token, path))
	require.Equal(t, http.StatusForbidden, status(t, s, token, "secret/data/elsewhere"))
	s.Revoke(token)
	require.Equal(t, http.StatusForbidden, status(t, s, token, path))
}

func TestLogIns(t *testing.T) {
	s := Start(t)
	write(s, "one")
	logIn := func(mount string, body map[string]any) string {
		return text(s, s.Request(http.MethodPut, "auth/"+mount+"/login", body), "auth", "client_token")
	}
	roleID, secretID := s.AppRole("r", "operator-management", time.Hour, 0)
	account := s.Kubernetes("r", "operator-management", time.Hour, 0)
	former, token := account.Issue(), account.Issue()
	code, _, err := s.call(http.MethodPut, "auth/kubernetes/login", map[string]any{"role": "r", "jwt": former})
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, code)
	tokens := []string{
		logIn("approle", map[string]any{"role_id": roleID, "secret_id": secretID}),
		logIn("kubernetes", map[string]any{"role": "r", "jwt": token}),
	}
	for _, given := range tokens {
		require.Equal(t, http.StatusOK, status(t, s, given, path))
	}
	s.RevokeLogins()
	for _, given := range tokens {
		require.Equal(t, http.StatusForbidden, status(t, s, given, path))
	}
}

func TestAMissingProgramIsNamedWithTheRemedy(t *testing.T) {
	_, err := findProgram(t.TempDir())
	require.EqualError(t, err, "the Vault test server .vault/vault-test-server was not found: run ./task setup")
}
