package caller_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
)

func TestTheCallerIsAnonymousUntilSomebodyNamesIt(t *testing.T) {
	ctx := t.Context()
	require.Equal(t, caller.Caller{Name: "anonymous"}, caller.From(ctx))
	require.Equal(t, caller.Caller{Name: "anonymous"}, caller.From(caller.With(ctx, caller.Caller{Role: caller.Admin})), "no name, no role")
	require.Equal(t, "spiffe://x/y", caller.From(caller.With(ctx, caller.Caller{Name: "spiffe://x/y"})).Name)
}

func TestRolesAreWords(t *testing.T) {
	for _, role := range []caller.Role{caller.Viewer, caller.Operator, caller.Admin} {
		parsed, ok := caller.ParseRole(role.String())
		require.True(t, ok)
		require.Equal(t, role, parsed)
	}
	for _, word := range []string{"", "none", "Admin", "root"} {
		role, ok := caller.ParseRole(word)
		require.False(t, ok, word)
		require.Equal(t, caller.None, role)
	}
	require.Equal(t, "none", caller.Role(200).String())
}

func TestABoundCallerKeepsToItsAccount(t *testing.T) {
	own, foreign := uuid.New(), uuid.New()
	bound, free := caller.Caller{Name: "a", Account: own}, caller.Caller{Name: "b"}
	for name, c := range map[string]struct {
		who         caller.Caller
		account     uuid.UUID
		see, change bool
	}{
		"its own rows":                      {bound, own, true, true},
		"rows of nobody are read":           {bound, uuid.Nil, true, false},
		"foreign rows":                      {bound, foreign, false, false},
		"a free caller sees every account":  {free, foreign, true, true},
		"a free caller changes global rows": {free, uuid.Nil, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.see, c.who.MaySee(c.account))
			require.Equal(t, c.change, c.who.MayChange(c.account))
		})
	}
}
