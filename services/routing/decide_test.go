package routing_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

var (
	account  = routingtest.UID(1001)
	other    = routingtest.UID(1002)
	opA      = routingtest.UID(1)
	opB      = routingtest.UID(2)
	opC      = routingtest.UID(3)
	bound    = routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: routingtest.Now}
	degraded = routing.Health{Bind: routing.Bound, Quality: routing.Degraded, ObservedAt: routingtest.Now}
	failback = routing.Health{Bind: routing.Failback, Quality: routing.Healthy, ObservedAt: routingtest.Now}
	unbound  = routing.Health{Bind: routing.Unbound, Quality: routing.Unhealthy, ObservedAt: routingtest.Now}
	sick     = routing.Health{Bind: routing.Bound, Quality: routing.Unhealthy, ObservedAt: routingtest.Now}
	stale    = routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: routingtest.Now.Add(-61 * time.Second)}
)

func euro(nanos int64) money.Money   { return money.Money{Nanos: nanos, Currency: routingtest.EUR} }
func dollar(nanos int64) money.Money { return money.Money{Nanos: nanos, Currency: routingtest.USD} }

// world has three healthy operators and whatever a case adds.
func world(rules ...routing.Rule) *routingtest.RuleSet {
	rs := &routingtest.RuleSet{Rules: rules, Health: map[uuid.UUID]routing.Health{opA: bound, opB: bound, opC: bound}, FX: map[money.Currency]int64{}}
	for i, id := range []uuid.UUID{opA, opB, opC} {
		rs.Operators = append(rs.Operators, routing.Operator{
			ID: id, Name: string(rune('A' + i)), Status: routing.StatusActive, Types: routing.NewMessageTypes(routing.SMS),
		})
	}
	return rs
}

func rule(prefix string, strategy routing.Strategy, candidates ...routing.Candidate) routing.Rule {
	return routing.Rule{ID: routingtest.UID(uint64(7000 + len(prefix))), Prefix: e164.Prefix(prefix), Strategy: strategy, Candidates: candidates}
}

func with(r routing.Rule, change func(*routing.Rule)) routing.Rule {
	change(&r)
	return r
}

func owned(r routing.Rule) routing.Rule {
	return with(r, func(r *routing.Rule) { r.Account, r.ID = account, routingtest.UID(8000+uint64(len(r.Prefix))) })
}
func fallThrough(r routing.Rule) routing.Rule {
	return with(r, func(r *routing.Rule) { r.FallThrough = true })
}

func cand(operator uuid.UUID, priority, weight int32, price money.Money) routing.Candidate {
	return routing.Candidate{Operator: operator, Priority: priority, Weight: weight, Price: price}
}

func rateOf(operator uuid.UUID, prefix string, price money.Money) routing.Rate {
	return routing.Rate{Operator: operator, Prefix: e164.Prefix(prefix), Type: routing.SMS, Price: price}
}

func ask(change ...func(*routing.Query)) routing.Query {
	q := routing.Query{To: "+447911123456", Account: account, Type: routing.SMS, MessageID: "m", At: routingtest.Now}
	for _, c := range change {
		c(&q)
	}
	return q
}

