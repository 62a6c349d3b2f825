package routing

import (
	"bytes"
	"slices"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
)

// Versions names the state a decision was made by.
type Versions struct {
	// Config counts every change of operators, rules and rates; Rules only those of rules and rates.
	Config, Rules int64
	// Release is empty unless the table was built from a published release.
	Release string
}

// Table is a compiled, immutable rule set. It is built once by a TableBuilder and read by any number of
// goroutines without a lock. Rows hold no strings and no pointers: prefixes are implied by the trie,
// accounts, operators, currencies and validity are numbers of small tables beside.
type Table struct {
	versions Versions
	// mark is where the table stands in the history of its store; zero when that cannot tell what changed.
	mark Mark
	// reach is the version its operators are of; higher than versions while rules or rates are not in it yet.
	reach int64
	// part says that the table holds only what concerns some numbers.
	part bool
	// patched counts the rules that were taken in after the table was built.
	patched int

	rules    trie
	ruleRows []ruleRow

	rates    trie
	rateRows []rateRow
	rateKeys []rateKey

	candidates []candidateRow
	prices     []priceRow // prices[0] is none
	spans      []span     // spans[0] is always
	accounts   map[uuid.UUID]uint32
	operators  []operatorRow
	currencies []currencyRow // currencies[0] is no price
}

// ruleRow is a rule. Rows of one prefix are sorted by account (0 is global), then rules for fewer
// message types first, then id.
type ruleRow struct {
	id      uuid.UUID
	account uint32
	// first and count are its range of candidates. Equal candidate lists are stored once.
	first uint32
	span  uint32
	count uint16
	types MessageTypes
	// how is the Strategy and flags.
	how uint8
}

const (
	flagFallThrough = 1 << (iota + 4)
	flagInactive
	strategyBits = 1<<4 - 1
)

func (r *ruleRow) strategy() Strategy { return Strategy(r.how & strategyBits) }

type candidateRow struct {
	operator uint32
	priority int32
	weight   int32
	price    uint32 // place of the price that replaces the rate
}

type priceRow struct {
	nanos    int64
	currency uint16
}

// rateRow is a rate. Rows of one prefix are sorted by operator, type, then start, latest first.
type rateRow struct {
	nanos    int64
	operator uint32
	span     uint32
	currency uint16
	kind     MessageType
}

type operatorRow struct {
	*Operator
	health *healthCell
	// order is the place of the operator among all by id.
	order uint32
	// sends holds the message types it can carry as far as its settings go.
	sends MessageTypes
}

// settle fills in what follows from the operators; it is needed after each change of rows.
func settle(rows []operatorRow) {
	places := make([]uint32, len(rows))
	for i := range rows {
		places[i] = uint32(i)
		if rows[i].sends = 0; rows[i].usable() {
			rows[i].sends = rows[i].Types
		}
	}
	slices.SortFunc(places, func(a, b uint32) int { return bytes.Compare(rows[a].ID[:], rows[b].ID[:]) })
	for order, at := range places {
		rows[at].order = uint32(order)
	}
}

type currencyRow struct {
	code money.Currency
	// rate is what one unit is worth in billionths of the base currency; 0 is not known.
	rate uint64
}

// Versions tells which state the table was built from.
func (t *Table) Versions() Versions { return t.versions }

// Rules is the number of rules.
func (t *Table) Rules() int { return len(t.ruleRows) }

// Prefixes is the number of different prefixes with rules.
func (t *Table) Prefixes() int { return t.rules.keys }

// UsableOperators gives the operators that are ACTIVE and can send: those whose health matters.
func (t *Table) UsableOperators() []uuid.UUID {
	var ids []uuid.UUID
	for i := range t.operators {
		if t.operators[i].usable() {
			ids = append(ids, t.operators[i].ID)
		}
	}
	return ids
}

// longest is the length in digits of the longest prefix of any rule or rate.
func (t *Table) longest() int { return max(t.rules.depth, t.rates.depth) }

// withOperators gives the table with the operators as they are at a version; rules and rates are shared with t. An
// operator that is not among them is never usable any more.
func (t *Table) withOperators(version int64, operators []Operator, health *HealthView) *Table {
	next := *t
	next.reach = version
	next.operators = make([]operatorRow, len(t.operators), len(t.operators)+len(operators))
	places := make(map[uuid.UUID]int, len(t.operators))
	for i, o := range t.operators {
		places[o.ID] = i
		next.operators[i] = operatorRow{Operator: &Operator{ID: o.ID}, health: o.health}
	}
	for i := range operators {
		row := operatorRow{Operator: &operators[i], health: health.known(operators[i].ID)}
		if at, ok := places[operators[i].ID]; ok {
			next.operators[at] = row
		} else {
			next.operators = append(next.operators, row)
		}
	}
	settle(next.operators)
	return &next
}

func (t *Table) price(currency uint16, nanos int64) money.Money {
	return money.Money{Nanos: nanos, Currency: t.currencies[currency].code}
}
