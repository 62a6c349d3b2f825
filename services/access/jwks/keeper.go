package jwks

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/access"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

const (
	// refreshEvery is how old the keys get while nothing fails.
	refreshEvery = 5 * time.Minute
	// fetchTimeout bounds one fetch, and so the wait of a token whose key is not known.
	fetchTimeout = 2 * time.Second
	// askEvery bounds the fetches that tokens cause: anybody can make up ids of keys.
	askEvery = 30 * time.Second
	// maxWaiting bounds the calls that wait for a fetch.
	maxWaiting = 1000

	minRetry = time.Second
	maxRetry = time.Minute
)

// keeper holds the keys and fetches them anew. It is safe for concurrent use.
type keeper struct {
	fetch    func(ctx context.Context) ([]byte, error)
	accepted []string
	clk      clock.Clock
	log      *slog.Logger
	metrics  metrics
	started  time.Time

	set     atomic.Pointer[keySet]
	failure atomic.Pointer[error] // of the last fetch; nil when it did not fail
	waiting atomic.Int64

	mu     sync.Mutex
	flight *flight   // the fetch under way
	asked  time.Time // when a token last caused one
}

// flight is one fetch. err is set when done is closed.
type flight struct {
	done chan struct{}
	err  error
}

func newKeeper(fetch func(ctx context.Context) ([]byte, error), accepted []string, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*keeper, error) {
	k := &keeper{fetch: fetch, accepted: accepted, clk: clk, log: log, started: clk.Now()}
	k.set.Store(&keySet{})
	var err error
	k.metrics, err = newMetrics(reg, k.age)
	return k, err
}

// run fetches the keys until ctx ends, first at once.
func (k *keeper) run(ctx context.Context) {
	for failures := 0; ; {
		k.mu.Lock()
		f := k.join(ctx)
		k.mu.Unlock()
		<-f.done
		wait := refreshEvery
		if failures++; f.err == nil {
			failures = 0
		} else {
			wait = pause(failures)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// pause doubles from minRetry to maxRetry; the jitter takes off up to half, so that processes do not come together.
func pause(failures int) time.Duration {
	d := min(minRetry<<min(failures-1, 10), maxRetry)
	return d/2 + rand.N(d/2+1)
}

// find gives the key that a token names. For one that is not known it waits for the fetch under way, or causes one
// if no token did in the last askEvery.
func (k *keeper) find(ctx context.Context, id string) (*signer, error) {
	// The fetch under way may have begun before the key was published, so one more may follow.
	for range 3 {
		if s := k.set.Load().find(id, k.clk.Now()); s != nil {
			return s, nil
		}
		f := k.ask(ctx)
		if f == nil {
			break
		}
		if err := k.wait(ctx, f); err != nil {
			return nil, err
		}
	}
	if s := k.set.Load().find(id, k.clk.Now()); s != nil {
		return s, nil
	}
	if k.failure.Load() != nil || k.set.Load().loadedAt.IsZero() {
		return nil, access.Uncheckable("The token cannot be checked now, because the keys of its issuer cannot be fetched. Try again, or send an API key.")
	}
	return nil, access.Invalid("The token is signed with a key that its issuer does not list. Get a new token.")
}

// ask gives the fetch under way, or starts one. It gives nil when it is too early for another.
func (k *keeper) ask(ctx context.Context) *flight {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight == nil {
		now := k.clk.Now()
		if !k.asked.IsZero() && now.Sub(k.asked) < askEvery {
			return nil
		}
		k.asked = now
	}
	// Others wait for the fetch too: it outlives the call that caused it.
	return k.join(context.WithoutCancel(ctx))
}

// wait ends with the fetch or with the call.
func (k *keeper) wait(ctx context.Context, f *flight) error {
	defer k.waiting.Add(-1)
	if k.waiting.Add(1) > maxWaiting {
		return access.Uncheckable("The token cannot be checked now, because too many others wait for the keys of their issuer. Try again.")
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join gives the fetch under way, or starts one. The caller holds mu.
func (k *keeper) join(ctx context.Context) *flight {
	if k.flight != nil {
		return k.flight
	}
	f := &flight{done: make(chan struct{})}
	k.flight = f
	go func() {
		defer close(f.done)
		f.err = k.refresh(ctx)
		k.mu.Lock()
		k.flight = nil
		k.mu.Unlock()
	}()
	return f
}

// refresh fetches the keys and puts them in force. It never runs twice at once.
func (k *keeper) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	document, err := k.fetch(ctx)
	var listed map[string]*signer
	var useless []error
	if err == nil {
		listed, useless, err = parseDocument(document, k.accepted)
	}
	if errors.Is(err, context.Canceled) { // the process stops
		return err
	}
	if err != nil {
		if k.failure.Swap(&err) == nil { // the first of a row
			k.log.WarnContext(ctx, "fetching the keys of tokens failed; the last good ones stay in force", "error", err)
		}
		k.metrics.refreshes.WithLabelValues("error").Inc()
		return err
	}
	before := k.set.Load()
	next := before.next(listed, k.clk.Now())
	k.set.Store(next)
	k.metrics.refreshes.WithLabelValues("ok").Inc()
	k.metrics.keys.Set(float64(next.listed()))
	if k.failure.Swap(nil) != nil || before.differs(next) {
		k.log.InfoContext(ctx, "keys of tokens in force", "listed", next.listed(), "accepted", len(next.held), "useless", errors.Join(useless...))
	}
	return nil
}

// age is how long ago the keys were fetched.
func (k *keeper) age() time.Duration {
	since := k.set.Load().loadedAt
	if since.IsZero() {
		since = k.started
	}
	return k.clk.Now().Sub(since)
}

// check tells whether the last fetch went well.
func (k *keeper) check() error {
	if err := k.failure.Load(); err != nil {
		return fault.New(fault.Unavailable, ReasonUnavailable, "The keys of tokens cannot be fetched; look at the address and the issuer behind it.").Wrap(*err)
	}
	if k.set.Load().loadedAt.IsZero() {
		return fault.New(fault.Unavailable, ReasonUnavailable, "The keys of tokens were not fetched yet; wait for the first fetch.")
	}
	return nil
}
