package rpcserver

import (
	"context"
	"sync"
	"time"
)

// deadline is context.WithDeadline, except that its timer starts when somebody asks for Done. A timer and its place in
// the parent cost more than a whole decision from memory, and most calls never wait for anything.
type deadline struct {
	context.Context
	end time.Time

	mu    sync.Mutex
	over  bool            // the call has ended
	timed context.Context // has the timer; nil until somebody asks
	stop  context.CancelFunc
}

func withDeadline(parent context.Context, end time.Time) *deadline {
	return &deadline{Context: parent, end: end}
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) { return d.end, true }

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.start().Done()
}

// Err implements context.Context.
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil && !d.over && d.Context.Err() == nil && time.Now().Before(d.end) {
		return nil
	}
	return d.start().Err()
}

// Value implements context.Context. Package context finds by it what Done belongs to, so that a child needs no
// goroutine of its own.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	parent := d.Context
	if d.timed != nil {
		parent = d.timed
	}
	d.mu.Unlock()
	return parent.Value(key)
}

// start needs mu.
func (d *deadline) start() context.Context {
	if d.timed == nil {
		d.timed, d.stop = context.WithDeadline(d.Context, d.end)
		if d.over {
			d.stop()
		}
	}
	return d.timed
}

// cancel ends the context with its call.
func (d *deadline) cancel() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.stop != nil {
		d.stop()
	}
}
