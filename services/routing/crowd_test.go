package routing_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// TestCrowdsAgreeWithTheOracle is for what the small worlds of the fuzz test do not reach: more operators than a sign of
// rates tells apart, long candidate lists, several rates of one operator and prefix, and the ends of every number.
func TestCrowdsAgreeWithTheOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	nanos := []int64{0, 1, 2, 1_000_000, math.MaxInt64 - 1, math.MaxInt64}
	amount := func() money.Money {
		return money.Money{Nanos: nanos[rng.IntN(len(nanos))], Currency: []money.Currency{routingtest.EUR, routingtest.USD}[rng.IntN(2)]}
	}
	prefixes := []string{"4", "44", "447", "4479", "44791", "447911123456"}
	for range 25 {
		rs := world()
		if rng.IntN(3) > 0 {
			rs.FX = map[money.Currency]int64{routingtest.EUR: math.MaxInt64, routingtest.USD: math.MaxInt64 - int64(rng.IntN(2))}
		}
		operators := []int{3, 63, 64, 65, 200}[rng.IntN(5)]
		for i := len(rs.Operators); i < operators; i++ {
			o := rs.Operators[0]
			o.ID = routingtest.UID(rng.Uint64N(1<<15)<<1 | 1)
			if _, twice := rs.Health[o.ID]; twice {
				continue
			}
			rs.Operators, rs.Health[o.ID] = append(rs.Operators, o), []routing.Health{bound, bound, degraded, failback, stale, unbound}[rng.IntN(6)]
		}
		for _, o := range rs.Operators {
			for _, prefix := range prefixes {
				for k := range rng.IntN(4) {
					r := rateOf(o.ID, prefix, amount())
					r.Type = routing.MessageType(1 + rng.IntN(2))
					r.Window.From = routingtest.Now.Add(time.Duration(k-1) * time.Hour) // a store has one rate per start
					if rng.IntN(2) == 0 {
						r.Window.To = r.Window.From.Add(time.Hour)
					}
					rs.Rates = append(rs.Rates, r)
				}
			}
		}
		for strategy := routing.Cost; strategy <= routing.Weighted; strategy++ {
			var list []routing.Candidate
			for _, at := range rng.Perm(len(rs.Operators))[:1+rng.IntN(min(len(rs.Operators), 60))] {
				c := cand(rs.Operators[at].ID, []int32{-1_000_000_000, 0, 1, 1_000_000_000}[rng.IntN(4)],
					[]int32{0, 1, 2, math.MaxInt32 - 1, math.MaxInt32}[rng.IntN(5)], money.Money{})
				if rng.IntN(3) == 0 {
					c.Price = amount()
				}
				list = append(list, c)
			}
			rs.Rules = []routing.Rule{rule("44", strategy, list...)}
			table := rs.Table()
			for range 3 {
				q := ask()
				q.MessageID = uuid.NewString()
				for range rng.IntN(4) {
					q.Exclude = append(q.Exclude, rs.Operators[rng.IntN(len(rs.Operators))].ID)
				}
				var d routing.Decision
				var tr routing.Trace
				got := routingtest.Describe(table.Decide(&q, &d, nil), &d)
				routingtest.RequireAnswer(t, rs.Oracle(q), got, strategy == routing.Weighted)
				require.Equal(t, got, routingtest.Describe(table.Decide(&q, &d, &tr), &d))
				requireTrace(t, &tr, &d)
			}
		}
	}
}
