package routingtest

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// The moment and the currencies of generated worlds.
var (
	Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	EUR = mustCurrency("EUR")
	USD = mustCurrency("USD")
)

func mustCurrency(code string) money.Currency {
	c, err := money.ParseCurrency(code)
	if err != nil {
		panic(err)
	}
	return c
}

// UID makes a small, recognisable UUID; UID(1) sorts before UID(2).
func UID(n uint64) (id uuid.UUID) {
	id[6], id[7], id[15] = byte(n>>8), byte(n), 1
	return id
}

// Generate makes a small, crowded world: few digits, few operators, so that every kind of tie, nesting
// and rejection comes up.
func Generate(rng *rand.Rand) (set *RuleSet, accounts []uuid.UUID) {
	rs := &RuleSet{Health: map[uuid.UUID]routing.Health{}, FX: map[money.Currency]int64{}}
	accounts = []uuid.UUID{uuid.Nil, UID(1001), UID(1002)}
	pick := func(n int) int { return rng.IntN(n) }
	price := func() money.Money {
		return money.Money{Nanos: int64(pick(4)) * 5_000_000, Currency: []money.Currency{EUR, EUR, EUR, USD}[pick(4)]}
	}
	window := func() (w routing.Window) {
		if pick(4) == 0 {
			w.From = Now.Add(time.Duration(pick(5)-2) * time.Hour)
		}
		if pick(4) == 0 {
			w.To = Now.Add(time.Duration(pick(5)-2) * time.Hour)
		}
		return w
	}
	prefix := func() e164.Prefix {
		p := []byte{byte('1' + pick(2))}
		for range pick(6) {
			p = append(p, byte('0'+pick(3)))
		}
		return e164.Prefix(p)
	}
	if pick(2) == 0 {
		rs.FX[EUR] = 1_000_000_000
	}
	if pick(2) == 0 {
		rs.FX[USD] = 900_000_000
	}
	for i := range 1 + pick(6) {
		o := routing.Operator{ID: UID(uint64(i)), Status: routing.StatusActive, Types: routing.NewMessageTypes(routing.SMS), ReceivesOnly: pick(20) == 0}
		if pick(8) == 0 {
			o.Status = routing.Status(pick(4))
			if o.Status == routing.StatusUnknown {
				o.Status = routing.StatusSuspended
			}
		}
		if pick(2) == 0 {
			o.Types |= routing.NewMessageTypes(routing.Flash)
		}
		rs.Operators = append(rs.Operators, o)
		if pick(4) > 0 {
			rs.Health[o.ID] = routing.Health{
				Bind:       routing.BindState(1 + pick(3)),
				Quality:    routing.Quality(1 + pick(3)),
				ObservedAt: Now.Add(-time.Duration(pick(90)) * time.Second),
			}
			if pick(3) > 0 {
				rs.Health[o.ID] = routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: Now}
			}
		}
	}
	for i := range pick(25) {
		r := routing.Rule{
			ID: UID(uint64(5000 + i)), Account: accounts[pick(3)], Prefix: prefix(), Types: routing.MessageTypes(pick(4)) << 1,
			Strategy: routing.Strategy(1 + pick(4)), FallThrough: pick(2) == 0, Inactive: pick(8) == 0, Window: window(),
		}
		for _, at := range rng.Perm(7)[:pick(5)] {
			c := routing.Candidate{Operator: UID(uint64(at)), Priority: int32(1 + pick(3)), Weight: int32(pick(3) * 50)}
			if pick(3) == 0 {
				c.Price = price()
			}
			r.Candidates = append(r.Candidates, c)
		}
		rs.Rules = append(rs.Rules, r)
	}
	type start struct {
		prefix   e164.Prefix
		operator uuid.UUID
		kind     routing.MessageType
		from     int64
	}
	seen := map[start]bool{}
	for i := range pick(40) {
		r := routing.Rate{ID: UID(uint64(9000 + i)), Operator: UID(uint64(pick(6))), Prefix: prefix(), Type: routing.MessageType(1 + pick(2)), Price: price(), Window: window()}
		key := start{r.Prefix, r.Operator, r.Type, r.Window.From.UnixMicro()}
		if !seen[key] {
			seen[key] = true
			rs.Rates = append(rs.Rates, r)
		}
	}
	return rs, accounts[1:]
}

// RandomQuery asks for a number in the generated world.
func RandomQuery(rng *rand.Rand, accounts []uuid.UUID) routing.Query {
	number := []byte{'+', byte('1' + rng.IntN(2))}
	for range 6 + rng.IntN(9) {
		number = append(number, byte('0'+rng.IntN(4)))
	}
	to, err := e164.Parse(string(number))
	if err != nil {
		panic(err)
	}
	q := routing.Query{To: to, Account: append(accounts, UID(1003))[rng.IntN(3)], Type: routing.MessageType(1 + rng.IntN(3)), At: Now}
	for range rng.IntN(3) {
		q.Exclude = append(q.Exclude, UID(uint64(rng.IntN(6))))
	}
	return q
}

// Euro is a price in EUR.
func Euro(nanos int64) money.Money { return money.Money{Nanos: nanos, Currency: EUR} }
