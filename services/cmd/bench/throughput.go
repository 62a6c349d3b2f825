package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"trunkline/services/routing/routingfx"
)

// loop is what one closed loop came to.
type loop struct {
	calls   int
	elapsed time.Duration
	cpu     time.Duration
	mallocs uint64
}

func (l loop) rate() float64 { return perSecond(l.calls, l.elapsed) }

// cpuPerCall is the processor time of client and server together, in µs.
func (l loop) cpuPerCall() float64 { return float64(l.cpu.Microseconds()) / float64(max(l.calls, 1)) }

// mallocsPerCall counts the allocations of client and server together.
func (l loop) mallocsPerCall() float64 { return float64(l.mallocs) / float64(max(l.calls, 1)) }

// closedLoop lets callers call one after the other for a time. The first failed call ends it.
func closedLoop(ctx context.Context, callers int, d time.Duration, call func(ctx context.Context, caller, i int) error) (loop, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var calls atomic.Int64
	allocated, cpu, start := mallocs(), processCPU(), time.Now()
	for caller := range callers {
		wg.Go(func() {
			done := 0
			for ctx.Err() == nil && time.Since(start) < d {
				if err := call(ctx, caller, done); err != nil {
					cancel(err)
					return
				}
				done++
			}
			calls.Add(int64(done))
		})
	}
	wg.Wait()
	elapsed, used := time.Since(start), processCPU()-cpu
	return loop{int(calls.Load()), elapsed, used, mallocs() - allocated}, context.Cause(ctx)
}

// compared is one row: the empty handler and the engine, round by round.
type compared struct {
	protocol, mode string
	guarded        bool
	empty, full    []loop
}

// shapes of the engine that are compared with the empty handler.
var shapes = []shape{
	{mode: routingfx.TableMemory}, {mode: routingfx.TableDatabase}, {mode: routingfx.TableMemory, guarded: true},
}

