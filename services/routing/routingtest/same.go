package routingtest

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/routing"
)

// RequireSame compares decisions and explanations of two tables about random numbers of a generated world.
func RequireSame(t testing.TB, rng *rand.Rand, accounts []uuid.UUID, want, got *routing.Table) {
	t.Helper()
	require.Equal(t, want.Versions(), got.Versions())
	require.Equal(t, want.Rules(), got.Rules())
	require.Equal(t, want.Prefixes(), got.Prefixes())
	require.ElementsMatch(t, want.UsableOperators(), got.UsableOperators())
	var wanted, given routing.Decision
	wanted.ID = routing.NewDecisionID(Now)
	given.ID = wanted.ID
	for range 40 {
		q := RandomQuery(rng, accounts)
		var explained, traced routing.Trace
		wantErr, gotErr := want.Decide(&q, &wanted, &explained), got.Decide(&q, &given, &traced)
		require.Equal(t, Describe(wantErr, &wanted), Describe(gotErr, &given))
		require.Equal(t, wanted.Strategy, given.Strategy)
		require.Equal(t, explained, traced)
		gotErr = got.Decide(&q, &given, nil)
		require.Equal(t, Describe(wantErr, &wanted), Describe(gotErr, &given), "the same without a trace")
	}
}
