package routing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// Release is a published set of rules that was put in force.
type Release struct {
	ID uuid.UUID
	// Activation counts what was put in force, from 1: each publish and each rollback. It is the version of the rules.
	Activation int64
	// CompiledAt is when the release was made from the live tables.
	CompiledAt time.Time
}

// behindAfter is how long a store says nothing but an older version until it is believed: longer than a store that is
// catching up takes.
const behindAfter = 30 * time.Second

// ReasonBehind tells that the store holds an older version of the live configuration than it did before.
const ReasonBehind = "OPERATORS_BEHIND"

// LiveOperators is what operators are set to at a version of the live configuration. It never changes.
type LiveOperators struct {
	Config int64
	// Behind is the store's own version of the operators when the store was put back to an older state than Config, else 0.
	Behind    int64
	Operators []Operator
}

// OperatorSource knows what operators are set to. Its faults are UNAVAILABLE.
type OperatorSource interface {
	// Operators reads all operators at one moment. It gives up by itself within seconds.
	Operators(ctx context.Context) ([]Operator, Versions, error)
}

// ReleaseSupply keeps a release in force, with what operators are set to in the live configuration on top: a suspension
// does not wait for a release. Rules and rates of the live configuration are not read. The version of the live
// configuration never goes back: the operators of a store that was put back to an older state count under the version that
// was held before.
type ReleaseSupply struct {
	*InForce
	store      OperatorSource
	substitute OperatorSource
	health     *HealthView
	now        func() time.Time
	log        *slog.Logger
	applied    func()

	released chan struct{} // closed by the first release
	// The rest belongs to mu, which is held while something is put in force, never while something is read.
	mu      sync.Mutex
	release Release
	table   *Table // of the release, as it was built
	since   time.Time
	live    *LiveOperators
	// recalled tells that nobody has confirmed the live operators since the engine started.
	recalled bool
	// bypassedSince is when the live operators began to come from the substitute; zero when they do not.
	bypassedSince time.Time
	// olderSince is since when the store says nothing but older versions; zero when it does not.
	olderSince time.Time
	looked     time.Time // when the store was asked last; it belongs to load
}

// NewReleaseSupply gives a supply that has no release before Serve. What operators are set to comes from the store, and
// while that is out of reach from the substitute, which may be nil. applied is called when something else than before is
// in force; it must not wait.
func NewReleaseSupply(store, substitute OperatorSource, health *HealthView, now func() time.Time, log *slog.Logger, applied func()) *ReleaseSupply {
	s := &ReleaseSupply{store: store, substitute: substitute, health: health, now: now, log: log, applied: applied, released: make(chan struct{})}
	s.InForce = &InForce{Refresher: NewRefresher(s.load, log)}
	return s
}

// Serve puts a release in force. The table is that of its rules; it may have served under another activation.
func (s *ReleaseSupply) Serve(r Release, table *Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.table == nil
	s.release, s.table, s.since = r, table, s.now()
	s.put()
	if first {
		close(s.released)
	}
}

// Serves tells the release in force and since when; false when there is none.
func (s *ReleaseSupply) Serves() (r Release, since time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.release, s.since, s.table != nil
}

// Released is closed once a release is in force.
func (s *ReleaseSupply) Released() <-chan struct{} { return s.released }

// Recall takes in what operators were set to when the engine ran before, until their source answers.
func (s *ReleaseSupply) Recall(live LiveOperators) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.live, s.recalled = &live, true
		s.put()
	}
}

// Live gives what operators are set to; false before that is known.
func (s *ReleaseSupply) Live() (LiveOperators, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		return LiveOperators{}, false
	}
	return *s.live, true
}

// CheckReady gives nil once there is a release, and else a fault.
func (s *ReleaseSupply) CheckReady(context.Context) error {
	if s.inForce.Load() == nil {
		return ErrNotReady
	}
	return nil
}

// CheckOrigin gives a fault with ReasonFromManagement while the live operators come from operator-management.
func (s *ReleaseSupply) CheckOrigin(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bypassedSince.IsZero() {
		return nil
	}
	return fault.New(fault.Unavailable, ReasonFromManagement,
		"the database is out of reach; the live operators come from operator-management since %s", s.bypassedSince.UTC().Format(time.RFC3339))
}

// CheckLive gives a fault with ReasonBehind while the live operators come from a store that was put back.
func (s *ReleaseSupply) CheckLive(context.Context) error {
	live, _ := s.Live()
	if live.Behind == 0 {
		return nil
	}
	return fault.New(fault.Unavailable, ReasonBehind,
		"The database holds version %d of the live configuration and held %d before, so it was put back to an older state: the "+
			"operators are those it holds now. Check what operators are set to; this ends when it has caught up.", live.Behind, live.Config)
}

// Source answers from the release in force.
func (s *ReleaseSupply) Source() Source { return releaseSource{s.InForce} }

type releaseSource struct{ inForce *InForce }

// Table implements Source.
func (s releaseSource) Table(context.Context, *Query) (*Table, CacheResult, error) {
	if now := s.inForce.inForce.Load(); now != nil {
		return now.table, CacheBypass, nil
	}
	return nil, 0, ErrNotReady
}

