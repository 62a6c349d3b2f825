package vaulttest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

const (
	accountName      = "trunkline"
	accountNamespace = "default"
	accountUID       = "5f4b0a52-0a4e-4b0e-9e2b-3f6f6a1f9d11"
)

// ServiceAccount stands in for the Kubernetes API as far as Vault asks it: whose token is this?
type ServiceAccount struct {
	t     testing.TB
	mu    sync.Mutex
	token string
}

// Kubernetes makes a role that the service account returned may log in with. Tokens of the role have one policy and
// live as those of Token do.
func (s *Server) Kubernetes(role, policy string, ttl, limit time.Duration) *ServiceAccount {
	s.t.Helper()
	account := &ServiceAccount{t: s.t}
	api := httptest.NewTLSServer(http.HandlerFunc(account.review))
	s.t.Cleanup(api.Close)
	s.Request(http.MethodPost, "auth/kubernetes/config", map[string]any{
		"kubernetes_host": api.URL, "disable_local_ca_jwt": true,
		"kubernetes_ca_cert": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})),
	})
	s.Request(http.MethodPost, "auth/kubernetes/role/"+role, map[string]any{
		"bound_service_account_names": accountName, "bound_service_account_namespaces": accountNamespace,
		"token_policies": []string{policy}, "token_ttl": ttl.String(), "token_max_ttl": limit.String(),
	})
	return account
}

// Issue returns a new token of the account. The one issued before is refused from now on.
func (a *ServiceAccount) Issue() string {
	a.t.Helper()
	encode := func(part map[string]any) string {
		encoded, err := json.Marshal(part)
		if err != nil {
			a.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(encoded)
	}
	// Vault leaves the signature to the reviewer.
	token := encode(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + encode(map[string]any{
		"jti": rand.Text(),
		"kubernetes.io": map[string]any{
			"namespace":      accountNamespace,
			"serviceaccount": map[string]any{"name": accountName, "uid": accountUID},
		},
	}) + "." + base64.RawURLEncoding.EncodeToString([]byte("signature"))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token = token
	return token
}

// review answers POST /apis/authentication.k8s.io/v1/tokenreviews.
func (a *ServiceAccount) review(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Spec struct {
			Token string `json:"token"`
		} `json:"spec"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	known := a.token != "" && asked.Spec.Token == a.token
	a.mu.Unlock()
	status := map[string]any{"authenticated": known}
	if known {
		status["user"] = map[string]any{
			"username": "system:serviceaccount:" + accountNamespace + ":" + accountName, "uid": accountUID,
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status,
	})
}
