package secrets_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
	"trunkline/services/platform/vaulttest"
)

// everyForm is what an error looks like in answers and in logs.
func everyForm(err error) string {
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Error("failed", "error", err)
	return fmt.Sprintf("%v %+v %q %s", err, err, err, out.String())
}

// standIn answers the first log-in and hands everything else to answer.
func standIn(t *testing.T, answer http.HandlerFunc) secrets.VaultConfig {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/auth/token/lookup-self" {
			_, _ = io.WriteString(w, `{"data":{"ttl":0,"expire_time":null,"renewable":false}}`)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	cfg := secrets.DefaultVaultConfig()
	cfg.Address, cfg.Timeout = server.URL, patience
	cfg.Auth.Token = secret.New("token")
	return cfg
}

func TestEachStatusHasItsReason(t *testing.T) {
	for status, want := range map[int]string{
		200: "VAULT_UNAVAILABLE", // not an answer of Vault
		302: "VAULT_UNAVAILABLE",
		400: "VAULT_DENIED",
		403: "VAULT_DENIED",
		404: "VAULT_DENIED", // with a text: nothing is mounted there
		405: "VAULT_DENIED",
		408: "VAULT_UNAVAILABLE",
		412: "VAULT_DENIED",
		429: "VAULT_UNAVAILABLE",
		500: "VAULT_UNAVAILABLE",
		502: "VAULT_UNAVAILABLE",
		503: "VAULT_UNAVAILABLE",
		504: "VAULT_UNAVAILABLE",
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			cfg := standIn(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", r.URL.String())
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "a text")
			})
			for call, err := range everyCall(t.Context(), openVault(t, cfg)) {
				if status < 400 && (call == "drop" || call == "remove") {
					require.NoError(t, err, call) // nothing of their answers is needed
					continue
				}
				require.True(t, fault.Is(err, want), "%s: %v", call, err)
			}
		})
	}
}

// A server that repeats what it was sent must not bring it into errors or logs.
func TestNothingOfAnAnswerIsRepeated(t *testing.T) {
	const canary = "canary-9b2e"
	for name, write := range map[string]func(w io.Writer, body string){
		"as a text": func(w io.Writer, body string) { _, _ = io.WriteString(w, body) },
		"as an error of Vault": func(w io.Writer, body string) {
			_, _ = fmt.Fprintf(w, `{"errors":[%q],"data":{"version":%q,"data":{"password":[%q]}}}`, body, body, body)
		},
	} {
		for _, status := range []int{200, 400, 403, 404, 500, 503} {
			t.Run(fmt.Sprint(name, " with ", status), func(t *testing.T) {
				cfg := standIn(t, func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "/metadata/") {
						_, _ = io.WriteString(w, `{"data":{"max_versions":1000}}`)
						return
					}
					body, _ := io.ReadAll(r.Body)
					w.WriteHeader(status)
					write(w, string(body)+canary)
				})
				v, _, out := observed(t, cfg)
				_, err := v.Put(t.Context(), "a", secret.New(canary))
				require.Error(t, err)
				_, missing := v.Get(t.Context(), "a", 1)
				require.Error(t, missing)
				require.NotContains(t, everyForm(err)+everyForm(missing)+out.String(), canary)
			})
		}
	}
}

