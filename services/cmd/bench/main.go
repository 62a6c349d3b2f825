package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what the arguments ask for and prints the report. Progress and logs go to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.cpuProfile != "" {
		stop, err := profileCPU(o.cpuProfile)
		if err != nil {
			return err
		}
		defer stop()
	}
	b := &bench{options: o, progress: stderr}
	defer func() { err = errors.Join(err, b.close()) }()

	r := report{machine: thisMachine(ctx), command: o.command(args)}
	for _, p := range parts {
		if !o.wants(p.name) {
			continue
		}
		fmt.Fprintf(stderr, "bench: %s\n", p.title)
		sections, targets, err := p.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		r.sections = append(r.sections, sections...)
		r.targets = append(r.targets, targets...)
	}
	if err := r.text(stdout); err != nil {
		return err
	}
	if o.write != "" {
		return r.writeInto(o.write)
	}
	return nil
}

// part is one group of figures that -only can name.
type part struct {
	name, title string
	measure     func(ctx context.Context, b *bench) ([]section, []target, error)
}

// parts run in this order. The first one needs much memory for a short time, so the processes of the others
// start after it.
var parts = []part{
	{"decide", "decisions in process", measureDecide},
	{"rpc", "calls per second against an empty handler", measureThroughput},
	{"openloop", "latency at a fixed rate", measureOpenLoop},
	{"batch", "batches", measureBatch},
	{"unbound", "from UNBOUND to the next operator", measureUnbound},
	{"release", "publish, rollback and replay", measureRelease},
	{"peers", "other ways to find the longest prefix", measurePeers},
	{"units", "what one unit costs", measureUnits},
}
