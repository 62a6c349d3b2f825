// Package routingtest is what tests of the engine share: rule sets, random ones among them, and an oracle
// that decides them slowly and obviously.
package routingtest

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// RuleSet is the input of a table, kept for the oracle and for making tables in different ways.
type RuleSet struct {
	Operators []routing.Operator
	Rules     []routing.Rule
	Rates     []routing.Rate
	FX        map[money.Currency]int64
	Health    map[uuid.UUID]routing.Health
	// Untold is that of the routing.Mark of tables.
	Untold int64
}

// View gives a view that knows the health of the set.
func (rs *RuleSet) View() *routing.HealthView {
	v := routing.NewHealthView()
	for id, h := range rs.Health {
		v.Fill(id, routing.StoredHealth{Health: h})
	}
	return v
}

// Table compiles the set in memory.
func (rs *RuleSet) Table() *routing.Table {
	return rs.TableWith(rs.View(), routing.Versions{Config: 7, Rules: 5})
}

// TableWith is Table for a view and versions of the test's own.
func (rs *RuleSet) TableWith(health *routing.HealthView, v routing.Versions) *routing.Table {
	b := routing.NewTableBuilder(health)
	b.Mark(routing.Mark{Config: v.Config, Untold: rs.Untold})
	for _, o := range rs.Operators {
		b.AddOperator(o)
	}
	for _, r := range rs.Rules {
		b.AddRule(r)
	}
	for _, r := range rs.Rates {
		b.AddRate(r)
	}
	for c, n := range rs.FX {
		b.AddFXRate(c, n)
	}
	return b.Build(v)
}

// Answer is what a decision comes to.
type Answer struct {
	Err       error
	Rule      uuid.UUID
	Prefix    string
	Operators []uuid.UUID // best first; under WEIGHTED the oracle gives them in no special order
	Prices    []string
	Unknown   bool // nothing recent is known about the winner's health
}

// Describe brings a decision into the form of the oracle's answer.
func Describe(err error, d *routing.Decision) Answer {
	a := Answer{Err: err, Rule: d.Rule, Prefix: string(d.Prefix), Unknown: d.HealthUnknown}
	for _, c := range d.Choices {
		a.Operators = append(a.Operators, c.ID)
		a.Prices = append(a.Prices, c.Price.String())
	}
	return a
}

// RequireAnswer compares a decision with the oracle; a weighted rule may order its operators as it draws
// them.
func RequireAnswer(t testing.TB, want, got Answer, weighted bool) {
	t.Helper()
	if weighted {
		require.ElementsMatch(t, want.Operators, got.Operators)
		require.ElementsMatch(t, want.Prices, got.Prices)
		require.Equal(t, want.Unknown, got.Unknown, "operators of unknown health are drawn last")
		want.Operators, want.Prices = got.Operators, got.Prices
	}
	require.Equal(t, want, got)
}

