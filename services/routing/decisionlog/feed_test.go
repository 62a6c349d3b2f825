package decisionlog_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

// look is one question to the log.
type look struct {
	at       time.Time
	from, to time.Time
	step     time.Duration
}

// counted is a log in which each second has as many decisions as its number in the minute.
type counted struct {
	mu    sync.Mutex
	down  bool
	hangs bool
	looks []look
	// open and most count the looks at the same time.
	open, most int
}

func (c *counted) Traffic(ctx context.Context, from, to time.Time, step time.Duration) (points []routing.TrafficPoint, _ error) {
	c.mu.Lock()
	c.looks = append(c.looks, look{time.Now(), from, to, step})
	c.open++
	c.most = max(c.most, c.open)
	down, hangs := c.down, c.hangs
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
	}()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if down {
		return nil, errors.New("down")
	}
	for at := from; at.Before(to); at = at.Add(step) {
		points = append(points, routing.TrafficPoint{Start: at, Span: step, Count: int64(at.Second())})
	}
	return points, nil
}

func (c *counted) set(down, hangs bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down, c.hangs = down, hangs
}

// asked gives the looks since the last time.
func (c *counted) asked() []look {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.looks
	c.looks = nil
	return all
}

// watcher keeps what it was given.
type watcher struct {
	mu       sync.Mutex
	messages [][]routing.TrafficPoint
	// busy is how long it works on each message but the first.
	busy time.Duration
	// name is the caller.
	name string
	end  context.CancelFunc
	done chan error
}

func watch(t *testing.T, feed *decisionlog.Feed, past time.Duration) *watcher {
	t.Helper()
	return (&watcher{}).watch(t, feed, past)
}

func (w *watcher) watch(t *testing.T, feed *decisionlog.Feed, past time.Duration) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w.end, w.done = cancel, make(chan error, 1)
	if w.name != "" {
		ctx = caller.With(ctx, caller.Caller{Name: w.name})
	}
	go func() { w.done <- feed.Watch(ctx, past, w.take) }()
	synctest.Wait()
	return w
}

func (w *watcher) take(points []routing.TrafficPoint) error {
	w.mu.Lock()
	first := len(w.messages) == 0
	w.messages = append(w.messages, points)
	w.mu.Unlock()
	if !first {
		time.Sleep(w.busy)
	}
	return nil
}

func (w *watcher) got() [][]routing.TrafficPoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([][]routing.TrafficPoint(nil), w.messages...)
}

// leaves ends the watch.
func (w *watcher) leaves(t *testing.T) {
	t.Helper()
	w.end()
	require.ErrorIs(t, <-w.done, context.Canceled)
}

// withoutGaps checks that points follow each other, and gives the second behind them.
func (w *watcher) withoutGaps(t *testing.T) time.Time {
	t.Helper()
	var next time.Time
	for _, points := range w.got() {
		for _, p := range points {
			if !next.IsZero() {
				require.Equal(t, next, p.Start)
			}
			require.EqualValues(t, p.Start.Second(), p.Count)
			next = p.Start.Add(p.Span)
		}
	}
	return next
}

// feeding runs a test beside a feed, in a bubble.
func feeding(t *testing.T, clk clock.Clock, test func(t *testing.T, feed *decisionlog.Feed, log *counted)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := &counted{}
		feed := decisionlog.NewFeed(log, clk, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); feed.Run(ctx) }()
		defer func() { cancel(); <-done }()
		time.Sleep(300 * time.Millisecond) // seconds do not begin with the process
		test(t, feed, log)
	})
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func TestNobodyAsksWhatNobodyWatches(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		time.Sleep(time.Minute)
		require.Empty(t, log.asked())
		for range 2 {
			one := watch(t, feed, 0)
			time.Sleep(seconds(3))
			synctest.Wait()
			require.Len(t, log.asked(), 3)
			one.leaves(t)
			time.Sleep(time.Hour)
			require.Empty(t, log.asked())
		}
	})
}

func TestAllWatchersShareOneLookASecond(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		var all []*watcher
		for range 5 {
			all = append(all, watch(t, feed, 0))
		}
		time.Sleep(seconds(10))
		synctest.Wait()
		looks := log.asked()
		require.Len(t, looks, 10)
		for i, l := range looks {
			require.Equal(t, time.Second, l.to.Sub(l.from))
			require.Equal(t, seconds(3), l.at.Sub(l.to), "as far behind as engines may be")
			if i > 0 {
				require.Equal(t, looks[i-1].to, l.from, "no second is read twice or left out")
			}
		}
		for _, w := range all {
			require.Len(t, w.got(), 11, "the past, which is nothing, and a message each second")
			require.Empty(t, w.got()[0])
			require.Equal(t, looks[9].to, w.withoutGaps(t))
			w.leaves(t)
		}
	})
}

func TestAWatchBeginsWithThePast(t *testing.T) {
	for name, c := range map[string]struct {
		past, step time.Duration
		points     int
	}{
		"nothing":               {0, 0, 0},
		"five minutes":          {5 * time.Minute, 5 * time.Second, 60},
		"more than whole steps": {seconds(7), 5 * time.Second, 2},
		"an hour":               {time.Hour, 30 * time.Second, 120},
		"six minutes":           {6 * time.Minute, 30 * time.Second, 12},
	} {
		t.Run(name, func(t *testing.T) {
			feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
				early := watch(t, feed, 0)
				time.Sleep(seconds(20)) // the feed goes already
				log.asked()
				late := watch(t, feed, c.past)
				if c.points > 0 {
					looks := log.asked()
					require.Len(t, looks, 1)
					require.Equal(t, c.step, looks[0].step)
				}
				require.Len(t, late.got(), 1)
				require.Len(t, late.got()[0], c.points)
				time.Sleep(seconds(5))
				synctest.Wait()
				require.Equal(t, early.withoutGaps(t), late.withoutGaps(t))
				late.leaves(t)
				early.leaves(t)
			})
		})
	}
}

