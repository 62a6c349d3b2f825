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
	processes map[string]*process // by table mode
	started   []*process
}

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.progress, "bench:   "+format+"\n", args...)
}

// The modes in which a process keeps its rules.
var modes = []string{routingfx.TableMemory, routingfx.TableDatabase}

// process gives the running engine of a mode, starting it when it is asked for first.
func (b *bench) process(ctx context.Context, mode string) (*process, error) {
	if p := b.processes[mode]; p != nil {
		return p, nil
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	b.note("engine with its rules in %s", mode)
	log := telemetry.NewLogger(b.progress, telemetry.LogConfig{Level: slog.LevelError, Format: telemetry.FormatText})
	p, err := startProcess(ctx, b, mode, log)
	if err != nil {
		return nil, fmt.Errorf("start the engine in %s mode: %w", mode, err)
	}
	b.processes[mode] = p
	b.started = append(b.started, p)
	return p, nil
}

// prepare makes the rule set and the database that every process reads.
func (b *bench) prepare(ctx context.Context) (err error) {
	if b.processes != nil {
		return nil
	}
	if b.dir, err = os.MkdirTemp("", "trunkline-bench-"); err != nil {
		return err
	}
	b.processes = map[string]*process{}
	b.carrier = newCarrier(b.options.prefixes)
	b.database = filepath.Join(b.dir, "bench.db")
	b.note("database of %d prefixes", b.options.prefixes)
	return seed(ctx, b.database, b.carrier)
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
