package operators_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// randomSet makes a small, crowded set: few digits, operators and times, so that overlaps, nesting, ties and coverage
// come up.
func randomSet(t *rapid.T) operators.RuleSet {
	set := operators.RuleSet{Now: checkTime, Operators: crew(), FX: operators.FX{}}
	for _, c := range []money.Currency{eur, usd} {
		if rapid.Bool().Draw(t, "fx") {
			set.FX[c] = int64(rapid.IntRange(1, 3).Draw(t, "worth")) * 500_000_000
		}
	}
	prefix := rapid.Custom(func(t *rapid.T) e164.Prefix {
		digits := []byte{byte('1' + rapid.IntRange(0, 1).Draw(t, "zone"))}
		for range rapid.IntRange(0, 3).Draw(t, "digits") {
			digits = append(digits, byte('0'+rapid.IntRange(0, 1).Draw(t, "digit")))
		}
		return e164.Prefix(digits)
	})
	moments := []time.Time{{}, {}, {}, checkTime.Add(-2 * time.Hour), checkTime, checkTime.Add(time.Hour), checkTime.Add(3 * time.Hour)}
	price := rapid.Custom(func(t *rapid.T) money.Money {
		return money.Money{
			Nanos:    int64(rapid.IntRange(0, 2).Draw(t, "nanos")),
			Currency: rapid.SampledFrom([]money.Currency{eur, eur, eur, usd}).Draw(t, "currency"),
		}
	})
	rule := rapid.Custom(func(t *rapid.T) operators.Rule {
		r := operators.Rule{
			Account: rapid.SampledFrom([]uuid.UUID{uuid.Nil, uuid.Nil, accounts["A"], accounts["B"]}).Draw(t, "account"),
			Prefix:  prefix.Draw(t, "prefix"), MessageTypes: operators.MessageTypes(rapid.IntRange(0, 7).Draw(t, "types")),
			Strategy:    operators.Strategy(rapid.IntRange(1, 4).Draw(t, "strategy")),
			OnExhausted: rapid.SampledFrom([]operators.OnExhausted{operators.Fail, operators.Fail, operators.FallThrough}).Draw(t, "exhausted"),
			Active:      rapid.IntRange(0, 7).Draw(t, "off") > 0,
			ValidFrom:   rapid.SampledFrom(moments).Draw(t, "from"), ValidTo: rapid.SampledFrom(moments).Draw(t, "to"),
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "candidates") {
			c := operators.Candidate{
				OperatorID: crew()[rapid.SampledFrom([]int{0, 1, 2, 0, 1, 2, 3, 4, 5, 6}).Draw(t, "operator")].ID,
				Priority:   i + 1, Weight: rapid.IntRange(0, 2).Draw(t, "weight") * 50,
			}
			if rapid.IntRange(0, 9).Draw(t, "tie") == 0 {
				c.Priority = 1
			}
			if rapid.Bool().Draw(t, "priced") {
				c.Price = price.Draw(t, "price")
			}
			r.Candidates = append(r.Candidates, c)
		}
		return r
	})
	for _, r := range rapid.SliceOfN(rule, 0, 8).Draw(t, "rules") {
		set.Rules = append(set.Rules, r)
		if rapid.IntRange(0, 4).Draw(t, "tenfold") == 0 {
			for d := range 10 {
				one := r
				one.Prefix += e164.Prefix([]byte{byte('0' + d)})
				set.Rules = append(set.Rules, one)
			}
		}
	}
	for i := range set.Rules {
		set.Rules[i].ID = id(1000 + i)
	}
	for range rapid.IntRange(0, 12).Draw(t, "rates") {
		set.Rates = append(set.Rates, operators.Rate{
			OperatorID: crew()[rapid.IntRange(0, 2).Draw(t, "operator")].ID, Prefix: prefix.Draw(t, "prefix"),
			MessageType: operators.SMS << rapid.IntRange(0, 1).Draw(t, "type"), Price: price.Draw(t, "price"),
			// Two rates of one key never begin together.
			EffectiveFrom: checkTime.Add(time.Duration(len(set.Rates)-10) * time.Minute),
			EffectiveTo:   rapid.SampledFrom([]time.Time{{}, {}, checkTime.Add(-time.Minute), checkTime.Add(2 * time.Hour)}).Draw(t, "to"),
		})
	}
	return set
}

// numbers gives a number for each way in which prefixes of a random set can apply.
func numbers() (all []string) {
	all = []string{"1", "2"}
	for range 4 {
		var longer []string
		for _, start := range all {
			for _, d := range "017" {
				longer = append(longer, start+string(d))
			}
		}
		all = longer
	}
	for i := range all {
		all[i] += strings.Repeat("7", 11-len(all[i]))
	}
	return all
}

// shuffled gives the set with rules, candidates, rates and operators in another order.
func shuffled(set *operators.RuleSet, rng *rand.Rand) operators.RuleSet {
	mixed := *set
	mixed.Rules, mixed.Rates, mixed.Operators = slices.Clone(set.Rules), slices.Clone(set.Rates), slices.Clone(set.Operators)
	for i := range mixed.Rules {
		list := slices.Clone(mixed.Rules[i].Candidates)
		rng.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
		mixed.Rules[i].Candidates = list
	}
	rng.Shuffle(len(mixed.Rules), func(a, b int) { mixed.Rules[a], mixed.Rules[b] = mixed.Rules[b], mixed.Rules[a] })
	rng.Shuffle(len(mixed.Rates), func(a, b int) { mixed.Rates[a], mixed.Rates[b] = mixed.Rates[b], mixed.Rates[a] })
	rng.Shuffle(len(mixed.Operators), func(a, b int) { mixed.Operators[a], mixed.Operators[b] = mixed.Operators[b], mixed.Operators[a] })
	return mixed
}

