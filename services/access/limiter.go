package access

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

const (
	// sharedPatience is the longest a call waits for the shared buckets, for both of its limits together.
	sharedPatience = 25 * time.Millisecond
	// sharedPause is the time between attempts while the shared buckets fail.
	sharedPause = time.Second
	// leaseTime is how much of a caller's rate is taken out of the shared bucket at once, but not more than one
	// leaseShare-th of the bucket: other processes need some as well.
	leaseTime  = 100 * time.Millisecond
	leaseShare = 10
	// refusalPause is the least time between questions to a shared bucket that has too little, unless the bucket
	// would be full before.
	refusalPause = 10 * time.Millisecond
	// minWait is the shortest delay that a refused caller is told.
	minWait = time.Millisecond
)

// ReasonRateLimited refuses a caller who made more calls than a limit allows.
const ReasonRateLimited = "RATE_LIMITED"

var (
	errPrincipalLimited = fault.New(fault.ResourceExhausted, ReasonRateLimited,
		"This credential makes more calls than its limit allows. Wait for the delay given and send more slowly.").With("limit", LimitOfPrincipal)
	errAccountLimited = fault.New(fault.ResourceExhausted, ReasonRateLimited,
		"The callers of this account make more calls than its limit allows. Wait for the delay given and send more slowly.").With("limit", LimitOfAccount)
)

// LimitKey names the bucket of one caller.
type LimitKey struct {
	Kind string // LimitOfPrincipal or LimitOfAccount
	ID   string // the name of the principal or the id of the account
}

// Shared holds the buckets that all processes draw from. It is safe for concurrent use.
type Shared interface {
	// Lease takes as many tokens as the bucket has, least at the least and want at the most: 1 <= least <= want <=
	// limit.Burst. If it has fewer it takes none and tells how long it takes until there are least. It returns by the
	// deadline of ctx; every error means that the bucket cannot be used now.
	Lease(ctx context.Context, key LimitKey, limit Limit, want, least int) (granted int, wait time.Duration, err error)
}

// Limiter lets callers make as many calls as their limits allow. Create it with NewLimiter. It is safe for concurrent
// use.
//
// With shared buckets a process takes tokens in leases and spends them without asking again. A lease is 100 ms of the
// rate, at most a tenth of the burst and at least one token. For N processes the calls let through in any time T are
// at most
//
//	burst + rate x T + N x lease
//
// because each process may start with a lease that it took before, and has in it what calls that were refused for
// their other limit gave back. What is left of a lease is kept for the next call, so over time a caller gets the whole
// rate. Without shared buckets the limit is exact.
//
// A shared bucket that fails is replaced by one in the process, of the same limit, for one second, then one call tries
// again. During that time, and once more when the shared buckets come back, N processes let through up to N times the
// limit. A call waits at most 25 ms for the shared buckets. A caller who was refused is refused here, without a
// question, until the shared bucket has tokens again.
type Limiter struct {
	shared     Shared // nil: each process for itself
	now        func() time.Time
	limits     atomic.Pointer[Limits]
	principals *table[string]
	accounts   *table[uuid.UUID]

	// sharedAgain is when the shared buckets may be tried again, in Unix nanoseconds; 0 while they work.
	sharedAgain      atomic.Int64
	sharedErrors     atomic.Uint64
	principalLimited atomic.Uint64
	accountLimited   atomic.Uint64
}

// NewLimiter returns a limiter. Without shared buckets, nil, each process limits for itself.
func NewLimiter(limits Limits, shared Shared, now func() time.Time) *Limiter {
	l := &Limiter{
		shared: shared, now: now,
		principals: newTable(func(name string) LimitKey { return LimitKey{LimitOfPrincipal, name} }),
		accounts:   newTable(func(id uuid.UUID) LimitKey { return LimitKey{LimitOfAccount, id.String()} }),
	}
	l.SetLimits(limits)
	return l
}

// SetLimits replaces the limits. Callers keep the tokens that they have, as far as they fit.
func (l *Limiter) SetLimits(limits Limits) { l.limits.Store(limits.clone()) }

// Take charges a call to the limits of its principal and of its account; uuid.Nil stands for no account. The cost is
// the number of its items, at least 1. A call that costs more than the burst of a limit needs a full bucket and
// empties it.
//
// It returns nil, or the fault RATE_LIMITED with the time until a retry can succeed; then neither limit is charged.
func (l *Limiter) Take(ctx context.Context, principal string, account uuid.UUID, cost int) error {
	return l.take(ctx, l.limits.Load(), principal, account, cost, 0)
}

// TakeRest charges a call that Take charged as one item when it began, and that turned out to have so many. Together
// they charge what Take alone would have. A refusal also gives back what Take took, because the call will not be made.
func (l *Limiter) TakeRest(ctx context.Context, principal string, account uuid.UUID, cost int) error {
	limits := l.limits.Load()
	err := l.take(ctx, limits, principal, account, cost, 1)
	if err == nil {
		return nil
	}
	if limit := limits.ofPrincipal(principal); !limit.None() {
		l.giveBack(l.principals.lock(principal, limit, l.now))
	}
	if limit := limits.ofAccount(account); !limit.None() {
		l.giveBack(l.accounts.lock(account, limit, l.now))
	}
	return err
}

