package access

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
)

func TestRolesComeFromRoleAndScope(t *testing.T) {
	plain := ClaimRules{Role: "roles", Scope: "scope"}
	for _, c := range []struct {
		name   string
		rules  ClaimRules
		claims map[string]any
		want   caller.Role
	}{
		{"one role as a text", plain, map[string]any{"roles": "viewer"}, caller.Viewer},
		{"a list of roles gives the highest", plain, map[string]any{"roles": []any{"viewer", "admin", "operator"}}, caller.Admin},
		{"roles of other systems are ignored", plain, map[string]any{"roles": []any{"offline_access", "operator"}}, caller.Operator},
		{"the scope ops:read makes a viewer", plain, map[string]any{"scope": "openid ops:read email"}, caller.Viewer},
		{"the scope ops:admin makes an admin", plain, map[string]any{"scope": "ops:read ops:admin"}, caller.Admin},
		{"scopes may be a list", plain, map[string]any{"scope": []any{"openid", "ops:admin"}}, caller.Admin},
		{"an empty scope gives nothing", plain, map[string]any{"scope": ""}, caller.None},
		{"the higher of role and scope counts", plain, map[string]any{"roles": "operator", "scope": "ops:read"}, caller.Operator},
		{"the scope may be the higher one", plain, map[string]any{"roles": "viewer", "scope": "ops:admin"}, caller.Admin},
		{"neither gives nothing", plain, map[string]any{}, caller.None},
		{"a path reaches into objects", ClaimRules{Role: "resource_access.trunkline.roles"},
			map[string]any{"resource_access": map[string]any{"trunkline": map[string]any{"roles": []any{"admin"}}}}, caller.Admin},
		{"a claim of the whole name comes before the path", ClaimRules{Role: "https://trunkline.example/roles"},
			map[string]any{"https://trunkline.example/roles": "operator"}, caller.Operator},
		{"a path that is missing gives nothing", ClaimRules{Role: "a.b"}, map[string]any{"a": map[string]any{}}, caller.None},
		{"a rule without a name looks for nothing", ClaimRules{}, map[string]any{"": "admin", "roles": "admin", "scope": "ops:admin"}, caller.None},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.claims["sub"] = "s"
			who, err := c.rules.Caller(c.claims)
			require.NoError(t, err)
			require.Equal(t, c.want, who.Role)
			require.Equal(t, uuid.Nil, who.Account)
		})
	}
}

func TestAccountsAndSubjectsThatAreFine(t *testing.T) {
	who, err := rules.Caller(account(strings.ToUpper(tenant.String())))
	require.NoError(t, err)
	require.Equal(t, tenant, who.Account)

	none := claims("x", nil)
	delete(none, "tenant")
	who, err = rules.Caller(none)
	require.NoError(t, err)
	require.False(t, who.Bound())

	for _, subject := range []string{"a", "auth0|5f7c8ec7c33c6c004bbafe82", "Zoë Müller", strings.Repeat("ü", 256)} {
		who, err = rules.Caller(claims("sub", subject))
		require.NoError(t, err)
		require.Equal(t, "jwt@"+tenant.String()+":"+subject, who.Name)
	}
}
