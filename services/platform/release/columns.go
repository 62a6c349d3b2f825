package release

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"

	"trunkline/services/platform/money"
)

// spanTable numbers the spans of a part in the order in which they first come.
type spanTable struct {
	places map[span]uint32
	body   []byte // the field, encoded
}

// place is 0 for always, else from 1.
func (t *spanTable) place(s span, field protowire.Number) uint64 {
	if s == always {
		return 0
	}
	if at, known := t.places[s]; known {
		return uint64(at)
	}
	at := uint32(len(t.places) + 1)
	t.places[s] = at
	t.body = protowire.AppendBytes(protowire.AppendTag(t.body, field, protowire.BytesType), s.append(nil))
	return uint64(at)
}

// idTable numbers ids, from 0.
type idTable struct {
	places map[uuid.UUID]uint32
	body   []byte
}

func (t *idTable) place(id uuid.UUID) uint64 {
	at, known := t.places[id]
	if !known {
		at = uint32(len(t.places))
		t.places[id] = at
		t.body = append(t.body, id[:]...)
	}
	return uint64(at)
}

// ruleColumns collects a part of rules.
type ruleColumns struct {
	rows, candidates                                                int
	prefixes, ids, accounts, types, strategies, flags, spans, lists []byte
	account                                                         idTable
	span                                                            spanTable
	listPlaces                                                      map[string]uint32
	listBody                                                        []byte
	scratch, column                                                 []byte
}

func newRuleColumns() *ruleColumns {
	return &ruleColumns{
		account: idTable{places: map[uuid.UUID]uint32{}}, span: spanTable{places: map[span]uint32{}},
		listPlaces: map[string]uint32{},
	}
}

func (c *ruleColumns) reset() {
	c.rows, c.candidates = 0, 0
	for _, b := range []*[]byte{&c.prefixes, &c.ids, &c.accounts, &c.types, &c.strategies, &c.flags, &c.spans, &c.lists, &c.account.body, &c.span.body, &c.listBody} {
		*b = (*b)[:0]
	}
	clear(c.account.places)
	clear(c.span.places)
	clear(c.listPlaces)
}

func (c *ruleColumns) add(r *Rule, p *prefixWriter) {
	c.rows++
	c.prefixes = p.append(c.prefixes, r.Prefix)
	c.ids = append(c.ids, r.ID[:]...)
	account := uint64(0)
	if r.Account != uuid.Nil {
		account = c.account.place(r.Account) + 1
	}
	c.accounts = protowire.AppendVarint(c.accounts, account)
	c.types = append(c.types, byte(r.Types))
	c.strategies = append(c.strategies, byte(r.Strategy))
	c.flags = append(c.flags, byte(bit(r.FallThrough)*fallThroughFlag|bit(r.Inactive)*inactiveFlag))
	c.spans = protowire.AppendVarint(c.spans, c.span.place(span{micros(r.From), micros(r.To)}, 8))
	c.lists = protowire.AppendVarint(c.lists, c.list(r.Candidates))
}

// list numbers lists of candidates, from 0.
func (c *ruleColumns) list(candidates []Candidate) uint64 {
	b := c.scratch[:0]
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(candidates)*idSize))
	for i := range candidates {
		b = append(b, candidates[i].Operator[:]...)
	}
	packed := func(field protowire.Number, value func(*Candidate) uint64) {
		c.column = c.column[:0]
		for i := range candidates {
			c.column = protowire.AppendVarint(c.column, value(&candidates[i]))
		}
		b = appendBytes(b, field, c.column)
	}
	packed(2, func(x *Candidate) uint64 { return uint64(x.Priority) })
	packed(3, func(x *Candidate) uint64 { return uint64(x.Weight) })
	packed(4, func(x *Candidate) uint64 { return uint64(x.Price.Nanos) })
	for i := range candidates {
		b = protowire.AppendTag(b, 5, protowire.BytesType)
		if code := candidates[i].Price.Currency; code.IsZero() {
			b = protowire.AppendVarint(b, 0)
		} else {
			b = protowire.AppendBytes(b, code[:])
		}
	}
	c.scratch = b
	if at, known := c.listPlaces[string(b)]; known {
		return uint64(at)
	}
	at := uint32(len(c.listPlaces))
	c.listPlaces[string(b)] = at
	c.candidates += len(candidates)
	c.listBody = protowire.AppendBytes(protowire.AppendTag(c.listBody, 10, protowire.BytesType), b)
	return uint64(at)
}

