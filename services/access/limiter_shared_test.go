package access

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
)

func TestWhatIsGivenBackToASharedBucketIsUsedHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := uuid.New()
		l := NewLimiter(Limits{Principal: Limit{0.001, 3}, Account: Limit{0.001, 1}}, newPool(time.Now), time.Now)
		require.NoError(t, l.Take(t.Context(), "other", account, 1))
		require.Error(t, l.Take(t.Context(), "a", account, 1))
		for range 3 {
			require.NoError(t, take(t, l, "a", 1))
		}
		require.Error(t, take(t, l, "a", 1))
	})
}

// pool is a shared bucket in memory that can fail and hang.
type pool struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[LimitKey]*bucket
	asked   int
	fail    error
	delay   time.Duration
}

func newPool(now func() time.Time) *pool { return &pool{now: now, buckets: map[LimitKey]*bucket{}} }

func (p *pool) Lease(ctx context.Context, key LimitKey, limit Limit, want, least int) (int, time.Duration, error) {
	p.mu.Lock()
	p.asked++
	delay, fail := p.delay, p.fail
	p.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	if fail != nil {
		return 0, 0, fail
	}
	if least < 1 || want < least || want > limit.Burst {
		return 0, 0, fmt.Errorf("asked for %d to %d of %d", least, want, limit.Burst)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.buckets[key]
	if b == nil {
		b = newBucket(key, limit, p.now())
		p.buckets[key] = b
	}
	now := p.now()
	b.flow(now)
	granted := min(want, int(b.tokens+epsilon))
	if granted < least {
		return 0, b.draw(now, least), nil
	}
	b.draw(now, granted)
	return granted, 0, nil
}

func (p *pool) set(fail error, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail, p.delay = fail, delay
}

func (p *pool) askedSince() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = 0
	return asked
}

func TestProcessesShareABucket(t *testing.T) {
	c := clock.NewFake(start)
	shared := newPool(c.Now)
	one, two := NewLimiter(perPrincipal(10, 4), shared, c.Now), NewLimiter(perPrincipal(10, 4), shared, c.Now)
	for range 2 {
		require.NoError(t, take(t, one, "a", 1))
		require.NoError(t, take(t, two, "a", 1))
	}
	requireLimited(t, take(t, one, "a", 1), LimitOfPrincipal, 100*time.Millisecond)
	requireLimited(t, take(t, two, "a", 1), LimitOfPrincipal, 100*time.Millisecond)
	c.Advance(100 * time.Millisecond)
	require.NoError(t, take(t, two, "a", 1))
	require.Error(t, take(t, one, "a", 1))
	require.Zero(t, one.SharedErrors())
}

func TestAProcessLeavesOthersTheirPart(t *testing.T) {
	c := clock.NewFake(start)
	shared := newPool(c.Now)
	one, two := NewLimiter(perPrincipal(1000, 100), shared, c.Now), NewLimiter(perPrincipal(1000, 100), shared, c.Now)
	require.NoError(t, take(t, one, "a", 1))
	require.NoError(t, take(t, two, "a", 90))
	for range 9 {
		require.NoError(t, take(t, one, "a", 1))
	}
	require.Error(t, take(t, one, "a", 1))
}

func TestMostCallsAskNobody(t *testing.T) {
	c := clock.NewFake(start)
	shared := newPool(c.Now)
	l := NewLimiter(perPrincipal(1000, 2000), shared, c.Now)
	for range 2000 {
		require.NoError(t, take(t, l, "a", 1))
	}
	require.Equal(t, 20, shared.askedSince(), "a lease is 100 ms of the rate")

	for range 1000 {
		requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, refusalPause)
	}
	require.Equal(t, 1, shared.askedSince(), "whoever was refused is refused here")
	c.Advance(refusalPause)
	for range 10 {
		require.NoError(t, take(t, l, "a", 1))
	}
	require.Error(t, take(t, l, "a", 1))
	require.Equal(t, 2, shared.askedSince())
}

