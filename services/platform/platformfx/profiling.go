package platformfx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"go.uber.org/fx"

	"trunkline/services/platform/config"
)

// ProfilingConfig is the listener of net/http/pprof.
type ProfilingConfig struct {
	Addr string `koanf:"addr" doc:"Loopback address host:port of the Go profiler (/debug/pprof/), such as 127.0.0.1:6060. Empty: off. Production refuses it."`
}

// Enabled reports whether there is such a listener.
func (c ProfilingConfig) Enabled() bool { return c.Addr != "" }

// Validate takes loopback addresses only: a profile shows what is in memory.
func (c ProfilingConfig) Validate() error {
	if !c.Enabled() {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Addr)
	switch {
	case err != nil:
		return config.Invalid("addr", c.Addr, "write host:port, such as 127.0.0.1:6060, or nothing to turn it off")
	case !isLoopback(host):
		return config.Invalid("addr", c.Addr, "use a loopback address such as 127.0.0.1:6060: a profile shows what is in memory")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// longestProfile bounds one profile in seconds. pprof itself has no bound.
const longestProfile = 120

// Profiling holds the listener of the profiler. Addr is nil when there is none and before the start.
type Profiling struct{ listener net.Listener }

// Addr is where the profiler listens.
func (p *Profiling) Addr() net.Addr {
	if p.listener == nil {
		return nil
	}
	return p.listener.Addr()
}

func newProfiling(lc fx.Lifecycle, c Config, log *slog.Logger) (*Profiling, error) {
	p := &Profiling{}
	if !c.Profiling.Enabled() {
		return p, nil
	}
	if err := c.Profiling.Validate(); err != nil {
		return nil, err
	}
	server := &http.Server{Handler: profiler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Profiling.Addr)
			if err != nil {
				return fmt.Errorf("profiling.addr: %w", err)
			}
			// What localhost means is up to the machine.
			if host, _, err := net.SplitHostPort(l.Addr().String()); err != nil || !isLoopback(host) {
				return errors.Join(fmt.Errorf("profiling.addr: %s is not on this machine alone; use 127.0.0.1", l.Addr()), l.Close())
			}
			p.listener = l
			log.Warn("profiling is on", "addr", l.Addr().String())
			go func() {
				defer close(served)
				if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
					log.Error("profiling ended", "error", err)
				}
			}()
			return nil
		},
		// A profile may take minutes, and nobody waits for it at a stop.
		OnStop: func(context.Context) error {
			err := server.Close()
			<-served
			return err
		},
	})
	return p, nil
}

// profiler serves pprof to those who call the machine by its own name. A page in a browser on it could otherwise
// reach the profiler by a name that resolves to loopback.
func profiler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			http.Error(w, "call the profiler by its loopback address", http.StatusForbidden)
			return
		}
		if seconds, err := strconv.ParseFloat(r.FormValue("seconds"), 64); err == nil && (seconds > longestProfile || math.IsNaN(seconds)) {
			http.Error(w, fmt.Sprintf("ask for %d seconds or less", longestProfile), http.StatusBadRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
