package operators_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// The target is 2 s on one core for 100,000 rules.
func BenchmarkCheck100000Rules(b *testing.B) {
	for _, c := range []struct {
		name string
		set  operators.RuleSet
	}{
		{"global rules with prices", manyRules(100_000, 0, false)},
		{"global rules with 300,000 rates", manyRules(100_000, 0, true)},
		{"10,000 accounts over global rules, with rates", manyRules(100_000, 10_000, true)},
		{"10,000 accounts at one prefix over 50,000 longer global ones, currencies without FX", crowd(50_000, 10_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			var report operators.Report
			for b.Loop() {
				report = operators.Check(c.set)
			}
			require.Equal(b, len(c.set.Rules), report.Rules)
			b.ReportMetric(float64(report.Errors), "errors")
			b.ReportMetric(float64(report.Warnings), "warnings")
		})
	}
}

// manyRules makes COST rules with three candidates for prefixes of 4 to 9 digits. With accounts, half of the rules
// belong to them. With rates the candidates have no prices, and each of six operators has rates for shorter and longer
// prefixes.
func manyRules(count, accounts int, rates bool) operators.RuleSet {
	rng := rand.New(rand.NewPCG(1, 2))
	set := operators.RuleSet{Now: checkTime, FX: operators.FX{eur: money.NanosPerUnit}}
	for i := range 6 {
		set.Operators = append(set.Operators, operators.Operator{
			ID: id(i), Name: fmt.Sprint("Operator ", i), Status: operators.Active,
			BindType: operators.Transceiver, MessageTypes: operators.SMS | operators.Flash,
		})
	}
	prefix := func(digits int) e164.Prefix {
		low := uint64(1)
		for range digits - 1 {
			low *= 10
		}
		return e164.Prefix(fmt.Sprint(low + rng.Uint64N(9*low)))
	}
	type key struct {
		account uuid.UUID
		prefix  e164.Prefix
	}
	seen := make(map[key]bool)
	for len(set.Rules) < count {
		k := key{prefix: prefix(4 + rng.IntN(6))}
		if accounts > 0 && rng.IntN(2) == 0 {
			k.account = id(1000 + rng.IntN(accounts))
		}
		if seen[k] {
			continue
		}
		seen[k] = true
		r := operators.Rule{
			ID: id(1_000_000 + len(set.Rules)), Account: k.account, Prefix: k.prefix, Strategy: operators.Cost, OnExhausted: operators.Fail, Active: true,
		}
		for _, at := range rng.Perm(6)[:3] {
			c := operators.Candidate{OperatorID: id(at), Priority: 1, Weight: 100}
			if !rates {
				c.Price = money.Money{Nanos: 1, Currency: eur}
			}
			r.Candidates = append(r.Candidates, c)
		}
		set.Rules = append(set.Rules, r)
	}
	if rates {
		for i := range 300_000 {
			set.Rates = append(set.Rates, operators.Rate{
				OperatorID: id(i % 6), Prefix: prefix(1 + rng.IntN(9)), MessageType: operators.SMS << rng.IntN(2),
				Price: money.Money{Nanos: 1, Currency: eur}, EffectiveFrom: checkTime.Add(-time.Hour),
			})
		}
	}
	return set
}

// crowd is made to be slow: every account has a rule for +1, the global rules lie inside it, and the rates of two
// operators are in currencies without FX but for no number both.
func crowd(global, accounts int) operators.RuleSet {
	set := manyRules(0, 0, false)
	set.FX = nil
	rule := func(account uuid.UUID, prefix string) {
		set.Rules = append(set.Rules, operators.Rule{
			ID: id(1_000_000 + len(set.Rules)), Account: account, Prefix: e164.Prefix(prefix),
			Strategy: operators.Cost, OnExhausted: operators.Fail, Active: true,
			Candidates: []operators.Candidate{{OperatorID: id(0)}, {OperatorID: id(1)}},
		})
	}
	for i := range global {
		if i%10 == 9 {
			continue
		}
		prefix := fmt.Sprint(100_000 + i)
		rule(uuid.Nil, prefix)
		for at, currency := range []money.Currency{eur, usd} {
			set.Rates = append(set.Rates, operators.Rate{
				OperatorID: id(at), Prefix: e164.Prefix(prefix + fmt.Sprint(at)), MessageType: operators.SMS,
				Price: money.Money{Nanos: 1, Currency: currency}, EffectiveFrom: checkTime.Add(-time.Hour),
			})
		}
	}
	for i := range accounts {
		rule(id(1000+i), "1")
		rule(id(1000+i), fmt.Sprint(100_000+i))
	}
	return set
}
