package routing

import "context"

// bypassing tells that the rules in force came from operator-management, because the store was out of reach.
func (s *Supply) bypassing() bool { return s.substitute != nil && s.Origin() == FromManagement }

// shortcut asks operator-management for a version that was told of while the store is out of reach, before a look at the
// store: that takes seconds when the store hangs. It tells whether the look can be left out. That is not so for longer
// than provisionalLast, or an engine that is told of one change after the other would never find its store again.
func (s *Supply) shortcut(ctx context.Context) bool {
	if !s.bypassing() || s.wanted.Load() <= s.inForce.Load().reach() || s.fromSubstitute(ctx) != nil {
		return false
	}
	return s.wanted.Load() <= s.inForce.Load().reach() && s.now().Sub(s.looked) < provisionalLast
}

// look reads the state of the store. While the store is out of reach, it is given up as soon as a change is told of, so
// that the change need not wait until a store that hangs is given up.
func (s *Supply) look(ctx context.Context) (State, error) {
	defer func() { s.looked = s.now() }()
	if !s.bypassing() {
		return s.store.State(ctx)
	}
	return unlessTold(ctx, s.Refresher, func() int64 { return s.inForce.Load().reach() }, s.store.State)
}

// unlessTold reads from a store that may hang, and gives that up as soon as a version is told of that is newer than what
// is held. It is for the load of the refresher.
func unlessTold[T any](ctx context.Context, r *Refresher, held func() int64, read func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read(ctx)
		done <- result{value, err}
	}()
	for told := false; ; {
		select {
		case got := <-done:
			if told {
				r.again() // what was told of may be newer than what was read
			}
			return got.value, got.err
		case <-r.changed:
			told = true
			if r.wanted.Load() > held() {
				cancel()
			}
		}
	}
}
