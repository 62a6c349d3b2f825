package routing

import (
	"context"
	"time"

	"trunkline/services/platform/fault"
)

// meanwhileEvery is how often small changes are looked for while everything is read, besides when one is told of.
const meanwhileEvery = time.Second

// errLags means that what was read is older than what is in force.
var errLags = fault.New(fault.Unavailable, ReasonMoving,
	"the store answers from several places, and one lags behind").WithRetry(time.Second)

// read gives the table of the state or of a later one. Rules and rates are many, changes are small: as far as the store
// can tell what changed, only that is read. What cannot wait until the rest is read too comes into force before.
func (s *Supply) read(ctx context.Context, old *supplied, state State) (*Table, error) {
	switch {
	case old == nil:
		return s.store.Load(ctx, s.health)
	case old.state.Versions.Config == state.Versions.Config:
		return old.table, nil // it came from operator-management
	}
	table, err := s.follow(ctx, old.table)
	if err != nil || table != nil && table.whole() {
		return table, err
	}
	s.putPart(ctx, table)
	if table, err = s.loadAside(ctx); err != nil {
		return nil, err
	}
	if table.versions.Config >= state.Versions.Config {
		s.wentBack = false
	}
	// What came into force meanwhile must not go away.
	if s.inForce.Load().reach() > table.reach {
		if table, err = s.follow(ctx, table); err != nil {
			return nil, err
		}
		if table != nil && !table.whole() {
			s.again() // the rest changed once more
		}
	}
	if table == nil || table.reach < s.inForce.Load().reach() {
		return nil, errLags
	}
	return table, nil
}

// follow gives a table with what changed in the store since, as far as that can be told; nil when it cannot at all. Of a
// table with another history than the store's only the operators are exchanged.
func (s *Supply) follow(ctx context.Context, table *Table) (*Table, error) {
	if table.mark == (Mark{}) || s.wentBack {
		operators, v, err := s.store.Operators(ctx)
		if err != nil || v.Config <= table.reach {
			return nil, err
		}
		return table.withOperators(v.Config, operators, s.health), nil
	}
	changes, err := s.store.Changes(ctx, table.mark, table.room())
	if err != nil || changes == nil {
		return nil, err
	}
	return table.with(changes, s.health), nil
}

// loadAside reads everything while changes of operators and rules come into force as they come: a suspension does not
// wait for a million rates. Prices stay as they were until then.
func (s *Supply) loadAside(ctx context.Context) (*Table, error) {
	type result struct {
		table *Table
		err   error
	}
	done := make(chan result, 1)
	go func() {
		table, err := s.store.Load(ctx, s.health)
		done <- result{table, err}
	}()
	ticker := time.NewTicker(meanwhileEvery)
	defer ticker.Stop()
	told := false
	for {
		select {
		case r := <-done:
			if told {
				s.again() // what was told of may be newer than what was read
			}
			return r.table, r.err
		case <-s.changed:
			told = true
		case <-ticker.C:
		}
		table, err := s.follow(ctx, s.inForce.Load().table)
		if err != nil {
			s.log.DebugContext(ctx, "small changes could not be read while everything is", "error", err)
			continue
		}
		s.putPart(ctx, table)
	}
}

// putPart puts what could be read of a newer state in force. The versions stay those of the last state that is in force
// completely.
func (s *Supply) putPart(ctx context.Context, table *Table) {
	old := s.inForce.Load()
	if table == nil || table.reach <= old.reach() {
		return
	}
	s.put(ctx, &supplied{
		state: State{Versions: table.versions, Longest: max(old.state.Longest, table.longest())},
		table: table, usable: table.UsableOperators(), origin: old.origin,
	})
	if table.versions == old.state.Versions { // or put told of it
		s.applied()
	}
}
