package releases_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/routingtest"
)

// TestARestoredTableDecidesAsOneOfTheSameRules: whatever is in the rules comes through the artifact.
func TestARestoredTableDecidesAsOneOfTheSameRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rs, accounts := routingtest.Generate(rng)
		// What no store holds cannot be compiled.
		rs.Rules = slices.DeleteFunc(rs.Rules, func(r routing.Rule) bool { return len(r.Candidates) == 0 })
		content := rs.Content()
		for i, o := range content.Operators {
			rs.Operators[i].Name, rs.Operators[i].Host, rs.Operators[i].Port, rs.Operators[i].TPSLimit = o.Name, o.Host, o.Port, o.MaxTPS
		}
		var artifact bytes.Buffer
		sealed, err := release.Compile(&artifact, content)
		require.NoError(t, err)
		view := rs.View()
		got, err := releases.Build(t.Context(), &artifact, sealed.Digest, sealed.Size, view)
		require.NoError(t, err)
		routingtest.RequireSame(t, rng, accounts, rs.TableWith(view, routing.Versions{}), got)
	}
}

func TestABuildEndsWithItsContext(t *testing.T) {
	var artifact bytes.Buffer
	sealed, err := release.Compile(&artifact, world(1).Content())
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = releases.Build(ended, &artifact, sealed.Digest, sealed.Size, routing.NewHealthView())
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, fault.Canceled, fault.From(err).Kind)
}
