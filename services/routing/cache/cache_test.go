package cache_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/rediscache"
	"trunkline/services/routing"
	"trunkline/services/routing/cache"
	"trunkline/services/routing/routingtest"
)

// finder counts questions and answers with one extract.
type finder struct {
	asked   atomic.Int64
	extract *routing.Extract
	err     error
	gate    chan struct{}
}

func (f *finder) Find(ctx context.Context, _ routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	f.asked.Add(1)
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	return f.extract, routing.CacheMiss, f.err
}

// broken is a cache out of reach.
type broken struct{}

func (broken) Get(context.Context, string) ([]byte, bool, error) {
	return nil, false, rediscache.ErrUnavailable
}
func (broken) Set(context.Context, string, []byte, time.Duration) error {
	return rediscache.ErrUnavailable
}
func (broken) MGet(context.Context, []string) (map[string][]byte, error) {
	return nil, rediscache.ErrUnavailable
}

type fixture struct {
	*cache.Cached
	next         *finder
	store        *rediscache.Memory
	hits, misses prometheus.Counter
}

func extractOf(version int64) *routing.Extract {
	rs, _ := routingtest.Generate(rand.New(rand.NewPCG(3, 3)))
	return &routing.Extract{Versions: routing.Versions{Config: version, Rules: 1}, Operators: rs.Operators, Rules: rs.Rules, Rates: rs.Rates, FX: rs.FX}
}

func memory(t *testing.T) *rediscache.Memory {
	m, err := rediscache.NewMemory(100, clock.System())
	require.NoError(t, err)
	return m
}

func counters() (hits, misses prometheus.Counter) {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: "h"}), prometheus.NewCounter(prometheus.CounterOpts{Name: "m"})
}

func newFixture(t *testing.T) fixture {
	f := fixture{next: &finder{extract: extractOf(7)}, store: memory(t)}
	f.hits, f.misses = counters()
	f.Cached = cache.NewCached(f.next, f.store, f.hits, f.misses, slog.New(slog.DiscardHandler))
	return f
}

func lookup(change ...func(*routing.Lookup)) routing.Lookup {
	l := routing.Lookup{Account: routingtest.UID(1001), Type: routing.SMS, Digits: "447", Config: 7, Epoch: 1}
	for _, c := range change {
		c(&l)
	}
	return l
}

func TestASecondQuestionIsAHitWithTheSameExtract(t *testing.T) {
	f := newFixture(t)
	first, result, err := f.Find(t.Context(), lookup())
	require.NoError(t, err)
	require.Equal(t, routing.CacheMiss, result)
	second, result, err := f.Find(t.Context(), lookup())
	require.NoError(t, err)
	require.Equal(t, routing.CacheHit, result)
	require.EqualValues(t, 1, f.next.asked.Load())
	require.Equal(t, 1.0, testutil.ToFloat64(f.hits))
	require.Equal(t, 1.0, testutil.ToFloat64(f.misses))

	a, err := json.Marshal(first)
	require.NoError(t, err)
	b, err := json.Marshal(second)
	require.NoError(t, err)
	require.JSONEq(t, string(a), string(b), "nothing is lost on the way through the cache")
}

func TestEveryPartOfALookupMakesAnotherEntry(t *testing.T) {
	for name, change := range map[string]func(*routing.Lookup){
		"account": func(l *routing.Lookup) { l.Account = routingtest.UID(1002) },
		"type":    func(l *routing.Lookup) { l.Type = routing.Flash },
		"digits":  func(l *routing.Lookup) { l.Digits = "448" },
		"epoch":   func(l *routing.Lookup) { l.Epoch = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, l := range []routing.Lookup{lookup(), lookup(change)} {
				_, result, err := f.Find(t.Context(), l)
				require.NoError(t, err)
				require.Equal(t, routing.CacheMiss, result)
			}
		})
	}
	t.Run("configuration version", func(t *testing.T) {
		f := newFixture(t)
		_, _, err := f.Find(t.Context(), lookup())
		require.NoError(t, err)
		f.next.extract = extractOf(8)
		e, result, err := f.Find(t.Context(), lookup(func(l *routing.Lookup) { l.Config = 8 }))
		require.NoError(t, err)
		require.Equal(t, routing.CacheMiss, result)
		require.EqualValues(t, 8, e.Versions.Config)
	})
}

func TestAnExtractNewerThanTheKeyIsUsedButNotKept(t *testing.T) {
	f := newFixture(t)
	f.next.extract = extractOf(8)
	for range 2 {
		e, result, err := f.Find(t.Context(), lookup())
		require.NoError(t, err)
		require.Equal(t, routing.CacheMiss, result)
		require.EqualValues(t, 8, e.Versions.Config)
	}
}

