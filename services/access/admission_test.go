package access

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
)

func oneAtATime(queue int) AdmissionLimits {
	return AdmissionLimits{MaxInFlight: 1, Queue: queue, QueueWait: time.Second}
}

// requireEmpty wants the state of an admission that nobody has used.
func requireEmpty(t *testing.T, a *Admission) {
	t.Helper()
	require.Zero(t, a.state.Load(), "inside %d, queued %d", a.InFlight(), a.Queued())
	require.Zero(t, a.queue)
}

// entered is what became of an Enter that ran in the background.
type entered struct {
	leave func()
	err   error
	done  bool
}

// enter runs Enter in the background until it waits or is over.
func enter(ctx context.Context, a *Admission) *entered {
	e := &entered{}
	go func() {
		e.leave, e.err = a.Enter(ctx)
		e.done = true
	}()
	synctest.Wait()
	return e
}

func requireOverloaded(t *testing.T, err error) {
	t.Helper()
	f := fault.From(err)
	require.NotNil(t, f)
	require.Equal(t, fault.Unavailable, f.Kind)
	require.Equal(t, ReasonOverloaded, f.Reason)
	require.GreaterOrEqual(t, f.RetryAfter, minRetry)
	require.Less(t, f.RetryAfter, minRetry+retryJitter)
}

func TestAdmissionLetsInAsManyAsTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(AdmissionLimits{MaxInFlight: 2, Queue: 1, QueueWait: time.Second})
		first, second := enter(t.Context(), a), enter(t.Context(), a)
		require.True(t, first.done && second.done)
		third := enter(t.Context(), a)
		require.False(t, third.done)
		require.Equal(t, 2, a.InFlight())
		require.Equal(t, 1, a.Queued())

		first.leave()
		synctest.Wait()
		require.True(t, third.done)
		require.NoError(t, third.err)
		require.Equal(t, 2, a.InFlight())
		second.leave()
		third.leave()
		requireEmpty(t, a)
		require.Zero(t, a.Shed())
	})
}

func TestTheNewestIsLetInFirstAndTheOldestIsPushedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(oneAtATime(3))
		leave, err := a.Enter(t.Context())
		require.NoError(t, err)
		var waiting [5]*entered
		for i := range waiting {
			waiting[i] = enter(t.Context(), a)
		}
		for i, e := range waiting[:2] {
			require.True(t, e.done, i)
			requireOverloaded(t, e.err)
		}
		for i := 4; i >= 2; i-- {
			require.False(t, waiting[i].done, i)
			leave()
			synctest.Wait()
			require.True(t, waiting[i].done, i)
			require.NoError(t, waiting[i].err)
			leave = waiting[i].leave
		}
		leave()
		requireEmpty(t, a)
		require.Equal(t, Shed{QueueFull: 2}, a.Shed())
	})
}

func TestNobodyWaitsLongerThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(oneAtATime(3))
		leave, err := a.Enter(t.Context())
		require.NoError(t, err)
		start := time.Now()
		_, err = a.Enter(t.Context())
		requireOverloaded(t, err)
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, Shed{QueueWait: 1}, a.Shed())
		leave()
		requireEmpty(t, a)
	})
}

// This is the moment between the look at the places and the lock of the queue.
func TestAPlaceThatBecameFreeMeanwhileIsTaken(t *testing.T) {
	a := NewAdmission(oneAtATime(1))
	w, _ := a.enqueue()
	require.Nil(t, w, "nobody would ever let it in")
	require.Equal(t, 1, a.InFlight())
	a.exit()
	requireEmpty(t, a)
}

func TestWithoutAQueueNobodyWaits(t *testing.T) {
	for name, limits := range map[string]AdmissionLimits{
		"no places in the queue": {MaxInFlight: 1, QueueWait: time.Second},
		"no time in the queue":   {MaxInFlight: 1, Queue: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := NewAdmission(limits)
				leave, err := a.Enter(t.Context())
				require.NoError(t, err)
				start := time.Now()
				_, err = a.Enter(t.Context())
				requireOverloaded(t, err)
				require.Zero(t, time.Since(start))
				require.Equal(t, Shed{QueueFull: 1}, a.Shed())
				leave()
				requireEmpty(t, a)
			})
		})
	}
}

func TestWhoeverGivesUpLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(oneAtATime(3))
		leave, err := a.Enter(t.Context())
		require.NoError(t, err)

		canceled, cancel := context.WithCancel(t.Context())
		late, done := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer done()
		oldest, middle, newest := enter(canceled, a), enter(t.Context(), a), enter(late, a)
		cancel()
		synctest.Wait()
		require.True(t, oldest.done)
		require.True(t, fault.Is(oldest.err, fault.ReasonCanceled), "%v", oldest.err)
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		require.True(t, newest.done)
		require.True(t, fault.Is(newest.err, fault.ReasonDeadline), "%v", newest.err)
		require.Equal(t, 1, a.Queued())
		require.Equal(t, Shed{CallerGone: 2}, a.Shed())

		leave()
		synctest.Wait()
		require.True(t, middle.done)
		require.NoError(t, middle.err)
		middle.leave()
		requireEmpty(t, a)
	})
}

func TestAPlaceGivenToACallerWhoIsGoneGoesToTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(oneAtATime(3))
		leave, err := a.Enter(t.Context())
		require.NoError(t, err)
		next := enter(t.Context(), a)
		ctx, cancel := context.WithCancel(t.Context())
		gone := enter(ctx, a)
		// Both happen before the waiter runs again.
		leave()
		cancel()
		synctest.Wait()
		require.True(t, gone.done)
		require.True(t, fault.Is(gone.err, fault.ReasonCanceled), "%v", gone.err)
		require.True(t, next.done)
		require.NoError(t, next.err)
		next.leave()
		requireEmpty(t, a)
	})
}

func TestLimitsOfAnAdmissionChangeWhileItIsUsed(t *testing.T) {
	t.Run("more places are taken by those who wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := NewAdmission(oneAtATime(4))
			first := enter(t.Context(), a)
			waiting := []*entered{enter(t.Context(), a), enter(t.Context(), a), enter(t.Context(), a)}
			a.SetLimits(AdmissionLimits{MaxInFlight: 3, Queue: 4, QueueWait: time.Second})
			synctest.Wait()
			require.Equal(t, []bool{false, true, true}, []bool{waiting[0].done, waiting[1].done, waiting[2].done})
			a.SetLimits(AdmissionLimits{})
			synctest.Wait()
			require.True(t, waiting[0].done)
			for _, e := range append(waiting, first) {
				require.NoError(t, e.err)
				e.leave()
			}
			requireEmpty(t, a)
		})
	})
	t.Run("with fewer places those inside stay and the next ones wait until there is room", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := NewAdmission(AdmissionLimits{MaxInFlight: 3, Queue: 4, QueueWait: time.Second})
			inside := []*entered{enter(t.Context(), a), enter(t.Context(), a), enter(t.Context(), a)}
			a.SetLimits(oneAtATime(4))
			waiting := enter(t.Context(), a)
			for i, e := range inside {
				require.False(t, waiting.done, i)
				e.leave()
				synctest.Wait()
			}
			require.True(t, waiting.done)
			require.NoError(t, waiting.err)
			waiting.leave()
			requireEmpty(t, a)
		})
	})
	t.Run("a shorter queue keeps the newest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := NewAdmission(oneAtATime(4))
			first, old, young := enter(t.Context(), a), enter(t.Context(), a), enter(t.Context(), a)
			a.SetLimits(oneAtATime(1))
			synctest.Wait()
			require.True(t, old.done)
			requireOverloaded(t, old.err)
			first.leave()
			synctest.Wait()
			require.True(t, young.done)
			young.leave()
			requireEmpty(t, a)
		})
	})
}

func TestThereIsNoLimitWhereNoneIsSet(t *testing.T) {
	a := NewAdmission(AdmissionLimits{})
	for range 1000 {
		_, err := a.Enter(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, 1000, a.InFlight())
}

// Calls come, wait, give up and leave at random under a clock that stands still while anybody runs, so every
// moment at which all sleep can be checked.
func TestAnAdmissionUnderRandomUseIsNeverOverfullAndForgetsNobody(t *testing.T) {
	const limit = 5
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			a := NewAdmission(AdmissionLimits{MaxInFlight: limit, Queue: 20, QueueWait: 50 * time.Millisecond})
			var inside, let, refused, gone atomic.Int64
			var calls sync.WaitGroup
			const total = 500
			for range total {
				time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
				patience := time.Duration(random.IntN(60)+1) * time.Millisecond
				work := time.Duration(random.IntN(16)) * time.Millisecond
				calls.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					leave, err := a.Enter(ctx)
					switch {
					case err == nil:
						let.Add(1)
						assert.LessOrEqual(t, inside.Add(1), int64(limit))
						time.Sleep(work)
						inside.Add(-1)
						leave()
					case fault.Is(err, ReasonOverloaded):
						refused.Add(1)
					default:
						assert.True(t, fault.Is(err, fault.ReasonDeadline), "%v", err)
						gone.Add(1)
					}
				})
				synctest.Wait()
				if a.Queued() > 0 {
					require.Equal(t, limit, a.InFlight(), "a place is free and somebody waits")
				}
				a.mu.Lock()
				length := a.queue.length
				a.mu.Unlock()
				require.Equal(t, length, a.Queued())
			}
			calls.Wait()
			requireEmpty(t, a)
			shed := a.Shed()
			require.Equal(t, int64(total), let.Load()+refused.Load()+gone.Load())
			require.Equal(t, uint64(refused.Load()), shed.QueueFull+shed.QueueWait)
			require.Equal(t, uint64(gone.Load()), shed.CallerGone)
			require.NotZero(t, let.Load()*refused.Load()*gone.Load(), "the test must meet all three ends")
		})
	}
}

