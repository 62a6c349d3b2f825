package clock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestTheFakeStandsStillUntilMoved(t *testing.T) {
	fake := clock.NewFake(start)
	var c clock.Clock = fake
	require.Equal(t, start, c.Now())
	require.Equal(t, start, c.Now())

	require.Equal(t, start.Add(time.Minute), fake.Advance(time.Minute))
	require.Equal(t, start.Add(time.Minute), c.Now())
	fake.Advance(-2 * time.Minute)
	require.Equal(t, start.Add(-time.Minute), c.Now())
	fake.Set(start)
	require.Equal(t, start, c.Now())
}

func TestTheFakeCountsEveryConcurrentStep(t *testing.T) {
	fake := clock.NewFake(start)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { fake.Advance(time.Second); fake.Now() })
	}
	group.Wait()
	require.Equal(t, start.Add(50*time.Second), fake.Now())
}

func TestTheSystemClockMovesForward(t *testing.T) {
	c := clock.System()
	before := time.Now()
	now := c.Now()
	require.False(t, now.Before(before))
	require.False(t, time.Now().Before(now))
}
