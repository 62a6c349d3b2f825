package decisionlog

import (
	"context"
	"sync"
	"time"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

const (
	// looksEach is how many places one caller has at a time, so that none keeps the others from looking.
	looksEach = 2
	// placeLimit bounds the wait for a place.
	placeLimit = 2 * time.Second
	// placeRetry is when to ask again for one.
	placeRetry = 2 * time.Second
)

// ReasonTooManyLooks marks a look that found no place among the others.
const ReasonTooManyLooks = "TOO_MANY_LOOKS"

// places bound how many look at the log at the same time: all of them together, and each caller by its name.
type places struct {
	all, each int

	mu    sync.Mutex
	taken int
	by    map[string]int
	// left is closed, and replaced, when somebody leaves.
	left chan struct{}
}

func newPlaces(all, each int) *places {
	return &places{all: all, each: each, by: map[string]int{}, left: make(chan struct{})}
}

// enter waits for a place of the caller of ctx. The fault is RESOURCE_EXHAUSTED, ReasonTooManyLooks, when none came free.
func (p *places) enter(ctx context.Context) (leave func(), err error) {
	who := caller.From(ctx).Name
	patience := time.NewTimer(placeLimit)
	defer patience.Stop()
	for {
		left, ok := p.take(who)
		if ok {
			return func() { p.give(who) }, nil
		}
		select {
		case <-left:
		case <-patience.C:
			return nil, fault.New(fault.ResourceExhausted, ReasonTooManyLooks,
				"Too many look at decisions now, or this credential alone does: ask again in a moment.").WithRetry(placeRetry)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take takes a place, or tells what to wait for.
func (p *places) take(who string) (left <-chan struct{}, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.all || p.by[who] >= p.each {
		return p.left, false
	}
	p.taken++
	p.by[who]++
	return nil, true
}

func (p *places) give(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.by[who]--; p.by[who] == 0 {
		delete(p.by, who)
	}
	close(p.left)
	p.left = make(chan struct{})
}
