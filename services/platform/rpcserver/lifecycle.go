package rpcserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// forceWait is how long a forced stop waits for handlers to notice that their
// connections are gone.
const forceWait = time.Second

// Listen binds the address. Connections wait in the system's queue until Serve.
func (s *Server) Listen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return errors.New("the server listens already")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.cfg.Addr, err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return errors.Join(errors.New("the listener is not one of TCP"), l.Close())
	}
	s.listener = tcp
	return nil
}

// Addr returns the bound address, or nil before Listen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// URL returns http(s)://host:port of the bound address, or "" before Listen.
func (s *Server) URL() string {
	addr := s.Addr()
	switch {
	case addr == nil:
		return ""
	case s.certs != nil:
		return "https://" + addr.String()
	}
	return "http://" + addr.String()
}

// Serve answers calls until ctx ends or Shutdown is called, then drains. It
// returns nil after a stop that let every call finish, and an error when the
// listener failed or calls had to be cut. The end of ctx does not cancel calls
// in flight. It listens first if Listen was not called, and may be called once.
// After a Shutdown that came first it returns nil at once.
func (s *Server) Serve(ctx context.Context) error {
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return nil
	case s.served:
		s.mu.Unlock()
		return errors.New("the server was served already")
	}
	s.served = true
	unbound := s.listener == nil
	s.mu.Unlock()
	defer close(s.done)
	if unbound {
		if err := s.Listen(ctx); err != nil {
			return err
		}
	}

	reload, stopReload := context.WithCancel(context.Background())
	defer stopReload()
	if s.certs != nil {
		go s.certs.Run(reload)
	}
	failed := make(chan error, 1)
	go func() { failed <- s.accept() }()
	s.log.Info("serving", "addr", s.Addr().String(), "tls", s.certs != nil)

	select {
	case err := <-failed:
		s.health.Drain()
		close(s.draining)
		_ = s.http.Close()
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	case <-s.stopping:
	case <-s.forced:
	}
	err := s.drain()
	<-failed
	return err
}

func (s *Server) accept() error {
	l := bounded(s.listener, s.cfg.MaxConnections)
	if s.certs != nil {
		return s.http.ServeTLS(l, "", "")
	}
	return s.http.Serve(l)
}

// drain walks through notice and draining; see doc.go.
func (s *Server) drain() error {
	s.health.Drain()
	s.log.Info("draining: readiness is off", "notice", s.cfg.Drain.Notice)
	notice := time.NewTimer(s.cfg.Drain.Notice)
	defer notice.Stop()
	select {
	case <-notice.C:
	case <-s.forced:
	}
	close(s.draining)

	limit, cancel := context.WithTimeout(context.Background(), s.cfg.Drain.Timeout)
	defer cancel()
	finished := make(chan error, 1)
	go func() { finished <- s.http.Shutdown(limit) }()
	select {
	case err := <-finished:
		if err == nil {
			s.log.Info("stopped: every call finished")
			return nil
		}
	case <-s.forced:
		cancel()
		<-finished
	}
	cut := s.inflight.count()
	_ = s.http.Close()
	s.inflight.wait(forceWait)
	if cut == 0 {
		s.log.Info("stopped: idle connections were closed")
		return nil
	}
	s.log.Warn("stopped: calls in flight were cut", "calls", cut)
	return fmt.Errorf("the server stopped with %d calls in flight", cut)
}

// Shutdown starts the drain and waits for its end. If ctx ends first, the rest
// is cut as by Force. Before Serve it releases the address and keeps Serve from
// starting.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopOnce.Do(func() { close(s.stopping) })
	s.mu.Lock()
	idle := !s.served
	if idle {
		s.served, s.closed = true, true
		if s.listener != nil {
			_ = s.listener.Close()
		}
	}
	s.mu.Unlock()
	if idle {
		s.health.Drain()
		close(s.done)
		return nil
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.Force()
		<-s.done
		return fmt.Errorf("the drain took too long: %w", ctx.Err())
	}
}

// Force ends a drain at once, or stops without one: calls in flight are cut. A
// second interrupt signal calls it.
func (s *Server) Force() {
	s.forceOnce.Do(func() { close(s.forced) })
}

// inflight counts requests, so that a forced stop can wait for their handlers.
type inflight struct {
	n    atomic.Int64
	idle chan struct{} // gets a value when the count falls to zero
}

func (f *inflight) enter() { f.n.Add(1) }

func (f *inflight) leave() {
	if f.n.Add(-1) == 0 {
		select {
		case f.idle <- struct{}{}:
		default:
		}
	}
}

func (f *inflight) count() int64 { return f.n.Load() }

func (f *inflight) wait(limit time.Duration) {
	end := time.NewTimer(limit)
	defer end.Stop()
	for f.count() > 0 {
		select {
		case <-f.idle:
		case <-end.C:
			return
		}
	}
}

var _ http.Handler = (*Server)(nil)
