package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// draw is how numbers are chosen.
type draw struct {
	name string
	pick func(c *carrier) func() int
}

var draws = []draw{
	{"every prefix equally often", (*carrier).uniform},
	{"skewed, Zipf " + fmt.Sprint(zipfSkew), (*carrier).skewed},
}

// decideSet is one table with the numbers to ask it.
type decideSet struct {
	size    int
	table   *routing.Table
	numbers [][]e164.Number // by draw
	ns      [][]float64     // by draw, then round
	allocs  uint64
	decided int
	nested  float64 // rules along a number, on average
	rates   int

	artifact  artifact
	compile   time.Duration
	buildTime time.Duration
	buildCPU  time.Duration
	resident  int64
}

func measureDecide(ctx context.Context, b *bench) ([]section, []target, error) {
	if err := b.folder(); err != nil {
		return nil, nil, err
	}
	var sets []*decideSet
	for _, size := range b.options.sizes {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		b.note("table of %d prefixes", size)
		s, err := newDecideSet(ctx, b, size)
		if err != nil {
			return nil, nil, fmt.Errorf("table of %d prefixes: %w", size, err)
		}
		sets = append(sets, s)
	}
	for range b.options.rounds {
		for _, s := range sets {
			if err := s.round(); err != nil {
				return nil, nil, err
			}
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
	sections, targets := decideReport(b, sets)
	for _, s := range sets {
		s.table, s.numbers = nil, nil
	}
	debug.FreeOSMemory()
	return sections, targets, nil
}

var decideTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newDecideSet compiles a set into an artifact in a file, and makes the table of it as an engine in release mode does.
func newDecideSet(ctx context.Context, b *bench, size int) (s *decideSet, err error) {
	c := newCarrier(size)
	s = &decideSet{size: size, ns: make([][]float64, len(draws)), rates: len(c.rates)}
	start := time.Now()
	if s.artifact, err = c.artifact(b.dir); err != nil {
		return nil, err
	}
	s.compile = time.Since(start)
	health := c.healthy()
	before := heapLive()
	cpu := processCPU()
	start = time.Now()
	if s.table, err = s.artifact.table(ctx, health); err != nil {
		return nil, err
	}
	s.buildTime, s.buildCPU = time.Since(start), processCPU()-cpu
	s.resident = heapLive() - before
	for _, d := range draws {
		s.numbers = append(s.numbers, c.numbers(b.options.queries, d.pick(c)))
	}
	s.nested = nesting(s.table, s.numbers[0])
	return s, nil
}

// nesting counts the rules along some of the numbers.
func nesting(table *routing.Table, numbers []e164.Number) float64 {
	sample := numbers[:min(len(numbers), 1000)]
	rules := 0
	for _, n := range sample {
		var d routing.Decision
		var tr routing.Trace
		q := routing.Query{To: n, Account: account, Type: routing.SMS, At: decideTime}
		_ = table.Decide(&q, &d, &tr) // the rules along the number are wanted, not the answer
		rules += len(tr.Rules)
	}
	return float64(rules) / float64(len(sample))
}

// round decides every number once, for each draw.
func (s *decideSet) round() error {
	runtime.GC()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for at, numbers := range s.numbers {
		q := routing.Query{Account: account, Type: routing.SMS, At: decideTime}
		d := routing.Decision{ID: routing.NewDecisionID(decideTime)}
		q.To = numbers[0]
		if err := s.table.Decide(&q, &d, nil); err != nil { // the Decision gets its memory
			return err
		}
		before := mallocs()
		start := threadCPU()
		for i := range numbers {
			q.To = numbers[i]
			if err := s.table.Decide(&q, &d, nil); err != nil {
				return fmt.Errorf("%d prefixes: %w", s.size, err)
			}
		}
		s.ns[at] = append(s.ns[at], float64((threadCPU()-start).Nanoseconds())/float64(len(numbers)))
		s.allocs += mallocs() - before
		s.decided += len(numbers)
	}
	return nil
}

// maxAllocs is the share of allocations per decision that counts as none: the runtime itself allocates now and then.
const maxAllocs = 0.001

func decideReport(b *bench, sets []*decideSet) ([]section, []target) {
	first, last := sets[0], sets[len(sets)-1]
	speed := section{
		title: "Decision in process",
		notes: []string{
			fmt.Sprintf("Release mode: the table is built from the artifact of the rule set. `routing.Table.Decide` into a reused `Decision`, one goroutine, in processor time, so that waiting for a core does not count; median of %d rounds of %d different numbers, fastest and slowest round in brackets.",
				b.options.rounds, b.options.queries),
			fmt.Sprintf("Nested prefixes of 3 to 9 digits, %d of %d operators each (any of %d lists), by COST over %d rates; 1 rule in %d belongs to the account that asks.",
				candidates, operatorCount, operatorCount*(operatorCount-1)*(operatorCount-2), last.rates, ownEvery),
			"Drawing every prefix equally often is the worst case: at a million prefixes nearly every step leaves the processor's caches. Real traffic is skewed.",
		},
		columns: []string{"prefixes", "numbers", "ns/decision", "(min-max)", "allocs/decision", "rules along a number", "growth"},
	}
	for at, d := range draws {
		for _, s := range sets {
			growth := median(ratios(s.ns[at], first.ns[at]))
			speed.rows = append(speed.rows, []string{
				count(s.size), d.name, fmt.Sprintf("%.0f", median(s.ns[at])), spread(s.ns[at], "%.0f"),
				fmt.Sprintf("%.3f", s.allocsPerDecision()), fmt.Sprintf("%.1f", s.nested), fmt.Sprintf("%.2fx", growth),
			})
		}
	}
	build := section{
		title: "Table of an artifact",
		notes: []string{
			"Compile is what the control plane does with rows that are in memory: sort, encode, hash and compress them into a file. Build is what an engine does with the file: read, decompress, check every row and the digest, and make the table; in elapsed and in processor time. Resident is what the heap holds more after it and a collection, rates included.",
		},
		columns: []string{"prefixes", "rates", "compile", "artifact", "stored", "stored bytes/row", "build", "build processor time", "resident", "bytes/prefix"},
	}
	for _, s := range sets {
		build.rows = append(build.rows, []string{
			count(s.size), count(s.rates), shortTime(s.compile), mebibytes(s.artifact.Size), mebibytes(s.artifact.StoredSize),
			fmt.Sprintf("%.1f", float64(s.artifact.StoredSize)/float64(s.artifact.Rules+s.artifact.Rates)),
			shortTime(s.buildTime), shortTime(s.buildCPU), mebibytes(s.resident), fmt.Sprintf("%.0f", float64(s.resident)/float64(s.size)),
		})
	}
	n := count(last.size)
	uniform, skewed := median(last.ns[0]), median(last.ns[1])
	growth := median(ratios(last.ns[0], first.ns[0]))
	perPrefix := float64(last.resident) / float64(last.size)
	return []section{speed, build}, []target{
		{"decision in release mode, " + n + " prefixes, skewed numbers", "≤ 300 ns", fmt.Sprintf("%.0f ns", skewed), skewed <= 300},
		{"decision in release mode, " + n + " prefixes, every prefix equally often", "≤ 300 ns", fmt.Sprintf("%.0f ns", uniform), uniform <= 300},
		{"allocations per decision", "0", fmt.Sprintf("%.3f", last.allocsPerDecision()), last.allocsPerDecision() < maxAllocs},
		{"growth " + count(first.size) + " to " + n + " prefixes, every prefix equally often", "≤ 2.5x", fmt.Sprintf("%.2fx", growth), growth <= 2.5},
		{"table build from the artifact, " + n + " prefixes", "≤ 2 s", shortTime(last.buildTime), last.buildTime <= 2*time.Second},
		{"table resident, " + n + " prefixes", "≤ 100 bytes/prefix", fmt.Sprintf("%.0f bytes", perPrefix), perPrefix <= 100},
	}
}

func (s *decideSet) allocsPerDecision() float64 { return float64(s.allocs) / float64(s.decided) }
