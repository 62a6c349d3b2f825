package release

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// id makes a UUID that is the same in every run.
func id(kind byte, n uint64) uuid.UUID {
	var u uuid.UUID
	u[0] = kind
	binary.BigEndian.PutUint64(u[8:], n)
	return u
}

var (
	eur   = money.Currency{'E', 'U', 'R'}
	usd   = money.Currency{'U', 'S', 'D'}
	first = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	last  = time.Date(2026, 9, 1, 12, 30, 0, 250_000_000, time.UTC)
)

// small has a bit of everything, in order.
func small() *Content {
	list := []Candidate{
		{Operator: id('o', 1), Priority: 1, Weight: 70},
		{Operator: id('o', 2), Priority: 2, Weight: 30, Price: money.Money{Nanos: 12_500_000, Currency: eur}},
	}
	own := []Candidate{{Operator: id('o', 3), Priority: 1, Price: money.Money{Currency: usd}}}
	return &Content{
		Operators: []Operator{
			{ID: id('o', 1), Name: "Alpha", Host: "smpp.alpha.example", Port: 2775, SystemID: "alpha", MaxTPS: 100, Types: SMS, Status: Active},
			{ID: id('o', 2), Name: "Beta", Host: "192.0.2.7", Port: 2776, SystemID: "beta", MaxTPS: 1, Types: AllTypes, Status: Suspended},
			{ID: id('o', 3), Name: "Gamma", Host: "gamma.example", Port: 65535, MaxTPS: 1 << 30, Types: Flash | WAP, Status: Inactive, ReceivesOnly: true},
		},
		FX: []FXRate{{eur, 1_000_000_000}, {usd, 921_000_000}},
		Rules: []Rule{
			{ID: id('r', 1), Prefix: "1", Types: AllTypes, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Candidates: list},
			{ID: id('r', 2), Prefix: "44", Types: SMS, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY, FallThrough: true, Candidates: list},
			{ID: id('r', 3), Prefix: "44", Types: AllTypes, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER, Inactive: true, From: first, Candidates: own},
			{ID: id('r', 4), Prefix: "44", Account: id('a', 1), Types: Flash, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED, To: last, Candidates: list},
			{ID: id('r', 5), Prefix: "447911123456789", Account: id('a', 1), Types: WAP, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, From: first, To: last, Candidates: own},
			{ID: id('r', 6), Prefix: "4480", Account: id('a', 2), Types: WAP, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, From: first, To: last, Candidates: own},
		},
		Rates: []Rate{
			{ID: id('t', 1), Operator: id('o', 1), Prefix: "1", Type: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: money.Money{Nanos: 9_000_000, Currency: usd}},
			{ID: id('t', 2), Operator: id('o', 1), Prefix: "44", Type: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: money.Money{Nanos: 31_000_000, Currency: eur}, To: first},
			{ID: id('t', 3), Operator: id('o', 1), Prefix: "44", Type: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: money.Money{Nanos: 1<<63 - 1, Currency: eur}, From: first},
			{ID: id('t', 4), Operator: id('o', 2), Prefix: "44", Type: routingv1.MessageType_MESSAGE_TYPE_WAP, Price: money.Money{Currency: usd}, From: first, To: last},
		},
	}
}

// clone copies rows, so that sorting one changes no other.
func clone(c *Content) *Content {
	return &Content{
		Operators: slices.Clone(c.Operators), FX: slices.Clone(c.FX), Rules: slices.Clone(c.Rules), Rates: slices.Clone(c.Rates),
	}
}

func shuffle(c *Content, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(c.Operators), func(i, j int) { c.Operators[i], c.Operators[j] = c.Operators[j], c.Operators[i] })
	r.Shuffle(len(c.FX), func(i, j int) { c.FX[i], c.FX[j] = c.FX[j], c.FX[i] })
	r.Shuffle(len(c.Rules), func(i, j int) { c.Rules[i], c.Rules[j] = c.Rules[j], c.Rules[i] })
	r.Shuffle(len(c.Rates), func(i, j int) { c.Rates[i], c.Rates[j] = c.Rates[j], c.Rates[i] })
}