func TestASmallerCallIsNotRefusedForALargerOne(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(1, 10), newPool(c.Now), c.Now)
	require.NoError(t, take(t, l, "a", 5))
	requireLimited(t, take(t, l, "a", 9), LimitOfPrincipal, 4*time.Second)
	require.NoError(t, take(t, l, "a", 5))
	c.Advance(3 * time.Second)
	requireLimited(t, take(t, l, "a", 9), LimitOfPrincipal, time.Second)
	c.Advance(time.Second)
	requireLimited(t, take(t, l, "a", 9), LimitOfPrincipal, 5*time.Second)
}

func TestAnotherLimitHoldsAtOnceForSharedBucketsToo(t *testing.T) {
	c := clock.NewFake(start)
	l := NewLimiter(perPrincipal(1000, 1000), newPool(c.Now), c.Now)
	require.NoError(t, take(t, l, "a", 1)) // and 99 are held
	l.SetLimits(perPrincipal(0.001, 2))
	l.shared = newPool(c.Now) // which knows the new limit only
	require.NoError(t, take(t, l, "a", 2))
	require.Error(t, take(t, l, "a", 1))

	l.SetLimits(perPrincipal(0.001, 3))
	l.shared = newPool(c.Now)
	require.NoError(t, take(t, l, "a", 3), "what was refused before is asked again")
}

// Each process has its own share of the calls, large or small, and all together get what one would get. The first
// part checks the bound over every span of time, the second that nothing is lost over time.
func TestTheLimitOverAllProcessesIsBoundedAndUsed(t *testing.T) {
	const processes, steps = 4, 2000
	const step = time.Millisecond
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 2))
		limit := Limit{float64(20 + random.IntN(2000)), 1 + random.IntN(300)}
		c := clock.NewFake(start)
		shared := newPool(c.Now)
		var limiters [processes]*Limiter
		for i := range limiters {
			limiters[i] = NewLimiter(Limits{Principal: limit}, shared, c.Now)
		}
		admitted := make([]float64, steps+1) // until the end of each step
		for i := range steps {
			admitted[i+1] = admitted[i]
			for p, l := range limiters {
				calls := int(limit.Rate/1000) + 2
				if p > 0 {
					calls = random.IntN(2)
				}
				for range calls {
					if take(t, l, "a", 1) == nil {
						admitted[i+1]++
					}
				}
			}
			c.Advance(step)
		}
		lease := max(1, limit.Rate*leaseTime.Seconds())
		for from := 0; from < steps; from += 7 {
			for to := from + 1; to <= steps; to += 13 {
				span := float64(to-from-1) * step.Seconds()
				most := float64(limit.Burst) + limit.Rate*span + processes*lease
				require.LessOrEqual(t, admitted[to]-admitted[from], most+1, "%+v from %d to %d", limit, from, to)
			}
		}
		whole := limit.Rate * (steps * step).Seconds()
		require.GreaterOrEqual(t, admitted[steps], 0.95*whole, "%+v", limit)
		require.Zero(t, limiters[0].SharedErrors())
	}
}

func TestAFailingSharedBucketIsReplacedByALocalOne(t *testing.T) {
	c := clock.NewFake(start)
	shared := newPool(c.Now)
	l := NewLimiter(perPrincipal(10, 4), shared, c.Now)
	require.NoError(t, take(t, l, "a", 1))
	shared.askedSince()
	shared.set(errors.New("down"), 0)
	for range 3 {
		require.NoError(t, take(t, l, "a", 1), "the local bucket has what is left of the burst")
	}
	requireLimited(t, take(t, l, "a", 1), LimitOfPrincipal, 100*time.Millisecond)
	for i := range 9 {
		require.NoError(t, take(t, l, fmt.Sprint(i), 1))
	}
	require.Equal(t, 1, shared.askedSince(), "it is tried again once a second")
	require.Equal(t, uint64(1), l.SharedErrors())

	c.Advance(sharedPause)
	require.NoError(t, take(t, l, "a", 4))
	require.Error(t, take(t, l, "a", 1))
	require.Equal(t, 1, shared.askedSince())
	require.Equal(t, uint64(2), l.SharedErrors())

	shared.set(nil, 0)
	c.Advance(sharedPause - 1)
	require.NoError(t, take(t, l, "b", 1))
	require.Zero(t, shared.askedSince())
	c.Advance(1)
	require.NoError(t, take(t, l, "b", 1))
	require.NoError(t, take(t, l, "c", 1))
	require.Equal(t, 2, shared.askedSince(), "it is back for all")
	require.Equal(t, uint64(2), l.SharedErrors())
}

func TestOneOfManyCallsTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool(time.Now)
		l := NewLimiter(perPrincipal(1000, 1000), shared, time.Now)
		shared.set(nil, time.Hour)
		for range 5 {
			var calls sync.WaitGroup
			for i := range 100 {
				calls.Go(func() { assert.NoError(t, take(t, l, fmt.Sprint(i), 1)) })
			}
			calls.Wait()
			if l.SharedErrors() > 100 { // all of the first round, which did not know yet
				require.Equal(t, 1, shared.askedSince())
			}
			shared.askedSince()
			time.Sleep(sharedPause)
		}
		require.Equal(t, uint64(104), l.SharedErrors())
	})
}

func TestAHangingSharedBucketCostsACallLittleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool(time.Now)
		shared.set(nil, time.Hour)
		l := NewLimiter(Limits{Principal: Limit{10, 100}, Account: Limit{10, 100}}, shared, time.Now)
		account := uuid.New()
		var calls sync.WaitGroup
		for i := range 300 {
			calls.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond / 4)
				begun := time.Now()
				_ = l.Take(t.Context(), fmt.Sprint(i%3), account, 1)
				assert.LessOrEqual(t, time.Since(begun), sharedPatience)
			})
		}
		calls.Wait()
		require.Equal(t, 3, shared.askedSince())
	})
}

func TestASlowSharedBucketCostsACallLittleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool(time.Now)
		shared.set(nil, 20*time.Millisecond) // slow, and does not fail
		l := NewLimiter(Limits{Principal: Limit{1, 1000}, Account: Limit{1, 1000}}, shared, time.Now)
		account := uuid.New()
		var calls sync.WaitGroup
		for i := range 500 {
			calls.Go(func() {
				begun := time.Now()
				assert.NoError(t, l.Take(t.Context(), fmt.Sprint(i%3), account, 1))
				assert.LessOrEqual(t, time.Since(begun), sharedPatience)
			})
		}
		calls.Wait()
		require.Zero(t, l.SharedErrors(), "a call that has waited for others does not find out that it fails")
	})
}

func TestThoseWhoWaitForALeaseGetOneTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool(time.Now)
		shared.set(nil, time.Millisecond)
		l := NewLimiter(perPrincipal(1, 1000), shared, time.Now)
		var calls sync.WaitGroup
		for range 500 {
			calls.Go(func() { assert.NoError(t, take(t, l, "a", 1)) })
		}
		calls.Wait()
		require.LessOrEqual(t, shared.askedSince(), 3)
		require.Zero(t, l.principals.buckets["a"].waiting)
	})
}

func TestACallerWhoLeavesDoesNotEndTheLeaseOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool(time.Now)
		shared.set(nil, time.Millisecond)
		l := NewLimiter(perPrincipal(10, 10), shared, time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = l.Take(ctx, "a", uuid.Nil, 1) }()
		synctest.Wait()
		cancel()
		require.NoError(t, take(t, l, "a", 1))
		require.Zero(t, l.SharedErrors())
	})
}

func TestAChangedLimitForgetsTheLeaseUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newPool(time.Now)
		shared.set(nil, time.Millisecond)
		l := NewLimiter(perPrincipal(1000, 1000), shared, time.Now)
		done := make(chan error, 1)
		go func() { done <- take(t, l, "a", 50) }()
		synctest.Wait()
		l.SetLimits(perPrincipal(1, 2))
		require.NoError(t, take(t, l, "a", 1))
		require.NoError(t, <-done)
		require.LessOrEqual(t, l.principals.buckets["a"].held, 2)
	})
}
