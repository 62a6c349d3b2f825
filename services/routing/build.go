package routing

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
)

// TableBuilder collects a rule set and compiles it. It is for one goroutine and one Build.
type TableBuilder struct {
	health *HealthView
	mark   Mark

	ruleKeys []key
	ruleRows []ruleRow
	rateKeys []key
	rateRows []rateRow

	candidates []candidateRow
	// listOf finds candidate lists by their hash.
	listOf  map[uint64]list
	prices  []priceRow
	priceOf map[priceRow]uint32

	spans      []span
	spanOf     map[span]uint32
	accounts   map[uuid.UUID]uint32
	operators  []Operator
	operatorOf map[uuid.UUID]uint32
	currencies []currencyRow
	currencyOf map[money.Currency]uint16
	// known marks operators that were added, not only named by a rule.
	known map[uint32]bool
}

// NewTableBuilder starts a table whose operators have the health that the view knows of them, now and
// later.
func NewTableBuilder(health *HealthView) *TableBuilder {
	always := span{beginning, forever}
	return &TableBuilder{
		health:     health,
		listOf:     map[uint64]list{},
		prices:     []priceRow{{}},
		priceOf:    map[priceRow]uint32{{}: 0},
		spans:      []span{always},
		spanOf:     map[span]uint32{always: 0},
		accounts:   map[uuid.UUID]uint32{uuid.Nil: 0},
		operatorOf: map[uuid.UUID]uint32{},
		currencies: []currencyRow{{}},
		currencyOf: map[money.Currency]uint16{{}: 0},
		known:      map[uint32]bool{},
	}
}

// AddOperator adds an operator; the last one with an id counts. An operator that only rules name is
// never usable.
func (b *TableBuilder) AddOperator(o Operator) {
	at := b.operator(o.ID)
	b.operators[at] = o
	b.known[at] = true
}

// Grow makes room for as many more rules and rates as are to come.
func (b *TableBuilder) Grow(rules, rates int) {
	b.ruleKeys, b.ruleRows = slices.Grow(b.ruleKeys, rules), slices.Grow(b.ruleRows, rules)
	b.rateKeys, b.rateRows = slices.Grow(b.rateKeys, rates), slices.Grow(b.rateRows, rates)
}

// AddRule adds a rule; r is not kept. One whose prefix is not 1 to 15 digits is left out. Rules that come in the order of
// their prefixes need not be sorted.
func (b *TableBuilder) AddRule(r Rule) {
	k, ok := keyOf(r.Prefix.Digits())
	if !ok {
		return
	}
	types := r.Types
	if types == 0 {
		types = AllMessageTypes
	}
	candidates := b.list(r.Candidates)
	row := ruleRow{
		id:      r.ID,
		account: b.account(r.Account),
		first:   candidates.first,
		count:   candidates.count,
		span:    b.span(r.Window),
		types:   types,
		how:     uint8(r.Strategy) & strategyBits,
	}
	if r.FallThrough {
		row.how |= flagFallThrough
	}
	if r.Inactive {
		row.how |= flagInactive
	}
	b.ruleKeys = append(b.ruleKeys, k)
	b.ruleRows = append(b.ruleRows, row)
}

// AddRate adds a rate. One without a price, or whose prefix is not 1 to 15 digits, is left out. Rates that come in the
// order of their prefixes need not be sorted.
func (b *TableBuilder) AddRate(r Rate) {
	k, ok := keyOf(r.Prefix.Digits())
	if !ok || r.Price.IsZero() {
		return
	}
	b.rateKeys = append(b.rateKeys, k)
	b.rateRows = append(b.rateRows, rateRow{
		nanos:    r.Price.Nanos,
		operator: b.operator(r.Operator),
		span:     b.span(r.Window),
		currency: b.currency(r.Price.Currency),
		kind:     r.Type,
	})
}

// AddFXRate says what one unit of the currency is worth, in billionths of the base currency. Values
// below 1 are left out.
func (b *TableBuilder) AddFXRate(currency money.Currency, nanos int64) {
	if nanos > 0 {
		b.currencies[b.currency(currency)].rate = uint64(nanos)
	}
}

// Mark tells where the table stands in the history of its store. Without it no changes can be taken into the table.
func (b *TableBuilder) Mark(m Mark) { b.mark = m }

// Build compiles the table.
func (b *TableBuilder) Build(v Versions) *Table {
	t := &Table{
		versions:   v,
		mark:       b.mark,
		reach:      v.Config,
		candidates: slices.Clip(b.candidates),
		prices:     slices.Clip(b.prices),
		spans:      b.spans,
		accounts:   maps.Clone(b.accounts),
		currencies: b.currencies,
		operators:  make([]operatorRow, len(b.operators)),
	}
	delete(t.accounts, uuid.Nil)
	for i := range b.operators {
		if !b.known[uint32(i)] {
			b.operators[i].Status = StatusUnknown
		}
		t.operators[i] = operatorRow{Operator: &b.operators[i], health: b.health.known(b.operators[i].ID)}
	}
	settle(t.operators)
	t.rules, t.ruleRows = layOut(b.ruleKeys, b.ruleRows, false, compareRules)
	t.rates, t.rateRows = layOut(b.rateKeys, b.rateRows, true, b.compareRates)
	t.rateKeys, t.rates.runs = rateKeys(t.rates.runs, t.rateRows), nil
	b.ruleKeys, b.ruleRows, b.rateKeys, b.rateRows = nil, nil, nil, nil
	return t
}