func measureThroughput(ctx context.Context, b *bench) ([]section, []target, error) {
	var rows []compared
	var plain []plainRow
	logged := ""
	for _, s := range shapes {
		p, err := b.engine(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		for _, proto := range protocols {
			b.note("%s, %s", proto.name, s)
			row, err := compareWithEmpty(ctx, b, p, proto)
			if err != nil {
				return nil, nil, fmt.Errorf("%s, %s: %w", proto.name, s, err)
			}
			rows = append(rows, row)
		}
		if s == shapes[0] {
			if plain, err = measurePlain(ctx, b, p); err != nil {
				return nil, nil, fmt.Errorf("plain HTTP: %w", err)
			}
		}
		if s.guarded {
			if logged, err = p.logged(); err != nil {
				return nil, nil, err
			}
		}
	}
	sections, targets := throughputReport(b, rows, plain, logged)
	return sections, targets, nil
}

func compareWithEmpty(ctx context.Context, b *bench, p *process, proto protocol) (compared, error) {
	row := compared{protocol: proto.name, mode: p.mode, guarded: p.guarded}
	clients := httpClients(proto.http2, b.options.clients)
	defer closeIdle(clients)
	asked := questions(p.pool)
	caller := func(base string) func(context.Context, int, int) error {
		over := selectClients(proto, clients, base)
		return func(ctx context.Context, caller, i int) error {
			// The empty handler is sent the credential too, and does not look at it.
			_, err := over[caller].CallUnary(ctx, p.request(asked[(i*len(over)+caller)%len(asked)]))
			return err
		}
	}
	empty, full := caller(p.url+emptyPath), caller(p.url)
	// The first round of each only warms up: connections, caches and the heap.
	for round := range b.options.turns + 1 {
		runtime.GC()
		first, second := empty, full
		if round%2 == 1 {
			first, second = full, empty // whoever is second meets the other's garbage
		}
		one, err := closedLoop(ctx, b.options.clients, b.options.cell, first)
		if err != nil {
			return row, err
		}
		two, err := closedLoop(ctx, b.options.clients, b.options.cell, second)
		if err != nil {
			return row, err
		}
		if round%2 == 1 {
			one, two = two, one
		}
		if round > 0 {
			row.empty, row.full = append(row.empty, one), append(row.full, two)
		}
	}
	return row, nil
}

// plainRow is net/http alone.
type plainRow struct {
	name  string
	loops []loop
}

func measurePlain(ctx context.Context, b *bench, p *process) ([]plainRow, error) {
	body, err := protojson.Marshal(question(p.pool[0]))
	if err != nil {
		return nil, err
	}
	rows := []plainRow{{name: "HTTP/1.1"}, {name: "HTTP/2 (h2c)"}}
	for at := range rows {
		clients := httpClients(at == 1, b.options.clients)
		defer closeIdle(clients)
		for round := range b.options.turns + 1 {
			one, err := closedLoop(ctx, b.options.clients, b.options.cell, func(ctx context.Context, caller, _ int) error {
				return callPlain(ctx, clients[caller], p.url, body)
			})
			if err != nil {
				return nil, err
			}
			if round > 0 {
				rows[at].loops = append(rows[at].loops, one)
			}
		}
	}
	return rows, nil
}

func rates(loops []loop) []float64 {
	out := make([]float64, len(loops))
	for i := range loops {
		out[i] = loops[i].rate()
	}
	return out
}

func cpus(loops []loop) []float64 {
	out := make([]float64, len(loops))
	for i := range loops {
		out[i] = loops[i].cpuPerCall()
	}
	return out
}

func mallocsOf(loops []loop) []float64 {
	out := make([]float64, len(loops))
	for i := range loops {
		out[i] = loops[i].mallocsPerCall()
	}
	return out
}

func throughputReport(b *bench, rows []compared, plain []plainRow, logged string) ([]section, []target) {
	o := b.options
	s := section{
		title: "SelectOperator against an empty handler",
		notes: []string{
			fmt.Sprintf("Calls per second of %d callers in a closed loop over loopback, %s per round, median of %d rounds in turns; the ratio is the median of the rounds' own ratios, smallest and largest in brackets.",
				o.clients, o.cell, o.turns),
			fmt.Sprintf("The empty handler is the RPC library alone on the same listener: it decodes the question and gives one ready answer of the same size, without interceptors. The engine decides for real, from %s prefixes; database mode answers from its warm cache, and asks %s numbers.",
				count(o.prefixes), count(o.pool)),
			"Guards on is what a production process has before and around a decision: an API key bound to an account, limits of both and of calls at the same time, validation, metrics, traces of which " + sampledShare() + " are recorded, and the decision log, which goes to NATS in the same process. Guards off leaves out the key, the limits, recorded traces and the log. " + logged,
			"Clients share the cores with the server, so CPU and allocations per call are those of both.",
		},
		columns: []string{"protocol", "rules in", "guards", "empty calls/s", "SelectOperator calls/s", "ratio", "(min-max)", "CPU/call empty", "CPU/call SelectOperator", "allocs empty", "allocs SelectOperator"},
	}
	var targets []target
	for _, row := range rows {
		each := ratios(rates(row.full), rates(row.empty))
		ratio := median(each)
		s.rows = append(s.rows, []string{
			row.protocol, row.mode, onOff(row.guarded), count(int(median(rates(row.empty)))), count(int(median(rates(row.full)))),
			fmt.Sprintf("%.2f", ratio), spread(each, "%.2f"),
			fmt.Sprintf("%.0f µs", median(cpus(row.empty))), fmt.Sprintf("%.0f µs", median(cpus(row.full))),
			fmt.Sprintf("%.0f", median(mallocsOf(row.empty))), fmt.Sprintf("%.0f", median(mallocsOf(row.full))),
		})
		if row.mode == routingfx.TableMemory {
			targets = append(targets, target{
				"SelectOperator against an empty handler, " + row.protocol + ", rules in memory, guards " + onOff(row.guarded), "≥ 0.80", fmt.Sprintf("%.2f", ratio),
				math.Round(ratio*100) >= 80,
			})
		}
	}
	reference := section{
		title:   "For reference: net/http alone",
		notes:   []string{"The same callers and listener; the handler reads the body and writes the answer's bytes."},
		columns: []string{"protocol", "calls/s", "(min-max)", "CPU/call"},
	}
	for _, row := range plain {
		reference.rows = append(reference.rows, []string{
			row.name, count(int(median(rates(row.loops)))), spread(rates(row.loops), "%.0f"), fmt.Sprintf("%.0f µs", median(cpus(row.loops))),
		})
	}
	return []section{s, reference}, targets
}
