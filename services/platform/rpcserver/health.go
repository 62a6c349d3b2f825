package rpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Dependency is something outside of the process that it needs.
type Dependency struct {
	// Name is shown on the health pages.
	Name string
	// Required dependencies take readiness away while they are down; optional
	// ones only mark the process as degraded.
	Required bool
	// Check returns nil while the dependency works. It gets a context with a
	// deadline and is never called twice at the same time.
	Check func(ctx context.Context) error
}

// State is what the last probe of a dependency found.
type State string

// States of a dependency. Unknown lasts until its first probe ends.
const (
	StateUnknown State = "unknown"
	StateUp      State = "up"
	StateDown    State = "down"
)

// DependencyStatus is one row of /health/detailed.
type DependencyStatus struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	State    State  `json:"state"`
	// LatencyMS is the duration of the last probe in milliseconds.
	LatencyMS float64 `json:"latency_ms"`
	// Since is the time of the last change of state.
	Since time.Time `json:"since,omitzero"`
	// CheckedAt is the end of the last probe.
	CheckedAt time.Time `json:"checked_at,omitzero"`
	// LastError classifies the last failure, also after recovery. It names no
	// address and no credential.
	LastError string `json:"last_error,omitempty"`
}

// Readiness is the verdict over all dependencies.
type Readiness struct {
	Ready bool
	// Reasons says why the process is not ready.
	Reasons []string
	// Degraded names optional dependencies that are down.
	Degraded []string
}

// HealthOptions tunes NewHealth. Zero values take the defaults.
type HealthOptions struct {
	// Interval between two probes of a dependency. Default 3 s.
	Interval time.Duration
	// Timeout of one probe. Default 2 s.
	Timeout time.Duration
	// Now is the clock of the times shown. Default time.Now.
	Now func() time.Time
	// Logger gets one line per change of state. Default: no log.
	Logger *slog.Logger
}

// Health knows whether the process can serve. Probes run in the background, so
// that questions cost nothing and cannot overload a dependency. One Health may
// serve several listeners. Create it with NewHealth.
type Health struct {
	opts HealthOptions
	deps []Dependency

	mu       sync.Mutex
	status   []DependencyStatus
	started  bool
	draining bool
	ready    bool // last verdict, to notice changes
	watchers map[*func()]struct{}
}

// NewHealth returns a Health that is not ready before MarkStarted and the first
// round of probes. It returns an error for a dependency without name or check,
// or for two of one name.
func NewHealth(deps []Dependency, opts HealthOptions) (*Health, error) {
	if opts.Interval <= 0 {
		opts.Interval = 3 * time.Second
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 2 * time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Health{opts: opts, deps: deps, watchers: map[*func()]struct{}{}}
	seen := map[string]bool{}
	for _, d := range deps {
		if d.Name == "" || d.Check == nil || seen[d.Name] {
			return nil, fmt.Errorf("dependency %q needs a unique name and a check", d.Name)
		}
		seen[d.Name] = true
		h.status = append(h.status, DependencyStatus{Name: d.Name, Required: d.Required, State: StateUnknown})
	}
	return h, nil
}

// Run probes until ctx ends, first at once, then every interval. Each
// dependency has a loop of its own, so a slow one delays no other.
func (h *Health) Run(ctx context.Context) {
	var loops sync.WaitGroup
	for i := range h.deps {
		loops.Go(func() { h.loop(ctx, i) })
	}
	loops.Wait()
}

func (h *Health) loop(ctx context.Context, i int) {
	tick := time.NewTicker(h.opts.Interval)
	defer tick.Stop()
	for {
		h.probe(ctx, i)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probe runs one check. A check that ignores its deadline is reported as down
// at once, and awaited before the next one starts.
func (h *Health) probe(ctx context.Context, i int) {
	limited, cancel := context.WithTimeout(ctx, h.opts.Timeout)
	defer cancel()
	start := h.opts.Now()
	result := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				result <- fmt.Errorf("the check panicked: %v", v)
			}
		}()
		result <- h.deps[i].Check(limited)
	}()
	select {
	case err := <-result:
		if ctx.Err() == nil {
			h.record(i, start, err)
		}
	case <-limited.Done():
		if ctx.Err() == nil {
			h.record(i, start, context.DeadlineExceeded)
		}
		select {
		case <-result:
		case <-ctx.Done():
		}
	}
}

func (h *Health) record(i int, start time.Time, err error) {
	now := h.opts.Now()
	h.mu.Lock()
	s := &h.status[i]
	before := s.State
	s.LatencyMS = float64(now.Sub(start).Microseconds()) / 1000
	s.CheckedAt = now.UTC()
	s.State = StateUp
	if err != nil {
		s.State = StateDown
		s.LastError = errorClass(err)
	}
	changed := s.State != before
	if changed {
		s.Since = now.UTC()
	}
	name, state := s.Name, s.State
	h.mu.Unlock()

	if !changed {
		return
	}
	if err != nil {
		h.opts.Logger.Warn("dependency is down", "dependency", name, "error", err)
	} else {
		h.opts.Logger.Info("dependency is up", "dependency", name, "was", string(before), "state", string(state))
	}
	h.settle()
}

// MarkStarted says that the process finished starting. Before it, readiness is off.
func (h *Health) MarkStarted() { h.set(&h.started) }

// Drain turns readiness off for good.
func (h *Health) Drain() { h.set(&h.draining) }

func (h *Health) set(flag *bool) {
	h.mu.Lock()
	*flag = true
	h.mu.Unlock()
	h.settle()
}

// settle tells watchers when the verdict changed.
func (h *Health) settle() {
	h.mu.Lock()
	ready := h.verdict().Ready
	if ready == h.ready {
		h.mu.Unlock()
		return
	}
	h.ready = ready
	tell := make([]func(), 0, len(h.watchers))
	for w := range h.watchers {
		tell = append(tell, *w)
	}
	h.mu.Unlock()
	for _, w := range tell {
		w()
	}
}

// watch calls changed after readiness changed, until stop is called.
func (h *Health) watch(changed func()) (stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers[&changed] = struct{}{}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, &changed)
	}
}

// Readiness returns the current verdict.
func (h *Health) Readiness() Readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.verdict()
}

func (h *Health) verdict() Readiness {
	var r Readiness
	if !h.started {
		r.Reasons = append(r.Reasons, "starting")
	}
	if h.draining {
		r.Reasons = append(r.Reasons, "draining")
	}
	for _, s := range h.status {
		switch {
		case s.State == StateUp:
		case s.Required && s.State == StateUnknown:
			r.Reasons = append(r.Reasons, s.Name+": not checked yet")
		case s.Required:
			r.Reasons = append(r.Reasons, s.Name+": "+s.LastError)
		case s.State == StateDown:
			r.Degraded = append(r.Degraded, s.Name)
		}
	}
	r.Ready = len(r.Reasons) == 0
	return r
}

// Dependencies returns a copy of every row, in the order given to NewHealth.
func (h *Health) Dependencies() []DependencyStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]DependencyStatus{}, h.status...)
}
