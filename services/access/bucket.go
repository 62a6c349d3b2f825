package access

import (
	"math"
	"sync"
	"time"
)

// bucket is what this process knows of the bucket of one caller. It is not golang.org/x/time/rate because that cannot
// take tokens back, and because the leases need the same lock.
type bucket struct {
	key LimitKey

	mu    sync.Mutex
	limit Limit
	// tokens were here at the time at. They are the whole bucket while there is no shared one. Else they follow what
	// this process took from the shared one, so that a caller does not find a second burst when that fails.
	tokens float64
	at     time.Time
	// held are tokens of the shared bucket that are not used yet.
	held int
	// The shared bucket had less than refusedCost tokens and will have so many at refusedUntil, not earlier.
	refusedCost  int
	refusedUntil time.Time
	// lease is closed at the end of the lease under way; nil while there is none.
	lease chan struct{}
	// waiting is what those who wait for the lease will take.
	waiting int
}

func newBucket(key LimitKey, l Limit, now time.Time) *bucket {
	return &bucket{key: key, limit: l, tokens: float64(l.Burst), at: now}
}

// flow lets in the tokens of the time that has passed. A clock that goes back lets none in.
func (b *bucket) flow(now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens, b.at = min(b.tokens+passed.Seconds()*b.limit.Rate, float64(b.limit.Burst)), now
	}
}

// epsilon makes up for the rounding of fractions of tokens.
const epsilon = 1e-9

// draw takes cost tokens from what is here. It returns 0, or the time until they are here.
func (b *bucket) draw(now time.Time, cost int) time.Duration {
	b.flow(now)
	missing := float64(cost-b.held) - b.tokens
	if missing > epsilon {
		return max(time.Duration(math.Ceil(missing/b.limit.Rate*float64(time.Second))), 1)
	}
	b.tokens, b.held = max(-missing, 0), 0
	return 0
}

// giveBack undoes a draw of cost tokens.
func (b *bucket) giveBack(cost int, shared bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if shared {
		b.held += cost
	} else {
		b.tokens += float64(cost) // what does not fit spills over at the next draw
	}
}

// leased adds tokens that the shared bucket gave.
func (b *bucket) leased(now time.Time, granted int) {
	b.flow(now)
	b.tokens = max(b.tokens-float64(granted), 0)
	b.held += granted
}

// become gives the bucket another limit. It keeps its tokens, as far as they fit.
func (b *bucket) become(now time.Time, l Limit) {
	b.flow(now)
	b.tokens = min(b.tokens, float64(l.Burst))
	b.limit, b.held, b.refusedUntil = l, 0, time.Time{}
}

// fill is how full the bucket is, from 0 to 1.
func (b *bucket) fill(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flow(now)
	return b.tokens / float64(b.limit.Burst)
}

const (
	// maxBuckets bounds the callers of one kind that a process remembers, with about 300 bytes each.
	maxBuckets = 1 << 15
	// evictionSample is how many buckets are looked at to make room for one.
	evictionSample = 16
)

// table holds the buckets of one kind of caller. A full bucket is as good as none, so those go first when there is
// no room. If the sample has no full one the fullest goes: its caller finds a full one at the next call. A call under
// way goes on with the bucket it has.
type table[K comparable] struct {
	key func(K) LimitKey
	max int

	mu      sync.RWMutex
	buckets map[K]*bucket
}

func newTable[K comparable](key func(K) LimitKey) *table[K] {
	return &table[K]{key: key, max: maxBuckets, buckets: make(map[K]*bucket)}
}

// lock returns the bucket of id with the limit, locked.
func (t *table[K]) lock(id K, limit Limit, now func() time.Time) *bucket {
	t.mu.RLock()
	b := t.buckets[id]
	t.mu.RUnlock()
	if b == nil {
		b = t.add(id, limit, now())
	}
	b.mu.Lock()
	if b.limit != limit {
		b.become(now(), limit)
	}
	return b
}

func (t *table[K]) add(id K, limit Limit, now time.Time) *bucket {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.buckets[id]; b != nil {
		return b
	}
	if len(t.buckets) >= t.max {
		t.evict(now)
	}
	b := newBucket(t.key(id), limit, now)
	t.buckets[id] = b
	return b
}

// evict makes room. It relies on the random start of iterations over a map.
func (t *table[K]) evict(now time.Time) {
	var (
		fullest K
		most    float64
		seen    int
	)
	for id, b := range t.buckets {
		if seen++; seen > evictionSample {
			break
		}
		fill := b.fill(now)
		if fill >= 1 {
			delete(t.buckets, id)
		}
		if fill >= most {
			fullest, most = id, fill
		}
	}
	delete(t.buckets, fullest)
}
