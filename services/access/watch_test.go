package access

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// shelf is a source of keys that a test changes.
type shelf struct {
	mu       sync.Mutex
	version  KeysVersion
	records  []KeyRecord
	accounts []uuid.UUID
	cut      bool
	fail     error
	hang     bool
	loads    int
	touched  map[time.Time][]uuid.UUID
	touch    error
}

func (s *shelf) KeysVersion(ctx context.Context) (KeysVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, s.answer(ctx)
}

func (s *shelf) answer(ctx context.Context) error {
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	return s.fail
}

func (s *shelf) LoadKeys(ctx context.Context, _ time.Time) (Snapshot, error) {
	read, err := s.LoadAccounts(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	read.Keys = slices.Clone(s.records)
	return read, err
}

func (s *shelf) LoadAccounts(ctx context.Context) (Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	return Snapshot{Version: s.version, Accounts: slices.Clone(s.accounts), Cut: s.cut}, s.answer(ctx)
}

func (s *shelf) TouchKeys(_ context.Context, keys []uuid.UUID, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.touch == nil {
		s.touched[at] = append(s.touched[at], keys...)
	}
	return s.touch
}

func (s *shelf) change(do func(s *shelf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(s)
}

// seen is how often keys were read, and what was noted of their use.
func (s *shelf) seen() (loads int, touched map[time.Time][]uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads, maps.Clone(s.touched)
}

// watched runs a watcher over one key in a bubble of time.
func watched(t *testing.T, test func(t *testing.T, s *shelf, w *Watcher, text string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := pepper(t, "p")
		key, id := NewKey()
		s := &shelf{
			version: KeysVersion{Number: 1}, touched: map[time.Time][]uuid.UUID{},
			records: []KeyRecord{{KeyID: id, Role: caller.Viewer, PepperID: p.ID(), MAC: key.MAC(p)}},
		}
		w := NewWatcher(s, p, nil, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		synctest.Wait()
		test(t, s, w, key.Reveal())
		cancel()
		<-done
	})
}

func (s *shelf) revoke() {
	s.change(func(s *shelf) { s.version.Number++; s.records[0].RevokedAt = time.Now() })
}

func refusal(w *Watcher, text string) string {
	_, err := w.Find(text)
	if err == nil {
		return ""
	}
	return fault.From(err).Reason
}

func TestARevokedKeyIsRefusedWithinTwoSeconds(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, text string) {
		require.Empty(t, refusal(w, text))
		time.Sleep(PollEvery / 2)
		s.revoke()
		require.Empty(t, refusal(w, text), "nobody has looked yet")
		time.Sleep(2 * time.Second)
		require.Equal(t, ReasonRevoked, refusal(w, text))
		require.NoError(t, w.Check(t.Context()))
	})
}

func TestKeysAreReadOnlyWhenTheyChange(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, _ string) {
		time.Sleep(time.Hour)
		loads, _ := s.seen()
		require.Equal(t, 1, loads)
		require.Less(t, w.Age(), time.Second)
		s.change(func(s *shelf) { s.version.Number = 0; s.records = nil }) // as after a restore of a backup
		time.Sleep(time.Second)
		loads, _ = s.seen()
		require.Equal(t, 2, loads)
		require.Zero(t, w.Len())
	})
}

func TestTheKeysReadLastStayInForceWhileTheDatabaseIsAway(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, text string) {
		s.change(func(s *shelf) { s.fail = errors.New("gone") })
		s.revoke()
		time.Sleep(time.Hour)
		require.Empty(t, refusal(w, text))
		require.True(t, fault.Is(w.Check(t.Context()), ReasonKeysStale))
		require.GreaterOrEqual(t, w.Age(), time.Hour-time.Second)
		s.change(func(s *shelf) { s.fail, s.hang = nil, true })
		time.Sleep(time.Minute)
		require.Empty(t, refusal(w, text))
		s.change(func(s *shelf) { s.hang = false })
		time.Sleep(2 * time.Second)
		require.Equal(t, ReasonRevoked, refusal(w, text))
		require.NoError(t, w.Check(t.Context()))
	})
}

func TestBeforeTheFirstLoadCallersAreAskedToTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, _ := NewKey()
		s := &shelf{fail: errors.New("not up yet")}
		w := NewWatcher(s, pepper(t, "p"), nil, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		time.Sleep(time.Minute)
		_, err := w.Find(key.Reveal())
		f := fault.From(err)
		require.Equal(t, []any{fault.Unavailable, ReasonKeysNotLoaded, time.Second}, []any{f.Kind, f.Reason, f.RetryAfter})
		require.True(t, fault.Is(w.Check(t.Context()), ReasonKeysNotLoaded))
		require.Zero(t, w.Len())
		f = fault.From(w.CheckAccount(uuid.New()))
		require.Equal(t, []any{fault.Unavailable, ReasonUncheckable, 2 * time.Second}, []any{f.Kind, f.Reason, f.RetryAfter})
		brief, end := context.WithTimeout(t.Context(), time.Minute)
		require.True(t, fault.Is(w.AwaitLoad(brief), ReasonKeysNotLoaded))
		end()
		s.change(func(s *shelf) { s.fail = nil })
		require.NoError(t, w.AwaitLoad(t.Context()))
		s.change(func(s *shelf) { s.fail = errors.New("gone again") })
		time.Sleep(time.Hour)
		require.NoError(t, w.AwaitLoad(t.Context()), "it was loaded once")
		require.Error(t, w.Check(t.Context()))
		time.Sleep(time.Second)
		require.Equal(t, ReasonInvalid, refusal(w, key.Reveal()), "now it is known that nobody has this key")
		cancel()
		<-done
	})
}

