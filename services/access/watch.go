package access

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

const (
	// ReasonKeysNotLoaded: the process has not read the API keys yet. The key may be good.
	ReasonKeysNotLoaded = "KEYS_NOT_LOADED"
	// ReasonKeysStale: the API keys that are in force may be out of date.
	ReasonKeysStale = "KEYS_STALE"
	// ReasonUnknownPepper: keys are stored under a pepper that is not configured.
	ReasonUnknownPepper = "UNKNOWN_PEPPER"
)

// Times of a Watcher. A revoked key is refused everywhere within PollEvery, the time of one poll and of one load.
const (
	// PollEvery is the pause between two looks at the version.
	PollEvery = 500 * time.Millisecond
	// pollLimit and loadLimit bound one look at the version and one reading of all keys.
	pollLimit = time.Second
	loadLimit = 10 * time.Second
	// flushEvery is how often the times of last use are stored, flushLimit bounds one such writing.
	flushEvery = time.Minute
	flushLimit = 5 * time.Second
	// staleAfter is from which age on Check calls the keys out of date.
	staleAfter = 10 * time.Second
	// retryNotLoaded is when a caller should try again.
	retryNotLoaded = time.Second
)

// KeysVersion counts the changes of keys and accounts.
type KeysVersion struct {
	Number int64
	// Stale is true for the answer of a replica: it may be behind.
	Stale bool
}

// KeySource is where a Watcher reads the keys.
type KeySource interface {
	// KeysVersion tells the present version.
	KeysVersion(ctx context.Context) (KeysVersion, error)
	// LoadKeys gives all live keys, those that ended lately, and a version from which on they are right. A key of a
	// deleted account counts as revoked.
	LoadKeys(ctx context.Context) ([]KeyRecord, KeysVersion, error)
	// TouchKeys notes that the keys were used at a time, unless it knows of a later one.
	TouchKeys(ctx context.Context, keys []uuid.UUID, at time.Time) error
}

// Watcher holds all API keys in memory and keeps them up to date. While the database is out of reach, the keys last read
// stay in force. Create it with NewWatcher and run Run; it is safe for concurrent use.
type Watcher struct {
	source  KeySource
	current Pepper
	former  []Pepper
	now     func() time.Time
	log     *slog.Logger

	held atomic.Pointer[heldKeys] // nil before the first load
	// confirmed is when the keys were last known to be up to date, in Unix nanoseconds; at first the start.
	confirmed atomic.Int64
	failure   atomic.Pointer[error] // of the last look; points to nil when it went well
}

// heldKeys is what one load gave.
type heldKeys struct {
	version KeysVersion
	set     *KeySet
	use     map[string]*lastUse // by the caller's name
}

// lastUse is when a key was last used, in Unix minutes; 0 is never since the start.
type lastUse struct {
	key           uuid.UUID
	used, flushed atomic.Int64
}

// NewWatcher gives a watcher of the keys under the current pepper and the former ones.
func NewWatcher(source KeySource, current Pepper, former []Pepper, now func() time.Time, log *slog.Logger) *Watcher {
	w := &Watcher{source: source, current: current, former: former, now: now, log: log}
	w.confirmed.Store(now().UnixNano())
	return w
}

// Find tells whose key the text is, and notes its use. Before the first load it is the fault KEYS_NOT_LOADED: the key may
// be good.
func (w *Watcher) Find(text string) (caller.Caller, error) {
	held := w.held.Load()
	if held == nil {
		return caller.Caller{}, fault.New(fault.Unavailable, ReasonKeysNotLoaded,
			"API keys cannot be checked yet: the database was not reached since the start. Try again.").WithRetry(retryNotLoaded)
	}
	now := w.now()
	who, err := held.set.Find(text, now)
	if err != nil {
		return who, err
	}
	if use, minute := held.use[who.Name], now.Unix()/60; use != nil && use.used.Load() < minute {
		use.used.Store(minute)
	}
	return who, nil
}

// Len is how many keys are held, those that ended lately included; 0 before the first load.
func (w *Watcher) Len() int {
	if held := w.held.Load(); held != nil {
		return held.set.Len()
	}
	return 0
}

// Age is how long ago the keys were last known to be up to date; before the first load, how long ago the start was.
func (w *Watcher) Age() time.Duration {
	return max(0, w.now().Sub(time.Unix(0, w.confirmed.Load())))
}

