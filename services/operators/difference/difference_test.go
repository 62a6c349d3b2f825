package difference_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators/difference"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
)

func TestOneChangeIsTold(t *testing.T) {
	hour := noon.Add(time.Hour)
	euro := func(nanos int64) *routingv1.Money { return &routingv1.Money{CurrencyCode: "EUR", Nanos: nanos} }
	ofRule := func(n byte, kind releasesv1.ReleaseChangeKind, prefix string, details ...string) *releasesv1.ReleaseChange {
		return &releasesv1.ReleaseChange{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE, Kind: kind, EntityId: id(n).String(), Prefix: prefix, Details: details}
	}
	ofRate := func(n byte, kind releasesv1.ReleaseChangeKind, prefix string, before, after *routingv1.Money, points int64, details ...string) *releasesv1.ReleaseChange {
		return &releasesv1.ReleaseChange{
			Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RATE, Kind: kind, EntityId: id(n).String(), Prefix: prefix, OperatorId: id(1).String(),
			OperatorName: "Alpha", MessageType: sms, Before: before, After: after, ChangeBasisPoints: points, Details: details,
		}
	}
	ofOperator := func(n byte, name string, kind releasesv1.ReleaseChangeKind, details ...string) *releasesv1.ReleaseChange {
		return &releasesv1.ReleaseChange{
			Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_OPERATOR, Kind: kind, EntityId: id(n).String(), OperatorId: id(n).String(), OperatorName: name, Details: details,
		}
	}
	ofFX := func(kind releasesv1.ReleaseChangeKind, points int64, detail string) *releasesv1.ReleaseChange {
		return &releasesv1.ReleaseChange{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_FX_RATE, Kind: kind, Details: []string{detail}, ChangeBasisPoints: points}
	}
	for name, c := range map[string]struct {
		change func(c *release.Content)
		want   *releasesv1.ReleaseDiffSummary
		told   *releasesv1.ReleaseChange
	}{
		"nothing": {func(*release.Content) {}, &releasesv1.ReleaseDiffSummary{Identical: true}, nil},
		"an import gave rules and rates new ids": {
			func(c *release.Content) { c.Rules[0].ID, c.Rates[0].ID = id(99), id(98) }, &releasesv1.ReleaseDiffSummary{Identical: true}, nil,
		},
		"candidates in another order": {
			func(c *release.Content) {
				c.Rules[1].Candidates = []release.Candidate{candidate(2), candidate(1)}
			}, &releasesv1.ReleaseDiffSummary{Identical: true}, nil,
		},
		"a rule is new": {
			func(c *release.Content) {
				r := rule(12, "4479", candidate(2), candidate(1))
				r.Types, r.FallThrough, r.Inactive, r.From, r.To = release.SMS|release.WAP, true, true, noon, hour
				c.Rules = append(c.Rules, r)
			},
			&releasesv1.ReleaseDiffSummary{RulesAdded: 1, PrefixCount: 1},
			ofRule(12, isAdded, "+4479", "message types SMS,WAP", "strategy COST", "on exhausted FALL_THROUGH", "inactive", "valid from 2026-11-21T12:00:00Z",
				"valid to 2026-11-21T13:00:00Z", "operators Beta, Alpha"),
		},
		"a rule is gone": {
			func(c *release.Content) { c.Rules = c.Rules[1:] }, &releasesv1.ReleaseDiffSummary{RulesRemoved: 1, PrefixCount: 1},
			ofRule(10, isRemoved, "+44", "strategy COST", "operators Alpha"),
		},
		"everything of a rule differs": {
			func(c *release.Content) {
				r := &c.Rules[1]
				r.Strategy, r.FallThrough, r.Inactive, r.From, r.To = routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED, true, true, noon, hour
				other := candidate(2)
				other.Priority, other.Weight, other.Price = 2, 50, money.Money{Nanos: 5_000_000, Currency: eur}
				r.Candidates = []release.Candidate{other, {Operator: id(7), Priority: 3}}
			},
			&releasesv1.ReleaseDiffSummary{RulesChanged: 1, PrefixCount: 1},
			ofRule(11, isChanged, "+49", "strategy COST -> WEIGHTED", "on exhausted FAIL -> FALL_THROUGH", "state active -> inactive",
				"valid from none -> 2026-11-21T12:00:00Z", "valid to none -> 2026-11-21T13:00:00Z", "operator Alpha removed",
				"operator Beta: priority 1 -> 2, weight 100 -> 50, price none -> 0.005000 EUR",
				"operator "+id(7).String()+" added: priority 3, weight 0, price none"),
		},
		"a price is new": {
			func(c *release.Content) { c.Rates = append(c.Rates, rate(22, "447", 7)) }, &releasesv1.ReleaseDiffSummary{RatesAdded: 1, PrefixCount: 1},
			ofRate(22, isAdded, "+447", nil, euro(7), 0),
		},
		"a price is gone": {
			func(c *release.Content) { c.Rates = c.Rates[1:] }, &releasesv1.ReleaseDiffSummary{RatesRemoved: 1, PrefixCount: 1},
			ofRate(20, isRemoved, "+44", euro(10_000_000), nil, 0),
		},
		"a price is higher": {
			func(c *release.Content) { c.Rates[0].ID, c.Rates[0].Price.Nanos = id(29), 12_345_678 }, &releasesv1.ReleaseDiffSummary{RatesRaised: 1, PrefixCount: 1},
			ofRate(29, isChanged, "+44", euro(10_000_000), euro(12_345_678), 2345),
		},
		"a price is lower": {
			func(c *release.Content) { c.Rates[0].Price.Nanos = 0 }, &releasesv1.ReleaseDiffSummary{RatesLowered: 1, PrefixCount: 1},
			ofRate(20, isChanged, "+44", euro(10_000_000), euro(0), -10_000),
		},
		"a price has another currency": {
			func(c *release.Content) { c.Rates[0].Price.Currency = usd }, &releasesv1.ReleaseDiffSummary{RatesOther: 1, PrefixCount: 1},
			ofRate(20, isChanged, "+44", euro(10_000_000), &routingv1.Money{CurrencyCode: "USD", Nanos: 10_000_000}, 0, "currency EUR -> USD"),
		},
		"a price will be higher": {
			func(c *release.Content) {
				next := rate(28, "44", 15_000_000)
				c.Rates[0].To, next.From = hour, hour
				c.Rates = append(c.Rates, next)
			}, &releasesv1.ReleaseDiffSummary{RatesRaised: 1, PrefixCount: 1},
			ofRate(28, isChanged, "+44", euro(10_000_000), euro(15_000_000), 5000, "from 2026-11-21T13:00:00Z"),
		},
		"a price will end": {
			func(c *release.Content) { c.Rates[0].To = hour }, &releasesv1.ReleaseDiffSummary{RatesRemoved: 1, PrefixCount: 1},
			ofRate(20, isRemoved, "+44", euro(10_000_000), nil, 0, "from 2026-11-21T13:00:00Z"),
		},
		"a price differed in the past only": {
			func(c *release.Content) { c.Rates[0].From = noon }, &releasesv1.ReleaseDiffSummary{RatesOther: 1, PrefixCount: 1},
			ofRate(20, isChanged, "+44", nil, nil, 0, "only dates differ, and no price from now on"),
		},
		"a rule and a price of one prefix": {
			func(c *release.Content) { c.Rules, c.Rates[0].Price.Nanos = c.Rules[1:], 20_000_000 },
			&releasesv1.ReleaseDiffSummary{RulesRemoved: 1, RatesRaised: 1, PrefixCount: 1}, nil,
		},
		"an operator is new": {
			func(c *release.Content) { c.Operators = append(c.Operators, operator(3, "Gamma")) }, &releasesv1.ReleaseDiffSummary{OperatorsChanged: 1},
			ofOperator(3, "Gamma", isAdded, "status ACTIVE"),
		},
		"an operator is gone": {
			func(c *release.Content) { c.Operators = c.Operators[:1] }, &releasesv1.ReleaseDiffSummary{OperatorsChanged: 1},
			ofOperator(2, "Beta", isRemoved),
		},
		"everything of an operator differs": {
			func(c *release.Content) {
				c.Operators[1] = release.Operator{ID: id(2), Name: "Bravo", Host: "h", Port: 1, SystemID: "s", MaxTPS: 2, Types: release.SMS, Status: release.Suspended, ReceivesOnly: true}
			}, &releasesv1.ReleaseDiffSummary{OperatorsChanged: 1},
			ofOperator(2, "Bravo", isChanged, "name Beta -> Bravo", "host smsc.example.net -> h", "port 2775 -> 1", "system_id us -> s", "max_tps 100 -> 2",
				"message types SMS,FLASH,WAP -> SMS", "status ACTIVE -> SUSPENDED", "receives only false -> true"),
		},
		"a currency is worth more": {
			func(c *release.Content) { c.FX[0].Nanos = 1_012_000_000 }, &releasesv1.ReleaseDiffSummary{FxRatesChanged: 1},
			ofFX(isChanged, 1000, "USD 0.920000000 -> 1.012000000"),
		},
		"a currency is new": {
			func(c *release.Content) { c.FX = append(c.FX, release.FXRate{Currency: eur, Nanos: 1}) }, &releasesv1.ReleaseDiffSummary{FxRatesChanged: 1},
			ofFX(isAdded, 0, "EUR 0.000000001"),
		},
		"a currency is gone": {
			func(c *release.Content) { c.FX = nil }, &releasesv1.ReleaseDiffSummary{FxRatesChanged: 1}, ofFX(isRemoved, 0, "USD 0.920000000"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			content := world()
			c.change(&content)
			base, draft := compile(t, world()), compile(t, content)
			summary, told := diff(t, base, draft, 1000)
			c.want.BaseReleaseId = base.ID().String()
			require.True(t, proto.Equal(c.want, summary), "%v", summary)
			if c.told != nil {
				require.Len(t, told, 1)
				require.True(t, proto.Equal(c.told, told[0]), "want %v\ngot  %v", c.told, told[0])
			}
			require.Equal(t, [2]int{1, 1}, [2]int{base.closed, draft.closed})
		})
	}
}