func TestAnUnreadableEntryIsAMiss(t *testing.T) {
	f := newFixture(t)
	key := "route:decision:1:7:1:" + routingtest.UID(1001).String() + ":SMS:447"
	require.NoError(t, f.store.Set(t.Context(), key, []byte("{"), time.Minute))
	_, result, err := f.Find(t.Context(), lookup())
	require.NoError(t, err)
	require.Equal(t, routing.CacheMiss, result)
	_, result, err = f.Find(t.Context(), lookup())
	require.NoError(t, err)
	require.Equal(t, routing.CacheHit, result, "the answer replaced it, under the documented key")
}

func TestWithoutACacheAnswersGoOn(t *testing.T) {
	hits, misses := counters()
	next := &finder{extract: extractOf(7)}
	c := cache.NewCached(next, broken{}, hits, misses, slog.New(slog.DiscardHandler))
	_, result, err := c.Find(t.Context(), lookup())
	require.NoError(t, err)
	require.Equal(t, routing.CacheBypass, result)
}

func TestAFailureIsNotCached(t *testing.T) {
	f := newFixture(t)
	f.next.err = errors.New("down")
	_, _, err := f.Find(t.Context(), lookup())
	require.ErrorIs(t, err, f.next.err)
	f.next.err = nil
	_, _, err = f.Find(t.Context(), lookup())
	require.NoError(t, err)
}

// TestTheStoredFormIsPinned fails when routing.Extract changes: then raise the number in the key, so that
// engines of two versions do not read each other's entries, and run with UPDATE_GOLDEN=1.
func TestTheStoredFormIsPinned(t *testing.T) {
	e := &routing.Extract{
		Versions:  routing.Versions{Config: 7, Rules: 5},
		Operators: []routing.Operator{{ID: routingtest.UID(1), Name: "A", Host: "a.example.net", Port: 2775, SystemID: "s", TPSLimit: 10, Types: routing.AllMessageTypes, Status: routing.StatusActive}},
		Rules: []routing.Rule{{ID: routingtest.UID(2), Account: routingtest.UID(3), Prefix: "44", Types: routing.NewMessageTypes(routing.SMS), Strategy: routing.Cost, FallThrough: true,
			Window: routing.Window{From: routingtest.Now}, Candidates: []routing.Candidate{{Operator: routingtest.UID(1), Priority: 1, Weight: 100, Price: routingtest.Euro(12_500_000)}}}},
		Rates: []routing.Rate{{ID: routingtest.UID(4), Operator: routingtest.UID(1), Prefix: "4", Type: routing.SMS, Price: routingtest.Euro(1)}},
	}
	got, err := json.MarshalIndent(e, "", "  ")
	require.NoError(t, err)
	golden := filepath.Join("testdata", "extract.json")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
}

func TestTheLocalCacheKeepsExtractsForAMinute(t *testing.T) {
	clk := clock.NewFake(routingtest.Now)
	next := &finder{extract: extractOf(7)}
	hits, misses := counters()
	local, err := cache.NewLocal(next, hits, misses, clk)
	require.NoError(t, err)
	find := func(l routing.Lookup) (*routing.Extract, routing.CacheResult) {
		e, result, err := local.Find(t.Context(), l)
		require.NoError(t, err)
		return e, result
	}
	first, result := find(lookup())
	require.Equal(t, routing.CacheMiss, result, "what the next one says is passed on")
	second, result := find(lookup())
	require.Equal(t, routing.CacheHit, result)
	require.Same(t, first, second)
	view := routing.NewHealthView()
	require.Same(t, first.Table(view), second.Table(view), "compiled once")
	require.NotSame(t, first.Table(view), first.Table(routing.NewHealthView()), "for each view")

	_, result = find(lookup(func(l *routing.Lookup) { l.Epoch = 2 }))
	require.Equal(t, routing.CacheMiss, result, "an operator that goes out makes the entry unreachable")
	clk.Advance(cache.LocalTTL)
	_, result = find(lookup())
	require.Equal(t, routing.CacheMiss, result)
	require.Equal(t, 1.0, testutil.ToFloat64(hits))
	require.Equal(t, 3.0, testutil.ToFloat64(misses))

	next.extract = extractOf(8)
	for range 2 {
		_, result = find(lookup(func(l *routing.Lookup) { l.Digits = "1" }))
		require.Equal(t, routing.CacheMiss, result, "an extract of another version is not kept")
	}
	next.err = errors.New("down")
	_, _, err = local.Find(t.Context(), lookup(func(l *routing.Lookup) { l.Digits = "2" }))
	require.ErrorIs(t, err, next.err)
}