// put puts the release and the live operators in force together. It needs mu.
func (s *ReleaseSupply) put() {
	if s.table == nil {
		return
	}
	table := *s.table
	v := Versions{Rules: s.release.Activation, Release: s.release.ID.String()}
	if s.live != nil {
		v.Config = s.live.Config
		table = *table.withOperators(v.Config, s.live.Operators, s.health)
	}
	table.versions, table.reach = v, v.Config
	next := &supplied{state: State{Versions: v, Longest: table.longest()}, table: &table, usable: table.UsableOperators(), origin: FromRelease, since: s.since}
	s.health.Know(next.usable)
	s.inForce.Store(next)
	s.applied()
}

// load implements the load of a Refresher: it reads the live operators.
func (s *ReleaseSupply) load(ctx context.Context) (Loaded, error) {
	held := func() int64 {
		live, _ := s.Live()
		return live.Config
	}
	if s.shortcut(ctx, held) {
		return Loaded{Versions: s.versions(), Provisional: true}, nil
	}
	next, err := s.look(ctx, held)
	if err == nil && next.Config < held() {
		s.fallBack(ctx, next)
		return Loaded{Versions: s.versions(), Provisional: true}, nil
	}
	if err == nil {
		s.take(next, false)
		return Loaded{Versions: s.versions()}, nil
	}
	s.olderAgain()
	if s.substitute == nil || ctx.Err() != nil {
		return Loaded{}, err
	}
	next, failure := operatorsOf(ctx, s.substitute)
	switch {
	case failure != nil:
		return Loaded{}, errors.Join(err, failure)
	case next.Config < held():
		return Loaded{}, errors.Join(err, errBehind)
	}
	s.take(next, true)
	return Loaded{Versions: s.versions(), Provisional: true}, nil
}

// shortcut asks the substitute for a version that was told of while the store is out of reach, before a look at the store:
// that takes seconds when the store hangs. It tells whether the look can be left out, which is not for longer than
// provisionalLast.
func (s *ReleaseSupply) shortcut(ctx context.Context, held func() int64) bool {
	if s.CheckOrigin(ctx) == nil || s.wanted.Load() <= held() {
		return false
	}
	if next, err := operatorsOf(ctx, s.substitute); err == nil {
		s.take(next, true)
	}
	return s.wanted.Load() <= held() && s.now().Sub(s.looked) < provisionalLast
}

func (s *ReleaseSupply) look(ctx context.Context, held func() int64) (LiveOperators, error) {
	defer func() { s.looked = s.now() }()
	read := func(ctx context.Context) (LiveOperators, error) { return operatorsOf(ctx, s.store) }
	if s.CheckOrigin(ctx) == nil {
		return read(ctx)
	}
	return unlessTold(ctx, s.Refresher, held, read)
}

func operatorsOf(ctx context.Context, source OperatorSource) (LiveOperators, error) {
	operators, v, err := source.Operators(ctx)
	return LiveOperators{Config: v.Config, Operators: operators}, err
}

// take puts live operators in force, unless newer ones are.
func (s *ReleaseSupply) take(next LiveOperators, bypassed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case bypassed && s.bypassedSince.IsZero():
		s.bypassedSince = s.now()
	case !bypassed:
		s.bypassedSince, s.olderSince = time.Time{}, time.Time{}
	}
	if old := s.live; old != nil && (next.Config < old.Config || next.Config == old.Config && !s.recalled && old.Behind == 0) {
		return
	}
	s.live, s.recalled = &next, false
	s.put()
}

// fallBack takes in what a store says that holds an older version than is held. It may lag, so it is not believed at
// once; one that was put back to an older state never says anything else, and a suspension in it must count. What it says
// after that counts at once, unless it goes back once more.
func (s *ReleaseSupply) fallBack(ctx context.Context, next LiveOperators) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bypassedSince = time.Time{}
	now, old := s.now(), s.live
	believed := old.Behind > 0 && next.Config >= old.Behind
	switch {
	case believed:
		s.olderSince = time.Time{}
	case s.olderSince.IsZero():
		s.olderSince = now
	}
	if !believed && now.Sub(s.olderSince) < behindAfter || next.Config == old.Behind && !s.recalled {
		return
	}
	if !believed {
		s.log.ErrorContext(ctx, "the database holds an older version of the live configuration than before, so it was put back: its operators count under the newer version",
			"holds", next.Config, "config_version", old.Config)
	}
	next.Config, next.Behind, s.olderSince = old.Config, next.Config, time.Time{}
	s.live, s.recalled = &next, false
	s.put()
}

// olderAgain makes a store that did not answer start anew with proving that it is older.
func (s *ReleaseSupply) olderAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.olderSince = time.Time{}
}

// versions names what is in force; the version of the configuration is known without a release too.
func (s *ReleaseSupply) versions() Versions {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := Versions{}
	if s.table != nil {
		v.Rules, v.Release = s.release.Activation, s.release.ID.String()
	}
	if s.live != nil {
		v.Config = s.live.Config
	}
	return v
}
