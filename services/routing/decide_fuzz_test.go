package routing_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// FuzzDecideAgreesWithTheLinearOracle is the proof of matching, pricing, eligibility and ranking: a
// random world and random numbers, decided by the table and by an obvious linear scan.
func FuzzDecideAgreesWithTheLinearOracle(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rs, accounts := routingtest.Generate(rng)
		table := rs.Table()
		var d, again routing.Decision
		for range 40 {
			q := routingtest.RandomQuery(rng, accounts)
			want := rs.Oracle(q)
			d.ID = routing.NewDecisionID(q.At)
			got := routingtest.Describe(table.Decide(&q, &d, nil), &d)
			weighted := d.Strategy == routing.Weighted
			routingtest.RequireAnswer(t, want, got, weighted)

			var tr routing.Trace
			again.ID = d.ID
			require.Equal(t, got, routingtest.Describe(table.Decide(&q, &again, &tr), &again), "the traced decision is the decision")
			requireTrace(t, &tr, &again)
		}
	})
}

// requireTrace checks that the trace tells the decision: one selected rule at most, its ranked
// candidates are the choices, every other candidate has a reason.
func requireTrace(t *testing.T, tr *routing.Trace, d *routing.Decision) {
	t.Helper()
	selected := 0
	for _, r := range tr.Rules {
		if r.Outcome == routing.RuleSelected {
			selected++
			require.Equal(t, d.Rule, r.Rule)
		}
		for i, c := range r.Candidates {
			if c.Rank == 0 {
				require.NotEqual(t, routing.NotRejected, c.Rejection)
				continue
			}
			require.Equal(t, i+1, c.Rank)
			if r.Outcome == routing.RuleSelected {
				require.Equal(t, d.Choices[i].ID, c.ID)
			}
		}
	}
	require.Equal(t, min(1, len(d.Choices)), selected)
	require.True(t, slices.IsSortedFunc(tr.Rules, func(a, b routing.RuleTrace) int { return len(b.Prefix) - len(a.Prefix) }), "best rule first")
}
