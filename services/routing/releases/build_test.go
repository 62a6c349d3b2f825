package releases_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
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

// TestARefusedArtifactIsForgotten: what it names takes no room in the view of health, which never forgets an operator.
func TestARefusedArtifactIsForgotten(t *testing.T) {
	var out bytes.Buffer
	sealed, err := release.Compile(&out, world(1).Content())
	require.NoError(t, err)
	view := routing.NewHealthView()
	word := func(operator uuid.UUID) bool {
		return view.Apply(routing.HealthEvent{Operator: operator, Bind: routing.Bound, ObservedAt: routingtest.Now})
	}
	for n := uint64(1); word(routingtest.UID(1_000_000 + n)); n++ { // until there is no room for a stranger
		require.Less(t, n, uint64(100_000))
	}
	_, err = releases.Build(t.Context(), bytes.NewReader(out.Bytes()), strings.Repeat("0", 64), sealed.Size, view)
	require.ErrorIs(t, err, release.ErrDigest)
	require.False(t, word(first), "the operator is not known")
	_, err = releases.Build(t.Context(), bytes.NewReader(out.Bytes()), sealed.Digest, sealed.Size, view)
	require.NoError(t, err)
	require.True(t, word(first))
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