// Here the goroutines really run at the same time. Whoever is forgotten is refused at the end of the wait.
func TestManyAtOnceAllGetTheirTurn(t *testing.T) {
	const limit, callers, turns = 2, 16, 500
	a := NewAdmission(AdmissionLimits{MaxInFlight: limit, Queue: callers, QueueWait: time.Minute})
	var inside atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range turns {
				leave, err := a.Enter(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				assert.LessOrEqual(t, inside.Add(1), int64(limit))
				inside.Add(-1)
				leave()
			}
		})
	}
	all.Wait()
	requireEmpty(t, a)
}

func TestEnteringAndLeavingAllocatesNothing(t *testing.T) {
	a := NewAdmission(oneAtATime(1))
	ctx := t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		leave, err := a.Enter(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		leave()
	}))
}

// A machine of 8 cores gets twice the calls that it can do. Each needs a core for 10 ms and is of use if it is over
// within 50 ms; the server does not know that, and does all that it has begun.
func TestGoodputUnderTwiceTheLoad(t *testing.T) {
	const (
		cores    = 8
		service  = 10 * time.Millisecond
		useful   = 50 * time.Millisecond
		warmUp   = 2 * time.Second
		measured = 2 * time.Second
		capacity = cores * int64(measured/service)
		interval = service / cores / 2
	)
	queueing := AdmissionLimits{MaxInFlight: cores, Queue: 256, QueueWait: 100 * time.Millisecond}

	goodput := func(t *testing.T, enter func(context.Context) (func(), error)) int64 {
		machine := make(chan struct{}, cores) // those who wait for a core queue first-in first-out
		var good atomic.Int64
		var calls sync.WaitGroup
		start := time.Now()
		for begun := time.Now(); begun.Sub(start) < warmUp+measured; begun = time.Now() {
			calls.Go(func() {
				leave, err := enter(t.Context())
				if err != nil {
					return
				}
				defer leave()
				machine <- struct{}{}
				time.Sleep(service)
				<-machine
				if ended := time.Since(start); time.Since(begun) <= useful && ended > warmUp && ended <= warmUp+measured {
					good.Add(1)
				}
			})
			time.Sleep(interval)
		}
		calls.Wait()
		return good.Load()
	}

	t.Run("holds with the newest first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := NewAdmission(queueing)
			good := goodput(t, a.Enter)
			t.Logf("%d useful calls of %d", good, capacity)
			require.GreaterOrEqual(t, good*100, capacity*90)
			requireEmpty(t, a)
		})
	})
	t.Run("collapses without a limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			good := goodput(t, func(context.Context) (func(), error) { return func() {}, nil })
			t.Logf("%d useful calls of %d", good, capacity)
			require.Less(t, good*100, capacity*10)
		})
	})
	t.Run("collapses with the same limits and the oldest first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := bulkhead.New[any](cores)
			good := goodput(t, func(ctx context.Context) (func(), error) {
				return b.ReleasePermit, b.AcquirePermitWithMaxWait(ctx, queueing.QueueWait)
			})
			t.Logf("%d useful calls of %d", good, capacity)
			require.Less(t, good*100, capacity*10)
		})
	})
}

func BenchmarkAdmission(b *testing.B) {
	a := NewAdmission(DefaultLimitConfig().Admission())
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			leave, err := a.Enter(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			leave()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				leave, err := a.Enter(b.Context())
				if err != nil {
					b.Error(err)
					return
				}
				leave()
			}
		})
	})
}