// Check is nil while the keys are up to date, and tells otherwise what is wrong: they were not loaded yet, the database
// was not reached for 10 s, or there are keys that no configured pepper is right for.
func (w *Watcher) Check(context.Context) error {
	held := w.held.Load()
	switch {
	case held == nil:
		return fault.New(fault.Unavailable, ReasonKeysNotLoaded, "The API keys were not read yet.").Wrap(w.lastFailure())
	case w.Age() > staleAfter:
		return fault.New(fault.Unavailable, ReasonKeysStale,
			"The API keys are %s old: revoked ones are accepted, new ones are not.", w.Age().Round(time.Second)).Wrap(w.lastFailure())
	case held.set.OfUnknownPepper() > 0:
		return fault.New(fault.FailedPrecondition, ReasonUnknownPepper,
			"%d API keys were made under another pepper and cannot be used: set access.keys.former_pepper to it.", held.set.OfUnknownPepper())
	}
	return nil
}

func (w *Watcher) lastFailure() error {
	if err := w.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Run keeps the keys up to date until ctx ends, and then stores the times of last use.
func (w *Watcher) Run(ctx context.Context) {
	var flusher sync.WaitGroup
	defer flusher.Wait()
	// On its own, so that a slow write does not hold up the look at the version.
	flusher.Go(func() { w.flushUntil(ctx) })
	pause := time.NewTicker(PollEvery)
	defer pause.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

// look reads the keys when their version says so.
func (w *Watcher) look(ctx context.Context) {
	began := w.now()
	err := w.refresh(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		w.confirmed.Store(began.UnixNano())
	}
	switch was := w.lastFailure(); {
	case err != nil && was == nil:
		w.log.WarnContext(ctx, "API keys cannot be read; those read last stay in force", "error", err)
	case err == nil && was != nil:
		w.log.InfoContext(ctx, "API keys can be read again")
	}
	w.failure.Store(&err)
}

// errBehind is a replica that has not got what is held already.
var errBehind = errors.New("the primary database is out of reach and its replica is behind the keys that are held")

func (w *Watcher) refresh(ctx context.Context) error {
	held := w.held.Load()
	if held != nil {
		version, err := w.version(ctx)
		switch {
		case err != nil:
			return err
		case version.Number == held.version.Number && !version.Stale:
			return nil
		case version.Number == held.version.Number:
			return errBehind // it may have changed on the primary
		case version.Stale && version.Number < held.version.Number:
			return errBehind
		}
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	records, version, err := w.source.LoadKeys(ctx)
	if err != nil {
		return err
	}
	if held != nil && version.Stale && version.Number < held.version.Number {
		return errBehind
	}
	next := &heldKeys{version: version, set: NewKeySet(records, w.current, w.former...), use: make(map[string]*lastUse, len(records))}
	for _, r := range records {
		name := "key:" + r.KeyID.String() // as KeySet calls the caller
		if held != nil && held.use[name] != nil {
			next.use[name] = held.use[name]
			continue
		}
		next.use[name] = &lastUse{key: r.KeyID}
	}
	w.held.Store(next)
	if version.Stale {
		return errBehind
	}
	return nil
}

func (w *Watcher) version(ctx context.Context) (KeysVersion, error) {
	ctx, cancel := context.WithTimeout(ctx, pollLimit)
	defer cancel()
	return w.source.KeysVersion(ctx)
}

func (w *Watcher) flushUntil(ctx context.Context) {
	pause := time.NewTicker(flushEvery)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			w.flush(context.WithoutCancel(ctx))
			return
		case <-pause.C:
			w.flush(ctx)
		}
	}
}

// flush stores the times of last use that are new. What fails is tried again the next time.
func (w *Watcher) flush(ctx context.Context) {
	held := w.held.Load()
	if held == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushLimit)
	defer cancel()
	uses, keys := map[int64][]*lastUse{}, map[int64][]uuid.UUID{}
	for _, use := range held.use {
		if minute := use.used.Load(); minute > use.flushed.Load() {
			uses[minute], keys[minute] = append(uses[minute], use), append(keys[minute], use.key)
		}
	}
	for minute := range uses {
		if err := w.source.TouchKeys(ctx, keys[minute], time.Unix(minute*60, 0).UTC()); err != nil {
			w.log.WarnContext(ctx, "the last use of API keys could not be stored; it is tried again", "error", err)
			return
		}
		for _, use := range uses[minute] {
			use.flushed.Store(minute)
		}
	}
}
