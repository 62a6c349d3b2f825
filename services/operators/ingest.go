package operators

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

const (
	// heartbeatPause keeps several connectors from making several heartbeats of one. It is a little less than the 10 s
	// of connectors, so that an early one is not left out.
	heartbeatPause = 9 * time.Second
	// observePause is the time between two refreshes of what the store says was observed last. All operators go into
	// one statement.
	observePause = 30 * time.Second
	// throttledPause is the time between two of them that an operator which begins or ceases to throttle may ask for.
	throttledPause = time.Second
	// ingestTries bounds how often a change starts over because another process was faster.
	ingestTries = 3
)

// HealthStore keeps the reduced health of operators. Errors are faults.
type HealthStore interface {
	// LiveHealth gives the health of those of the operators that are live; without ids, of every live operator. The
	// version of one of which nothing was ever reported is 0.
	LiveHealth(ctx context.Context, ids ...uuid.UUID) ([]Health, error)
	// ChangeHealth stores a health in place of one with the version from, together with the transition unless that is
	// nil. It is an Aborted fault, ReasonStaleHealth, when another version is stored or the operator is not live.
	ChangeHealth(ctx context.Context, next Health, from int64, t *Transition) error
	// ObserveHealth refreshes ObservedAt and Throttled where the version is still the same and the operator live, and
	// returns the ids of those.
	ObserveHealth(ctx context.Context, all []Health) ([]uuid.UUID, error)
}

// HealthCache keeps the reduced health where engines find it when events do not reach them. Its failures are its own to
// count: they hold nothing up.
type HealthCache interface {
	KeepHealth(ctx context.Context, h Health)
}

// IngestObserver is told of every stored transition.
type IngestObserver interface {
	HealthChanged(t Transition)
}

// Ingest turns the reports of connectors into the health of operators: stored, cached and published. It belongs to one
// goroutine. Of several processes one should run it; what a second one does is refused by version.
//
// A report is done when the change that follows from it is stored and published. Both are safe to repeat: a report
// that comes again is not counted again, and shows whether something is still owed.
type Ingest struct {
	store    HealthStore
	board    HealthBoard
	cache    HealthCache
	observer IngestObserver
	now      func() time.Time
	log      *slog.Logger

	operators  map[uuid.UUID]*watched
	observedAt time.Time // when ObserveHealth was last called
}

// watched is one live operator.
type watched struct {
	reducer reducer
	health  Health // as stored, except for what ObserveHealth refreshes
	// kept is what the store has of that.
	kept observation
	// said is the version that was last published, or gave way to another's word; 0 before that. saidAt is the
	// ObservedAt that went with it.
	said   int64
	saidAt time.Time
	// yields tells that another's word stands.
	yields bool
	// foreign tells that the store has another version, or that the operator is not live any more.
	foreign bool
}

type observation struct {
	at        time.Time
	throttled bool
}

func (h Health) observation() observation { return observation{h.ObservedAt, h.Throttled} }

// NewIngest returns an ingest that knows nothing before Load. now tells how old a report is.
func NewIngest(store HealthStore, board HealthBoard, cache HealthCache, observer IngestObserver, now func() time.Time, log *slog.Logger) *Ingest {
	return &Ingest{
		store: store, board: board, cache: cache, observer: observer, now: now, log: log,
		operators: make(map[uuid.UUID]*watched),
	}
}

// Load forgets everything and reads the stored health of every live operator: a process that takes over goes on where
// the one before it stopped.
func (i *Ingest) Load(ctx context.Context) error {
	all, err := i.store.LiveHealth(ctx)
	if err != nil {
		return err
	}
	i.operators = make(map[uuid.UUID]*watched, len(all))
	i.observedAt = i.now()
	for _, h := range all {
		i.operators[h.OperatorID] = watch(h)
	}
	return nil
}

func watch(h Health) *watched {
	w := &watched{health: h, kept: h.observation()}
	if h.Throttled {
		w.reducer.throttledAt = h.ObservedAt
	}
	return w
}

// Recall takes in a report of the past, so that the first new one is not judged without those of the other
// connectors. It changes nothing by itself.
func (i *Ingest) Recall(p SessionReport) {
	if w, ok := i.operators[p.OperatorID]; ok {
		w.reducer.recall(p)
	}
}

// Report takes a report in. Without an error everything that follows from it is stored and published; live is false
// when there is no live operator that it could be about. After an error it has to be given again.
func (i *Ingest) Report(ctx context.Context, p SessionReport) (live bool, err error) {
	w, err := i.watched(ctx, p.OperatorID)
	if err != nil || w == nil {
		return false, err
	}
	late := i.now().Sub(p.ReceivedAt) > HealthTTL
	w.reducer.observe(p, late)
	for range ingestTries {
		if live, err = i.settle(ctx, w); err != nil || !live {
			return false, err
		}
		switch err = i.say(ctx, w, p, late); {
		case errors.Is(err, errForeign):
			if i.operators[p.OperatorID] != w {
				return false, nil
			}
			continue
		case err == nil:
			i.keepObserved(ctx, w)
		}
		return true, err
	}
	return true, errRaced
}