func TestAPriceOfARuleIsToldInPercent(t *testing.T) {
	priced := func(nanos int64, currency money.Currency) release.Content {
		c := world()
		c.Rules[0].Candidates = []release.Candidate{{Operator: id(1), Priority: 1, Weight: 100, Price: money.Money{Nanos: nanos, Currency: currency}}}
		return c
	}
	for name, c := range map[string]struct {
		after release.Content
		want  string
	}{
		"higher":           {priced(45_000_000, eur), "price 0.040000 EUR -> 0.045000 EUR (+12.50 %)"},
		"lower":            {priced(39_990_000, eur), "price 0.040000 EUR -> 0.039990 EUR (-0.02 %)"},
		"another currency": {priced(45_000_000, usd), "price 0.040000 EUR -> 0.045000 USD"},
	} {
		t.Run(name, func(t *testing.T) {
			_, told := diff(t, compile(t, priced(40_000_000, eur)), compile(t, c.after), 10)
			require.Len(t, told, 1)
			require.Equal(t, []string{"operator Alpha: " + c.want}, told[0].GetDetails())
		})
	}
}

func TestWithoutABaseEverythingIsNew(t *testing.T) {
	summary, told := diff(t, nil, compile(t, world()), 1000)
	require.True(t, proto.Equal(&releasesv1.ReleaseDiffSummary{RulesAdded: 2, RatesAdded: 2, OperatorsChanged: 2, FxRatesChanged: 1, PrefixCount: 2}, summary), "%v", summary)
	require.Len(t, told, 7)
}

