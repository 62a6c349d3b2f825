package operators_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// barren is a store without releases that can be broken.
type barren struct {
	operators.AnnouncedStore

	down, hangs atomic.Bool
	views       atomic.Int64
}

func (b *barren) View(ctx context.Context, _ func(context.Context, operators.Tx) error) error {
	b.views.Add(1)
	switch {
	case b.hangs.Load():
		<-ctx.Done()
		return ctx.Err()
	case b.down.Load():
		return fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "The database is not available.")
	}
	return nil
}

func TestTheAnnouncerSaysOnceThatItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := new(barren), new(syncBuffer)
		store.down.Store(true)
		announcer := operators.NewAnnouncer(store, &bulletin{}, &shelf{}, 2, time.Now, slog.New(slog.NewTextHandler(log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			announcer.Run(ctx)
		}()
		said := func(text string) int { return strings.Count(log.String(), text) }
		time.Sleep(2*time.Hour + time.Millisecond)
		require.Equal(t, 1, said("engines cannot be told"))
		require.NotZero(t, said("old releases could not be cleared away"))
		require.GreaterOrEqual(t, store.views.Load(), int64(2*60*60), "it is tried again every second")

		store.down.Store(false)
		time.Sleep(time.Minute)
		require.Equal(t, 1, said("engines can be told again"))
		stop()
		<-done
	})
}

func TestAnAnnouncementWaitsNoLongerThanItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(barren)
		store.hangs.Store(true)
		announcer := operators.NewAnnouncer(store, &bulletin{}, &shelf{}, 2, time.Now, quietLog)
		first := make(chan error)
		go func() {
			_, err := announcer.Announce(context.WithoutCancel(t.Context()))
			first <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := announcer.Announce(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, int64(1), store.views.Load(), "one is under way at a time")
		require.ErrorIs(t, <-first, context.DeadlineExceeded, "a database that hangs is waited for only so long")
	})
}
