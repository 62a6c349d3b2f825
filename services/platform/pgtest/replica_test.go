package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestAReplicaFollowsItsPrimaryAndOutlivesIt(t *testing.T) {
	primary := Start(t)
	Exec(t, primary.URL(), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
	replica := primary.StartReplica(t)
	require.NotEqual(t, primary.URL(), replica.URL())
	require.Equal(t, 1, count(t, replica.URL(), "SELECT count(*) FROM kept"), "the copy")

	Exec(t, primary.URL(), "INSERT INTO kept VALUES (2)")
	replica.CatchUp(t)
	require.Equal(t, 2, count(t, replica.URL(), "SELECT count(*) FROM kept"), "the stream")

	replica.PauseReplay(t)
	Exec(t, primary.URL(), "INSERT INTO kept VALUES (3)")
	require.Equal(t, 2, count(t, replica.URL(), "SELECT count(*) FROM kept"), "a paused replica shows nothing new")
	replica.ResumeReplay(t)
	replica.CatchUp(t)
	require.Equal(t, 3, count(t, replica.URL(), "SELECT count(*) FROM kept"))

	conn, err := pgx.Connect(t.Context(), replica.URL())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), "INSERT INTO kept VALUES (4)")
	require.ErrorContains(t, err, "read-only")

	primary.Kill(t)
	require.Equal(t, 3, count(t, replica.URL(), "SELECT count(*) FROM kept"), "the primary is gone")
	replica.Restart(t)
	require.Equal(t, 3, count(t, replica.URL(), "SELECT count(*) FROM kept"), "a replica starts without its primary")

	primary.Restart(t)
	Exec(t, primary.URL(), "INSERT INTO kept VALUES (4)")
	replica.CatchUp(t)
	require.Equal(t, 4, count(t, replica.URL(), "SELECT count(*) FROM kept"), "the stream is back")
}

func TestAFrozenReplicaAnswersNothing(t *testing.T) {
	replica := Start(t).StartReplica(t)
	replica.Pause(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := pgx.Connect(ctx, replica.URL())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	replica.Resume(t)
	require.Equal(t, 1, count(t, replica.URL(), "SELECT 1"))
}
