package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// peer finds the longest prefix of a number in the rule set of a carrier.
type peer struct {
	name string
	// built is how long it took from prefixes in memory until the peer could be asked, and bytes what it holds then.
	built time.Duration
	bytes int64
	// all asks for every number. It gives how many were answered when ctx ended or all were.
	all func(ctx context.Context, numbers []e164.Number) (int, error)
	// find gives the prefix that the peer finds for one number, "" for none.
	find func(ctx context.Context, number e164.Number) (string, error)
	// elapsed says that the figure is elapsed time, because another process works too; else it is processor time.
	elapsed bool
	stop    func() error
}

// builder makes a peer of a carrier, or tells with errMissing why there is none on this machine.
type builder struct {
	name  string
	build func(ctx context.Context, b *bench, c *carrier) (*peer, error)
	// server says that it is a program of its own, which is asked with the smaller set only.
	server bool
}

// errMissing is that a program is not installed.
var errMissing = errors.New("not measured")

// builders makes ours first: the others are compared with it.
var builders = []builder{
	{name: "ours, longest rule", build: newLongestRule},
	{name: "ours, whole decision", build: newWholeDecision},
	{name: "go-immutable-radix", build: newRadix},
	{name: "bart", build: newBart},
	{name: "PostgreSQL, one query per number", build: newPostgres, server: true},
	{name: "Redis, one MGET per number", build: newRedis, server: true},
	{name: "Redis, 100 MGETs at a time", build: newRedisPipeline, server: true},
}

// peerRow is one peer with one set.
type peerRow struct {
	*peer
	prefixes int
	ns       [][]float64 // by draw, then round
}

func measurePeers(ctx context.Context, b *bench) ([]section, []target, error) {
	if err := b.folder(); err != nil {
		return nil, nil, err
	}
	var rows []peerRow
	var missing []string
	for i, size := range b.options.sizes[1:] {
		c := newCarrier(size)
		var numbers [][]e164.Number
		for _, d := range draws {
			numbers = append(numbers, c.numbers(b.options.lookups, d.pick(c)))
		}
		for _, one := range builders {
			if one.server && i > 0 {
				continue
			}
			b.note("%s, %d prefixes", one.name, size)
			p, err := one.build(ctx, b, c)
			if errors.Is(err, errMissing) {
				missing = append(missing, fmt.Sprintf("%s: %s.", one.name, err))
				continue
			}
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", one.name, err)
			}
			p.name = one.name
			row, err := p.measure(ctx, b, c, numbers)
			if err := errors.Join(err, p.stop()); err != nil {
				return nil, nil, fmt.Errorf("%s, %d prefixes: %w", one.name, size, err)
			}
			rows = append(rows, row)
			debug.FreeOSMemory()
		}
	}
	return []section{peerReport(b, rows, missing)}, nil, nil
}

// agreeing is how many numbers a peer must answer as everybody does before it is measured.
const agreeing = 500

var errDisagrees = errors.New("the peer finds another prefix than the set has")

func (p *peer) measure(ctx context.Context, b *bench, c *carrier, numbers [][]e164.Number) (row peerRow, err error) {
	row = peerRow{peer: p, prefixes: len(c.prefixes), ns: make([][]float64, len(numbers))}
	if err := p.agrees(ctx, c, numbers[0]); err != nil {
		return row, err
	}
	rounds := min(b.options.rounds, 3)
	for range rounds {
		for at := range numbers {
			ns, err := p.round(ctx, b, numbers[at])
			if err != nil {
				return row, err
			}
			row.ns[at] = append(row.ns[at], ns)
		}
	}
	return row, ctx.Err()
}

// agrees checks that the peer finds the right prefixes.
func (p *peer) agrees(ctx context.Context, c *carrier, numbers []e164.Number) error {
	known := make(map[string]bool, len(c.prefixes))
	for _, prefix := range c.prefixes {
		known[prefix] = true
	}
	for _, number := range numbers[:min(agreeing, len(numbers))] {
		found, err := p.find(ctx, number)
		if err != nil {
			return err
		}
		if want := longestKnown(known, number.Digits()); found != want {
			return fmt.Errorf("%w: %q instead of %q", errDisagrees, found, want)
		}
	}
	return nil
}