// giveBack undoes a Take of one in b, which is locked, and unlocks it.
func (l *Limiter) giveBack(b *bucket) {
	b.mu.Unlock()
	b.giveBack(1, l.shared != nil)
}

// take charges what the call costs beyond what it paid before.
func (l *Limiter) take(ctx context.Context, limits *Limits, principal string, account uuid.UUID, cost, before int) error {
	patience := patience{parent: ctx}
	defer patience.end()

	var charged *bucket
	var paid int
	if limit := limits.ofPrincipal(principal); !limit.None() {
		charged, paid = l.principals.lock(principal, limit, l.now), limit.price(cost)-before
		if wait := l.draw(charged, paid, &patience); wait > 0 {
			l.principalLimited.Add(1)
			return errPrincipalLimited.WithRetry(max(wait, minWait))
		}
	}
	if limit := limits.ofAccount(account); !limit.None() {
		b := l.accounts.lock(account, limit, l.now)
		if wait := l.draw(b, limit.price(cost)-before, &patience); wait > 0 {
			if charged != nil {
				charged.giveBack(paid, l.shared != nil)
			}
			l.accountLimited.Add(1)
			return errAccountLimited.WithRetry(max(wait, minWait))
		}
	}
	return nil
}

// Limited tells how many calls were refused for the limit of their principal and of their account.
func (l *Limiter) Limited() (principal, account uint64) {
	return l.principalLimited.Load(), l.accountLimited.Load()
}

// SharedErrors tells how often the shared buckets failed.
func (l *Limiter) SharedErrors() uint64 { return l.sharedErrors.Load() }

// price is what a call of so many items pays.
func (l Limit) price(cost int) int { return min(max(cost, 1), l.Burst) }

// lease is how many tokens are fetched at once.
func (l Limit) lease() int { return int(min(l.Rate*leaseTime.Seconds(), float64(l.Burst)/leaseShare)) }

// draw takes cost tokens from b, which is locked, and unlocks it. It returns 0, or the time until a retry can succeed.
func (l *Limiter) draw(b *bucket, cost int, p *patience) time.Duration {
	defer b.mu.Unlock()
	for {
		now := l.now()
		if b.held >= cost {
			b.held -= cost
			return 0
		}
		if wait := b.refusedUntil.Sub(now); wait > 0 && cost-b.held >= b.refusedCost {
			return wait
		}
		switch {
		case p.over() || !l.mayShare(now):
			return b.draw(now, cost)
		case b.lease != nil:
			p.await(b, cost)
		default:
			l.lease(b, cost, p)
		}
		// The limit may have changed while the bucket was unlocked.
		cost = min(cost, b.limit.Burst)
	}
}

// mayShare reports whether to try the shared buckets. While they fail it is true for one call each sharedPause.
func (l *Limiter) mayShare(now time.Time) bool {
	if l.shared == nil {
		return false
	}
	again := l.sharedAgain.Load()
	return again == 0 ||
		now.UnixNano() >= again && l.sharedAgain.CompareAndSwap(again, now.Add(sharedPause).UnixNano())
}

// lease fetches tokens for a call of the cost and for those to come. The bucket is unlocked meanwhile.
func (l *Limiter) lease(b *bucket, cost int, p *patience) {
	limit, least := b.limit, cost-b.held
	want := min(max(least, limit.lease())+b.waiting, limit.Burst)
	done := make(chan struct{})
	b.lease = done
	whole := p.ctx == nil
	b.mu.Unlock()
	granted, wait, err := l.shared.Lease(p.context(), b.key, limit, want, least)
	b.mu.Lock()
	b.lease = nil
	close(done)

	now := l.now()
	switch {
	case err != nil && !whole && p.over():
		return // the call had little time left; that says nothing about the shared bucket
	case err != nil:
		l.sharedErrors.Add(1)
		l.sharedAgain.Store(now.Add(sharedPause).UnixNano())
		return
	case l.sharedAgain.Load() != 0:
		l.sharedAgain.Store(0)
	}
	switch {
	case b.limit != limit: // what is here is about another bucket
	case granted >= least:
		b.leased(now, granted)
	default:
		enough := time.Duration(float64(want-least) / limit.Rate * float64(time.Second))
		b.refusedCost, b.refusedUntil = least, now.Add(max(wait, min(wait+enough, refusalPause), 1))
	}
}

// patience is the time that one call may wait for the shared buckets. It begins with the first wait.
type patience struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelFunc
}

// context ends with the patience. It does not end with the caller, because others wait for the same lease.
func (p *patience) context() context.Context {
	if p.ctx == nil {
		p.ctx, p.cancel = context.WithTimeout(context.WithoutCancel(p.parent), sharedPatience)
	}
	return p.ctx
}

func (p *patience) over() bool { return p.ctx != nil && p.ctx.Err() != nil }

func (p *patience) end() {
	if p.cancel != nil {
		p.cancel()
	}
}

// await unlocks b until the lease under way ends, or the patience.
func (p *patience) await(b *bucket, cost int) {
	done := b.lease
	b.waiting += cost
	b.mu.Unlock()
	select {
	case <-done:
	case <-p.context().Done():
	}
	b.mu.Lock()
	b.waiting -= cost
}