// layOut sorts rows by key and by compare within a key, and indexes them.
func layOut[R any](keys []key, rows []R, counted bool, compare func(a, b *R) int) (trie, []R) {
	places := inOrder(keys, rows, compare)
	sorted := make([]key, len(keys))
	for i, place := range places {
		sorted[i] = keys[place]
	}
	index, order := buildTrie(sorted, counted)
	laid := make([]R, len(rows))
	for i, at := range order {
		laid[i] = rows[places[at]]
	}
	return index, laid
}

// inOrder gives the places of rows by key and by compare within a key.
func inOrder[R any](keys []key, rows []R, compare func(a, b *R) int) []uint32 {
	places := sortKeys(keys)
	for lo := 0; lo < len(places); {
		hi := lo + 1
		for hi < len(places) && keys[places[hi]] == keys[places[lo]] {
			hi++
		}
		if hi-lo > 1 {
			slices.SortFunc(places[lo:hi], func(a, b uint32) int { return compare(&rows[a], &rows[b]) })
		}
		lo = hi
	}
	return places
}

func compareRules(a, b *ruleRow) int {
	if c := cmp.Compare(a.account, b.account); c != 0 {
		return c
	}
	if c := cmp.Compare(bits.OnesCount8(uint8(a.types)), bits.OnesCount8(uint8(b.types))); c != 0 {
		return c
	}
	return bytes.Compare(a.id[:], b.id[:])
}

func (b *TableBuilder) compareRates(x, y *rateRow) int {
	if c := cmp.Compare(x.operator, y.operator); c != 0 {
		return c
	}
	if c := cmp.Compare(x.kind, y.kind); c != 0 {
		return c
	}
	if c := cmp.Compare(b.spans[y.span].from, b.spans[x.span].from); c != 0 {
		return c
	}
	// The stores hold one rate per start; this keeps a faulty set deterministic too.
	if c := cmp.Compare(x.nanos, y.nanos); c != 0 {
		return c
	}
	return bytes.Compare(b.currencies[x.currency].code[:], b.currencies[y.currency].code[:])
}

func (b *TableBuilder) operator(id uuid.UUID) uint32 {
	at, ok := b.operatorOf[id]
	if !ok {
		at = uint32(len(b.operators))
		b.operatorOf[id] = at
		b.operators = append(b.operators, Operator{ID: id})
	}
	return at
}

func (b *TableBuilder) currency(code money.Currency) uint16 {
	at, ok := b.currencyOf[code]
	if !ok {
		at = uint16(len(b.currencies))
		b.currencyOf[code] = at
		b.currencies = append(b.currencies, currencyRow{code: code})
	}
	return at
}

func (b *TableBuilder) span(w Window) uint32 {
	s := w.span()
	if s == b.spans[0] {
		return 0
	}
	at, ok := b.spanOf[s]
	if !ok {
		at = uint32(len(b.spans))
		b.spanOf[s] = at
		b.spans = append(b.spans, s)
	}
	return at
}

func (b *TableBuilder) price(m money.Money) uint32 {
	if m.IsZero() {
		return 0
	}
	row := priceRow{m.Nanos, b.currency(m.Currency)}
	at, ok := b.priceOf[row]
	if !ok {
		at = uint32(len(b.prices))
		b.priceOf[row] = at
		b.prices = append(b.prices, row)
	}
	return at
}

// list is a range of candidates.
type list struct {
	first uint32
	count uint16
}

// list stores a candidate list once, however many rules have it. One that is longer than any rule may be is cut.
func (b *TableBuilder) list(candidates []Candidate) list {
	candidates = candidates[:min(len(candidates), math.MaxUint16)]
	first := len(b.candidates)
	hash := uint64(len(candidates))
	for i := range candidates {
		c := &candidates[i]
		row := candidateRow{operator: b.operator(c.Operator), priority: c.Priority, weight: max(c.Weight, 0), price: b.price(c.Price)}
		b.candidates = append(b.candidates, row)
		hash = mix(hash ^ uint64(row.operator)<<32 ^ uint64(row.price))
		hash = mix(hash ^ uint64(uint32(row.priority))<<32 ^ uint64(uint32(row.weight)))
	}
	fresh := list{uint32(first), uint16(len(candidates))}
	known, ok := b.listOf[hash]
	switch {
	case !ok:
		b.listOf[hash] = fresh
	case slices.Equal(b.candidates[known.first:known.first+uint32(known.count)], b.candidates[first:]):
		b.candidates = b.candidates[:first]
		return known
	}
	return fresh // of two lists with one hash the second is stored again and again
}

// account numbers the accounts. Rules of one often come one after the other.
func (b *TableBuilder) account(id uuid.UUID) uint32 {
	if id == uuid.Nil {
		return 0
	}
	n, ok := b.accounts[id]
	if !ok {
		n = uint32(len(b.accounts))
		b.accounts[id] = n
	}
	return n
}
