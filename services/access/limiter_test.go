package access

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func perPrincipal(rate float64, burst int) Limits { return Limits{Principal: Limit{rate, burst}} }

// take makes a call of a principal without an account.
func take(t testing.TB, l *Limiter, principal string, cost int) error {
	return l.Take(t.Context(), principal, uuid.Nil, cost)
}

func requireLimited(t *testing.T, err error, limit string, wait time.Duration) {
	t.Helper()
	f := fault.From(err)
	require.NotNil(t, f)
	require.Equal(t, fault.ResourceExhausted, f.Kind)
	require.Equal(t, ReasonRateLimited, f.Reason)
	require.Equal(t, limit, f.Metadata["limit"])
	require.InDelta(t, wait.Seconds(), f.RetryAfter.Seconds(), 1e-6)
	require.Positive(t, f.RetryAfter)
}

func TestACallerMayMakeABurstAndThenAsManyCallsAsTheRate(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(10, 3), nil, c.Now)
	for range 3 {
		require.NoError(t, take(t, l, "a", 1))
	}
	requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, 100*time.Millisecond)
	require.NoError(t, take(t, l, "b", 1), "another caller has a bucket of its own")

	c.Advance(40 * time.Millisecond)
	requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, 60*time.Millisecond)
	requireLimited(t, take(t, l, "a", 2), LimitOfPrincipal, 160*time.Millisecond)
	c.Advance(60 * time.Millisecond)
	require.NoError(t, take(t, l, "a", 1))
	requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, 100*time.Millisecond)

	c.Advance(time.Hour)
	require.NoError(t, take(t, l, "a", 2))
	require.NoError(t, take(t, l, "a", 1))
	require.Error(t, take(t, l, "a", 1), "a pause is worth one burst at most")
	principal, account := l.Limited()
	require.Equal(t, []uint64{5, 0}, []uint64{principal, account})
}

func TestAnItemCountsAsACall(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(10, 5), nil, c.Now)
	require.NoError(t, take(t, l, "a", 4))
	requireLimited(t, take(t, l, "a", 4), LimitOfPrincipal, 300*time.Millisecond)
	require.NoError(t, take(t, l, "a", 0), "less than one counts as one")
	require.Error(t, take(t, l, "a", -7))

	c.Advance(500 * time.Millisecond)
	require.NoError(t, take(t, l, "a", 1000), "more than the burst needs a full bucket")
	requireLimited(t, take(t, l, "a", 1000), LimitOfPrincipal, 500*time.Millisecond)
}

func TestCallersOfAnAccountShareItsLimit(t *testing.T) {
	c := clock.NewFake(start)
	account := uuid.New()
	l := NewLimiter(Limits{Principal: Limit{1, 3}, Account: Limit{1, 4}}, nil, c.Now)
	call := func(principal string) error { return l.Take(t.Context(), principal, account, 1) }
	for range 3 {
		require.NoError(t, call("a"))
	}
	requireLimited(t, call("a"), LimitOfPrincipal, time.Second)
	require.NoError(t, call("b"), "a call refused for its principal does not cost the account")
	for range 5 {
		requireLimited(t, call("b"), LimitOfAccount, time.Second)
	}
	require.NoError(t, take(t, l, "b", 2), "a call refused for its account does not cost the principal")
	require.Error(t, take(t, l, "b", 1))
	require.NoError(t, l.Take(t.Context(), "c", uuid.New(), 1))
	principal, accounts := l.Limited()
	require.Equal(t, []uint64{2, 5}, []uint64{principal, accounts})
}

func TestWhatIsGivenBackDoesNotMakeTheBucketLarger(t *testing.T) {
	c := clock.NewFake(start)
	account := uuid.New()
	l := NewLimiter(Limits{Principal: Limit{1, 3}, Account: Limit{0.001, 1}}, nil, c.Now)
	require.NoError(t, l.Take(t.Context(), "a", account, 1))
	require.Error(t, l.Take(t.Context(), "a", account, 1))
	c.Advance(time.Minute)
	for range 3 {
		require.NoError(t, take(t, l, "a", 1))
	}
	require.Error(t, take(t, l, "a", 1))
}

func TestAClockThatGoesBackLetsNothingInAndLocksNobodyOut(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(1, 3), nil, c.Now)
	require.NoError(t, take(t, l, "a", 2))
	c.Advance(-time.Hour)
	require.NoError(t, take(t, l, "a", 1))
	require.Error(t, take(t, l, "a", 1))
	c.Advance(time.Hour)
	requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, time.Second)
}

func TestWithoutALimitNothingIsRemembered(t *testing.T) {
	l := NewLimiter(Limits{Principals: map[string]Limit{"a": {1, 1}}}, nil, clock.NewFake(start).Now)
	for range 100 {
		require.NoError(t, l.Take(t.Context(), "free", uuid.New(), 1000))
	}
	require.Empty(t, l.principals.buckets)
	require.Empty(t, l.accounts.buckets)
	require.NoError(t, take(t, l, "a", 1))
	require.Error(t, take(t, l, "a", 1))
}

func TestLimitsChangeWhileTheyAreUsed(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(1, 10), nil, c.Now)
	require.NoError(t, take(t, l, "a", 2))
	own := map[string]Limit{"a": {1, 5}}
	l.SetLimits(Limits{Principal: Limit{1, 1}, Principals: own})
	own["a"] = Limit{1, 100} // the limiter has a copy
	require.NoError(t, take(t, l, "a", 5), "a smaller bucket is full if it was fuller before")
	require.Error(t, take(t, l, "a", 1))
	l.SetLimits(perPrincipal(100, 10))
	requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, 10*time.Millisecond)
	l.SetLimits(Limits{})
	require.NoError(t, take(t, l, "a", 1000))
}

