package routing_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/e164"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// manyRules are n rules whose prefixes have every length there is, many of them twice, inside of each other and with
// several accounts; most digits are 0, 1, 8 and 9, the ends of what a node of the table holds.
func manyRules(rng *rand.Rand, n int, accounts []uuid.UUID) []routing.Rule {
	rules := make([]routing.Rule, n)
	for i := range rules {
		prefix := make([]byte, 1+rng.IntN(15))
		for k := range prefix {
			prefix[k] = "0189"[rng.IntN(4)]
		}
		prefix[0] = byte('1' + rng.IntN(9))
		rules[i] = rule(string(prefix), routing.Priority, cand(opA, 1+int32(rng.IntN(3)), 1, euro(1)), cand(opB, 2, 1, euro(int64(rng.IntN(3)))))
		rules[i].ID = uuid.UUID{0: byte(i >> 16), 1: byte(i >> 8), 2: byte(i), 15: 7}
		rules[i].Account = accounts[rng.IntN(len(accounts))]
		rules[i].FallThrough, rules[i].Inactive = rng.IntN(2) == 0, rng.IntN(4) == 0
	}
	return rules
}

func TestATableIsTheSameInWhateverOrderItsRulesCome(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	accounts := []uuid.UUID{uuid.Nil, account, routingtest.UID(1002)}
	rs := world(manyRules(rng, 20_000, accounts)...) // enough for each way of sorting
	drawn := rs.Table()
	slices.SortFunc(rs.Rules, func(a, b routing.Rule) int { return cmp.Compare(a.Prefix, b.Prefix) })
	sorted := rs.Table()
	require.Equal(t, 20_000, drawn.Rules())
	distinct := map[e164.Prefix]bool{}
	for _, r := range rs.Rules {
		distinct[r.Prefix] = true
	}
	require.Equal(t, len(distinct), drawn.Prefixes())

	var d, again routing.Decision
	for range 60 {
		q := ask()
		digits := []byte(rs.Rules[rng.IntN(len(rs.Rules))].Prefix)
		for len(digits) < 7 || len(digits) < 15 && rng.IntN(3) > 0 {
			digits = append(digits, "0189"[rng.IntN(4)])
		}
		q.To, q.Account = e164.Number("+"+string(digits)), accounts[1+rng.IntN(2)]
		want := rs.Oracle(q)
		routingtest.RequireAnswer(t, want, routingtest.Describe(drawn.Decide(&q, &d, nil), &d), false)
		var one, two routing.Trace
		routingtest.RequireAnswer(t, want, routingtest.Describe(sorted.Decide(&q, &again, &one), &again), false)
		require.Equal(t, d.Rule, again.Rule)
		_ = drawn.Decide(&q, &d, &two) // the answer is known
		require.Equal(t, one, two)
	}
}

func TestWhatIsNoPrefixIsLeftOut(t *testing.T) {
	rs := world(rule("", routing.Priority, cand(opA, 1, 1, euro(1))), rule("44x", routing.Priority, cand(opA, 1, 1, euro(1))),
		rule("4479111234567890", routing.Priority, cand(opA, 1, 1, euro(1))), rule("+44", routing.Priority, cand(opA, 1, 1, euro(1))))
	rs.Rates = []routing.Rate{rateOf(opA, "", euro(1)), rateOf(opA, "4:", euro(1))}
	table := rs.Table()
	require.Zero(t, table.Rules())
	require.Zero(t, table.Prefixes())
	q := ask()
	var d routing.Decision
	require.Equal(t, routing.ErrNoRoute, table.Decide(&q, &d, nil))
}

func TestANumberThatIsNoneMatchesAsFarAsItHasDigits(t *testing.T) {
	first, second := cand(opA, 1, 1, euro(1)), cand(opB, 1, 1, euro(1))
	table := world(rule("4", routing.Priority, first), rule("40", routing.Priority, first), rule("447", routing.Priority, first),
		owned(rule("447", routing.Priority, second))).Table()
	var d routing.Decision
	for _, c := range []struct {
		name string
		to   e164.Number
		want error
	}{
		{"no number", "", routing.ErrNoRoute},
		{"a plus alone", "+", routing.ErrNoRoute},
		{"no plus", "447911123456", routing.ErrNoRoute},
		{"a letter first", "+x47911", routing.ErrNoRoute},
		{"a letter where a pair ends", "+4x", nil},
		{"a letter in a pair's middle", "+44x", nil},
		{"a colon, which comes right after the digits", "+4:7", nil},
		{"a pair that would be a single digit's bit", "+4;8", nil},
		{"a pair that would be the mark of runs", "+4<7911", nil},
		{"one digit", "+4", nil},
		{"two digits", "+44", nil},
		{"more digits than there are in a number", "+44" + "00000000000000000000", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := ask()
			q.To = c.to
			err := table.Decide(&q, &d, nil)
			require.Equal(t, c.want, err)
			if err == nil {
				require.Equal(t, e164.Prefix("4"), d.Prefix)
			}
		})
	}
}