// errRaced ends the tries of a report. It is given again.
var errRaced = fault.New(fault.Aborted, ReasonStaleHealth, "Other processes keep changing the health of this operator.")

// watched gives an operator, or nil when there is no live one with this id.
func (i *Ingest) watched(ctx context.Context, id uuid.UUID) (*watched, error) {
	if w, ok := i.operators[id]; ok {
		if !w.foreign {
			return w, nil
		}
		if live, err := i.reload(ctx, w); err != nil || !live {
			return nil, err
		}
		return w, nil
	}
	all, err := i.store.LiveHealth(ctx, id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	w := watch(all[0])
	i.operators[id] = w
	return w, nil
}

// settle stores the change that follows from the reports, if there is one. It reports false when the operator is not
// live any more.
func (i *Ingest) settle(ctx context.Context, w *watched) (live bool, err error) {
	for range ingestTries {
		next, t := w.reducer.judge(w.health)
		if t == nil || i.outrun(w) {
			w.health.Throttled = next.Throttled
			return true, nil
		}
		err := i.store.ChangeHealth(ctx, next, w.health.Version, t)
		if err == nil {
			i.changed(ctx, w, next, *t)
			return true, nil
		}
		if !fault.Is(err, ReasonStaleHealth) {
			return false, err
		}
		if live, err := i.reload(ctx, w); err != nil || !live {
			return false, err
		}
	}
	return false, errRaced
}

// outrun reports whether the stored change follows from a later report than all that are known here: another process
// leads. A time that is yet to come, by a clock that was set back since, proves nothing.
func (i *Ingest) outrun(w *watched) bool {
	return w.reducer.latest.Before(w.health.ChangedAt) && !w.health.ChangedAt.After(i.now())
}

func (i *Ingest) changed(ctx context.Context, w *watched, next Health, t Transition) {
	if next.Quality != w.health.Quality {
		w.reducer.restart()
	}
	w.health, w.kept = next, next.observation()
	i.observer.HealthChanged(t)
	i.log.InfoContext(ctx, "the health of an operator changed", "operator_id", t.OperatorID, "version", t.Version, "cause", t.Cause,
		"bind", t.ToBind.String(), "was_bind", t.FromBind.String(), "quality", t.ToQuality.String(), "was_quality", t.FromQuality.String())
}

// reload takes over what another process stored. It reports false when the operator is not live any more.
func (i *Ingest) reload(ctx context.Context, w *watched) (live bool, err error) {
	all, err := i.store.LiveHealth(ctx, w.health.OperatorID)
	if err != nil {
		return false, err
	}
	if len(all) == 0 {
		delete(i.operators, w.health.OperatorID)
		return false, nil
	}
	if all[0].Quality != w.health.Quality {
		w.reducer.restart()
	}
	w.health, w.kept, w.foreign = all[0], all[0].observation(), false
	return true, nil
}

// keepObserved refreshes the times of observation in the store when it is time to, or soon when the operator has begun
// or ceased to throttle. What fails is done the next time: nobody relies on it while events flow.
func (i *Ingest) keepObserved(ctx context.Context, w *watched) {
	now := i.now()
	pause := observePause
	if w.health.Throttled != w.kept.throttled {
		pause = throttledPause
	}
	if past := now.Sub(i.observedAt); past >= 0 && past < pause {
		return
	}
	i.observedAt = now
	var all []Health
	for _, w := range i.operators {
		if w.health.Version > 0 && w.health.observation() != w.kept {
			all = append(all, w.health)
		}
	}
	if len(all) == 0 {
		return
	}
	refreshed, err := i.store.ObserveHealth(ctx, all)
	if err != nil {
		i.log.WarnContext(ctx, "the times of the last reports could not be stored", "operators", len(all), "error", err)
		return
	}
	same := make(map[uuid.UUID]bool, len(refreshed))
	for _, id := range refreshed {
		same[id] = true
	}
	for _, h := range all {
		w := i.operators[h.OperatorID]
		if w.foreign = !same[h.OperatorID]; !w.foreign {
			w.kept = h.observation()
		}
	}
}

// restate stores the same health with a higher version.
func (i *Ingest) restate(ctx context.Context, w *watched, version int64) error {
	next := w.health
	next.Version = version
	err := i.store.ChangeHealth(ctx, next, w.health.Version, nil)
	if fault.Is(err, ReasonStaleHealth) {
		_, err := i.reload(ctx, w)
		return errors.Join(errForeign, err)
	}
	if err != nil {
		return err
	}
	w.health, w.kept = next, next.observation()
	return nil
}