func TestASlowWatcherGetsSecondsTogetherOrBeginsAgain(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, _ *counted) {
		fast := watch(t, feed, 0)
		slow := (&watcher{busy: seconds(30)}).watch(t, feed, 0)
		stuck := (&watcher{busy: 2 * time.Minute}).watch(t, feed, 0)
		time.Sleep(seconds(121))
		synctest.Wait()
		require.Len(t, fast.got(), 122)
		fast.withoutGaps(t)
		slow.withoutGaps(t)
		require.Less(t, len(slow.got()), 7)
		require.GreaterOrEqual(t, len(slow.got()), 5)
		time.Sleep(time.Minute)
		err := <-stuck.done
		require.True(t, fault.Is(err, decisionlog.ReasonInterrupted), "%v", err)
		require.Positive(t, fault.From(err).RetryAfter)
		stuck.withoutGaps(t)
		fast.leaves(t)
		slow.end()
		<-slow.done
	})
}

func TestSecondsOfAnOutageComeWhenItIsOver(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		w := watch(t, feed, 0)
		time.Sleep(seconds(2))
		log.set(true, false)
		time.Sleep(seconds(40))
		synctest.Wait()
		require.Len(t, w.got(), 3, "nothing while the log is out of reach")
		log.set(false, true)
		time.Sleep(seconds(8))
		log.set(false, false)
		time.Sleep(seconds(4))
		synctest.Wait()
		require.Equal(t, time.Now().Add(-seconds(3)).Truncate(time.Second).UTC(), w.withoutGaps(t).UTC())

		log.set(true, false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.True(t, fault.Is(<-w.done, decisionlog.ReasonInterrupted), "an outage that is too long ends the watch")
	})
}

func TestALookIsBounded(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		w := watch(t, feed, 0)
		log.asked()
		log.set(false, true)
		time.Sleep(seconds(10))
		synctest.Wait()
		require.Len(t, log.asked(), 3, "each hangs for 3 s")
		began := time.Now()
		late := watch(t, feed, time.Minute)
		err := <-late.done
		require.True(t, fault.Is(err, decisionlog.ReasonTooMany), "%v", err)
		require.Equal(t, seconds(9), time.Since(began))
		w.leaves(t)
	})
}

func TestFewLookAtThePastAtTheSameTime(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		log.set(false, true)
		var all []*watcher
		for i := range 20 {
			all = append(all, (&watcher{name: "key:" + strconv.Itoa(i%5)}).watch(t, feed, time.Minute))
		}
		time.Sleep(seconds(1))
		synctest.Wait()
		log.mu.Lock()
		require.LessOrEqual(t, log.most, 5, "four, and the one of all")
		log.mu.Unlock()
		time.Sleep(seconds(2))
		for _, w := range all[4:] {
			err := <-w.done
			require.True(t, fault.Is(err, decisionlog.ReasonTooManyLooks), "%v", err)
		}
		for _, w := range all[:4] {
			w.leaves(t)
		}
	})
}

func TestOneCallerLooksAtFewPasts(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		log.set(false, true)
		var all []*watcher
		for range 3 {
			all = append(all, (&watcher{name: "key:1"}).watch(t, feed, time.Minute))
		}
		log.set(false, false)
		other := (&watcher{name: "key:2"}).watch(t, feed, time.Minute)
		require.Len(t, other.got(), 1, "another has a place")
		err := <-all[2].done
		require.True(t, fault.Is(err, decisionlog.ReasonTooManyLooks), "%v", err)
		for _, w := range []*watcher{all[0], all[1], other} {
			w.leaves(t)
		}
	})
}

// broken is a log that cannot be counted.
type broken struct{}

func (broken) Traffic(context.Context, time.Time, time.Time, time.Duration) ([]routing.TrafficPoint, error) {
	panic("broken")
}

func TestAPastThatPanicsKeepsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := decisionlog.NewFeed(broken{}, clock.System(), quiet)
		for range 5 {
			require.Panics(t, func() { _ = feed.Watch(t.Context(), time.Minute, func([]routing.TrafficPoint) error { return nil }) })
		}
	})
}

func TestAClockThatJumpsEndsTheWatch(t *testing.T) {
	for name, jump := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			clk := clock.NewFake(noon)
			feeding(t, clk, func(t *testing.T, feed *decisionlog.Feed, log *counted) {
				w := watch(t, feed, 0)
				clk.Advance(seconds(2))
				time.Sleep(seconds(2))
				synctest.Wait()
				require.Len(t, w.got(), 2)
				clk.Advance(jump)
				require.True(t, fault.Is(<-w.done, decisionlog.ReasonInterrupted))
				log.asked()
				again := watch(t, feed, 0)
				clk.Advance(time.Second)
				time.Sleep(seconds(2))
				synctest.Wait()
				require.Len(t, log.asked(), 1, "seconds are those of the new time")
				again.leaves(t)
			})
		})
	}
}

func TestAWatcherThatFailsIsGone(t *testing.T) {
	feeding(t, clock.System(), func(t *testing.T, feed *decisionlog.Feed, log *counted) {
		gone := errors.New("gone")
		require.ErrorIs(t, feed.Watch(t.Context(), 0, func([]routing.TrafficPoint) error { return gone }), gone)
		require.ErrorIs(t, feed.Watch(t.Context(), 0, func(points []routing.TrafficPoint) error {
			if len(points) > 0 {
				return gone
			}
			return nil
		}), gone)
		log.asked()
		time.Sleep(time.Minute)
		require.Empty(t, log.asked())
	})
}
