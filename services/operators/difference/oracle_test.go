package difference_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/operators/difference"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
)

// crowded makes a small set in which the same prefixes, windows and prices come up again and again.
func crowded(rng *rand.Rand) (c release.Content) {
	prefix := func() e164.Prefix { return e164.Prefix(fmt.Sprint(1 + rng.IntN(30))) }
	hour := func() (at time.Time) {
		if rng.IntN(2) == 0 {
			at = noon.Add(time.Duration(rng.IntN(5)-2) * time.Hour)
		}
		return at
	}
	c.Operators = []release.Operator{operator(1, "Alpha"), operator(2, "Beta")}
	seen := map[string]bool{}
	first := func(key ...any) bool {
		text := fmt.Sprint(key...)
		defer func() { seen[text] = true }()
		return !seen[text]
	}
	for range rng.IntN(40) {
		r := rule(byte(rng.IntN(256)), prefix(), candidate(byte(1+rng.IntN(2))))
		r.Types, r.Inactive = release.MessageTypes(1+rng.IntN(2)), rng.IntN(2) == 0
		if r.ID != id(0) && first("rule", r.Prefix, r.Types) {
			c.Rules = append(c.Rules, r)
		}
	}
	for range rng.IntN(80) {
		r := rate(byte(1+rng.IntN(255)), prefix(), int64(rng.IntN(3)))
		r.Operator, r.From, r.To = id(byte(1+rng.IntN(2))), hour(), hour()
		if rng.IntN(4) == 0 {
			r.Price.Currency = usd
		}
		if first("rate", r.Prefix, r.Operator, r.From) {
			c.Rates = append(c.Rates, r)
		}
	}
	return c
}

// costs gives what everything costs at a moment, found the slow way.
func costs(c release.Content, at time.Time) map[string]money.Money {
	out := map[string]money.Money{}
	began := map[string]time.Time{}
	for _, r := range c.Rates {
		key := fmt.Sprint(r.Prefix, "/", r.Operator)
		if at.Before(r.From) || !r.To.IsZero() && !at.Before(r.To) {
			continue
		}
		if last, there := began[key]; !there || r.From.After(last) {
			out[key], began[key] = r.Price, r.From
		}
	}
	return out
}

// expected counts the slow way.
func expected(base, draft release.Content) *releasesv1.ReleaseDiffSummary {
	s := &releasesv1.ReleaseDiffSummary{}
	touched := map[e164.Prefix]bool{}
	rules := func(c release.Content) map[string]release.Rule {
		out := map[string]release.Rule{}
		for _, r := range c.Rules {
			r.ID = id(0)
			out[fmt.Sprint(r.Prefix, "/", r.Types)] = r
		}
		return out
	}
	before, after := rules(base), rules(draft)
	for key, r := range before {
		if now, there := after[key]; !there {
			s.RulesRemoved++
		} else if fmt.Sprint(r) != fmt.Sprint(now) {
			s.RulesChanged++
		} else {
			continue
		}
		touched[r.Prefix] = true
	}
	for key, r := range after {
		if _, there := before[key]; !there {
			s.RulesAdded++
			touched[r.Prefix] = true
		}
	}

	written := func(c release.Content, key string) map[string]bool {
		out := map[string]bool{}
		for _, r := range c.Rates {
			if fmt.Sprint(r.Prefix, "/", r.Operator) == key {
				out[fmt.Sprint(r.Price, r.From, r.To)] = true
			}
		}
		return out
	}
	keys := map[string]e164.Prefix{}
	for _, c := range []release.Content{base, draft} {
		for _, r := range c.Rates {
			keys[fmt.Sprint(r.Prefix, "/", r.Operator)] = r.Prefix
		}
	}
	for key, prefix := range keys {
		if fmt.Sprint(written(base, key)) == fmt.Sprint(written(draft, key)) {
			continue
		}
		touched[prefix] = true
		count := &s.RatesOther
		for hours := range 4 {
			at := noon.Add(time.Duration(hours) * time.Hour)
			old, now := costs(base, at)[key], costs(draft, at)[key]
			switch {
			case old == now:
				continue
			case old.IsZero():
				count = &s.RatesAdded
			case now.IsZero():
				count = &s.RatesRemoved
			case old.Currency != now.Currency:
			case old.Nanos < now.Nanos:
				count = &s.RatesRaised
			default:
				count = &s.RatesLowered
			}
			break
		}
		*count++
	}
	s.PrefixCount = int64(len(touched))
	s.Identical = len(touched) == 0
	return s
}

func TestCountsAreThoseOfASlowComparison(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		base, draft := crowded(rng), crowded(rng)
		if rng.IntN(10) == 0 {
			draft = base
		}
		want := expected(base, draft)
		before, after := compile(t, base), compile(t, draft)
		want.BaseReleaseId = before.ID().String()
		got, told := diff(t, before, after, 10_000)
		require.True(t, proto.Equal(want, got), "want %v\ngot  %v", want, got)
		require.EqualValues(t, len(told), got.GetRulesAdded()+got.GetRulesRemoved()+got.GetRulesChanged()+got.GetRatesAdded()+
			got.GetRatesRemoved()+got.GetRatesRaised()+got.GetRatesLowered()+got.GetRatesOther())
	}
}

func TestTheSameReleasesGiveTheSameBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	bytesOf := func(base, draft release.Content, most int) (all []byte) {
		for _, c := range []release.Content{base, draft} {
			rng.Shuffle(len(c.Rules), func(i, j int) { c.Rules[i], c.Rules[j] = c.Rules[j], c.Rules[i] })
			rng.Shuffle(len(c.Rates), func(i, j int) { c.Rates[i], c.Rates[j] = c.Rates[j], c.Rates[i] })
		}
		err := difference.New(func() time.Time { return noon }).Diff(t.Context(), compile(t, base), compile(t, draft), most, func(r *releasesv1.DiffReleaseResponse) error {
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
			all = append(all, data...)
			return err
		})
		require.NoError(t, err)
		return all
	}
	for range 5 {
		base, draft := crowded(rng), crowded(rng)
		for _, most := range []int{1, 7, 1000} {
			require.Equal(t, bytesOf(base, draft, most), bytesOf(base, draft, most))
		}
	}
}

func BenchmarkDiff(b *testing.B) {
	content := func(change int64) release.Content {
		c := release.Content{Operators: []release.Operator{operator(1, "Alpha")}}
		for n := range 200_000 {
			prefix := e164.Prefix(fmt.Sprint(100_000_000 + n*7))
			r, price := rule(1, prefix, candidate(1)), rate(1, prefix, int64(n)+change)
			r.ID[0], r.ID[1], r.ID[2] = byte(n), byte(n>>8), byte(n>>16)
			price.ID = r.ID
			c.Rules, c.Rates = append(c.Rules, r), append(c.Rates, price)
		}
		return c
	}
	base, draft := compile(b, content(0)), compile(b, content(1))
	differ := difference.New(func() time.Time { return noon })
	b.ReportAllocs()
	for b.Loop() {
		if err := differ.Diff(b.Context(), base, draft, 1000, func(*releasesv1.DiffReleaseResponse) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
