package routing

import (
	"context"
	"time"

	"trunkline/services/platform/fault"
)

// Source finds the table that answers a query: the one table with every rule, or a small one with what
// can concern the number. Faults: UNAVAILABLE when the rules are out of reach.
type Source interface {
	Table(ctx context.Context, q *Query) (*Table, CacheResult, error)
}

// doubtEvery bounds how often failing lookups make the supply look at the store again.
const doubtEvery = time.Second

// doubt tells that a lookup found the store out of reach. Nobody waits for what comes of it.
func (s *Supply) doubt() {
	if s.substitute == nil || s.Failures() > 0 || s.Origin() == NoOrigin {
		return // there is no other way, or it is tried already
	}
	now, last := s.now().UnixNano(), s.doubted.Load()
	if now-last >= int64(doubtEvery) && s.doubted.CompareAndSwap(last, now) {
		s.Changed(0)
	}
}

// Source answers from the supply. finder looks up in the store what concerns a number; it is nil for a supply that
// holds everything.
func (s *Supply) Source(finder Finder) Source {
	return &supplySource{supply: s, extracts: NewExtracts(finder, s, s.health)}
}

type supplySource struct {
	supply   *Supply
	extracts *Extracts
}

// Table implements Source.
func (s *supplySource) Table(ctx context.Context, q *Query) (*Table, CacheResult, error) {
	if t := s.supply.Table(); t != nil {
		return t, CacheBypass, nil
	}
	t, cache, err := s.extracts.Table(ctx, q)
	if err == nil || fault.From(err).Kind != fault.Unavailable {
		return t, cache, err
	}
	s.supply.doubt()
	if t := s.supply.Table(); t != nil { // it came meanwhile
		return t, CacheBypass, nil
	}
	return nil, 0, err
}
