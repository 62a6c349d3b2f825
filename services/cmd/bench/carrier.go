package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// The shape of a rule set like a carrier's.
const (
	operatorCount = 40
	candidates    = 3
	// zones is how many calling codes the prefixes begin with.
	zones = 240
	// networkRates is how many networks each operator prices on top of its price per world zone (first digit).
	networkRates = 400
	// smallest is the size below which figures mean nothing; such a set has fewer rates, to be made in no time.
	smallest = 1_000
	// networks is how many networks there are to price.
	networks = 2_000
	// ownEvery says that one rule in so many belongs to the account that asks.
	ownEvery = 50
	// zipfSkew is the exponent of the skewed draw: the usual one for what people ask for most.
	zipfSkew = 1.1
)

// account is the account that asks.
var account = uuid.UUID{0: 0xac, 6: 0x40, 8: 0x80, 15: 1}

// shares of prefix lengths, in percent; a length that is used up gives to longer ones.
var lengths = []struct{ digits, percent int }{{3, 1}, {4, 3}, {5, 8}, {6, 18}, {7, 30}, {8, 25}, {9, 15}}

// carrier is a rule set: nested prefixes of 3 to 9 digits, each with three of 40 operators by COST, priced by the
// operators' own decks. The same size always gives the same set.
type carrier struct {
	rng       *rand.Rand
	operators []routing.Operator
	rates     []routing.Rate
	prefixes  []string // different digit strings, in no order
	// lists holds the candidates of each prefix.
	lists [][candidates]uint8
}

func newCarrier(n int) *carrier {
	c := &carrier{rng: rand.New(rand.NewPCG(uint64(n), 1))}
	codes := c.codes()
	c.drawPrefixes(n, codes)
	c.lists = make([][candidates]uint8, n)
	for i := range c.lists {
		for k, at := range c.rng.Perm(operatorCount)[:candidates] {
			c.lists[i][k] = uint8(at)
		}
	}
	c.drawOperators()
	c.drawRates(codes)
	return c
}

func (c *carrier) codes() []string {
	seen := map[string]bool{}
	var codes []string
	for len(codes) < zones {
		if code := fmt.Sprint(100 + c.rng.IntN(900)); !seen[code] {
			seen[code] = true
			codes = append(codes, code)
		}
	}
	return codes
}

func (c *carrier) drawPrefixes(n int, codes []string) {
	seen := make(map[string]bool, n)
	// One text holds them all, so that the set is a few large objects and costs the collector little.
	var text strings.Builder
	text.Grow(n * longest)
	ends := make([]int, 0, n)
	for len(ends) < n {
		digits := []byte(codes[c.rng.IntN(len(codes))])
		for length := c.length(); len(digits) < length; {
			digits = append(digits, byte('0'+c.rng.IntN(10)))
		}
		if seen[string(digits)] {
			continue
		}
		seen[string(digits)] = true
		text.Write(digits)
		ends = append(ends, text.Len())
	}
	c.prefixes = make([]string, n)
	start := 0
	for i, end := range ends {
		c.prefixes[i] = text.String()[start:end]
		start = end
	}
}

func (c *carrier) length() int {
	at := c.rng.IntN(100)
	for _, l := range lengths {
		if at -= l.percent; at < 0 {
			return l.digits
		}
	}
	return lengths[len(lengths)-1].digits
}

func (c *carrier) drawOperators() {
	for i := range operatorCount {
		c.operators = append(c.operators, routing.Operator{
			ID: uuid.UUID{6: 0x70, 7: byte(i), 8: 0x80, 15: 7}, Name: fmt.Sprintf("Carrier %02d", i),
			Host: fmt.Sprintf("smsc%02d.carrier.example", i), Port: 2775, SystemID: fmt.Sprintf("trunk_%02d", i),
			TPSLimit: 500, Types: routing.NewMessageTypes(routing.SMS), Status: routing.StatusActive,
		})
	}
}