func TestAHugeAnswerIsCutOff(t *testing.T) {
	cfg := standIn(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"data":{"password":"`+strings.Repeat("x", 9<<20)+`"}}}`)
	})
	_, err := openVault(t, cfg).Get(t.Context(), "a", 1)
	requireUnavailable(t, err)
}

func TestAnEntryWrittenByHandWithoutTheFieldIsNotFound(t *testing.T) {
	server := vaulttest.Start(t)
	v := openVault(t, tokenConfig(server, server.Token(policy, time.Hour, 0)))
	for _, data := range []map[string]any{{"other": "x"}, {"password": 7}, {"password": ""}} {
		server.Request(http.MethodPut, "secret/data/ops/operators/a", map[string]any{"data": data})
	}
	for version := range int64(3) {
		_, err := v.Get(t.Context(), "a", version+1)
		require.ErrorIs(t, err, secrets.ErrNotFound)
	}
	require.EqualValues(t, 4, put(t, v, "a", "value"))
	data := server.Request(http.MethodGet, "secret/data/ops/operators/a", nil)["data"].(map[string]any)["data"]
	require.Equal(t, map[string]any{"password": "value"}, data)
}

func TestEntriesWithOtherNamesAreNotListed(t *testing.T) {
	server := vaulttest.Start(t)
	v := openVault(t, tokenConfig(server, server.Token(policy, time.Hour, 0)))
	put(t, v, "b", "value")
	for _, name := range []string{"by%20hand", "folder/by%20hand"} {
		server.Request(http.MethodPut, "secret/data/ops/operators/"+name, map[string]any{"data": map[string]any{"password": "x"}})
	}
	require.Equal(t, []int64{1}, numbers(t, v))
}

// Vault answers "not found" both for a missing entry and for a missing engine.
func TestAWrongEngineIsDeniedAndNotMistakenForAMissingSecret(t *testing.T) {
	server := vaulttest.Start(t)
	server.Request(http.MethodPost, "sys/mounts/first", map[string]any{"type": "kv", "options": map[string]any{"version": "1"}})
	for mount, calls := range map[string][]string{
		"nowhere": {"put", "get", "list", "drop", "remove", "check"},
		"first":   {"put", "check"}, // version 1 has entries where version 2 has its own paths
	} {
		t.Run(mount, func(t *testing.T) {
			cfg := tokenConfig(server, server.RootToken())
			cfg.Mount = mount
			errs := everyCall(t.Context(), openVault(t, cfg))
			for _, call := range calls {
				require.Error(t, errs[call], call)
				requireDenied(t, errs[call])
			}
		})
	}
}

func TestTheEnvironmentOfVaultsOwnToolsDoesNotCount(t *testing.T) {
	for name, value := range map[string]string{
		"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_AGENT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "another",
		"VAULT_NAMESPACE": "another", "VAULT_WRAP_TTL": "5m", "VAULT_HEADERS": `{"X-Other":"x"}`, "VAULT_MAX_RETRIES": "50",
	} {
		t.Setenv(name, value)
	}
	require.Equal(t, http.Header{"X-Vault-Token": {"token"}, "X-Vault-Request": {"true"}}, headers(t, ""))
}

func TestTheNamespaceIsSent(t *testing.T) {
	require.Equal(t, []string{"team/one"}, headers(t, "team/one")["X-Vault-Namespace"])
}

func TestALogInCarriesNoToken(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "another")
	tokens := make(chan string, 10)
	cfg := standIn(t, func(w http.ResponseWriter, r *http.Request) {
		tokens <- r.Header.Get("X-Vault-Token")
		_, _ = io.WriteString(w, `{"auth":{"client_token":"t","lease_duration":60},"data":{"type":"kv","options":{"version":"2"}}}`)
	})
	cfg.Auth = secrets.AuthConfig{Method: secrets.AuthAppRole, RoleID: "r", SecretID: secret.New("s")}
	require.NoError(t, openVault(t, cfg).Check(t.Context()))
	require.Empty(t, <-tokens)
	require.Equal(t, "t", <-tokens)
}

// headers returns those that one request came with and that only Vault knows.
func headers(t *testing.T, namespace string) http.Header {
	t.Helper()
	seen := make(chan http.Header, 10)
	cfg := standIn(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		_, _ = io.WriteString(w, `{"data":{"type":"kv","options":{"version":"2"}}}`)
	})
	cfg.Namespace = namespace
	require.NoError(t, openVault(t, cfg).Check(t.Context()))
	require.Len(t, seen, 1)
	sent := http.Header{}
	for name, values := range <-seen {
		if strings.HasPrefix(name, "X-") {
			sent[name] = values
		}
	}
	return sent
}

func TestTheCertificateOfVaultIsCheckedOnEveryConnect(t *testing.T) {
	server := vaulttest.Start(t)
	quiet := func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		s.StartTLS()
		return s
	}
	var certificate []byte
	g := newGate(t, server.URL(), func(h http.Handler) *httptest.Server {
		s := quiet(h)
		certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
		return s
	})
	cfg := tokenConfig(server, server.Token(policy, time.Hour, 0))
	cfg.Address = g.url
	t.Run("no file: the system does not know the authority", func(t *testing.T) {
		requireUnavailable(t, openVault(t, cfg).Check(t.Context()))
	})
	t.Run("a file that comes later", func(t *testing.T) {
		cfg := cfg
		cfg.CAFile = filepath.Join(t.TempDir(), "ca.pem")
		v := openVault(t, cfg)
		requireUnavailable(t, v.Check(t.Context()))
		writeFile(t, cfg.CAFile, "no certificate")
		requireUnavailable(t, v.Check(t.Context()))
		writeFile(t, cfg.CAFile, string(certificate))
		require.NoError(t, v.Check(t.Context()))
	})
}

func TestListMakesItsCallsBesideEachOther(t *testing.T) {
	server := vaulttest.Start(t)
	g := newGate(t, server.URL(), httptest.NewServer)
	cfg := tokenConfig(server, server.Token(policy, time.Hour, 0))
	cfg.Address = g.url
	v := openVault(t, cfg)
	put(t, v, "a/key", "value")
	put(t, v, "b/key", "value")
	s := g.next(http.MethodGet, "secret/metadata/ops/operators/a/key", false)
	done := make(chan error, 1)
	g.seen()
	go func() {
		_, err := v.List(t.Context(), "")
		done <- err
	}()
	<-s.reached
	other := "GET secret/metadata/ops/operators/b/key"
	require.Eventually(t, func() bool { return strings.Contains(strings.Join(g.seen(), " "), other) }, limit, tick)
	close(s.release)
	require.NoError(t, <-done)
}

func TestAPathThatGoesWhileItIsListedIsLeftOut(t *testing.T) {
	server := vaulttest.Start(t)
	g := newGate(t, server.URL(), httptest.NewServer)
	cfg := tokenConfig(server, server.Token(policy, time.Hour, 0))
	direct := openVault(t, cfg)
	cfg.Address = g.url
	v := openVault(t, cfg)
	put(t, direct, "a/key", "value")
	put(t, direct, "b/key", "value")
	s := g.next(http.MethodGet, "secret/metadata/ops/operators/a/key", false)
	paths := make(chan []string, 1)
	go func() {
		all, _ := v.List(t.Context(), "")
		var found []string
		for _, one := range all {
			found = append(found, one.Path)
		}
		paths <- found
	}()
	<-s.reached
	require.NoError(t, direct.Remove(t.Context(), "a/key"))
	close(s.release)
	require.Equal(t, []string{"b/key"}, <-paths)
}
