package routing

import (
	"context"
	"sync/atomic"
)

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
	t, cache, err := s.table(ctx, q)
	if err != nil {
		return err
	}
	err = t.Decide(q, d, tr)
	d.Cache = cache
	return err
}

// Batch holds questions together: where one table holds every rule, all are answered by the same one, also when another
// comes into force meanwhile. Health is never held. The zero Batch is ready; any number of goroutines may share it.
type Batch struct{ table atomic.Pointer[Table] }

func (s *Selector) table(ctx context.Context, q *Query) (*Table, CacheResult, error) {
	if q.Batch == nil {
		return s.source.Table(ctx, q)
	}
	if t := q.Batch.table.Load(); t != nil {
		return t, CacheBypass, nil
	}
	t, cache, err := s.source.Table(ctx, q)
	if err == nil && !t.part && !q.Batch.table.CompareAndSwap(nil, t) {
		t = q.Batch.table.Load()
	}
	return t, cache, err
}
