package pgtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func count(t *testing.T, url, query string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	return n
}

func TestEveryTestGetsItsOwnEmptyDatabase(t *testing.T) {
	first, second := Database(t), Database(t)
	require.NotEqual(t, first, second)
	Exec(t, first, "CREATE TABLE seen (n int)", "INSERT INTO seen VALUES (1)")
	require.Equal(t, 1, count(t, first, "SELECT count(*) FROM pg_tables WHERE tablename = 'seen'"))
	require.Equal(t, 0, count(t, second, "SELECT count(*) FROM pg_tables WHERE tablename = 'seen'"))
}

func TestAPreparedDatabaseIsFilledOnceForItsKey(t *testing.T) {
	type key string
	times := 0
	fill := func(url string) {
		times++
		Exec(t, url, "CREATE TABLE seen (n int)", "INSERT INTO seen VALUES (1)")
	}
	for want := range 3 {
		url := Prepared(t, key("one"), fill)
		require.Equal(t, 1, count(t, url, "SELECT count(*) FROM seen"), "no other copy is seen")
		Exec(t, url, "INSERT INTO seen VALUES (2)")
		require.Equal(t, 1, times, "copy %d", want)
	}
	Prepared(t, key("two"), fill)
	require.Equal(t, 2, times)
}

func TestADatabaseIsDroppedWithTheTestAlsoWithSessionsOpen(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = Database(t)
		conn, err := pgx.Connect(context.Background(), url)
		require.NoError(t, err)
		require.False(t, conn.IsClosed())
	})
	_, err := pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "does not exist")
}

func TestTheSharedServerLeavesNoGoroutineBehind(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	Database(t)
	goleak.VerifyNone(t, ignore)
}

func TestAKilledServerIsGoneAndComesBackWithItsData(t *testing.T) {
	s := Start(t)
	url := s.URL()
	Exec(t, url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
	open, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer open.Close(context.Background())

	s.Kill(t)
	_, err = open.Exec(t.Context(), "SELECT 1")
	require.Error(t, err)
	_, err = pgx.Connect(t.Context(), url)
	require.Error(t, err)

	s.Restart(t)
	require.Equal(t, url, s.URL())
	require.Equal(t, 7, count(t, url, "SELECT n FROM kept"))
}

func TestAPausedServerKeepsConnectionsAndAnswersNothing(t *testing.T) {
	s := Start(t)
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer conn.Close(context.Background())

	s.Pause(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = pgx.Connect(ctx, s.URL())
	require.ErrorIs(t, err, context.DeadlineExceeded)

	s.Resume(t)
	var one int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT 1").Scan(&one))
}

func TestMissingBinariesAreNamedWithTheRemedy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findBinaries(filepath.Join(t.TempDir(), "*", "bin"))
	require.EqualError(t, err, "PostgreSQL server binaries were not found: run ./task setup")
}

func TestTheNewestPackagedVersionIsTaken(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	for _, version := range []string{"9", "15", "14"} {
		dir := filepath.Join(root, version, "bin")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for _, name := range []string{"initdb", "postgres"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o755))
		}
	}
	dir, err := findBinaries(filepath.Join(root, "*", "bin"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "15", "bin"), dir)
}

func TestRootHandsTheServerToAnotherUser(t *testing.T) {
	c, err := account(0)
	require.NoError(t, err)
	require.NotZero(t, c.Uid)
	c, err = account(1000)
	require.NoError(t, err)
	require.Nil(t, c)
}

// The process that runs TestHoldsAServer is this test binary again, killed
// without a chance to clean up.
func TestTheKeeperCleansUpAfterAProcessThatWasKilled(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
	cmd := exec.Command(os.Args[0], "-test.run=^TestHoldsAServer$")
	cmd.Env = append(os.Environ(), "PGTEST_HOLD=1", "TMPDIR="+folder)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	require.NoError(t, err)
	url, found := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "holding ")
	require.True(t, found, "the helper said: %s", buf[:n])
	require.Equal(t, 1, count(t, url, "SELECT 1"))

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool {
		left, err := filepath.Glob(filepath.Join(folder, "pgtest-*"))
		return err == nil && len(left) == 0
	}, 60*time.Second, 20*time.Millisecond, "the folder of the servers stays")
	_, err = pgx.Connect(t.Context(), url)
	require.Error(t, err, "the server still answers")
}

func TestHoldsAServer(t *testing.T) {
	if os.Getenv("PGTEST_HOLD") == "" {
		return
	}
	s, err := newServer("held")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString("holding " + s.URL() + "\n")
	select {}
}