func sealed(t require.TestingT, c *Content, l limits) ([]byte, Sealed) {
	var out bytes.Buffer
	s, err := compile(&out, c, l)
	require.NoError(t, err)
	require.EqualValues(t, out.Len(), s.StoredSize)
	return out.Bytes(), s
}

// readAll gives what an artifact holds, and the first error.
func readAll(stored []byte, digest string, size int64) (*Content, error) {
	r, err := NewReader(bytes.NewReader(stored), digest, size)
	if err != nil {
		return nil, err
	}
	c := &Content{Operators: r.Operators(), FX: r.FX()}
	for rule, err := range r.Rules() {
		if err != nil {
			return nil, err
		}
		c.Rules = append(c.Rules, *rule)
	}
	for rate, err := range r.Rates() {
		if err != nil {
			return nil, err
		}
		c.Rates = append(c.Rates, *rate)
	}
	return c, r.Close()
}

// large is like the live tables of a wholesale carrier: few lists of candidates for many rules.
func large(rules, rates, lists int) *Content {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() (u uuid.UUID) {
		binary.BigEndian.PutUint64(u[:], r.Uint64())
		binary.BigEndian.PutUint64(u[8:], r.Uint64())
		return u
	}
	c := &Content{FX: []FXRate{{eur, 1_000_000_000}}}
	for i := range 200 {
		c.Operators = append(c.Operators, Operator{
			ID: random(), Name: "operator " + strconv.Itoa(i), Host: "smpp.example", Port: 2775, SystemID: "trunk", MaxTPS: 100, Types: AllTypes, Status: Active,
		})
	}
	pool := make([][]Candidate, lists)
	for i := range pool {
		for j := range 3 {
			pool[i] = append(pool[i], Candidate{
				Operator: c.Operators[r.IntN(len(c.Operators))].ID, Priority: int32(j + 1), Weight: int32(r.IntN(100)),
				Price: money.Money{Nanos: r.Int64N(100_000_000), Currency: eur},
			})
		}
	}
	for i := range rules {
		c.Rules = append(c.Rules, Rule{
			ID: random(), Prefix: e164.Prefix(strconv.Itoa(10_000_000 + i*7)), Types: AllTypes,
			Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Candidates: pool[r.IntN(lists)],
		})
	}
	for i := range rates {
		c.Rates = append(c.Rates, Rate{
			ID: random(), Operator: c.Operators[i%len(c.Operators)].ID, Prefix: e164.Prefix(strconv.Itoa(100_000 + i/len(c.Operators))),
			Type: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: money.Money{Nanos: r.Int64N(100_000_000), Currency: eur}, From: first,
		})
	}
	return c
}

func BenchmarkCompile(b *testing.B) {
	c := large(1_000_000, 250_000, 20_000)
	for b.Loop() {
		b.StopTimer()
		shuffle(c, 1)
		b.StartTimer()
		_, err := Compile(&bytes.Buffer{}, c)
		require.NoError(b, err)
	}
}

func BenchmarkRead(b *testing.B) {
	for name, lists := range map[string]int{"shared lists": 20_000, "own lists": 400_000} {
		b.Run(name, func(b *testing.B) {
			c := large(400_000, 100_000, lists)
			stored, s := sealed(b, c, defaultLimits())
			rows := float64(s.Rules + s.Rates)
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(stored), s.Digest, s.Size)
				require.NoError(b, err)
				for _, err := range r.Rules() {
					if err != nil {
						b.Fatal(err)
					}
				}
				for _, err := range r.Rates() {
					if err != nil {
						b.Fatal(err)
					}
				}
				require.NoError(b, r.Close())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			b.ReportMetric(float64(s.StoredSize)/rows, "stored_bytes/row")
			b.ReportMetric(float64(s.Size)/rows, "bytes/row")
		})
	}
}
