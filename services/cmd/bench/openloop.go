package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"

	"connectrpc.com/connect"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/routing/routingfx"
)

// sent is one call of an open loop.
type sent struct {
	late    time.Duration // how much after its time it was sent
	latency time.Duration // from when it should have been sent to its answer
	hit     bool          // the decision cache had it
	err     error
}

// openLoop sends rate calls per second for a time, each at its own moment whatever became of those before. Latency
// counts from that moment, so a call that has to wait because others are slow shows all of its waiting: nothing
// is left out when the server stalls (Gil Tene's "coordinated omission"). Calls in flight are bounded by
// the calls of the whole run and by their own deadline.
func openLoop(ctx context.Context, rate int, d time.Duration, call func(ctx context.Context, i int) (hit bool, err error)) ([]sent, error) {
	const patience = 10 * time.Second
	all := make([]sent, max(int(float64(rate)*d.Seconds()), 1))
	gap := time.Second / time.Duration(rate)
	ctx, cancel := context.WithTimeout(ctx, d+patience)
	defer cancel()
	var wg sync.WaitGroup
	start := time.Now()
	for i := range all {
		due := start.Add(time.Duration(i) * gap)
		sleepUntil(due)
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			s := &all[i]
			s.late = time.Since(due)
			s.hit, s.err = call(ctx, i)
			s.latency = time.Since(due)
		})
	}
	wg.Wait()
	return all, context.Cause(ctx)
}

// sleepUntil sleeps in the kernel: the runtime's own timers wake an idle process up to 1 ms late, which would be
// most of what is measured.
func sleepUntil(due time.Time) {
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		t := syscall.NsecToTimespec(wait.Nanoseconds())
		_ = syscall.Nanosleep(&t, nil) // a signal ends it early, then the rest is slept
	}
}

// openRow is one open loop.
type openRow struct {
	mode, cache string
	calls       []sent
}

func measureOpenLoop(ctx context.Context, b *bench) ([]section, []target, error) {
	var rows []openRow
	for _, mode := range []string{routingfx.TableDatabase, routingfx.TableMemory} {
		p, err := b.process(ctx, mode)
		if err != nil {
			return nil, nil, err
		}
		caches := []string{"none"}
		if mode == routingfx.TableDatabase {
			caches = []string{"cold", "warm"}
		}
		for _, cache := range caches {
			b.note("%d requests/s for %s, rules in %s, cache %s", b.options.rate, b.options.open, mode, cache)
			calls, err := openLoopOn(ctx, b, p, cache == "cold")
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, openRow{mode, cache, calls})
		}
	}
	sections, targets := openLoopReport(b, rows)
	return sections, targets, nil
}

func openLoopOn(ctx context.Context, b *bench, p *process, cold bool) ([]sent, error) {
	const connections = http2Connections
	clients := httpClients(true, connections)
	defer closeIdle(clients)
	over := selectClients(protocols[0], clients, p.url)
	numbers := p.pool
	if cold {
		numbers = b.carrier.distinct(int(float64(b.options.rate)*b.options.open.Seconds())+1, p.pool)
	}
	asked := questions(numbers)
	call := func(ctx context.Context, i int) (bool, error) {
		res, err := over[i%connections].CallUnary(ctx, connect.NewRequest(asked[i%len(asked)]))
		if err != nil {
			return false, err
		}
		return res.Msg.GetMeta().GetCache() == routingv1.CacheResult_CACHE_RESULT_HIT, nil
	}
	// Connections are opened, and a warm cache filled, before the time counts.
	warm := questions(p.pool)
	for i := range warm {
		if _, err := over[i%connections].CallUnary(ctx, connect.NewRequest(warm[i])); err != nil {
			return nil, err
		}
	}
	runtime.GC()
	return openLoop(ctx, b.options.rate, b.options.open, call)
}

func openLoopReport(b *bench, rows []openRow) ([]section, []target) {
	s := section{
		title: fmt.Sprintf("Latency at %d requests/s", b.options.rate),
		notes: []string{
			fmt.Sprintf("Open loop over gRPC for %s each: every call has its moment, and its latency counts from there whether or not calls before it were answered.", b.options.open),
			"Cold: no two numbers share a cache entry, so each call reads the database. Warm: numbers whose entries are in the cache. \"Sent late\" is the load generator's own delay, which latency includes.",
		},
		columns: []string{"rules in", "cache", "calls", "failed", "cache hits", "p50", "p95", "p99", "max", "sent late p99"},
	}
	var targets []target
	for _, row := range rows {
		var took, late []time.Duration
		failed, hits := 0, 0
		for _, c := range row.calls {
			late = append(late, c.late)
			took = append(took, c.latency)
			if c.err != nil {
				failed++
			}
			if c.hit {
				hits++
			}
		}
		l, delay := sortLatencies(took), sortLatencies(late)
		p95 := l.quantile(0.95)
		s.rows = append(s.rows, []string{
			row.mode, row.cache, count(len(row.calls)), count(failed), fmt.Sprintf("%.0f %%", 100*float64(hits)/float64(len(row.calls))),
			shortTime(l.quantile(0.5)), shortTime(p95), shortTime(l.quantile(0.99)), shortTime(l.quantile(1)), shortTime(delay.quantile(0.99)),
		})
		targets = append(targets, target{
			fmt.Sprintf("p95 at %d requests/s, rules in %s, cache %s", b.options.rate, row.mode, row.cache), "≤ 5 ms", shortTime(p95),
			p95 <= 5*time.Millisecond && failed == 0,
		})
	}
	return []section{s}, targets
}