func (c *ruleColumns) append(b []byte) []byte {
	b = appendBytes(b, 1, c.prefixes)
	b = appendBytes(b, 2, c.ids)
	b = appendBytes(b, 3, c.account.body)
	b = appendBytes(b, 4, c.accounts)
	b = appendBytes(b, 5, c.types)
	b = appendBytes(b, 6, c.strategies)
	b = appendBytes(b, 7, c.flags)
	b = append(b, c.span.body...)
	b = appendBytes(b, 9, c.spans)
	b = append(b, c.listBody...)
	return appendBytes(b, 11, c.lists)
}

func (a *artifact) rules(rules []Rule, l limits) error {
	c, p := newRuleColumns(), &prefixWriter{}
	for i := range rules {
		c.add(&rules[i], p)
		if c.rows < l.rows && c.candidates < l.candidates && i+1 < len(rules) {
			continue
		}
		a.body = c.append(a.body[:0])
		if err := a.part(rulesPart, a.body); err != nil {
			return err
		}
		c.reset()
	}
	return nil
}

// rateColumns collects a part of rates.
type rateColumns struct {
	rows                                                             int
	prefixes, ids, operators, types, nanos, codes, currencies, spans []byte
	operator                                                         idTable
	currency                                                         map[money.Currency]uint32
	span                                                             spanTable
}

func newRateColumns() *rateColumns {
	return &rateColumns{
		operator: idTable{places: map[uuid.UUID]uint32{}}, currency: map[money.Currency]uint32{},
		span: spanTable{places: map[span]uint32{}},
	}
}

func (c *rateColumns) reset() {
	c.rows = 0
	for _, b := range []*[]byte{&c.prefixes, &c.ids, &c.operators, &c.types, &c.nanos, &c.codes, &c.currencies, &c.spans, &c.operator.body, &c.span.body} {
		*b = (*b)[:0]
	}
	clear(c.operator.places)
	clear(c.currency)
	clear(c.span.places)
}

func (c *rateColumns) add(r *Rate, p *prefixWriter) {
	c.rows++
	c.prefixes = p.append(c.prefixes, r.Prefix)
	c.ids = append(c.ids, r.ID[:]...)
	c.operators = protowire.AppendVarint(c.operators, c.operator.place(r.Operator))
	c.types = append(c.types, byte(r.Type))
	c.nanos = protowire.AppendVarint(c.nanos, uint64(r.Price.Nanos))
	at, known := c.currency[r.Price.Currency]
	if !known {
		at = uint32(len(c.currency))
		c.currency[r.Price.Currency] = at
		c.codes = appendBytes(c.codes, 7, r.Price.Currency[:])
	}
	c.currencies = protowire.AppendVarint(c.currencies, uint64(at))
	c.spans = protowire.AppendVarint(c.spans, c.span.place(span{micros(r.From), micros(r.To)}, 9))
}

func (c *rateColumns) append(b []byte) []byte {
	b = appendBytes(b, 1, c.prefixes)
	b = appendBytes(b, 2, c.ids)
	b = appendBytes(b, 3, c.operator.body)
	b = appendBytes(b, 4, c.operators)
	b = appendBytes(b, 5, c.types)
	b = appendBytes(b, 6, c.nanos)
	b = append(b, c.codes...)
	b = appendBytes(b, 8, c.currencies)
	b = append(b, c.span.body...)
	return appendBytes(b, 10, c.spans)
}

func (a *artifact) rates(rates []Rate, l limits) error {
	c, p := newRateColumns(), &prefixWriter{}
	for i := range rates {
		c.add(&rates[i], p)
		if c.rows < l.rows && i+1 < len(rates) {
			continue
		}
		a.body = c.append(a.body[:0])
		if err := a.part(ratesPart, a.body); err != nil {
			return err
		}
		c.reset()
	}
	return nil
}