func TestEqualQuestionsAtTheSameTimeAreAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &finder{extract: extractOf(7), gate: make(chan struct{})}
		shared := cache.NewShared(next)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				e, _, err := shared.Find(t.Context(), lookup())
				if err != nil || e != next.extract {
					t.Error("no answer", err)
				}
			})
		}
		impatient, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, _, err := shared.Find(impatient, lookup())
			left <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-left, context.Canceled, "a caller may leave")
		close(next.gate)
		wg.Wait()
		require.EqualValues(t, 1, next.asked.Load())
	})
}

func TestASharedQuestionDoesNotEndWithItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &finder{extract: extractOf(7), gate: make(chan struct{})}
		shared := cache.NewShared(next)
		first, cancel := context.WithCancel(t.Context())
		go func() { _, _, _ = shared.Find(first, lookup()) }()
		synctest.Wait()
		second := make(chan error, 1)
		go func() {
			_, _, err := shared.Find(t.Context(), lookup())
			second <- err
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(next.gate)
		require.NoError(t, <-second)
	})
}

func TestAFailedQuestionFailsAllThatShareIt(t *testing.T) {
	next := &finder{err: errors.New("down")}
	_, _, err := cache.NewShared(next).Find(t.Context(), lookup())
	require.ErrorIs(t, err, next.err)
}

// plain is a codec for tests: operator|bind|unix seconds.
var plain = cache.Codec{
	Encode: func(e routing.HealthEvent) ([]byte, error) { return json.Marshal(e) },
	Decode: func(data []byte) (e routing.HealthEvent, err error) { return e, json.Unmarshal(data, &e) },
}

func TestHealthIsSharedBetweenEngines(t *testing.T) {
	clk := clock.NewFake(routingtest.Now)
	store, err := rediscache.NewMemory(100, clk)
	require.NoError(t, err)
	h := cache.NewHealth(store, plain, clk)
	id, other, third := routingtest.UID(1), routingtest.UID(2), routingtest.UID(3)
	say := func(id uuid.UUID, bind routing.BindState, age time.Duration) routing.HealthEvent {
		return routing.HealthEvent{Operator: id, Bind: bind, ObservedAt: routingtest.Now.Add(-age)}
	}
	require.NoError(t, h.Save(t.Context(), say(id, routing.Unbound, 10*time.Second)))
	require.NoError(t, h.Save(t.Context(), say(other, routing.Unbound, 61*time.Second)), "an event older than 60 s is not kept")
	reduced, err := plain.Encode(say(third, routing.Failback, 0))
	require.NoError(t, err)
	require.NoError(t, store.Set(t.Context(), "ops:health:"+third.String(), reduced, time.Minute), "as operator-management writes it")
	require.NoError(t, store.Set(t.Context(), "operator:health:"+other.String(), []byte("not health"), time.Minute))

	view := routing.NewHealthView()
	require.NoError(t, h.Fill(t.Context(), view, []uuid.UUID{id, other, third}))
	require.Equal(t, routing.Unbound, view.Get(id).Bind)
	require.Equal(t, routing.BindUnknown, view.Get(other).Bind)
	require.Equal(t, routing.Failback, view.Get(third).Bind)

	clk.Advance(51 * time.Second)
	view = routing.NewHealthView()
	require.NoError(t, h.Fill(t.Context(), view, []uuid.UUID{id}))
	require.Equal(t, routing.BindUnknown, view.Get(id).Bind, "it is kept for what was left of its 60 s")

	require.ErrorIs(t, cache.NewHealth(broken{}, plain, clk).Fill(t.Context(), view, []uuid.UUID{id}), rediscache.ErrUnavailable)
}

func TestHealthOfManyOperatorsIsReadInParts(t *testing.T) {
	clk := clock.NewFake(routingtest.Now)
	store, err := rediscache.NewMemory(5000, clk)
	require.NoError(t, err)
	h := cache.NewHealth(store, plain, clk)
	var ids []uuid.UUID
	for n := range uint64(1200) { // two keys each, and a cache takes 1,000 in a call
		id := routingtest.UID(n)
		ids = append(ids, id)
		require.NoError(t, h.Save(t.Context(), routing.HealthEvent{Operator: id, Bind: routing.Unbound, ObservedAt: routingtest.Now}))
	}
	view := routing.NewHealthView()
	require.NoError(t, h.Fill(t.Context(), view, ids))
	for _, id := range ids {
		require.Equal(t, routing.Unbound, view.Get(id).Bind)
	}
}
