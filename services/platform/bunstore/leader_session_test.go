package bunstore

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
	"trunkline/services/platform/pgtest"
)

// The server ends a leader's session that it hears nothing of. Without that a leader that was cut off would keep the
// lock for hours.
func TestTheServerEndsTheSessionOfALeaderThatHangs(t *testing.T) {
	cfg := DefaultConfig()
	cfg.URL = config.NewSecret(pgtest.Database(t))
	db, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	session, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer discard(session)
	won, err := tryLock(t.Context(), session, 1)
	require.NoError(t, err)
	require.True(t, won)
	var limit string
	require.NoError(t, session.NewRaw("SHOW idle_session_timeout").Scan(t.Context(), &limit))
	require.Equal(t, "10s", limit)
	require.Greater(t, leaderIdle, leaderTick+leaderLimit, "a leader that works is not ended")
}