// answer is what a message gets: the rules that are asked one after the other and whom each gives it to.
func answer(set *operators.RuleSet, m message, usable map[uuid.UUID]bool) (told []uuid.UUID, ambiguous bool) {
	rules, ambiguous := chain(set, m)
	for _, at := range rules {
		operator, unclear := first(set, set.Rules[at], m, usable)
		told = append(told, set.Rules[at].ID, operator)
		ambiguous = ambiguous || unclear
	}
	return told, ambiguous
}

// The promise of the checker. A set without errors gives every message one answer, whatever order rules, candidates and
// rates come in and whichever operators can carry it. Turned round: where the oracle sees two answers, Check has an
// error.
func TestASetWithoutErrorsGivesEveryNumberOneAnswer(t *testing.T) {
	every := numbers()
	rapid.Check(t, func(t *rapid.T) {
		set := randomSet(t)
		report := operators.Check(set)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		other := shuffled(&set, rng)
		again := operators.Check(other)
		if (again.Errors > 0) != (report.Errors > 0) {
			t.Fatalf("%d errors, in another order %d", report.Errors, again.Errors)
		}
		for _, digits := range every {
			for _, account := range []uuid.UUID{accounts["A"], accounts["B"], id(199)} {
				m := message{account, digits, operators.SMS << rng.IntN(3), checkTime}
				usable := map[uuid.UUID]bool{id(1): rng.IntN(3) > 0, id(2): rng.IntN(3) > 0, id(3): rng.IntN(3) > 0, id(4): true, id(6): true}
				told, ambiguous := answer(&set, m, usable)
				toldAgain, ambiguousToo := answer(&other, m, usable)
				if report.Errors == 0 && (ambiguous || ambiguousToo || !slices.Equal(told, toldAgain)) {
					t.Fatalf("no errors, and %s +%s of %s is answered by %v and by %v", m.kind, m.digits, m.account, told, toldAgain)
				}
			}
		}
	})
}

// The properties prove something: random sets are clean, and have every defect.
func TestRandomSetsShowEveryReasonAndNone(t *testing.T) {
	seen := make(map[string]bool)
	sets := rapid.Custom(func(t *rapid.T) operators.RuleSet {
		set := randomSet(t)
		set.Ceiling = money.Money{Nanos: 1, Currency: eur}
		return set
	})
	for seed := range 400 {
		report := operators.Check(sets.Example(seed))
		for _, f := range report.Findings {
			seen[f.Reason] = true
		}
		seen["no error"] = seen["no error"] || report.Errors == 0 && report.Rules > 5
	}
	require.True(t, seen["no error"])
	for _, d := range defects {
		for _, f := range d.want {
			reason := strings.Fields(f)[1]
			require.True(t, seen[reason], "%s never came up", reason)
		}
	}
}

// Everything that the checker says is true, and of what it must not miss the oracle finds no more.
func TestEveryFindingIsProvedByItsWitnessAndNoErrorIsMissed(t *testing.T) {
	every := numbers()
	rapid.Check(t, func(t *rapid.T) {
		set := randomSet(t)
		if rapid.Bool().Draw(t, "ceiling") {
			set.Ceiling = money.Money{Nanos: 1, Currency: eur}
		}
		report := operators.Check(set)
		told := make(map[string]bool)
		for _, f := range report.Findings {
			told[f.Reason+f.Rules[0].String()+f.Operator.String()] = true
			requireWitness(t, &set, f)
		}
		for rule, messages := range decisions(&set, every) {
			r := set.Rules[rule]
			if told[operators.FindingUnreachable+r.ID.String()+uuid.Nil.String()] {
				t.Fatalf("rule %d decides +%s, and the checker denies that any number reaches it", rule, messages[0].digits)
			}
			for _, c := range r.Candidates {
				if r.Strategy == operators.Cost && unpriced(&set, c, messages) && !told[operators.FindingNoRate+r.ID.String()+c.OperatorID.String()] {
					t.Fatalf("rule %d has no price of %s for any number, and the checker does not say so", rule, c.OperatorID)
				}
			}
		}
	})
}

// decisions gives the messages that each rule may decide now.
func decisions(set *operators.RuleSet, every []string) map[int][]message {
	all := make(map[int][]message)
	for _, digits := range every {
		for _, account := range []uuid.UUID{accounts["A"], accounts["B"], id(199)} {
			for _, kind := range []operators.MessageTypes{operators.SMS, operators.Flash, operators.WAP} {
				m := message{account, digits, kind, set.Now}
				asked, _ := chain(set, m)
				for _, rule := range asked {
					// A global rule answers for those who have none of their own.
					if owner := set.Rules[rule].Account; owner == account || owner == uuid.Nil && account == id(199) {
						all[rule] = append(all[rule], m)
					}
				}
			}
		}
	}
	return all
}

// unpriced reports whether the candidate could carry some of the messages and has a price for none of those.
func unpriced(set *operators.RuleSet, c operators.Candidate, messages []message) bool {
	some := false
	for _, m := range messages {
		if canCarry(set, c, m) {
			if !priceOf(set, c, m).IsZero() {
				return false
			}
			some = true
		}
	}
	return some
}
