package routing

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
)

// TableBuilder collects a rule set and compiles it. It is for one goroutine and one Build.
type TableBuilder struct {
	health *HealthView
	mark   Mark

	ruleKeys []string
	ruleRows []ruleRow
	rateKeys []string
	rateRows []rateRow

	candidates []candidateRow
	sets       []set
	setOf      map[string]uint32
	key        []byte

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
		setOf:      map[string]uint32{},
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

// AddRule adds a rule. An empty prefix is not a rule and is left out.
func (b *TableBuilder) AddRule(r Rule) {
	if r.Prefix == "" {
		return
	}
	types := r.Types
	if types == 0 {
		types = AllMessageTypes
	}
	row := ruleRow{
		id:       r.ID,
		account:  number(b.accounts, r.Account),
		set:      b.set(r.Candidates),
		span:     b.span(r.Window),
		types:    types,
		strategy: r.Strategy,
	}
	if r.FallThrough {
		row.flags |= flagFallThrough
	}
	if r.Inactive {
		row.flags |= flagInactive
	}
	b.ruleKeys = append(b.ruleKeys, r.Prefix.Digits())
	b.ruleRows = append(b.ruleRows, row)
}

// AddRate adds a rate. A rate without prefix or price is left out.
func (b *TableBuilder) AddRate(r Rate) {
	if r.Prefix == "" || r.Price.IsZero() {
		return
	}
	b.rateKeys = append(b.rateKeys, r.Prefix.Digits())
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
		sets:       slices.Clip(b.sets),
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
	t.rules, t.ruleRows = layOut(b.ruleKeys, b.ruleRows, compareRules)
	t.rates, t.rateRows = layOut(b.rateKeys, b.rateRows, b.compareRates)
	return t
}

// layOut sorts rows by key and by compare within a key, and indexes them.
func layOut[R any](keys []string, rows []R, compare func(a, b *R) int) (trie, []R) {
	places := inOrder(keys, rows, compare)
	sorted := make([]string, len(keys))
	for i, place := range places {
		sorted[i] = keys[place]
	}
	index, order := buildTrie(sorted)
	laid := make([]R, len(rows))
	for i, at := range order {
		laid[i] = rows[places[at]]
	}
	return index, laid
}

// inOrder gives the places of rows by key and by compare within a key.
func inOrder[R any](keys []string, rows []R, compare func(a, b *R) int) []uint32 {
	places := make([]uint32, len(keys))
	for i := range places {
		places[i] = uint32(i)
	}
	slices.SortFunc(places, func(a, b uint32) int {
		if c := cmp.Compare(keys[a], keys[b]); c != 0 {
			return c
		}
		return compare(&rows[a], &rows[b])
	})
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
	at, ok := b.spanOf[s]
	if !ok {
		at = uint32(len(b.spans))
		b.spanOf[s] = at
		b.spans = append(b.spans, s)
	}
	return at
}

// set stores a candidate list once, however many rules have it.
func (b *TableBuilder) set(list []Candidate) uint32 {
	b.key = b.key[:0]
	first := len(b.candidates)
	for _, c := range list {
		row := candidateRow{
			nanos:    c.Price.Nanos,
			operator: b.operator(c.Operator),
			priority: c.Priority,
			weight:   max(c.Weight, 0),
			currency: b.currency(c.Price.Currency),
		}
		b.candidates = append(b.candidates, row)
		b.key = binary.LittleEndian.AppendUint64(b.key, uint64(row.nanos))
		b.key = binary.LittleEndian.AppendUint32(b.key, row.operator)
		b.key = binary.LittleEndian.AppendUint32(b.key, uint32(row.priority))
		b.key = binary.LittleEndian.AppendUint32(b.key, uint32(row.weight))
		b.key = binary.LittleEndian.AppendUint16(b.key, row.currency)
	}
	if at, ok := b.setOf[string(b.key)]; ok {
		b.candidates = b.candidates[:first]
		return at
	}
	at := uint32(len(b.sets))
	b.setOf[string(b.key)] = at
	b.sets = append(b.sets, set{uint32(first), uint32(len(list))})
	return at
}

func number[K comparable](numbers map[K]uint32, key K) uint32 {
	n, ok := numbers[key]
	if !ok {
		n = uint32(len(numbers))
		numbers[key] = n
	}
	return n
}