// Oracle decides by the text of the design and nothing else: linear scans, no index, no shared code.
// The order of a weighted draw is not its business: it gives the groups in which the draw may order.
func (rs *RuleSet) Oracle(q routing.Query) Answer {
	digits := strings.TrimPrefix(q.To.Raw(), "+")
	inForce := func(w routing.Window) bool {
		return (w.From.IsZero() || !q.At.Before(w.From)) && (w.To.IsZero() || q.At.Before(w.To))
	}
	var rules []routing.Rule
	for _, r := range rs.Rules {
		own := r.Account == q.Account || r.Account == uuid.Nil
		typed := r.Types == 0 || r.Types.Has(q.Type)
		if own && typed && !r.Inactive && inForce(r.Window) && strings.HasPrefix(digits, string(r.Prefix)) {
			rules = append(rules, r)
		}
	}
	weight := func(r routing.Rule) int {
		if r.Types == 0 {
			return 3
		}
		return len(strings.Split(r.Types.String(), ","))
	}
	slices.SortFunc(rules, func(a, b routing.Rule) int {
		if d := len(b.Prefix) - len(a.Prefix); d != 0 {
			return d
		}
		if (a.Account == uuid.Nil) != (b.Account == uuid.Nil) {
			if a.Account == uuid.Nil {
				return 1
			}
			return -1
		}
		if d := weight(a) - weight(b); d != 0 {
			return d
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	if len(rules) == 0 {
		return Answer{Err: routing.ErrNoRoute}
	}
	shorterThan := 16
	for _, r := range rules {
		if len(r.Prefix) >= shorterThan {
			continue
		}
		if got, ok := rs.oracleRule(q, digits, r, inForce); ok {
			return got
		}
		if !r.FallThrough {
			break
		}
		shorterThan = len(r.Prefix)
	}
	return Answer{Err: routing.ErrNoUsableOperator}
}

type oracleCandidate struct {
	routing.Candidate
	price  money.Money
	amount *big.Int
	class  int
	stale  bool
}

func (rs *RuleSet) oracleRule(q routing.Query, digits string, r routing.Rule, inForce func(routing.Window) bool) (Answer, bool) {
	var list []oracleCandidate
	for _, c := range r.Candidates {
		i := slices.IndexFunc(rs.Operators, func(o routing.Operator) bool { return o.ID == c.Operator })
		if i < 0 {
			continue
		}
		o, h := rs.Operators[i], rs.Health[c.Operator]
		if o.Status != routing.StatusActive || o.ReceivesOnly || !o.Types.Has(q.Type) || slices.Contains(q.Exclude, o.ID) ||
			h.Bind == routing.Unbound || h.Quality == routing.Unhealthy {
			continue
		}
		one := oracleCandidate{Candidate: c, price: c.Price}
		if one.price.IsZero() {
			one.price = rs.oracleRate(q, digits, c.Operator, inForce)
		}
		if r.Strategy == routing.Cost && one.price.IsZero() {
			continue
		}
		one.stale = (h.Bind == routing.BindUnknown && h.Quality == routing.QualityUnknown) || q.At.Sub(h.ObservedAt) > routing.HealthTTL
		ranksDegraded := r.Strategy == routing.Cost || r.Strategy == routing.Priority
		switch {
		case one.stale:
			one.class = 2
		case ranksDegraded && (h.Quality == routing.Degraded || h.Bind == routing.Failback):
			one.class = 1
		}
		list = append(list, one)
	}
	currencies := map[money.Currency]bool{}
	for _, c := range list {
		if !c.price.IsZero() {
			currencies[c.price.Currency] = true
		}
	}
	for i := range list {
		c := &list[i]
		if c.price.IsZero() {
			continue
		}
		factor := int64(1)
		if len(currencies) > 1 {
			factor = rs.FX[c.price.Currency]
		}
		if factor > 0 {
			c.amount = new(big.Int).Mul(big.NewInt(c.price.Nanos), big.NewInt(factor))
		}
	}
	if r.Strategy == routing.Cost {
		list = slices.DeleteFunc(list, func(c oracleCandidate) bool { return c.amount == nil })
	}
	if len(list) == 0 {
		return Answer{}, false
	}
	byPrice := func(a, b oracleCandidate) int {
		switch {
		case a.amount == nil && b.amount == nil:
			return 0
		case a.amount == nil:
			return 1
		case b.amount == nil:
			return -1
		}
		return a.amount.Cmp(b.amount)
	}
	slices.SortFunc(list, func(a, b oracleCandidate) int {
		steps := []int{a.class - b.class}
		switch r.Strategy {
		case routing.Cost:
			steps = append(steps, byPrice(a, b), int(a.Priority-b.Priority))
		case routing.Priority:
			steps = append(steps, int(a.Priority-b.Priority), int(b.Weight-a.Weight), byPrice(a, b))
		case routing.Failover:
			steps = append(steps, int(a.Priority-b.Priority))
		}
		for _, s := range steps {
			if s != 0 {
				return s
			}
		}
		return bytes.Compare(a.Operator[:], b.Operator[:])
	})
	got := Answer{Rule: r.ID, Prefix: string(r.Prefix), Unknown: list[0].stale}
	for _, c := range list {
		got.Operators = append(got.Operators, c.Operator)
		got.Prices = append(got.Prices, c.price.String())
	}
	return got, true
}

func (rs *RuleSet) oracleRate(q routing.Query, digits string, operator uuid.UUID, inForce func(routing.Window) bool) money.Money {
	var best *routing.Rate
	for i := range rs.Rates {
		r := &rs.Rates[i]
		if r.Operator != operator || r.Type != q.Type || !inForce(r.Window) || !strings.HasPrefix(digits, string(r.Prefix)) {
			continue
		}
		if best == nil || len(r.Prefix) > len(best.Prefix) ||
			(len(r.Prefix) == len(best.Prefix) && r.Window.From.After(best.Window.From)) {
			best = r
		}
	}
	if best == nil {
		return money.Money{}
	}
	return best.Price
}
