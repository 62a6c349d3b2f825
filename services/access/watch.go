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
	// ReasonKeysCutOff: there are more live keys or accounts than a process holds. The oldest ones are refused.
	ReasonKeysCutOff = "KEYS_CUT_OFF"
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
	// LoadKeys gives all keys that live now, those that ended lately, and all live accounts. A key of a deleted account
	// counts as revoked.
	LoadKeys(ctx context.Context, now time.Time) (Snapshot, error)
	// LoadAccounts gives the same without keys.
	LoadAccounts(ctx context.Context) (Snapshot, error)
	// TouchKeys notes that the keys were used at a time, unless it knows of a later one.
	TouchKeys(ctx context.Context, keys []uuid.UUID, at time.Time) error
}

// Snapshot is what credentials are checked against.
type Snapshot struct {
	// Version is one from which on the rest is right.
	Version KeysVersion
	Keys    []KeyRecord
	// Accounts are the live ones.
	Accounts []uuid.UUID
	// Cut is true when there are more than MaxLiveKeys live keys or more than MaxLiveAccounts: the newest ones are here.
	Cut bool
}

// Watcher holds all API keys and the ids of all live accounts in memory and keeps them up to date. While the database is
// out of reach, what was read last stays in force. Create it with NewWatcher and run Run; it is safe for concurrent use.
type Watcher struct {
	source  KeySource
	current Pepper
	former  []Pepper
	now     func() time.Time
	log     *slog.Logger

	asked chan chan struct{} // who waits for the next look

	loaded chan struct{}            // closed after the first load
	held   atomic.Pointer[heldKeys] // nil before the first load
	// confirmed is when the keys were last known to be up to date, in Unix nanoseconds; at first the start.
	confirmed atomic.Int64
	failure   atomic.Pointer[error] // of the last look; points to nil when it went well
}

// heldKeys is what one load gave.
type heldKeys struct {
	version  KeysVersion
	set      *KeySet
	use      map[string]*lastUse // by the caller's name
	accounts map[uuid.UUID]struct{}
	cut      bool
}

// NewWatcher gives a watcher of accounts and of the keys under the current pepper and the former ones. With the zero pepper
// it watches accounts alone.
func NewWatcher(source KeySource, current Pepper, former []Pepper, now func() time.Time, log *slog.Logger) *Watcher {
	w := &Watcher{
		source: source, current: current, former: former, now: now, log: log,
		asked: make(chan chan struct{}), loaded: make(chan struct{}),
	}
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

// CheckAccount is nil for a live account, and the fault CREDENTIAL_INVALID for any other: tokens outlive their accounts.
// Before the first load it is the fault CREDENTIALS_UNCHECKABLE.
func (w *Watcher) CheckAccount(id uuid.UUID) error {
	held := w.held.Load()
	if held == nil {
		return Uncheckable("The account of this token cannot be checked yet: the database was not reached since the start. Try again.")
	}
	if _, lives := held.accounts[id]; !lives {
		return Invalid("The account of this token does not exist (any more).")
	}
	return nil
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
// was not reached for 10 s, there are too many, or there are keys that no configured pepper is right for.
func (w *Watcher) Check(context.Context) error {
	held := w.held.Load()
	switch {
	case held == nil:
		return fault.New(fault.Unavailable, ReasonKeysNotLoaded, "API keys and accounts were not read yet.").Wrap(w.lastFailure())
	case w.Age() > staleAfter:
		return fault.New(fault.Unavailable, ReasonKeysStale,
			"API keys and accounts are %s old: revoked ones are accepted, new ones are not.", w.Age().Round(time.Second)).Wrap(w.lastFailure())
	case held.cut:
		return fault.New(fault.ResourceExhausted, ReasonKeysCutOff,
			"There are more than %d live API keys or %d accounts, and the oldest ones are refused: revoke keys or delete accounts that nobody uses.",
			MaxLiveKeys, MaxLiveAccounts)
	case held.set.OfUnknownPepper() > 0:
		return fault.New(fault.FailedPrecondition, ReasonUnknownPepper,
			"%d API keys were made under another pepper and cannot be used: set access.keys.former_pepper to it.", held.set.OfUnknownPepper())
	}
	return nil
}

// AwaitLoad waits for the first load. Its fault KEYS_NOT_LOADED means that ctx ended before.
func (w *Watcher) AwaitLoad(ctx context.Context) error {
	select {
	case <-w.loaded:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, ReasonKeysNotLoaded, "API keys and accounts were not read yet.").Wrap(w.lastFailure())
	}
}

// Reload looks for changes at once and waits until that is done or ctx ends: after a change that this process made, it
// holds to it from then on.
func (w *Watcher) Reload(ctx context.Context) {
	done := make(chan struct{})
	select {
	case w.asked <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (w *Watcher) lastFailure() error {
	if err := w.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Run keeps keys and accounts up to date until ctx ends, and then stores the times of last use.
func (w *Watcher) Run(ctx context.Context) {
	var flusher sync.WaitGroup
	defer flusher.Wait()
	// On its own, so that a slow write does not hold up the look at the version.
	flusher.Go(func() { w.flushUntil(ctx) })
	pause := time.NewTicker(PollEvery)
	defer pause.Stop()
	w.look(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
			w.look(ctx)
		case done := <-w.asked:
			w.look(ctx)
			close(done)
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
	read, err := w.load(ctx)
	if err != nil {
		return err
	}
	if held != nil && read.Version.Stale && read.Version.Number < held.version.Number {
		return errBehind
	}
	if read.Cut && (held == nil || !held.cut) {
		w.log.ErrorContext(ctx, "there are more live API keys or accounts than a process holds; the oldest ones are refused",
			"most_keys", MaxLiveKeys, "most_accounts", MaxLiveAccounts)
	}
	next := &heldKeys{
		version: read.Version, cut: read.Cut, set: NewKeySet(read.Keys, w.current, w.former...),
		use: make(map[string]*lastUse, len(read.Keys)), accounts: make(map[uuid.UUID]struct{}, len(read.Accounts)),
	}
	for _, id := range read.Accounts {
		next.accounts[id] = struct{}{}
	}
	for _, r := range read.Keys {
		name := "key:" + r.KeyID.String() // as KeySet calls the caller
		if held != nil && held.use[name] != nil {
			next.use[name] = held.use[name]
			continue
		}
		next.use[name] = &lastUse{key: r.KeyID}
	}
	w.held.Store(next)
	if held == nil {
		close(w.loaded)
	}
	if read.Version.Stale {
		return errBehind
	}
	return nil
}

func (w *Watcher) load(ctx context.Context) (Snapshot, error) {
	if w.current.ID() == "" {
		return w.source.LoadAccounts(ctx)
	}
	return w.source.LoadKeys(ctx, w.now())
}

func (w *Watcher) version(ctx context.Context) (KeysVersion, error) {
	ctx, cancel := context.WithTimeout(ctx, pollLimit)
	defer cancel()
	return w.source.KeysVersion(ctx)
}
