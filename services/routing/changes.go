package routing

import (
	"maps"
	"slices"

	"github.com/google/uuid"
)

// Mark is a place in the history of a store, from which on the store can tell what changed. The zero Mark is none.
type Mark struct {
	// Config is the version of the configuration.
	Config int64
	// Untold counts the changes before it that the rows of rules do not tell of, such as the import of a rate deck.
	Untold int64
}

// Changes is how a store differs from what it was at a Mark, as far as it can tell.
type Changes struct {
	Versions Versions
	// Untold is true when something changed that is not told of here, such as rates and what currencies are worth.
	Untold bool
	// TooMany is true when more rules changed than were asked for. Then none are told of.
	TooMany bool
	// Operators are all there are now.
	Operators []Operator
	// Rules are those that were created or changed, as they are now; Gone are those that were deleted.
	Rules []Rule
	Gone  []uuid.UUID
}

// patchLimit is how many rules a table takes in one by one; a quarter of a larger table's rules. What they replace stays
// in memory until everything is read anew.
const patchLimit = 10_000

// room is how many more rules the table can take in.
func (t *Table) room() int {
	return max(0, min(patchLimit, max(patchLimit, len(t.ruleRows)/4)-t.patched))
}

// with gives the table with the changes since its mark. It shares with t what did not change. Where the changes do not
// tell everything, the table keeps its versions: they name the last state that is in it completely.
func (t *Table) with(c *Changes, health *HealthView) *Table {
	next := t.withOperators(c.Versions.Config, c.Operators, health)
	if !c.TooMany {
		next.mark.Config = c.Versions.Config
		if !c.Untold {
			next.versions = c.Versions
		}
	}
	if len(c.Rules)+len(c.Gone) > 0 {
		next.patch(c, health)
	}
	return next
}

// whole tells that nothing newer than its versions is in the table.
func (t *Table) whole() bool { return t.reach == t.versions.Config }

// patch takes changed rules into a table that nobody reads yet. Rules are laid out again, which takes no sorting but of
// the new ones; candidates, spans and accounts are only added to, so the rates, which share them, stay as they are.
func (t *Table) patch(c *Changes, health *HealthView) {
	b := t.resume(health)
	replaced := make(map[uuid.UUID]struct{}, len(c.Rules)+len(c.Gone))
	for i := range c.Rules {
		b.AddRule(c.Rules[i])
		replaced[c.Rules[i].ID] = struct{}{}
	}
	for _, id := range c.Gone {
		replaced[id] = struct{}{}
	}
	t.layOutRules(b, replaced)
	t.candidates, t.prices, t.spans, t.currencies, t.accounts = b.candidates, b.prices, b.spans, b.currencies, b.accounts
	delete(t.accounts, uuid.Nil)
	for i := len(t.operators); i < len(b.operators); i++ { // those that only a rule names
		t.operators = append(t.operators, operatorRow{Operator: &b.operators[i], health: health.known(b.operators[i].ID)})
	}
	settle(t.operators)
	t.patched += len(replaced)
}

// resume gives a builder that goes on numbering where the table ended. What it adds never lands in memory of the table.
// It does not find equal candidates and spans of the table again: to look for them would take longer than it saves.
func (t *Table) resume(health *HealthView) *TableBuilder {
	b := NewTableBuilder(health)
	b.candidates, b.prices, b.spans = slices.Clip(t.candidates), slices.Clip(t.prices), slices.Clip(t.spans)
	b.currencies = slices.Clip(t.currencies)
	for i := range b.currencies {
		b.currencyOf[b.currencies[i].code] = uint16(i)
	}
	b.accounts = maps.Clone(t.accounts)
	b.accounts[uuid.Nil] = 0
	for i, o := range t.operators {
		b.operatorOf[o.ID] = uint32(i)
		b.operators = append(b.operators, *o.Operator)
	}
	return b
}

// layOutRules merges the rules of the table that are not replaced, which lie in order, with those of the builder.
func (t *Table) layOutRules(b *TableBuilder, replaced map[uuid.UUID]struct{}) {
	added := inOrder(b.ruleKeys, b.ruleRows, compareRules)
	keys := make([]key, 0, len(t.ruleRows)+len(added))
	rows := make([]ruleRow, 0, len(t.ruleRows)+len(added))
	// addUpTo takes the new rules that come before an old one; all that are left when that is nil.
	addUpTo := func(before key, old *ruleRow) {
		for len(added) > 0 {
			k, row := b.ruleKeys[added[0]], &b.ruleRows[added[0]]
			if old != nil && (k > before || k == before && compareRules(row, old) > 0) {
				return
			}
			keys, rows, added = append(keys, k), append(rows, *row), added[1:]
		}
	}
	t.rules.each(func(k key, lo, hi uint32) {
		for i := lo; i < hi; i++ {
			old := &t.ruleRows[i]
			if _, gone := replaced[old.id]; gone {
				continue
			}
			addUpTo(k, old)
			keys, rows = append(keys, k), append(rows, *old)
		}
	})
	addUpTo(0, nil)
	index, order := buildTrie(keys, false)
	t.rules, t.ruleRows = index, make([]ruleRow, len(rows))
	for i, at := range order {
		t.ruleRows[i] = rows[at]
	}
}