// round gives the time per number.
func (p *peer) round(ctx context.Context, b *bench, numbers []e164.Number) (float64, error) {
	runtime.GC()
	if p.elapsed {
		limited, cancel := context.WithTimeout(ctx, b.options.peerTime)
		defer cancel()
		start := time.Now()
		n, err := p.all(limited, numbers)
		if err == nil && n == 0 {
			err = fmt.Errorf("no answer within %s", b.options.peerTime)
		}
		return float64(time.Since(start).Nanoseconds()) / float64(n), err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadCPU()
	n, err := p.all(ctx, numbers)
	return float64((threadCPU() - start).Nanoseconds()) / float64(n), err
}

// longestKnown is the obvious way to find the longest prefix.
func longestKnown(known map[string]bool, digits string) string {
	for n := len(digits); n > 0; n-- {
		if known[digits[:n]] {
			return digits[:n]
		}
	}
	return ""
}

func none() error { return nil }

// newWholeDecision is what an engine does for a number: the rule, its candidates, their rates, health and order.
func newWholeDecision(ctx context.Context, b *bench, c *carrier) (*peer, error) {
	a, err := c.artifact(b.dir)
	if err != nil {
		return nil, err
	}
	return newTablePeer(func() (*routing.Table, error) { return a.table(ctx, c.healthy()) })
}

// newLongestRule is as near as a table comes to matching alone: each rule has one candidate, with a price of its own.
func newLongestRule(_ context.Context, _ *bench, c *carrier) (*peer, error) {
	return newTablePeer(func() (*routing.Table, error) {
		builder := routing.NewTableBuilder(c.healthy())
		for _, o := range c.operators {
			builder.AddOperator(o)
		}
		var list [candidates]routing.Candidate
		for i := range c.prefixes {
			r := c.rule(i, &list)
			r.Strategy, r.Candidates = routing.Failover, r.Candidates[:1]
			r.Candidates[0].Price = c.rates[0].Price
			builder.AddRule(r)
		}
		return builder.Build(routing.Versions{Config: 1, Rules: 1}), nil
	})
}

func newTablePeer(build func() (*routing.Table, error)) (*peer, error) {
	before, start := heapLive(), time.Now()
	table, err := build()
	if err != nil {
		return nil, err
	}
	p := &peer{built: time.Since(start), stop: none}
	p.bytes = heapLive() - before
	q := routing.Query{Account: account, Type: routing.SMS, At: decideTime}
	d := routing.Decision{ID: routing.NewDecisionID(decideTime)}
	p.find = func(_ context.Context, number e164.Number) (string, error) {
		q.To = number
		err := table.Decide(&q, &d, nil)
		return string(d.Prefix), err
	}
	p.all = func(_ context.Context, numbers []e164.Number) (int, error) {
		for i := range numbers {
			q.To = numbers[i]
			if err := table.Decide(&q, &d, nil); err != nil {
				return i, err
			}
		}
		return len(numbers), nil
	}
	return p, nil
}

// times writes how many times something is.
func times(ratio float64) string {
	if ratio >= 100 {
		return count(int(ratio)) + "x"
	}
	return fmt.Sprintf("%.1fx", ratio)
}

func peerReport(b *bench, rows []peerRow, missing []string) section {
	s := section{
		title: "Peers",
		notes: append([]string{
			"The same prefixes and numbers, one goroutine each. A peer finds the number of the longest rule; before it is measured it must find the same as everybody for 500 numbers. Libraries and ours in processor time; servers on a socket of this machine in elapsed time, and their own processor time comes on top. Median of the rounds.",
			"Ours, longest rule: `Decide` where each rule has one candidate with a price, the least that a decision can be. Ours, whole decision: three candidates priced by their operators' rates, judged by health and ranked, from the artifact. No peer does that part.",
			"go-immutable-radix: `LongestPrefix` of github.com/hashicorp/go-immutable-radix/v2. bart: `Lookup` of github.com/gaissmai/bart, a routing table of IP prefixes, with digits as nibbles of an IPv6 address. PostgreSQL: `WHERE prefix = ANY($1) ORDER BY length(prefix) DESC LIMIT 1` on a primary key, prepared, all prefixes of the number as $1. Redis: a key per prefix, MGET of all prefixes of the number.",
		}, missing...),
		columns: []string{"peer", "prefixes", "lookups/s, skewed", "ns, skewed", "ns, equally often", "times ours, skewed", "built in", "bytes/prefix"},
	}
	ours := map[int]float64{}
	for _, row := range rows {
		skewed := median(row.ns[1])
		if _, ok := ours[row.prefixes]; !ok {
			ours[row.prefixes] = skewed // the first is ours
		}
		s.rows = append(s.rows, []string{
			row.name, count(row.prefixes), count(int(1e9 / max(skewed, 1))), fmt.Sprintf("%.0f", skewed), fmt.Sprintf("%.0f", median(row.ns[0])),
			times(skewed / max(ours[row.prefixes], 1)), shortTime(row.built), fmt.Sprintf("%.0f", float64(row.bytes)/float64(row.prefixes)),
		})
	}
	return s
}
