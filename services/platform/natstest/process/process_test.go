//go:build linux

package process_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/natstest/process"
)

const roleName = "PROCESSTEST_ROLE"

// TestMain plays the two other parts: a test binary that starts a server and
// then hangs, and the server, which waits forever.
func TestMain(m *testing.M) {
	switch os.Getenv(roleName) {
	case "server":
		select {}
	default:
		os.Exit(m.Run())
	}
}

func start(t *testing.T) *process.Process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return process.Start(t, process.Spec{
		Name: "server", Path: self, Dir: t.TempDir(),
		Env:   []string{roleName + "=server"},
		Ready: func() error { return nil },
	})
}

// TestHangWithServer is the first part. It is run by the test below only, which
// asks for it by an environment variable.
func TestHangWithServer(t *testing.T) {
	if os.Getenv(roleName) != "parent" {
		return
	}
	p := start(t)
	fmt.Printf("\nserver %d\n", p.PID())
	<-t.Context().Done()
}

func TestServerDiesWithItsTestBinary(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	parent := exec.Command(self, "-test.run=^TestHangWithServer$", "-test.v")
	parent.Env = append(os.Environ(), roleName+"=parent")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	defer func() { _ = parent.Wait() }()

	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), "server "); found {
			pid, err = strconv.Atoi(text)
			require.NoError(t, err)
		}
	}
	require.NotZero(t, pid)
	require.True(t, alive(pid))
	require.NoError(t, parent.Process.Kill())
	require.Eventually(t, func() bool { return !alive(pid) }, 60*time.Second, 5*time.Millisecond)
}

// alive treats a dead child that nobody has waited for yet as gone.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestAPortBelongsToOneTest(t *testing.T) {
	port := 0
	t.Run("while it runs", func(t *testing.T) {
		port = process.FreePort(t)
		_, err := net.ListenPacket("udp", process.Loopback(port))
		require.ErrorIs(t, err, syscall.EADDRINUSE, "another test binary sees that it is taken")
	})
	claim, err := net.ListenPacket("udp", process.Loopback(port))
	require.NoError(t, err, "it is free again")
	require.NoError(t, claim.Close())
}

func TestKillPauseResumeRestart(t *testing.T) {
	p := start(t)
	first := p.PID()
	p.Pause()
	p.Resume()
	p.Pause()
	p.Kill()
	require.False(t, alive(first))
	p.Restart()
	require.NotEqual(t, first, p.PID())
}
