package routing

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// State is what the engine must know of the store before it can look anything up.
type State struct {
	Versions Versions
	// Longest is the length in digits of the longest live prefix of any rule or rate. Numbers that agree
	// so far have the same extract.
	Longest int
}

// Lookup names an extract. Everything that could make an older extract wrong is part of it, so a
// change makes the old ones unreachable instead of needing them removed.
type Lookup struct {
	Account uuid.UUID
	Type    MessageType
	// Digits is the number, without plus, cut to the longest live prefix.
	Digits string
	// Config is the version of the configuration the engine serves; Epoch names the operators that are out.
	Config int64
	Epoch  uint64
}

// Extract is all that can concern the numbers of one Lookup: the candidate set, never a choice among
// it. Health is not part of it and validity is judged when it is used, so it may be kept for minutes.
type Extract struct {
	Versions  Versions
	Operators []Operator
	Rules     []Rule
	Rates     []Rate
	FX        map[money.Currency]int64

	// compiled is what Table made last.
	compiled atomic.Pointer[compiled]
}

type compiled struct {
	health *HealthView
	table  *Table
}

// Finder gives the extract of a lookup. Callers must not change it. Faults: UNAVAILABLE when the store
// is out of reach.
type Finder interface {
	Find(ctx context.Context, l Lookup) (*Extract, CacheResult, error)
}

// Table compiles the extract with live health, once for a view.
func (e *Extract) Table(health *HealthView) *Table {
	if c := e.compiled.Load(); c != nil && c.health == health {
		return c.table
	}
	table := e.compile(health)
	e.compiled.Store(&compiled{health, table})
	return table
}

func (e *Extract) compile(health *HealthView) *Table {
	b := NewTableBuilder(health)
	for i := range e.Operators {
		b.AddOperator(e.Operators[i])
	}
	for i := range e.Rules {
		b.AddRule(e.Rules[i])
	}
	for i := range e.Rates {
		b.AddRate(e.Rates[i])
	}
	for currency, nanos := range e.FX {
		b.AddFXRate(currency, nanos)
	}
	t := b.Build(e.Versions)
	t.part = true
	return t
}

// Extracts is the Source of database mode: it finds the extract of a number and compiles it.
type Extracts struct {
	finder Finder
	states States
	health *HealthView
}

// States tells what the engine last read of the store.
type States interface {
	// State is false before anything was read.
	State() (State, bool)
	// Renew reads the store again, unless a state of at least this version is known already.
	Renew(ctx context.Context, version int64) error
}

// NewExtracts gives a source over a finder.
func NewExtracts(finder Finder, states States, health *HealthView) *Extracts {
	return &Extracts{finder: finder, states: states, health: health}
}

// findTries is how often a lookup starts over because the store has moved on.
const findTries = 5

// errMoving is the answer when it moves on every time.
var errMoving = fault.New(fault.Unavailable, ReasonMoving,
	"the routing rules change too fast to be read").WithRetry(time.Second)

// Table finds and compiles what can concern the query. An extract of another version than the one it was asked
// by is never used: the longest prefix, to which the number is cut, belongs to the version too.
func (s *Extracts) Table(ctx context.Context, q *Query) (*Table, CacheResult, error) {
	for range findTries {
		state, ok := s.states.State()
		if !ok {
			return nil, 0, ErrNotReady
		}
		digits := q.To.Digits()
		e, cache, err := s.finder.Find(ctx, Lookup{
			Account: q.Account,
			Type:    q.Type,
			Digits:  digits[:min(len(digits), state.Longest)],
			Config:  state.Versions.Config,
			Epoch:   s.health.Epoch(),
		})
		if err != nil {
			return nil, 0, err
		}
		if e.Versions.Config == state.Versions.Config {
			return e.Table(s.health), cache, nil
		}
		if err := s.states.Renew(ctx, e.Versions.Config); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, errMoving
}