func TestChangesAreToldInOrder(t *testing.T) {
	base, draft := world(), world()
	base.Rules, draft.Rules = nil, []release.Rule{rule(10, "49", candidate(1)), rule(11, "1", candidate(1)), rule(12, "441", candidate(1)), rule(13, "44", candidate(1))}
	base.Rates, draft.Rates = nil, nil
	price := func(n byte, prefix e164.Prefix, before, after int64) {
		if before >= 0 {
			base.Rates = append(base.Rates, rate(n, prefix, before))
		}
		if after >= 0 {
			draft.Rates = append(draft.Rates, rate(n, prefix, after))
		}
	}
	price(1, "31", 100, 110) // 10 %
	price(2, "32", 10, 12)   // 20 %
	price(3, "33", 0, 1)     // from nothing
	price(4, "34", 1000, 1100)
	price(5, "35", 100, 90)
	price(6, "36", 100, 10)
	price(7, "37", -1, 5)
	price(8, "38", 5, -1)
	base.Rates, draft.Rates = append(base.Rates, rate(9, "39", 5)), append(draft.Rates, rate(9, "39", 5))
	draft.Rates[len(draft.Rates)-1].Price.Currency = usd
	base.FX[0].Nanos, base.Operators = 1, base.Operators[:1]

	_, told := diff(t, compile(t, base), compile(t, draft), 1000)
	var order []string
	for _, c := range told {
		switch c.GetSubject() {
		case releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE:
			order = append(order, "rule "+c.GetPrefix())
		case releasesv1.ReleaseSubject_RELEASE_SUBJECT_RATE:
			order = append(order, c.GetPrefix())
		default:
			order = append(order, c.GetSubject().String()[len("RELEASE_SUBJECT_"):])
		}
	}
	require.Equal(t, []string{
		"OPERATOR", "FX_RATE", "rule +1", "rule +44", "rule +441", "rule +49",
		"+33", "+32", "+31", "+34", "+39", "+38", "+37", "+36", "+35",
	}, order)
}