func TestAReplicaThatIsBehindTakesNoKeysBack(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, text string) {
		s.revoke()
		time.Sleep(time.Second)
		require.Equal(t, ReasonRevoked, refusal(w, text))
		s.change(func(s *shelf) { s.version = KeysVersion{Number: 1, Stale: true}; s.records[0].RevokedAt = time.Time{} })
		before, _ := s.seen()
		time.Sleep(time.Minute)
		require.Equal(t, ReasonRevoked, refusal(w, text))
		require.True(t, fault.Is(w.Check(t.Context()), ReasonKeysStale))
		loads, _ := s.seen()
		require.Equal(t, before, loads, "it is not read in vain")
		s.change(func(s *shelf) { s.version = KeysVersion{Number: 3, Stale: true} })
		time.Sleep(time.Second)
		require.Empty(t, refusal(w, text), "a replica that is ahead of what is held counts")
		require.True(t, fault.Is(w.Check(t.Context()), ReasonKeysStale), "but it may be behind the primary")
		s.change(func(s *shelf) { s.version.Stale = false })
		time.Sleep(time.Second)
		require.NoError(t, w.Check(t.Context()))
	})
}

func TestTheLastUseIsStoredOnceAMinute(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, text string) {
		id := s.records[0].KeyID
		first := time.Now().Truncate(time.Minute).UTC()
		for range 100 {
			require.Empty(t, refusal(w, text))
		}
		_, touched := s.seen()
		require.Empty(t, touched, "no call waits for the database")
		time.Sleep(time.Minute)
		synctest.Wait()
		_, touched = s.seen()
		require.Equal(t, map[time.Time][]uuid.UUID{first: {id}}, touched)

		s.change(func(s *shelf) { s.touch = errors.New("gone"); s.version.Number++ }) // a load in between keeps what was noted
		second := time.Now().Truncate(time.Minute).UTC()
		require.Empty(t, refusal(w, text))
		time.Sleep(10 * time.Minute)
		s.change(func(s *shelf) { s.touch = nil })
		time.Sleep(time.Minute)
		synctest.Wait()
		_, touched = s.seen()
		require.Equal(t, map[time.Time][]uuid.UUID{first: {id}, second: {id}}, touched)
	})
}

func TestKeysOfAnotherPepperAreReported(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, text string) {
		s.change(func(s *shelf) { s.version.Number++; s.records[0].PepperID = "other" })
		time.Sleep(time.Second)
		require.Equal(t, ReasonInvalid, refusal(w, text))
		require.True(t, fault.Is(w.Check(t.Context()), ReasonUnknownPepper))
	})
}

func TestAnAccountIsKnownWhileItLives(t *testing.T) {
	for name, held := range map[string]Pepper{"keys and accounts": pepper(t, "p"), "accounts alone": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				account := uuid.New()
				s := &shelf{accounts: []uuid.UUID{account}, records: []KeyRecord{{KeyID: uuid.New(), PepperID: "of others"}}}
				w := NewWatcher(s, held, nil, time.Now, slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); w.Run(ctx) }()
				synctest.Wait()
				require.NoError(t, w.CheckAccount(account))
				require.EqualError(t, w.CheckAccount(uuid.New()),
					"UNAUTHENTICATED CREDENTIAL_INVALID: The account of this token does not exist (any more).")
				require.Equal(t, held.ID() != "", fault.Is(w.Check(t.Context()), ReasonUnknownPepper), "keys do not matter where none are accepted")
				s.change(func(s *shelf) { s.version.Number++; s.accounts = nil })
				time.Sleep(PollEvery)
				synctest.Wait()
				require.True(t, fault.Is(w.CheckAccount(account), ReasonInvalid))
				cancel()
				<-done
			})
		})
	}
}

func TestAReloadWaitsUntilTheChangeIsInForce(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, text string) {
		began := time.Now()
		s.revoke()
		w.Reload(t.Context())
		require.Equal(t, ReasonRevoked, refusal(w, text))
		require.Equal(t, began, time.Now(), "it does not wait for the next look")
		s.change(func(s *shelf) { s.hang = true })
		for range 2 { // while it looks, and while it waits for the answer
			ctx, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
			w.Reload(ctx)
			require.Error(t, ctx.Err())
			end()
		}
	})
}

func TestKeysThatAreCutOffAreReportedOnce(t *testing.T) {
	watched(t, func(t *testing.T, s *shelf, w *Watcher, _ string) {
		var out bytes.Buffer
		w.log = slog.New(slog.NewTextHandler(&out, nil))
		for range 3 {
			s.change(func(s *shelf) { s.version.Number++; s.cut = true })
			w.Reload(t.Context())
		}
		require.True(t, fault.Is(w.Check(t.Context()), ReasonKeysCutOff))
		require.Equal(t, 1, strings.Count(out.String(), "level=ERROR"))
		s.change(func(s *shelf) { s.version.Number++; s.cut = false })
		w.Reload(t.Context())
		require.NoError(t, w.Check(t.Context()))
	})
}
