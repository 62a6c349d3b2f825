package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"trunkline/services/platform/telemetry"
	"trunkline/services/routing/routingfx"
)

// bench is one run: its options and the processes that parts share.
type bench struct {
	options  options
	progress io.Writer

	dir       string
	carrier   *carrier
	database  string
	processes map[shape]*process
	started   []*process
}

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.progress, "bench:   "+format+"\n", args...)
}

// The modes in which a process keeps its rules.
var modes = []string{routingfx.TableMemory, routingfx.TableDatabase}

// shape is one way to run an engine.
type shape struct {
	mode    string
	guarded bool
}

// String names the shape in progress and errors.
func (s shape) String() string { return "rules in " + s.mode + ", guards " + onOff(s.guarded) }

// process gives the running engine of a mode without guards, starting it when it is asked for first.
func (b *bench) process(ctx context.Context, mode string) (*process, error) {
	return b.engine(ctx, shape{mode: mode})
}

func (b *bench) engine(ctx context.Context, s shape) (*process, error) {
	if p := b.processes[s]; p != nil {
		return p, nil
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	b.note("engine, %s", s)
	log := telemetry.NewLogger(b.progress, telemetry.LogConfig{Level: slog.LevelError, Format: telemetry.FormatText})
	p, err := startProcess(ctx, b, s, log)
	if err != nil {
		return nil, fmt.Errorf("start the engine, %s: %w", s, err)
	}
	b.processes[s] = p
	b.started = append(b.started, p)
	return p, nil
}

// prepare makes the rule set and the database that every process reads.
func (b *bench) prepare(ctx context.Context) (err error) {
	if b.processes != nil {
		return nil
	}
	if err := b.folder(); err != nil {
		return err
	}
	b.processes = map[shape]*process{}
	b.carrier = newCarrier(b.options.prefixes)
	b.database = filepath.Join(b.dir, "bench.db")
	b.note("database of %d prefixes", b.options.prefixes)
	return seed(ctx, b.database, b.carrier)
}

// folder makes the folder of the run.
func (b *bench) folder() (err error) {
	if b.dir == "" {
		b.dir, err = os.MkdirTemp("", "trunkline-bench-")
	}
	return err
}

// close stops the processes and removes what the run has written.
func (b *bench) close() error {
	var errs []error
	for _, p := range b.started {
		errs = append(errs, p.stop())
	}
	if b.dir != "" {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}