func TestWhatIsToldIsBoundedAndEverythingIsCounted(t *testing.T) {
	var content release.Content
	content.Operators = []release.Operator{operator(1, "Alpha")}
	for i := range 30 {
		prefix := e164.Prefix([]byte{'4', byte('0' + i/10), byte('0' + i%10)})
		content.Rules = append(content.Rules, rule(byte(10+i), prefix, candidate(1)))
		content.Rates = append(content.Rates, rate(byte(100+i), prefix, int64(i)))
	}
	for most, want := range map[int][3]int{1: {1, 0, 0}, 2: {1, 0, 1}, 21: {1, 10, 10}, 61: {1, 30, 30}, 100: {1, 30, 30}} {
		summary, told := diff(t, nil, compile(t, content), most)
		require.EqualValues(t, 30, summary.GetRulesAdded())
		require.EqualValues(t, 30, summary.GetRatesAdded())
		require.EqualValues(t, 30, summary.GetPrefixCount())
		var got [3]int
		for _, c := range told {
			got[map[releasesv1.ReleaseSubject]int{releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE: 1, releasesv1.ReleaseSubject_RELEASE_SUBJECT_RATE: 2}[c.GetSubject()]]++
		}
		require.Equal(t, want, got, most)
	}
	content.Rates = content.Rates[:3]
	_, told := diff(t, nil, compile(t, content), 21)
	require.Len(t, told, 21, "what prices do not need is left to rules")

	// A rule with very many candidates.
	content = world()
	for i := range 60 {
		content.Rules[0].Candidates = append(content.Rules[0].Candidates, candidate(byte(100+i)))
	}
	_, told = diff(t, compile(t, world()), compile(t, content), 9)
	require.Len(t, told[0].GetDetails(), 20)
	require.Equal(t, "and 41 more", told[0].GetDetails()[19])
	_, told = diff(t, nil, compile(t, content), 9)
	require.Regexp(t, `^operators Alpha, .* and 51 more$`, told[3].GetDetails()[1])
}

