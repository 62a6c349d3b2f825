package routing

import (
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
	// patched counts the rules that were taken in after the table was built.
	patched int

	rules    trie
	ruleRows []ruleRow

	rates    trie
	rateRows []rateRow

	candidates []candidateRow
	sets       []set
	spans      []span // spans[0] is always
	accounts   map[uuid.UUID]uint32
	operators  []operatorRow
	currencies []currencyRow // currencies[0] is no price
}

// ruleRow is a rule. Rows of one prefix are sorted by account (0 is global), then rules for fewer
// message types first, then id.
type ruleRow struct {
	id       uuid.UUID
	account  uint32
	set      uint32
	span     uint32
	types    MessageTypes
	strategy Strategy
	flags    uint8
}

const (
	flagFallThrough = 1 << iota
	flagInactive
)

// set is a range of candidates. Equal candidate lists are stored once.
type set struct {
	first, n uint32
}

type candidateRow struct {
	nanos    int64
	operator uint32
	priority int32
	weight   int32
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
func (t *Table) Prefixes() int {
	count := 0
	for at := range len(t.rules.nodes) - 1 {
		if lo, hi := t.rules.rows(uint32(at)); lo != hi {
			count++
		}
	}
	return count
}

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
	return &next
}

func (t *Table) price(currency uint16, nanos int64) money.Money {
	return money.Money{Nanos: nanos, Currency: t.currencies[currency].code}
}
