package access

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

// batch makes a call whose items are counted after it began.
func batch(t *testing.T, l *Limiter, account uuid.UUID, items int) error {
	t.Helper()
	if err := l.Take(t.Context(), "a", account, 1); err != nil {
		return err
	}
	return l.TakeRest(t.Context(), "a", account, items)
}

func TestTheItemsOfABatchAreChargedAfterItBegan(t *testing.T) {
	for name, shared := range map[string]func(*clock.Fake) Shared{
		"alone":  func(*clock.Fake) Shared { return nil },
		"shared": func(c *clock.Fake) Shared { return newPool(c.Now) },
	} {
		t.Run(name, func(t *testing.T) {
			c := clock.NewFake(start)
			l := NewLimiter(perPrincipal(1, 5), shared(c), c.Now)
			require.NoError(t, batch(t, l, uuid.Nil, 4))
			require.NoError(t, batch(t, l, uuid.Nil, 0), "less than one counts as one")
			requireLimited(t, batch(t, l, uuid.Nil, 1), LimitOfPrincipal, time.Second)

			c.Advance(5 * time.Second)
			require.NoError(t, batch(t, l, uuid.Nil, 1000), "more than the burst needs a full bucket")
			c.Advance(2 * time.Second)
			for range 3 {
				requireLimited(t, batch(t, l, uuid.Nil, 1000), LimitOfPrincipal, 3*time.Second)
			}
			c.Advance(3 * time.Second)
			require.NoError(t, batch(t, l, uuid.Nil, 1000), "what a refused batch began with is given back, so the advice is right")
		})
	}
}

func TestABatchThatTheAccountRefusesCostsNothing(t *testing.T) {
	c, account := clock.NewFake(start), uuid.New()
	l := NewLimiter(Limits{Principal: Limit{1, 10}, Account: Limit{1, 5}}, nil, c.Now)
	require.NoError(t, batch(t, l, account, 2))
	for range 3 {
		requireLimited(t, batch(t, l, account, 4), LimitOfAccount, time.Second)
	}
	require.NoError(t, batch(t, l, account, 3))
	require.NoError(t, take(t, l, "a", 5))
	require.True(t, fault.Is(take(t, l, "a", 1), ReasonRateLimited))
}
