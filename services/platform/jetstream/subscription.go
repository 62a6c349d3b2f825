package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"trunkline/services/platform/fault"
)

const (
	// A server that sends nothing for two heartbeats is given up. The request is
	// renewed by the client library when it expires.
	heartbeat   = time.Second
	pullExpires = 5 * time.Second

	minSessionDelay = 50 * time.Millisecond
	maxSessionDelay = time.Second
)

// Policy says with which messages a new subscription starts.
type Policy uint8

const (
	// All starts with the oldest message of the stream.
	All Policy = iota
	// New starts with the first message stored after the subscription was made.
	New
	// LastPerSubject starts with the newest message of each subject.
	LastPerSubject
)

func (p Policy) deliver() natsjs.DeliverPolicy {
	switch p {
	case New:
		return natsjs.DeliverNewPolicy
	case LastPerSubject:
		return natsjs.DeliverLastPerSubjectPolicy
	default:
		return natsjs.DeliverAllPolicy
	}
}

// Subscription is a running Durable or Follow.
type Subscription struct {
	conn *Conn
	log  *slog.Logger

	// stop ends when no further message is wanted, hard when handlers have to give
	// up; hard follows stop by Config.DrainTimeout at most.
	stop, hard            context.Context
	beginStop, cancelHard context.CancelFunc
	done                  chan struct{}

	synced   chan struct{}
	syncOnce sync.Once
}

// Synced is closed once, for Follow when the messages that were in the stream at
// the start have been handled, for Durable when the consumer exists.
func (s *Subscription) Synced() <-chan struct{} { return s.synced }

// Stop asks for no further message, waits for the handler of the current ones and
// returns when the subscription has ended. Handlers that take longer than
// Config.DrainTimeout see their context end. It may be called again.
func (s *Subscription) Stop() {
	s.beginStop()
	<-s.done
}

func (s *Subscription) markSynced() { s.syncOnce.Do(func() { close(s.synced) }) }

// subscribe registers a subscription that ends with ctx.
func (c *Conn) subscribe(ctx context.Context, log *slog.Logger) (*Subscription, error) {
	s := &Subscription{conn: c, log: log, done: make(chan struct{}), synced: make(chan struct{})}
	s.stop, s.beginStop = context.WithCancel(ctx)
	s.hard, s.cancelHard = context.WithCancel(context.WithoutCancel(ctx))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		s.beginStop()
		s.cancelHard()
		return nil, fault.New(fault.FailedPrecondition, "MESSAGING_CLOSED", "The messaging connection is closed.")
	}
	c.subs[s] = struct{}{}
	context.AfterFunc(s.stop, func() {
		limit := time.NewTimer(c.cfg.DrainTimeout)
		defer limit.Stop()
		select {
		case <-s.done:
		case <-limit.C:
		}
		s.cancelHard()
	})
	return s, nil
}

// run repeats session until the subscription is stopped. A session tells whether
// it got as far as having a consumer, which resets the delay. A reconnect cuts the
// delay short.
func (s *Subscription) run(session func(era context.Context) (started bool, err error)) {
	defer func() {
		s.conn.mu.Lock()
		delete(s.conn.subs, s)
		s.conn.mu.Unlock()
		s.beginStop()
		close(s.done)
	}()
	for attempt := 1; ; attempt++ {
		era := s.conn.currentEra()
		started, err := session(era)
		if s.stop.Err() != nil {
			return
		}
		if started {
			attempt = 1
		}
		if errors.Is(err, natsjs.ErrStreamNotFound) {
			s.conn.streamMissing()
		}
		level := slog.LevelDebug // a lost connection has been logged already
		if s.conn.up.Load() && era.Err() == nil {
			level = slog.LevelWarn
		}
		s.log.Log(s.hard, level, "subscription starts again", "error", err)
		pause := time.NewTimer(jittered(grow(minSessionDelay, maxSessionDelay, attempt)))
		select {
		case <-pause.C:
		case <-era.Done():
		case <-s.stop.Done():
		}
		pause.Stop()
	}
}

// guard calls a handler and turns a panic into an error: one bad message must not
// end the process.
func guard(log *slog.Logger, handle func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a message handler panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("handler panicked: %v", p)
		}
	}()
	return handle()
}

// validName applies the server's rules for names of streams and consumers.
func validName(what, name string) error {
	if name == "" || strings.ContainsAny(name, " \t\r\n.*>/\\") {
		return fmt.Errorf("%s name %q must not be empty or contain spaces or any of . * > / \\", what, name)
	}
	return nil
}
