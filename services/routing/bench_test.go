package routing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// benchSet makes a rule set like a carrier's: n different prefixes of 3 to 9 digits, nested where the
// draw nests them, three of 40 operators each by COST, priced by decks of shorter prefixes.
func benchSet(n int) (*routingtest.RuleSet, []routing.Query) {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	rs := &routingtest.RuleSet{Health: map[uuid.UUID]routing.Health{}}
	for i := range 40 {
		o := routing.Operator{ID: routingtest.UID(uint64(i)), Status: routing.StatusActive, Types: routing.AllMessageTypes, Host: "smsc.example.net", Port: 2775}
		rs.Operators = append(rs.Operators, o)
		rs.Health[o.ID] = routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: routingtest.Now}
		for first := 1; first <= 9; first++ {
			rs.Rates = append(rs.Rates, routing.Rate{
				Operator: o.ID, Prefix: e164.Prefix(fmt.Sprint(first)), Type: routing.SMS,
				Price: money.Money{Nanos: int64(1_000_000 + rng.IntN(90_000_000)), Currency: routingtest.EUR},
			})
		}
	}
	seen := make(map[string]bool, n)
	for len(seen) < n {
		digits := fmt.Sprint(100 + rng.IntN(999_999_900))
		if seen[digits] {
			continue
		}
		seen[digits] = true
		first := rng.IntN(40)
		r := routing.Rule{ID: uuid.UUID{0: byte(len(seen) >> 16), 1: byte(len(seen) >> 8), 2: byte(len(seen)), 3: 1}, Prefix: e164.Prefix(digits), Strategy: routing.Cost}
		for k := range 3 {
			r.Candidates = append(r.Candidates, routing.Candidate{Operator: routingtest.UID(uint64((first + k*7) % 40)), Priority: int32(k + 1), Weight: 100})
		}
		rs.Rules = append(rs.Rules, r)
	}
	queries := make([]routing.Query, 1<<16)
	for i := range queries {
		digits := string(rs.Rules[rng.IntN(len(rs.Rules))].Prefix)
		for len(digits) < 12 {
			digits += fmt.Sprint(rng.IntN(10))
		}
		to, err := e164.Parse("+" + digits)
		if err != nil {
			panic(err)
		}
		queries[i] = routing.Query{To: to, Account: routingtest.UID(1001), Type: routing.SMS, At: routingtest.Now}
	}
	return rs, queries
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("prefixes=%d", n), func(b *testing.B) {
			rs, queries := benchSet(n)
			table := rs.Table()
			rs.Rules = nil
			var d routing.Decision
			d.ID = routing.NewDecisionID(routingtest.Now)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := table.Decide(&queries[i&(1<<16-1)], &d, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
