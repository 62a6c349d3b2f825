// Package clock lets code ask for the time through a value that a test can
// replace. It covers reading the time only: code with timers is tested with
// testing/synctest.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	// Now returns the current time. Only differences between times of one clock
	// are meaningful to the millisecond; wall clocks can step.
	Now() time.Time
}

type system struct{}

func (system) Now() time.Time { return time.Now() }

// System returns the clock of the machine.
func System() Clock { return system{} }

// Fake is a clock that stands still until a test moves it. Create it with NewFake.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a clock that shows start.
func NewFake(start time.Time) *Fake { return &Fake{now: start} }

// Now returns the time last set.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d and returns the new time. A negative d moves it
// back, which is how a test plays a stepping wall clock.
func (f *Fake) Advance(d time.Duration) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	return f.now
}

// Set moves the clock to t.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t
}
