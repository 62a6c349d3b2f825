package routing

import (
	"context"
	"sync/atomic"
)

// Source finds the table that answers a query: the one table with every rule, or a small one with what
// can concern the number. Faults: UNAVAILABLE when the rules are out of reach.
type Source interface {
	Table(ctx context.Context, q *Query) (*Table, CacheResult, error)
}

// Selector answers queries from a source.
type Selector struct {
	source Source
}

// NewSelector gives a selector over the source.
func NewSelector(source Source) *Selector { return &Selector{source: source} }

// Select decides into d. The error is ErrNoRoute, ErrNoUsableOperator or a fault of the source; d then
// still tells id, versions and cache as far as they are known.
func (s *Selector) Select(ctx context.Context, q *Query, d *Decision) error {
	return s.Explain(ctx, q, d, nil)
}

// Explain is Select that also tells why, when tr is not nil.
func (s *Selector) Explain(ctx context.Context, q *Query, d *Decision, tr *Trace) error {
	d.reset()
	d.ID = NewDecisionID(q.At)
	t, cache, err := s.source.Table(ctx, q)
	if err != nil {
		return err
	}
	err = t.Decide(q, d, tr)
	d.Cache = cache
	return err
}

// Memory is the Source that holds every rule in one table. Swap replaces the table for all later
// queries at once; a decision under way goes on with the one it started with.
type Memory struct {
	table atomic.Pointer[Table]
}

// Swap puts a new table in force. Versions never go backwards: an older table is refused and false is
// given.
func (m *Memory) Swap(t *Table) bool {
	for {
		old := m.table.Load()
		if old != nil && t.versions.Config < old.versions.Config {
			return false
		}
		if m.table.CompareAndSwap(old, t) {
			return true
		}
	}
}

// Current gives the table in force, or nil before the first Swap.
func (m *Memory) Current() *Table { return m.table.Load() }

// Table gives the table in force; ErrNotReady before the first Swap.
func (m *Memory) Table(context.Context, *Query) (*Table, CacheResult, error) {
	t := m.table.Load()
	if t == nil {
		return nil, 0, ErrNotReady
	}
	return t, CacheBypass, nil
}