// The oracle adds milli-tokens in whole numbers. The bucket adds fractions, so the last thousandth is left open.
func TestTheLocalBucketDoesWhatASlowOneDoes(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		rate, burst := 1+random.IntN(50), 1+random.IntN(30)
		c := clock.NewFake(start)
		account := uuid.New()
		l := NewLimiter(Limits{Principal: Limit{float64(rate), burst}, Account: Limit{0.000001, 1}}, nil, c.Now)
		require.NoError(t, l.Take(t.Context(), "other", account, 1)) // the account lets nothing through from here on
		milli := burst * 1000
		for i := range 500 {
			step := random.IntN(200)
			c.Advance(time.Duration(step) * time.Millisecond)
			milli = min(milli+step*rate, burst*1000)
			cost := 1 + random.IntN(burst)
			if random.IntN(4) == 0 {
				require.Error(t, l.Take(t.Context(), "a", account, cost))
				continue
			}
			err := take(t, l, "a", cost)
			if spare := milli - cost*1000; spare > 1 || spare < -1 {
				require.Equal(t, spare > 0, err == nil, "seed %d, call %d: %v", seed, i, err)
			}
			if err != nil { // the advice is right
				step := fault.From(err).RetryAfter
				c.Advance(step)
				require.NoError(t, take(t, l, "a", cost), "seed %d, call %d", seed, i)
				milli = 0
				l.principals.buckets["a"].tokens = 0
				continue
			}
			milli -= cost * 1000
		}
	}
}

func TestTheNumberOfBucketsIsBounded(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(1, 2), nil, c.Now)
	l.principals.max = 10
	for i := range 5 {
		require.NoError(t, take(t, l, fmt.Sprintf("busy:%d", i), 2))
	}
	for i := range 100 {
		require.NoError(t, take(t, l, fmt.Sprintf("idle:%d", i), 1))
		require.LessOrEqual(t, len(l.principals.buckets), 10)
		c.Advance(10 * time.Millisecond)
	}
	for i := range 5 {
		require.NoError(t, take(t, l, fmt.Sprintf("busy:%d", i), 1), "a second has passed")
		require.Error(t, take(t, l, fmt.Sprintf("busy:%d", i), 1), "an empty bucket stays while there are fuller ones")
	}
	c.Advance(time.Minute)
	require.NoError(t, take(t, l, "new", 1))
	require.Len(t, l.principals.buckets, 1, "full buckets are as good as none")
}

func TestRoomForOneMoreIsMadeInALargeTable(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(1, 2), nil, c.Now)
	l.principals.max = 3 * evictionSample
	for i := range 10 * evictionSample {
		require.NoError(t, take(t, l, fmt.Sprint(i), 1))
		require.LessOrEqual(t, len(l.principals.buckets), l.principals.max)
	}
	require.Len(t, l.principals.buckets, l.principals.max, "none is full, so one goes for one that comes")
}

func TestLimitersAreSafeForConcurrentUse(t *testing.T) {
	shared := newPool(time.Now)
	l := NewLimiter(Limits{}, shared, time.Now)
	l.principals.max = 3
	account := uuid.New()
	var all sync.WaitGroup
	var stop atomic.Bool
	for i := range 6 {
		all.Go(func() {
			for n := range 3000 {
				_ = l.Take(t.Context(), fmt.Sprint((n*i)%7), account, n%5)
			}
		})
	}
	var changes sync.WaitGroup
	changes.Go(func() {
		for n := 0; !stop.Load(); n++ {
			l.SetLimits(Limits{Principal: Limit{float64(n % 3000), 1 + n%100}, Account: Limit{1e6, 1e6}})
			shared.set([]error{nil, nil, errors.New("down")}[n%3], 0)
		}
	})
	all.Wait()
	stop.Store(true)
	changes.Wait()
	require.LessOrEqual(t, len(l.principals.buckets), 3)
}

func TestTakingAllocatesNothing(t *testing.T) {
	for name, shared := range map[string]Shared{"alone": nil, "shared": newPool(time.Now)} {
		t.Run(name, func(t *testing.T) {
			l := NewLimiter(Limits{Principal: Limit{1e6, 1e6}, Account: Limit{1e6, 1e6}}, shared, time.Now)
			account, ctx := uuid.New(), t.Context()
			require.Zero(t, testing.AllocsPerRun(1000, func() { _ = l.Take(ctx, "key:a", account, 1) }))
		})
	}
}

func BenchmarkTake(b *testing.B) {
	account := uuid.New()
	for name, shared := range map[string]Shared{"alone": nil, "shared": newPool(time.Now)} {
		l := NewLimiter(Limits{Principal: Limit{1e9, 1e9}, Account: Limit{1e9, 1e9}}, shared, time.Now)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Take(b.Context(), "key:a", account, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" in parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := l.Take(b.Context(), "key:a", account, 1); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	l := NewLimiter(perPrincipal(1e-6, 1), nil, time.Now)
	_ = take(b, l, "key:a", 1)
	b.Run("refused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if take(b, l, "key:a", 1) == nil {
				b.Fatal("not refused")
			}
		}
	})
}
