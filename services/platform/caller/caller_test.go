package caller_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
)

func TestTheCallerIsAnonymousUntilSomebodyNamesIt(t *testing.T) {
	ctx := t.Context()
	require.Equal(t, "anonymous", caller.From(ctx).Name)
	require.Equal(t, "anonymous", caller.From(caller.With(ctx, caller.Caller{})).Name)
	require.Equal(t, "spiffe://x/y", caller.From(caller.With(ctx, caller.Caller{Name: "spiffe://x/y"})).Name)
}
