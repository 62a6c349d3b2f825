package routing

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"trunkline/services/platform/fault"
)

// Store is the database as a source of rules. Its faults are UNAVAILABLE.
type Store interface {
	// State gives up by itself within seconds: it is how a store out of reach is noticed.
	State(ctx context.Context) (State, error)
	// Load reads everything at one moment.
	Load(ctx context.Context, health *HealthView) (*Table, error)
	// Operators reads all operators at one moment.
	Operators(ctx context.Context) ([]Operator, Versions, error)
	// Changes reads at one moment what changed since a mark, unless that is more than limit rules. It gives nil when the
	// store is not at the mark yet.
	Changes(ctx context.Context, since Mark, limit int) (*Changes, error)
}

// Substitute is operator-management as a source of rules while the store is out of reach.
type Substitute interface {
	// Snapshot gives everything at one moment. It tells the version it found, and no table when that is older
	// than least.
	Snapshot(ctx context.Context, health *HealthView, least int64) (*Table, int64, error)
}

// Supply keeps the rules in force. They come from the store; while that is out of reach, also from the substitute,
// when there is one, and then as one table whatever the engine does otherwise. The version in force never goes
// back, wherever the next one comes from.
type Supply struct {
	*InForce
	store      Store
	substitute Substitute
	whole      bool
	health     *HealthView
	now        func() time.Time
	log        *slog.Logger
	applied    func()

	loading chan struct{} // holds a token while something is loaded
	// wentBack tells that the store held an older version than the one in force. It may be another one, made from a
	// backup, whose versions mean something else. It belongs to whoever holds the token.
	wentBack bool
	// looked is when the store was asked for its state last. It belongs to whoever holds the token too.
	looked  time.Time
	doubted atomic.Int64 // when the store was last doubted, in nanoseconds since 1970
}

// SupplySources is what a Supply reads from.
type SupplySources struct {
	Store Store
	// Substitute may be nil.
	Substitute Substitute
	// Whole is true for an engine that holds all rules in memory, false for one that looks them up in the store.
	Whole bool
}

// NewSupply gives a supply that has no rules before its Run. applied is called when other rules than before are
// in force.
func NewSupply(from SupplySources, health *HealthView, now func() time.Time, log *slog.Logger, applied func()) *Supply {
	s := &Supply{
		store: from.Store, substitute: from.Substitute, whole: from.Whole,
		health: health, now: now, log: log, applied: applied, loading: make(chan struct{}, 1),
	}
	s.InForce = &InForce{Refresher: NewRefresher(s.load, log)}
	return s
}

// errBehind means that operator-management knows less than this engine.
var errBehind = fault.New(fault.Unavailable, ReasonMoving,
	"operator-management holds an older configuration than this engine").WithRetry(time.Second)

// load implements the load of a Refresher.
func (s *Supply) load(ctx context.Context) (Loaded, error) {
	if err := s.begin(ctx); err != nil {
		return Loaded{}, err
	}
	defer s.end()
	if s.shortcut(ctx) {
		return Loaded{Versions: s.inForce.Load().state.Versions, Provisional: true}, nil
	}
	err := s.fromStore(ctx)
	bypassed := err != nil
	if bypassed && s.substitute != nil && ctx.Err() == nil {
		if failure := s.fromSubstitute(ctx); failure != nil {
			err = errors.Join(err, failure)
		} else {
			err = nil
		}
	}
	if err != nil {
		return Loaded{}, err
	}
	now := s.inForce.Load()
	return Loaded{Versions: now.state.Versions, Provisional: bypassed || now.origin == FromManagement}, nil
}

// begin waits until nothing else is loaded, so that states only grow.
func (s *Supply) begin(ctx context.Context) error {
	select {
	case s.loading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Supply) end() { <-s.loading }

// fromStore puts in force what the store holds, unless it is older than what is.
func (s *Supply) fromStore(ctx context.Context) error {
	state, err := s.look(ctx)
	if err != nil {
		return err
	}
	next := &supplied{state: state, origin: FromDatabase}
	switch old := s.inForce.Load(); {
	case old != nil && state.Versions.Config < old.reach():
		s.wentBack = true
		return nil
	case old != nil && state.Versions.Config == old.state.Versions.Config && old.origin == FromDatabase:
		return nil
	case s.whole:
		if next.table, err = s.read(ctx, old, state); err != nil {
			return err
		}
		next.state.Versions, next.usable = next.table.versions, next.table.UsableOperators()
	default:
		operators, _, err := s.store.Operators(ctx)
		if err != nil {
			return err
		}
		for i := range operators {
			if operators[i].usable() {
				next.usable = append(next.usable, operators[i].ID)
			}
		}
	}
	s.put(ctx, next)
	return nil
}

// fromSubstitute puts in force what operator-management holds: anything newer, and what is in force as far as it is
// not held here already.
func (s *Supply) fromSubstitute(ctx context.Context) error {
	var least, inForce int64
	if old := s.inForce.Load(); old != nil {
		inForce = old.reach()
		if least = inForce; old.table != nil && old.table.whole() {
			least++
		}
	}
	table, version, err := s.substitute.Snapshot(ctx, s.health, least)
	switch {
	case err != nil:
		return err
	case table != nil:
		s.put(ctx, &supplied{
			state: State{Versions: table.versions, Longest: table.longest()},
			table: table, usable: table.UsableOperators(), origin: FromManagement,
		})
	case version < inForce:
		return errBehind
	}
	return nil
}

// put puts a state in force that is in nothing older than the one in force.
func (s *Supply) put(ctx context.Context, next *supplied) {
	old := s.inForce.Load()
	if old != nil && (next.state.Versions.Config < old.state.Versions.Config || next.reach() < old.reach()) {
		return // the store answers from several places, and one lags behind
	}
	if next.since = s.now(); old != nil && old.origin == next.origin {
		next.since = old.since
	}
	s.health.Know(next.usable)
	s.inForce.Store(next)
	switch {
	case next.origin == FromManagement && (old == nil || old.origin != FromManagement):
		s.log.WarnContext(ctx, "the database is out of reach; the routing rules come from operator-management", "config_version", next.state.Versions.Config)
	case next.origin == FromDatabase && old != nil && old.origin == FromManagement:
		s.log.InfoContext(ctx, "the routing rules come from the database again", "config_version", next.state.Versions.Config)
	}
	if old != nil && old.state.Versions != next.state.Versions {
		s.applied()
	}
}

// Renew implements States: a lookup found the store at another version before the event of the change came. It asks
// the store only, because a call waits for it.
func (s *Supply) Renew(ctx context.Context, version int64) error {
	if state, ok := s.State(); ok && state.Versions.Config >= version {
		return nil
	}
	s.Changed(version)
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	return s.fromStore(ctx)
}