func TestDecide(t *testing.T) {
	prio := func(a, b, c int32) []routing.Candidate {
		return []routing.Candidate{cand(opA, a, 100, money.Money{}), cand(opB, b, 100, money.Money{}), cand(opC, c, 100, money.Money{})}
	}
	cost := func(a, b, c money.Money) []routing.Candidate {
		return []routing.Candidate{cand(opA, 1, 100, a), cand(opB, 2, 100, b), cand(opC, 3, 100, c)}
	}
	tests := []struct {
		name   string
		set    *routingtest.RuleSet
		adjust func(*routingtest.RuleSet)
		query  routing.Query
		want   []uuid.UUID
		prefix string
		err    error
	}{
		{name: "no rule at all is NO_ROUTE", set: world(), err: routing.ErrNoRoute},
		{name: "a rule for another prefix is NO_ROUTE", set: world(rule("49", routing.Priority, prio(1, 2, 3)...)), err: routing.ErrNoRoute},
		{name: "the longest prefix wins", set: world(rule("44", routing.Priority, prio(1, 2, 3)...), rule("44791", routing.Priority, prio(3, 2, 1)...), rule("447", routing.Priority, prio(2, 1, 3)...)), want: []uuid.UUID{opC, opB, opA}, prefix: "44791"},
		{name: "a rule as long as the number matches", set: world(rule("447911123456", routing.Priority, prio(1, 2, 3)...)), want: []uuid.UUID{opA, opB, opC}, prefix: "447911123456"},
		{name: "a prefix longer than the number does not match", set: world(rule("4479111234567", routing.Priority, prio(1, 2, 3)...)), err: routing.ErrNoRoute},
		{name: "a rule of one digit matches", set: world(rule("4", routing.Priority, prio(1, 2, 3)...)), want: []uuid.UUID{opA, opB, opC}, prefix: "4"},
		{name: "the account's rule comes before the global one at the same length", set: world(rule("447", routing.Priority, prio(1, 2, 3)...), owned(rule("447", routing.Priority, prio(3, 2, 1)...))), want: []uuid.UUID{opC, opB, opA}, prefix: "447"},
		{name: "a longer global rule beats the account's shorter one", set: world(rule("4479", routing.Priority, prio(1, 2, 3)...), owned(rule("447", routing.Priority, prio(3, 2, 1)...))), want: []uuid.UUID{opA, opB, opC}, prefix: "4479"},
		{name: "another account's rule is not seen", set: world(with(rule("447", routing.Priority, prio(1, 2, 3)...), func(r *routing.Rule) { r.Account = other })), err: routing.ErrNoRoute},
		{name: "an inactive rule is passed over", set: world(rule("44", routing.Priority, prio(1, 2, 3)...), with(rule("447", routing.Priority, prio(3, 2, 1)...), func(r *routing.Rule) { r.Inactive = true })), want: []uuid.UUID{opA, opB, opC}, prefix: "44"},
		{name: "a rule for other message types is passed over", set: world(rule("44", routing.Priority, prio(1, 2, 3)...), with(rule("447", routing.Priority, prio(3, 2, 1)...), func(r *routing.Rule) { r.Types = routing.NewMessageTypes(routing.Flash, routing.WAP) })), want: []uuid.UUID{opA, opB, opC}, prefix: "44"},
		{name: "at one prefix the rule for fewer message types comes first", set: world(rule("447", routing.Priority, prio(1, 2, 3)...), with(rule("447", routing.Priority, prio(3, 2, 1)...), func(r *routing.Rule) { r.ID, r.Types = routingtest.UID(9999), routing.NewMessageTypes(routing.SMS) })), want: []uuid.UUID{opC, opB, opA}, prefix: "447"},
		{name: "a rule is valid from its first moment", set: world(with(rule("447", routing.Priority, prio(1, 2, 3)...), func(r *routing.Rule) { r.Window.From = routingtest.Now })), want: []uuid.UUID{opA, opB, opC}, prefix: "447"},
		{name: "a rule is not valid before its first moment", set: world(with(rule("447", routing.Priority, prio(1, 2, 3)...), func(r *routing.Rule) { r.Window.From = routingtest.Now.Add(time.Microsecond) })), err: routing.ErrNoRoute},
		{name: "a rule is not valid at its end", set: world(with(rule("447", routing.Priority, prio(1, 2, 3)...), func(r *routing.Rule) { r.Window.To = routingtest.Now })), err: routing.ErrNoRoute},

		{name: "exhausted FAIL ends the search although a shorter rule could serve", set: world(rule("44", routing.Priority, prio(1, 2, 3)...), rule("447", routing.Priority, cand(opA, 1, 100, money.Money{}))), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = unbound }, err: routing.ErrNoUsableOperator},
		{name: "exhausted FALL_THROUGH asks the next shorter prefix", set: world(rule("44", routing.Priority, prio(1, 2, 3)...), fallThrough(rule("447", routing.Priority, cand(opA, 1, 100, money.Money{})))), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = unbound }, want: []uuid.UUID{opB, opC}, prefix: "44"},
		{name: "FALL_THROUGH skips the global rule of the same prefix", set: world(rule("44", routing.Priority, cand(opC, 1, 100, money.Money{})), rule("447", routing.Priority, cand(opB, 1, 100, money.Money{})), owned(fallThrough(rule("447", routing.Priority, cand(opA, 1, 100, money.Money{}))))), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = unbound }, want: []uuid.UUID{opC}, prefix: "44"},
		{name: "FALL_THROUGH with nothing shorter is NO_USABLE_OPERATOR", set: world(fallThrough(rule("447", routing.Priority, cand(opA, 1, 100, money.Money{})))), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = unbound }, err: routing.ErrNoUsableOperator},
		{name: "a rule without candidates is exhausted", set: world(rule("447", routing.Priority)), err: routing.ErrNoUsableOperator},

		{name: "an operator that is not ACTIVE is out", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) {
			rs.Operators[0].Status = routing.StatusSuspended
			rs.Operators[1].Status = routing.StatusInactive
		}, want: []uuid.UUID{opC}, prefix: "447"},
		{name: "an operator that does not exist is out", set: world(rule("447", routing.Priority, cand(routingtest.UID(77), 1, 100, money.Money{}), cand(opB, 2, 100, money.Money{}))), want: []uuid.UUID{opB}, prefix: "447"},
		{name: "an operator that does not carry the message type is out", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), query: ask(func(q *routing.Query) { q.Type = routing.Flash }), adjust: func(rs *routingtest.RuleSet) { rs.Operators[1].Types |= routing.NewMessageTypes(routing.Flash) }, want: []uuid.UUID{opB}, prefix: "447"},
		{name: "an operator that only receives is out", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { rs.Operators[0].ReceivesOnly = true }, want: []uuid.UUID{opB, opC}, prefix: "447"},
		{name: "an excluded operator is out", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), query: ask(func(q *routing.Query) { q.Exclude = []uuid.UUID{opB, opA} }), want: []uuid.UUID{opC}, prefix: "447"},
		{name: "UNBOUND and UNHEALTHY operators are out", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA], rs.Health[opB] = unbound, sick }, want: []uuid.UUID{opC}, prefix: "447"},
		{name: "an operator of unknown health ranks last", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { delete(rs.Health, opA); rs.Health[opB] = degraded }, want: []uuid.UUID{opC, opB, opA}, prefix: "447"},
		{name: "a good word older than 60 s is unknown", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = stale }, want: []uuid.UUID{opB, opC, opA}, prefix: "447"},
		{name: "UNBOUND does not age", set: world(rule("447", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) {
			rs.Health[opA] = routing.Health{Bind: routing.Unbound, Quality: routing.Unhealthy, ObservedAt: routingtest.Now.Add(-24 * time.Hour)}
		}, want: []uuid.UUID{opB, opC}, prefix: "447"},

		{name: "COST takes the cheapest", set: world(rule("447", routing.Cost, cost(euro(3), euro(1), euro(2))...)), want: []uuid.UUID{opB, opC, opA}, prefix: "447"},
		{name: "COST at equal prices takes the smaller priority", set: world(rule("447", routing.Cost, cand(opA, 2, 0, euro(1)), cand(opB, 1, 0, euro(1)))), want: []uuid.UUID{opB, opA}, prefix: "447"},
		{name: "COST at equal price and priority takes the smaller id", set: world(rule("447", routing.Cost, cand(opC, 1, 0, euro(1)), cand(opA, 1, 0, euro(1)), cand(opB, 1, 0, euro(1)))), want: []uuid.UUID{opA, opB, opC}, prefix: "447"},
		{name: "COST puts DEGRADED and FAILBACK behind healthy ones however cheap", set: world(rule("447", routing.Cost, cost(euro(1), euro(2), euro(9))...)), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA], rs.Health[opB] = degraded, failback }, want: []uuid.UUID{opC, opA, opB}, prefix: "447"},
		{name: "COST without a price is out, and never reads it as 0", set: world(rule("447", routing.Cost, cost(money.Money{}, euro(5), money.Money{})...)), want: []uuid.UUID{opB}, prefix: "447"},
		{name: "a price of 0 is a price", set: world(rule("447", routing.Cost, cost(euro(0), euro(5), money.Money{})...)), want: []uuid.UUID{opA, opB}, prefix: "447"},
		{name: "COST reads the operator's own longest rate, also when it is dearer", set: world(rule("44", routing.Cost, cost(money.Money{}, euro(5), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) {
			rs.Rates = []routing.Rate{rateOf(opA, "44", euro(1)), rateOf(opA, "4479", euro(9))}
		}, want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "a rate longer than the rule's prefix counts", set: world(rule("44", routing.Cost, cost(money.Money{}, euro(5), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) { rs.Rates = []routing.Rate{rateOf(opA, "447911", euro(1))} }, want: []uuid.UUID{opA, opB}, prefix: "44"},
		{name: "a rate of another message type does not count", set: world(rule("44", routing.Cost, cost(money.Money{}, euro(5), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) {
			rs.Rates = []routing.Rate{{Operator: opA, Prefix: "44", Type: routing.Flash, Price: euro(1)}}
		}, want: []uuid.UUID{opB}, prefix: "44"},
		{name: "a rate that has ended gives way to a shorter one in force", set: world(rule("44", routing.Cost, cost(money.Money{}, euro(5), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) {
			ended := rateOf(opA, "4479", euro(1))
			ended.Window.To = routingtest.Now
			rs.Rates = []routing.Rate{ended, rateOf(opA, "4", euro(7))}
		}, want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "of rates at one prefix the one that started last counts", set: world(rule("44", routing.Cost, cost(money.Money{}, euro(5), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) {
			old, fresh := rateOf(opA, "44", euro(1)), rateOf(opA, "44", euro(9))
			old.Window.From, fresh.Window.From = routingtest.Now.Add(-2*time.Hour), routingtest.Now.Add(-time.Hour)
			rs.Rates = []routing.Rate{old, fresh}
		}, want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "a candidate's price replaces its rate", set: world(rule("44", routing.Cost, cost(euro(9), euro(5), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) { rs.Rates = []routing.Rate{rateOf(opA, "44", euro(1))} }, want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "currencies are compared by their FX rates", set: world(rule("44", routing.Cost, cost(dollar(10), euro(10), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) {
			rs.FX = map[money.Currency]int64{routingtest.EUR: 1_000_000_000, routingtest.USD: 900_000_000}
		}, want: []uuid.UUID{opA, opB}, prefix: "44"},
		{name: "large amounts are compared exactly", set: world(rule("44", routing.Cost, cost(dollar(math.MaxInt64), euro(math.MaxInt64-1), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) {
			rs.FX = map[money.Currency]int64{routingtest.EUR: 1_000_000_000, routingtest.USD: 1_000_000_000}
		}, want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "without an FX rate a mixed candidate is out under COST", set: world(rule("44", routing.Cost, cost(dollar(1), euro(10), money.Money{})...)), adjust: func(rs *routingtest.RuleSet) { rs.FX = map[money.Currency]int64{routingtest.EUR: 1_000_000_000} }, want: []uuid.UUID{opB}, prefix: "44"},
		{name: "one currency needs no FX rate", set: world(rule("44", routing.Cost, cost(dollar(2), dollar(1), money.Money{})...)), want: []uuid.UUID{opB, opA}, prefix: "44"},

		{name: "PRIORITY takes the smallest number", set: world(rule("44", routing.Priority, prio(3, 1, 2)...)), want: []uuid.UUID{opB, opC, opA}, prefix: "44"},
		{name: "PRIORITY at equal priority takes the higher weight", set: world(rule("44", routing.Priority, cand(opA, 1, 10, money.Money{}), cand(opB, 1, 20, money.Money{}))), want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "PRIORITY at equal priority and weight takes the cheaper, unpriced last", set: world(rule("44", routing.Priority, cand(opA, 1, 10, money.Money{}), cand(opB, 1, 10, euro(2)), cand(opC, 1, 10, euro(1)))), want: []uuid.UUID{opC, opB, opA}, prefix: "44"},
		{name: "PRIORITY puts a degraded primary behind a healthy second", set: world(rule("44", routing.Priority, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = degraded }, want: []uuid.UUID{opB, opC, opA}, prefix: "44"},
		{name: "FAILOVER stays on a degraded primary", set: world(rule("44", routing.Failover, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = degraded }, want: []uuid.UUID{opA, opB, opC}, prefix: "44"},
		{name: "FAILOVER stays on a primary in FAILBACK", set: world(rule("44", routing.Failover, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { rs.Health[opA] = failback }, want: []uuid.UUID{opA, opB, opC}, prefix: "44"},
		{name: "FAILOVER leaves a primary of unknown health", set: world(rule("44", routing.Failover, prio(1, 2, 3)...)), adjust: func(rs *routingtest.RuleSet) { delete(rs.Health, opA) }, want: []uuid.UUID{opB, opC, opA}, prefix: "44"},
		{name: "WEIGHTED puts weight 0 last", set: world(rule("44", routing.Weighted, cand(opA, 1, 0, money.Money{}), cand(opB, 1, 1, money.Money{}))), want: []uuid.UUID{opB, opA}, prefix: "44"},
		{name: "WEIGHTED serves with weight 0 when nothing else is left", set: world(rule("44", routing.Weighted, cand(opA, 1, 0, money.Money{}), cand(opB, 1, 1, money.Money{}))), adjust: func(rs *routingtest.RuleSet) { rs.Health[opB] = unbound }, want: []uuid.UUID{opA}, prefix: "44"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.adjust != nil {
				tt.adjust(tt.set)
			}
			q := tt.query
			if q.To == "" {
				q = ask()
			}
			var d routing.Decision
			err := tt.set.Table().Decide(&q, &d, nil)
			require.Equal(t, tt.err, err)
			got := routingtest.Describe(err, &d)
			require.Equal(t, tt.want, got.Operators)
			require.Equal(t, tt.prefix, got.Prefix)
			routingtest.RequireAnswer(t, tt.set.Oracle(q), got, d.Strategy == routing.Weighted)
			require.Equal(t, routing.Versions{Config: 7, Rules: 5}, d.Versions, "versions are told with every outcome")
		})
	}
}

func TestHealthUnknownFlagsTheWinnerOnly(t *testing.T) {
	rs := world(rule("44", routing.Priority, cand(opA, 1, 1, money.Money{}), cand(opB, 2, 1, money.Money{})))
	delete(rs.Health, opB)
	q := ask()
	var d routing.Decision
	require.NoError(t, rs.Table().Decide(&q, &d, nil))
	require.False(t, d.HealthUnknown)
	delete(rs.Health, opA)
	require.NoError(t, rs.Table().Decide(&q, &d, nil))
	require.True(t, d.HealthUnknown)
}

func TestWeightedDraw(t *testing.T) {
	rs := world(rule("44", routing.Weighted, cand(opA, 1, 50, money.Money{}), cand(opB, 1, 30, money.Money{}), cand(opC, 1, 20, money.Money{})))
	table := rs.Table()
	var d routing.Decision

	t.Run("the same message id draws the same order, another process or time included", func(t *testing.T) {
		q := ask(func(q *routing.Query) { q.MessageID = "order-1" })
		require.NoError(t, table.Decide(&q, &d, nil))
		first := routingtest.Describe(nil, &d)
		for range 10 {
			d.ID = routing.NewDecisionID(routingtest.Now)
			require.NoError(t, rs.Table().Decide(&q, &d, nil))
			require.Equal(t, first, routingtest.Describe(nil, &d))
		}
	})

	t.Run("excluding the winner makes the first alternate the winner", func(t *testing.T) {
		for i := range 200 {
			q := ask(func(q *routing.Query) { q.MessageID = routingtest.UID(uint64(i)).String() })
			require.NoError(t, table.Decide(&q, &d, nil))
			all := routingtest.Describe(nil, &d).Operators
			q.Exclude = all[:1]
			require.NoError(t, table.Decide(&q, &d, nil))
			require.Equal(t, all[1:], routingtest.Describe(nil, &d).Operators)
		}
	})

	share := func(t *testing.T, rs *routingtest.RuleSet, messageID func(i int) string) map[uuid.UUID]float64 {
		const draws = 40_000
		table, wins := rs.Table(), map[uuid.UUID]float64{}
		for i := range draws {
			q := ask(func(q *routing.Query) { q.MessageID = messageID(i) })
			d.ID = routing.NewDecisionID(routingtest.Now)
			require.NoError(t, table.Decide(&q, &d, nil))
			wins[d.Choices[0].ID] += 1.0 / draws
		}
		return wins
	}
	// Three standard deviations of a share of 0.5 in 40,000 draws are 0.0075.
	const tolerance = 0.012
	t.Run("shares follow the weights by message id", func(t *testing.T) {
		wins := share(t, rs, func(i int) string {
			return uuid.NewSHA1(uuid.Nil, []byte{byte(i), byte(i >> 8), byte(i >> 16)}).String()
		})
		require.InDelta(t, 0.5, wins[opA], tolerance)
		require.InDelta(t, 0.3, wins[opB], tolerance)
		require.InDelta(t, 0.2, wins[opC], tolerance)
	})
	t.Run("shares follow the weights by decision id, renormalised among the usable", func(t *testing.T) {
		rs.Health[opA] = unbound
		wins := share(t, rs, func(int) string { return "" })
		require.InDelta(t, 0.6, wins[opB], tolerance)
		require.InDelta(t, 0.4, wins[opC], tolerance)
	})
}

func TestDecideAllocatesNothing(t *testing.T) {
	rs := world(
		rule("44", routing.Cost, cand(opA, 1, 1, euro(1)), cand(opB, 1, 1, dollar(1)), cand(opC, 1, 1, money.Money{})),
		owned(fallThrough(rule("447911", routing.Weighted, cand(opA, 1, 1, money.Money{})))),
	)
	rs.FX = map[money.Currency]int64{routingtest.EUR: 1, routingtest.USD: 1}
	rs.Rates = []routing.Rate{rateOf(opC, "447", euro(2))}
	var d routing.Decision
	for _, health := range []routing.Health{bound, unbound} {
		rs.Health[opA] = health
		table := rs.Table()
		q := ask()
		require.NoError(t, table.Decide(&q, &d, nil))
		require.Zero(t, testing.AllocsPerRun(100, func() { _ = table.Decide(&q, &d, nil) }))
	}
}

func TestManyCandidatesAreRankedLikeFew(t *testing.T) {
	rs := &routingtest.RuleSet{Health: map[uuid.UUID]routing.Health{}}
	r := rule("44", routing.Cost)
	for i := range 100 {
		id := routingtest.UID(uint64(i + 1))
		rs.Operators = append(rs.Operators, routing.Operator{ID: id, Status: routing.StatusActive, Types: routing.AllMessageTypes})
		rs.Health[id] = bound
		r.Candidates = append(r.Candidates, cand(id, 1, 1, euro(int64((i*37)%10))))
	}
	rs.Rules = []routing.Rule{r}
	q := ask()
	var d routing.Decision
	require.NoError(t, rs.Table().Decide(&q, &d, nil))
	require.Equal(t, rs.Oracle(q), routingtest.Describe(nil, &d))
}

func TestTableCountsItsRules(t *testing.T) {
	table := world(rule("44", routing.Cost), owned(rule("44", routing.Cost)), rule("447", routing.Cost), with(rule("1", routing.Cost), func(r *routing.Rule) { r.Prefix = "" })).Table()
	require.Equal(t, 3, table.Rules())
	require.Equal(t, 2, table.Prefixes())
}