func (c *carrier) drawRates(codes []string) {
	price := func() money.Money {
		return money.Money{Nanos: int64(1_000_000 + c.rng.IntN(90_000_000)), Currency: euro()}
	}
	pool := make([]string, networks)
	for i := range pool {
		pool[i] = codes[c.rng.IntN(len(codes))]
		for range c.rng.IntN(3) {
			pool[i] += fmt.Sprint(c.rng.IntN(10))
		}
	}
	rates := networkRates
	if len(c.prefixes) < smallest {
		rates = len(c.prefixes) / 10
	}
	for _, o := range c.operators {
		priced := map[string]bool{}
		add := func(prefix string) {
			if !priced[prefix] {
				priced[prefix] = true
				c.rates = append(c.rates, routing.Rate{Operator: o.ID, Prefix: e164.Prefix(prefix), Type: routing.SMS, Price: price()})
			}
		}
		for zone := range 9 {
			add(fmt.Sprint(1 + zone))
		}
		for range rates {
			add(pool[c.rng.IntN(len(pool))])
		}
	}
}

func euro() money.Currency {
	m, err := money.FromNanos(0, "EUR")
	if err != nil {
		return money.Currency{}
	}
	return m.Currency
}

// rule gives the rule of prefix i; its candidates are written into list.
func (c *carrier) rule(i int, list *[candidates]routing.Candidate) routing.Rule {
	r := routing.Rule{
		ID:       uuid.UUID{0: byte(i >> 24), 1: byte(i >> 16), 2: byte(i >> 8), 3: byte(i), 6: 0x70, 8: 0x80, 15: 3},
		Prefix:   e164.Prefix(c.prefixes[i]),
		Strategy: routing.Cost,
	}
	if c.owned(i) {
		r.Account = account
	}
	for k, at := range c.lists[i] {
		list[k] = routing.Candidate{Operator: c.operators[at].ID, Priority: int32(k + 1), Weight: 100}
	}
	r.Candidates = list[:]
	return r
}

func (c *carrier) owned(i int) bool { return i%ownEvery == 0 }

// table compiles the set, with every operator up.
func (c *carrier) table(now time.Time) *routing.Table {
	view := routing.NewHealthView()
	b := routing.NewTableBuilder(view)
	for _, o := range c.operators {
		b.AddOperator(o)
		view.Apply(routing.HealthEvent{Operator: o.ID, Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: now})
	}
	b.Grow(len(c.prefixes), len(c.rates))
	var list [candidates]routing.Candidate
	for i := range c.prefixes {
		b.AddRule(c.rule(i, &list))
	}
	for _, r := range c.rates {
		b.AddRate(r)
	}
	return b.Build(routing.Versions{Config: 1, Rules: 1})
}

// uniform draws every prefix equally often.
func (c *carrier) uniform() func() int { return func() int { return c.rng.IntN(len(c.prefixes)) } }

// skewed draws by Zipf's law.
func (c *carrier) skewed() func() int {
	z := rand.NewZipf(c.rng, zipfSkew, 1, uint64(len(c.prefixes)-1))
	return func() int { return int(z.Uint64()) }
}

// numberDigits is the length of every number that is asked for.
const numberDigits = 12

// numbers makes numbers below the prefixes that pick draws.
func (c *carrier) numbers(n int, pick func() int) []e164.Number {
	text := make([]byte, 0, n*(numberDigits+1))
	for range n {
		text = append(text, '+')
		digits := c.prefixes[pick()]
		text = append(text, digits...)
		for range numberDigits - len(digits) {
			text = append(text, byte('0'+c.rng.IntN(10)))
		}
	}
	all := make([]e164.Number, n)
	whole := string(text)
	for i := range all {
		all[i] = e164.Number(whole[i*(numberDigits+1) : (i+1)*(numberDigits+1)])
	}
	return all
}

// longest is the length of the longest prefix. Numbers that agree so far share a cache entry.
const longest = 9

// distinct makes numbers of which none shares a cache entry with another or with one of known.
func (c *carrier) distinct(n int, known []e164.Number) []e164.Number {
	head := func(number e164.Number) e164.Number { return number[:len("+")+longest] }
	seen := make(map[e164.Number]bool, n+len(known))
	for _, number := range known {
		seen[head(number)] = true
	}
	all := make([]e164.Number, 0, n)
	for len(all) < n {
		if number := c.numbers(1, c.uniform())[0]; !seen[head(number)] {
			seen[head(number)] = true
			all = append(all, number)
		}
	}
	return all
}
