package vaulttest

import (
	"net/http"
	"time"
)

// Policy writes a policy in Vault's language. It replaces one of the same name.
func (s *Server) Policy(name, text string) {
	s.t.Helper()
	s.Request(http.MethodPut, "sys/policies/acl/"+name, map[string]any{"policy": text})
}

// Token makes a renewable token with one policy and Vault's own "default". Its life is ttl, in whole seconds, after
// each renewal, and at most limit in all; a limit of 0 sets none.
func (s *Server) Token(policy string, ttl, limit time.Duration) string {
	s.t.Helper()
	answer := s.Request(http.MethodPost, "auth/token/create-orphan", map[string]any{
		"policies": []string{policy}, "ttl": ttl.String(), "explicit_max_ttl": limit.String(),
	})
	return text(s, answer, "auth", "client_token")
}

// AppRole makes a role, or changes the one of this name, and returns its id with a new secret id. Tokens of the role
// have one policy and live as those of Token do.
func (s *Server) AppRole(role, policy string, ttl, limit time.Duration) (roleID, secretID string) {
	s.t.Helper()
	path := "auth/approle/role/" + role
	s.Request(http.MethodPost, path, map[string]any{
		"token_policies": []string{policy}, "token_ttl": ttl.String(), "token_max_ttl": limit.String(),
	})
	roleID = text(s, s.Request(http.MethodGet, path+"/role-id", nil), "data", "role_id")
	secretID = text(s, s.Request(http.MethodPut, path+"/secret-id", nil), "data", "secret_id")
	return roleID, secretID
}

// Revoke ends one token at once.
func (s *Server) Revoke(token string) {
	s.t.Helper()
	s.Request(http.MethodPut, "auth/token/revoke", map[string]any{"token": token})
}

// RevokeLogins ends every token that a log-in has given.
func (s *Server) RevokeLogins() {
	s.t.Helper()
	s.Request(http.MethodPut, "sys/leases/revoke-prefix/auth/approle/login", map[string]any{"sync": true})
	s.Request(http.MethodPut, "sys/leases/revoke-prefix/auth/kubernetes/login", map[string]any{"sync": true})
}

// text reads one string of an answer.
func text(s *Server, answer map[string]any, section, key string) string {
	s.t.Helper()
	fields, _ := answer[section].(map[string]any)
	value, _ := fields[key].(string)
	if value == "" {
		s.t.Fatalf("the answer of Vault has no %s.%s", section, key)
	}
	return value
}
