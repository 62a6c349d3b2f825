package secrets

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	minRetry = time.Second
	maxRetry = 30 * time.Second
)

// Run logs in and then keeps the token alive until ctx ends. While Vault cannot be reached or refuses, it tries again
// with growing pauses. Without Run the calls work until the token ends, and log in again then.
func (v *Vault) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-v.loggedIn: // by a call, or by refresh below
			failures = 0
		case <-timer.C:
			err := v.refresh(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				failures++
				v.tell(failures, err)
				timer.Reset(pause(failures))
				continue
			case failures > 0:
				v.log.Info("the token of Vault is alive again", "attempts", failures+1)
			}
			failures = 0
		}
		timer.Stop()
		if s := v.current.Load(); !s.renewAt.IsZero() {
			timer.Reset(time.Until(s.renewAt))
		}
	}
}

// refresh makes the first log-in, or a renewal.
func (v *Vault) refresh(ctx context.Context) error {
	s := v.current.Load()
	if s == nil {
		_, err := v.logIn(ctx, nil)
		return err
	}
	return v.renew(ctx, s)
}

// tell logs the first failure of a row as a warning.
func (v *Vault) tell(failures int, err error) {
	if failures == 1 {
		v.log.Warn("no living token of Vault; trying again", "error", err)
		return
	}
	v.log.Debug("still no living token of Vault", "error", err, "attempts", failures)
}

// pause doubles from minRetry to maxRetry; the jitter takes off up to half, so that processes do not come together.
func pause(failures int) time.Duration {
	d := min(minRetry<<min(failures-1, 10), maxRetry)
	return d/2 + rand.N(d/2+1)
}
