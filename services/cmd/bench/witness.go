package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"connectrpc.com/connect"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

// said is what one answer tells of itself.
type said struct {
	release    string
	activation int64
	nanos      int64
	number     int
}

// witness asks the engines in turn at a constant rate, each call at its own moment, and remembers what all answers said.
type witness struct {
	engines []*selectClient
	asked   []*routingv1.SelectOperatorRequest
	rate    int

	mu     sync.Mutex
	failed int
	reason error
	said   []said
	// first is, by engine and activation, when the first answer by it or a later one was there.
	first []map[int64]time.Time
	last  []int64
	wake  chan struct{}
}

func newWitness(engines []*selectClient, asked []*routingv1.SelectOperatorRequest, rate int) *witness {
	w := &witness{engines: engines, asked: asked, rate: rate, last: make([]int64, len(engines)), wake: make(chan struct{}, 1)}
	for range engines {
		w.first = append(w.first, map[int64]time.Time{})
	}
	return w
}

// run asks until ctx ends, and returns when the last answer is there. Calls in flight are bounded by their deadline.
func (w *witness) run(ctx context.Context) {
	const patience = 10 * time.Second
	var calls sync.WaitGroup
	defer calls.Wait()
	start, gap := time.Now(), time.Second/time.Duration(w.rate)
	for i := 0; ; i++ {
		sleepUntil(start.Add(time.Duration(i) * gap))
		if ctx.Err() != nil {
			return
		}
		calls.Go(func() {
			// Calls that are under way at the end are waited for: one that fails by then failed.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			w.ask(ctx, i)
		})
	}
}

func (w *witness) ask(ctx context.Context, i int) {
	engine, number := i%len(w.engines), (i/len(w.engines))%len(w.asked)
	res, err := w.engines[engine].CallUnary(ctx, connect.NewRequest(w.asked[number]))
	at := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed, w.reason = w.failed+1, err
		return
	}
	meta := res.Msg.GetMeta()
	w.said = append(w.said, said{meta.GetReleaseId(), meta.GetRulesVersion(), res.Msg.GetUnitPrice().GetNanos(), number})
	if activation := meta.GetRulesVersion(); activation > w.last[engine] {
		w.last[engine], w.first[engine][activation] = activation, at
		select {
		case w.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// await gives the moment at which the last engine answered by the activation.
func (w *witness) await(ctx context.Context, activation int64) (time.Time, error) {
	for {
		if at, ok := w.everywhere(activation); ok {
			return at, nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("not every engine served activation %d: %w", activation, ctx.Err())
		case <-w.wake:
		}
	}
}

func (w *witness) everywhere(activation int64) (latest time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, seen := range w.first {
		at, ok := seen[activation]
		if !ok {
			return time.Time{}, false
		}
		if at.After(latest) {
			latest = at
		}
	}
	return latest, true
}

// truth is what the answers must say: by activation its release, by release and number the price.
type truth struct {
	activations map[int64]string
	prices      map[string][]int64
}

// mixed counts the answers whose parts do not belong together.
func (t truth) mixed(all []said) (n int) {
	for _, s := range all {
		if t.activations[s.activation] != s.release || len(t.prices[s.release]) == 0 || t.prices[s.release][s.number] != s.nanos {
			n++
		}
	}
	return n
}

// served counts the releases that answers were given by.
func served(all []said) int {
	seen := map[string]bool{}
	for _, s := range all {
		seen[s.release] = true
	}
	return len(seen)
}
