package redistest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServerForgetsEverythingOnRestart(t *testing.T) {
	s := Start(t)
	_, err := s.call("SET k v")
	require.NoError(t, err)
	got, err := s.call("GET k")
	require.NoError(t, err)
	require.Equal(t, "v", got)

	addr := s.Addr()
	s.Kill()
	_, err = s.call("PING")
	require.Error(t, err, "a killed server must not answer")
	s.Restart()
	require.Equal(t, addr, s.Addr())
	got, err = s.call("GET k")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestPausedServerDoesNotAnswerUntilResumed(t *testing.T) {
	s := Start(t)
	s.Pause()
	_, err := s.call("PING")
	require.Error(t, err)
	s.Resume()
	_, err = s.call("PING")
	require.NoError(t, err)
}

func TestServerWithPasswordStarts(t *testing.T) {
	s := Start(t, "--requirepass", "opensesame")
	_, err := s.call("GET k")
	require.ErrorContains(t, err, "NOAUTH")
}

func TestClusterSpreadsKeysAndRecoversFromAKill(t *testing.T) {
	c := StartCluster(t)
	require.Len(t, c.Addrs(), 3)
	// The slots of "a", "b" and "c" are 15495, 3300 and 7365.
	for node, key := range []string{"b", "c", "a"} {
		_, err := c.Nodes[node].call("SET " + key + " v")
		require.NoError(t, err, "node %d owns the slot of %s", node, key)
	}
	_, err := c.Nodes[0].call("GET a")
	require.ErrorContains(t, err, "MOVED")
	c.Nodes[2].Kill()
	c.Nodes[2].Restart()
	c.AwaitOK(t)
}
