package bunstore

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
)

func TestAReplicaThatFallsFarBehindIsRememberedCoarselyAndNeverTooWell(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	w := newWatch(nil, nil, clock.NewFake(start), slog.New(slog.DiscardHandler))
	require.Zero(t, w.reached(1<<40), "nothing is known yet")

	// The log grows by one position a second for an hour.
	const hour = 3600
	for second := range hour {
		w.sawPrimary(start.Add(time.Duration(second)*time.Second), int64(second), nil)
		require.LessOrEqual(t, len(w.waiting), mostSamples)
	}
	require.Zero(t, w.reached(-1))
	for position := int64(0); position < hour; position += 7 {
		complete := w.reached(position)
		if complete.IsZero() {
			continue
		}
		require.False(t, complete.After(start.Add(time.Duration(position)*time.Second)), "complete until a time whose position was not reached")
	}
	require.Equal(t, start.Add((hour-1)*time.Second), w.reached(hour), "the last position is never forgotten")
	require.Empty(t, w.waiting)
	require.Equal(t, start.Add((hour-1)*time.Second), w.reached(0), "it never goes back")
}
