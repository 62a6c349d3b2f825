package rediscache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/redis/rueidis"

	"trunkline/services/platform/fault"
)

// These are made once: refusing has to be cheap.
var (
	errOpen = ErrUnavailable.Wrap(circuitbreaker.ErrOpen)
	errFull = ErrUnavailable.Wrap(errors.New("too many calls in flight"))
)

// call runs do under the budget and the breaker.
func call[T any](ctx context.Context, c *Cache, do func(context.Context, rueidis.Client) (T, error)) (T, error) {
	if err := c.refused(); err != nil {
		var none T
		return none, err
	}
	value, err := limited(ctx, c, c.cfg.Budget, do)
	switch {
	case errors.Is(err, errFull) || ctx.Err() != nil:
		// Says nothing about Redis.
	case err == nil || answered(err):
		c.breaker.RecordSuccess()
	default:
		c.breaker.RecordFailure()
	}
	return value, unavailable(ctx, err)
}

// limited runs do in a goroutine of its own and leaves it behind when the time is
// over. The client library has waits that do not end with a context: for a place
// in its queue and for a connection that another call is making. The slot stays
// taken until do returns, which bounds what is left behind.
//
// The context of do does not end with that of the caller: callers that ask for the
// same key share one command, and one that gives up early must not fail the rest.
func limited[T any](ctx context.Context, c *Cache, limit time.Duration, do func(context.Context, rueidis.Client) (T, error)) (T, error) {
	var none T
	select {
	case c.slots <- struct{}{}:
	default:
		return none, errFull
	}
	type result struct {
		value T
		err   error
	}
	shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	done := make(chan result, 1)
	client := *c.client.Load()
	go func() {
		defer cancel()
		defer func() { <-c.slots }()
		value, err := do(shared, client)
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-shared.Done():
		select {
		case r := <-done: // it ended because do is over
			return r.value, r.err
		default:
			return none, shared.Err()
		}
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// refused returns why calls are not tried now, or nil.
func (c *Cache) refused() error {
	if c.client.Load() == nil {
		err := errors.New("not connected to Redis yet")
		if last := c.lastErr.Load(); last != nil {
			err = fmt.Errorf("not connected to Redis yet: %w", *last)
		}
		return ErrUnavailable.Wrap(err)
	}
	if !c.breaker.IsClosed() {
		return errOpen
	}
	return nil
}

// answered reports whether err is the reply of a working server that has a
// complaint, such as a key of another type. A server that is loading or that
// refuses the log-in does not work.
func answered(err error) bool {
	reply, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	for _, down := range []string{"LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "WRONGPASS"} {
		if strings.HasPrefix(reply.Error(), down) {
			return false
		}
	}
	return true
}

// unavailable gives err the form that callers see.
func unavailable(caller context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable):
		return err
	case caller.Err() != nil:
		return fault.From(caller.Err())
	default:
		return ErrUnavailable.Wrap(err)
	}
}
