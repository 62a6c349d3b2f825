package access

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"trunkline/services/platform/fault"
)

// ReasonOverloaded refuses a call because the process has too much to do.
const ReasonOverloaded = "OVERLOADED"

var errOverloaded = fault.New(fault.Unavailable, ReasonOverloaded,
	"This server has more to do than it can. Wait for the delay given, then try again.")

// A refused caller is told to come back after minRetry and less than minRetry + retryJitter: those who were refused
// together shall not come back together.
const (
	minRetry    = 500 * time.Millisecond
	retryJitter = time.Second
)

// AdmissionLimits bounds the calls of a process.
type AdmissionLimits struct {
	// MaxInFlight is how many calls are worked on at the same time; 0 is no limit.
	MaxInFlight int
	// Queue is how many calls may wait and QueueWait how long; 0 in either: nobody waits.
	Queue     int
	QueueWait time.Duration
}

// Shed counts the calls that were not let in.
type Shed struct {
	QueueFull  uint64 // pushed out of the queue by a newer call, or there is no queue
	QueueWait  uint64 // waited as long as allowed
	CallerGone uint64 // the caller's deadline passed, or the caller left, in the queue
}

// Admission bounds how many calls a process works on at the same time. Create it with NewAdmission. It is safe for
// concurrent use.
//
// A call that finds all places taken waits in a short queue. The newest call is let in first, and a call that comes
// when the queue is full pushes the oldest one out. So under overload those that are let in have hardly waited and
// their callers still listen, while first-in first-out would spend the machine on callers that are about to give up
// or already have. (B. Maurer, Fail at Scale, ACM Queue 13(8), 2015, "adaptive LIFO"; Site Reliability Engineering,
// O'Reilly 2016, chapter 22, "Queue management".) A burst that fits into the queue is served whole either way.
//
// The bulkhead and the adaptive limiter of failsafe-go, the library of the circuit breakers, were considered. Both
// queue first-in first-out on a channel or semaphore, their limits cannot be set while they run, and the adaptive one
// allocates a permit for each call. The queue is the point here, so it is our own.
type Admission struct {
	// state holds the calls inside in its low half and those in the queue in its high half, so that one swap sees
	// both: nobody leaves without looking at the queue, nobody queues while there is a place. Only holders of mu
	// change the high half.
	state atomic.Uint64
	limit atomic.Uint32
	leave func()

	mu     sync.Mutex
	limits AdmissionLimits
	queue  queue

	shedFull, shedWait, shedGone atomic.Uint64
}

const oneQueued = 1 << 32

func inside(state uint64) uint32 { return uint32(state) }

func queued(state uint64) uint32 { return uint32(state >> 32) }

// NewAdmission returns an admission with nobody inside.
func NewAdmission(limits AdmissionLimits) *Admission {
	a := &Admission{}
	a.leave = a.exit
	a.SetLimits(limits)
	return a
}

// SetLimits replaces the limits. Those inside stay, also when they are more than allowed now.
func (a *Admission) SetLimits(limits AdmissionLimits) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limits = limits
	limit := uint32(math.MaxUint32)
	if limits.MaxInFlight > 0 {
		limit = uint32(min(limits.MaxInFlight, math.MaxInt32))
	}
	a.limit.Store(limit)
	for a.queue.length > 0 {
		s := a.state.Load()
		if inside(s) >= limit {
			break
		}
		if a.state.CompareAndSwap(s, s+1-oneQueued) {
			a.queue.newest.remove().decide(letIn)
		}
	}
	for a.queue.length > limits.Queue {
		a.pushOut()
	}
}

// Enter lets the call in, at once or after a wait, and returns what the call does once when it is over. The errors
// are the fault OVERLOADED with the time after which to try again, and that of ctx if it ended in the queue.
func (a *Admission) Enter(ctx context.Context) (leave func(), err error) {
	for {
		s := a.state.Load()
		if inside(s) >= a.limit.Load() {
			return a.wait(ctx)
		}
		if a.state.CompareAndSwap(s, s+1) {
			return a.leave, nil
		}
	}
}

// exit gives the place to the newest call in the queue, or frees it.
func (a *Admission) exit() {
	for {
		s := a.state.Load()
		if queued(s) > 0 {
			a.handOver()
			return
		}
		if a.state.CompareAndSwap(s, s-1) {
			return
		}
	}
}

func (a *Admission) handOver() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queue.length == 0 || inside(a.state.Load()) > a.limit.Load() {
		a.state.Add(^uint64(0)) // one less inside
		return
	}
	a.unqueue(a.queue.newest).decide(letIn)
}

// wait queues the call.
func (a *Admission) wait(ctx context.Context) (leave func(), err error) {
	w, longest := a.enqueue()
	if w == nil {
		return a.leave, nil
	}
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-w.decided:
	case <-ctx.Done():
	case <-timer.C:
	}

	a.mu.Lock()
	gaveUp := w.verdict == undecided
	if gaveUp {
		a.unqueue(w)
	}
	a.mu.Unlock()
	switch {
	case ctx.Err() != nil && w.verdict != pushedOut:
		if !gaveUp {
			a.exit()
		}
		a.shedGone.Add(1)
		return nil, fault.From(ctx.Err())
	case w.verdict == letIn:
		return a.leave, nil
	case gaveUp:
		a.shedWait.Add(1)
	default:
		a.shedFull.Add(1)
	}
	return nil, errOverloaded.WithRetry(minRetry + rand.N(retryJitter))
}

// enqueue puts a new waiter into the queue and tells how long it may wait. It returns nil if a place became free.
func (a *Admission) enqueue() (*waiter, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := &waiter{queue: &a.queue, decided: make(chan struct{})}
	if a.limits.Queue <= 0 || a.limits.QueueWait <= 0 {
		// There is no queue. Whether a place became free meanwhile is a matter of luck, so it is not asked again.
		w.decide(pushedOut)
		return w, 0
	}
	for {
		s := a.state.Load()
		if inside(s) < a.limit.Load() {
			if a.state.CompareAndSwap(s, s+1) {
				return nil, 0
			}
			continue
		}
		if a.state.CompareAndSwap(s, s+oneQueued) {
			break
		}
	}
	if a.queue.length >= a.limits.Queue {
		a.pushOut()
	}
	a.queue.push(w)
	return w, a.limits.QueueWait
}

// pushOut refuses the oldest call in the queue.
func (a *Admission) pushOut() { a.unqueue(a.queue.oldest).decide(pushedOut) }

func (a *Admission) unqueue(w *waiter) *waiter {
	a.state.Add(^uint64(oneQueued - 1)) // minus oneQueued
	return w.remove()
}

// InFlight tells how many calls are inside.
func (a *Admission) InFlight() int { return int(inside(a.state.Load())) }

// Queued tells how many calls wait.
func (a *Admission) Queued() int { return int(queued(a.state.Load())) }

// Shed counts the calls that were not let in.
func (a *Admission) Shed() Shed {
	return Shed{QueueFull: a.shedFull.Load(), QueueWait: a.shedWait.Load(), CallerGone: a.shedGone.Load()}
}