func TestPercentIsExact(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want int64 }{
		"a hundredth of a percent":            {10_000, 10_001, 1},
		"less than that is cut":               {10_001, 10_002, 0},
		"a fall is cut towards 0 too":         {10_001, 10_000, 0},
		"from nothing it cannot be told":      {0, 5, 0},
		"the largest prices do not overflow":  {math.MaxInt64 - 1, math.MaxInt64, 0},
		"twice the price":                     {math.MaxInt64 / 2, math.MaxInt64 - 1, 10_000},
		"beyond the largest number it is cut": {1, math.MaxInt64, math.MaxInt64},
		"just beyond it":                      {5000, math.MaxInt64, math.MaxInt64},
		"all of the largest price":            {math.MaxInt64, 0, -10_000},
	} {
		t.Run(name, func(t *testing.T) {
			base, draft := world(), world()
			base.Rates[0].Price.Nanos, draft.Rates[0].Price.Nanos = c.before, c.after
			_, told := diff(t, compile(t, base), compile(t, draft), 9)
			require.Equal(t, c.want, told[0].GetChangeBasisPoints())
		})
	}
}

func TestADamagedReleaseTellsNothing(t *testing.T) {
	give := func(*releasesv1.DiffReleaseResponse) error { return errors.New("something was told") }
	differ := difference.New(func() time.Time { return noon })
	// The rows are read well, and the digest is that of others.
	broken := compile(t, world())
	broken.sealed.Digest = compile(t, release.Content{}).sealed.Digest
	require.ErrorIs(t, differ.Diff(t.Context(), compile(t, world()), broken, 9, give), release.ErrDigest)
	require.ErrorIs(t, differ.Diff(t.Context(), broken, compile(t, world()), 9, give), release.ErrDigest)
	require.Equal(t, 2, broken.closed)
	missing := failing{errors.New("gone")}
	require.ErrorIs(t, differ.Diff(t.Context(), missing, compile(t, world()), 9, give), missing.err)
	whole := compile(t, world())
	require.ErrorIs(t, differ.Diff(t.Context(), whole, missing, 9, give), missing.err)
	require.Equal(t, 1, whole.closed)
	require.EqualError(t, differ.Diff(t.Context(), nil, whole, 9, give), "something was told")
}

// A comparison of every moment with every price would not end within the time of a test.
func TestManyPricesOfOneKeyAreComparedInOneWalk(t *testing.T) {
	const n = 100_000
	deck := func(last int64) *source {
		c := release.Content{Operators: []release.Operator{operator(1, "Alpha")}}
		for i := range n {
			r := rate(1, "44", int64(i))
			binary.BigEndian.PutUint64(r.ID[:], uint64(i)+1)
			r.From, r.To = noon.Add(time.Duration(i)*time.Minute), noon.Add(time.Duration(i+1)*time.Minute)
			if i == n-1 {
				r.Price.Nanos = last
			}
			c.Rates = append(c.Rates, r)
		}
		return compile(t, c)
	}
	sums, changes := diff(t, deck(1<<40), deck(1<<41), 10)
	require.EqualValues(t, 1, sums.GetRatesRaised())
	require.Equal(t, []string{"from " + noon.Add((n-1)*time.Minute).Format(time.RFC3339Nano)}, changes[0].GetDetails())
}

func TestAComparisonEndsWithItsCaller(t *testing.T) {
	for name, c := range map[string]release.Content{
		"rules":  {Operators: world().Operators, Rules: world().Rules},
		"prices": {Operators: world().Operators, Rates: world().Rates},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			draft := compile(t, c)
			err := difference.New(func() time.Time { return noon }).Diff(ctx, nil, draft, 10, func(*releasesv1.DiffReleaseResponse) error {
				t.Error("it goes on")
				return nil
			})
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, 1, draft.closed)
		})
	}
}

func TestReleasesAreClosedBeforeAnythingIsGiven(t *testing.T) {
	base, draft := compile(t, world()), compile(t, release.Content{})
	require.NoError(t, difference.New(func() time.Time { return noon }).Diff(t.Context(), base, draft, 10, func(*releasesv1.DiffReleaseResponse) error {
		require.Equal(t, [2]int{1, 1}, [2]int{base.closed, draft.closed})
		return nil
	}))
}
