package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/dig"
	"go.uber.org/fx"

	"trunkline/services/platform/platformfx"
)

// ServerCommands gives the commands that run on the server side: processes, migrations, configuration.
func ServerCommands(version string) []*cobra.Command {
	return []*cobra.Command{devCommand(version), serveCommand(version), migrateCommand(), configCommand()}
}

// startTimeout bounds the start of a process; nothing in it waits for a neighbour longer than seconds.
const startTimeout = 30 * time.Second

// runProcess starts an application, waits for a signal, the end of ctx or a failure, and stops it. The first
// signal drains; the second ends at once.
func runProcess(ctx context.Context, c platformfx.Config, p platformfx.Process, ready func(), options ...fx.Option) error {
	force := make(chan struct{})
	p.Force = force
	c.Log.Control = new(slog.LevelVar)
	log := platformfx.NewLogger(c, p)
	app := fx.New(
		fx.Supply(c, p, log),
		platformfx.Quiet(log),
		fx.StartTimeout(startTimeout),
		fx.StopTimeout(c.StopTimeout()),
		fx.Options(options...),
		// Last, so that the server starts when everything behind it is up, and stops first.
		platformfx.Module,
	)
	if err := app.Err(); err != nil {
		return dig.RootCause(err)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	// Neither a signal nor the end of ctx cuts the start short: fx undoes a start within the context it was given, so
	// one that has ended would leave everything running. Both are heeded below, by an ordinary stop.
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StartTimeout())
	defer cancel()
	if err := app.Start(starting); err != nil {
		return dig.RootCause(err)
	}
	if ready != nil {
		ready()
	}
	var failure error
	select {
	case <-ctx.Done():
	case s := <-signals:
		log.Info("stopping; a second signal ends at once", "signal", s.String())
	case s := <-app.Wait():
		if s.ExitCode != 0 {
			failure = errors.New("the process ended because its server failed; see the log")
		}
	}
	forced := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(forced)
		select {
		case <-signals:
			close(force)
		case <-stopped:
		}
	}()
	stopping, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancelStop()
	err := app.Stop(stopping)
	close(stopped)
	<-forced
	if err != nil {
		log.Warn("the stop was not clean", "error", err)
		failure = errors.Join(failure, errors.New("the stop was not clean: calls were cut or something did not end in time; see the log"))
	}
	return failure
}

// note writes a line for people; a closed terminal is not worth failing for.
func note(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
