package platformfx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"trunkline/services/platform/config"
)

// Reload says how a process reads its settings again while it runs. A process without it never does.
type Reload struct {
	// Started holds the settings the process started with.
	Started config.Snapshot
	// Load reads and checks all sources again.
	Load func() (config.Snapshot, error)
	// Signals ask for a reload; nil for none.
	Signals <-chan os.Signal
	// File asks for a reload when it changes; nil for none.
	File *config.Watcher
}

// Reloadable is a setting, or a section of them, that changes without a restart. Create it with OnReload.
type Reloadable struct {
	key   string
	check func(config.Snapshot) error
	apply func(config.Snapshot) error
}

// OnReload makes the setting or section of key, such as log.level or access.limits, reloadable. C is the type of
// its field. apply gets the checked new value when something in it changed, one call at a time, and returns
// without waiting for others. When it, or that of another key, returns an error, apply is called with the old
// value again.
func OnReload[C any](key string, apply func(C) error) Reloadable {
	return Reloadable{
		key: key,
		check: func(s config.Snapshot) error {
			_, err := config.Get[C](s, key)
			return err
		},
		apply: func(s config.Snapshot) error {
			value, err := config.Get[C](s, key)
			if err != nil {
				return err
			}
			return apply(value)
		},
	}
}

// Reloads annotates a constructor of a Reloadable.
func Reloads(constructor any) any { return fx.Annotate(constructor, fx.ResultTags(groupReloads)) }

// logLevel makes the level of the log reloadable.
func logLevel(c Config) Reloadable {
	return OnReload("log.level", func(level slog.Level) error {
		if c.Log.Control != nil {
			c.Log.Control.Set(level)
		}
		return nil
	})
}

type reloadIn struct {
	fx.In
	Lifecycle  fx.Lifecycle
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Reload     Reload       `optional:"true"`
	Parts      []Reloadable `group:"reloads"`
}

// startReload reloads on signals and changes of the file, from the end of the start to the begin of the stop.
func startReload(in reloadIn) error {
	if in.Reload.Load == nil {
		return nil
	}
	// A group has no order.
	slices.SortFunc(in.Parts, func(a, b Reloadable) int { return strings.Compare(a.key, b.key) })
	r := &reloader{
		load: in.Reload.Load, started: in.Reload.Started, applied: in.Reload.Started, parts: in.Parts, log: in.Log,
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trunkline_config_reload_total", Help: "Reloads of the configuration by result: ok or error.",
		}, []string{"result"}),
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trunkline_config_last_reload_success", Help: "1 while the last reload of the configuration was taken up, or there was none.",
		}),
	}
	for _, part := range in.Parts {
		if err := part.check(in.Reload.Started); err != nil {
			return fmt.Errorf("reload: %w", err)
		}
	}
	r.success.Set(1)
	for _, result := range []string{"ok", "error"} {
		r.total.WithLabelValues(result)
	}
	if err := errors.Join(in.Registerer.Register(r.total), in.Registerer.Register(r.success)); err != nil {
		return err
	}
	Background(in.Lifecycle, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-in.Reload.Signals:
				r.reload("signal")
			}
		}
	})
	if in.Reload.File != nil {
		Background(in.Lifecycle, func(ctx context.Context) { in.Reload.File.Run(ctx, func() { r.reload("file") }) })
	}
	return nil
}

// reloader holds which settings are in force: those of started, but for the keys of parts, which are as in applied.
type reloader struct {
	load    func() (config.Snapshot, error)
	parts   []Reloadable
	log     *slog.Logger
	total   *prometheus.CounterVec
	success prometheus.Gauge

	started config.Snapshot

	mu      sync.Mutex
	applied config.Snapshot
}

// reload takes up what can change and names what needs a restart. After an error the old settings are in force.
func (r *reloader) reload(cause string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.load()
	var changed []string
	if err == nil {
		changed, err = r.apply(next)
	}
	if err != nil {
		r.total.WithLabelValues("error").Inc()
		r.success.Set(0)
		r.log.Warn("the new configuration is not usable, the old one stays in force", "cause", cause, "error", err)
		return
	}
	r.applied = next
	r.total.WithLabelValues("ok").Inc()
	r.success.Set(1)
	r.log.Info("configuration reloaded", "cause", cause, "changed", changed)
	if waiting := r.needRestart(next); len(waiting) > 0 {
		r.log.Warn("these settings changed and need a restart", "settings", waiting)
	}
}

// apply gives the changed settings to their parts, to all or to none, and returns their keys.
func (r *reloader) apply(next config.Snapshot) (changed []string, err error) {
	changed = []string{}
	differ := r.applied.Changed(next)
	for i, part := range r.parts {
		keys := config.Within(differ, part.key)
		if len(keys) == 0 {
			continue
		}
		if err := part.apply(next); err != nil {
			err = fmt.Errorf("%s: %w", part.key, err)
			for _, done := range r.parts[:i+1] {
				if len(config.Within(differ, done.key)) > 0 {
					err = errors.Join(err, done.apply(r.applied))
				}
			}
			return nil, err
		}
		changed = append(changed, keys...)
	}
	return changed, nil
}

// needRestart returns the settings of next that differ from those the process runs with.
func (r *reloader) needRestart(next config.Snapshot) []string {
	keys := r.started.Changed(next)
	for _, part := range r.parts {
		keys = slices.DeleteFunc(keys, func(key string) bool { return len(config.Within([]string{key}, part.key)) > 0 })
	}
	return keys
}
