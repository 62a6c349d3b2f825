package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// options say how much is measured.
type options struct {
	only       []string
	write      string
	cpuProfile string
	quick      bool

	sizes      []int         // prefixes of the tables that decide in process
	queries    int           // numbers per round in process
	rounds     int           // rounds of decisions in process
	turns      int           // rounds of a comparison with the empty handler
	prefixes   int           // prefixes in the database of the processes
	pool       int           // numbers that are asked again and again
	clients    int           // callers of a closed loop
	cell       time.Duration // one round of a closed loop
	rate       int           // requests/s of the open loop
	open       time.Duration // time of one open loop
	batch      int           // questions of one batch
	batchTime  time.Duration // time of one row of batches
	unbound    int           // rounds of UNBOUND
	load       int           // requests/s that meet the changes of release
	publishes  int           // releases put in force under load
	rollbacks  int           // ways back under load
	replayed   int           // decisions of a replay
	lookups    int           // numbers that peers look up, each time
	logged     int           // decisions that go into the log
	peerTime   time.Duration // time that servers among the peers are asked for
	cacheItems int           // entries of the in-process decision cache
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{
		sizes: []int{1_000, 100_000, 1_000_000}, queries: 1 << 20, rounds: 7,
		prefixes: 28_000, pool: 2_000, clients: 16, turns: 15, cell: 200 * time.Millisecond,
		rate: 500, open: 10 * time.Second,
		batch: 10_000, batchTime: 3 * time.Second,
		unbound: 50, cacheItems: 50_000,
		load: 1_000, publishes: 50, rollbacks: 20, replayed: 1_000_000,
		lookups: 1 << 18, peerTime: 2 * time.Second, logged: 100_000,
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "measure little in seconds; the figures mean nothing, but every row is there")
	only := flags.String("only", "", "measure only these `parts`, separated by commas: "+partNames())
	flags.StringVar(&o.write, "write", "", "put the report between the marks of this Markdown `file` too")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the whole run to this `file`")
	rate := flags.Int("rate", 0, "`requests` per second of the open loop (default 500)")
	open := flags.Duration("duration", 0, "`time` of each open loop, 1s to 1m (default 10s)")
	rounds := flags.Int("rounds", 0, "`rounds` of everything that is repeated, 1 to 99 (default 7 in process, 15 over the network)")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if o.quick {
		o.makeQuick()
	}
	if *rate != 0 {
		o.rate = *rate
	}
	if *open != 0 {
		o.open = *open
	}
	if *rounds != 0 {
		o.rounds, o.turns = *rounds, *rounds
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	return o, o.check(flags.Args())
}

// makeQuick keeps every row and measures hardly anything.
func (o *options) makeQuick() {
	o.sizes, o.queries, o.rounds = []int{100, 1_000, 5_000}, 2_000, 1
	o.prefixes, o.pool, o.clients, o.turns, o.cell = 400, 20, 2, 1, 20*time.Millisecond
	o.rate, o.open = 100, 100*time.Millisecond
	o.batch, o.batchTime, o.unbound = 50, 20*time.Millisecond, 2
	o.load, o.publishes, o.rollbacks, o.replayed = 50, 3, 1, 10_000
	o.lookups, o.peerTime, o.logged = 1_000, 20*time.Millisecond, 2_000
}

func (o *options) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q: see -help", rest[0])
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("-only %q: choose among %s", name, partNames())
		}
	}
	switch {
	case o.write != "" && (o.quick || len(o.only) > 0):
		return errors.New("-write keeps figures, so it needs a whole run: leave out -quick and -only")
	case o.rate < 1 || o.rate > 20_000:
		return errors.New("-rate must be from 1 to 20000")
	case !o.quick && (o.open < time.Second || o.open > time.Minute):
		return errors.New("-duration must be from 1s to 1m")
	case min(o.rounds, o.turns) < 1 || max(o.rounds, o.turns) > 99:
		return errors.New("-rounds must be from 1 to 99")
	}
	return nil
}

func (o *options) wants(name string) bool { return len(o.only) == 0 || slices.Contains(o.only, name) }

// command is how to run the same again.
func (o *options) command(args []string) string {
	if len(args) == 0 {
		return "./task bench"
	}
	return "./task bench -- " + strings.Join(args, " ")
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

func profileCPU(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}
