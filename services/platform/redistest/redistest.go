// Package redistest runs real Redis servers as separate processes, alone or as a
// cluster of three masters, that a test may kill, pause and restart on the same
// port. Nothing is persisted: a restarted server is empty.
package redistest

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"trunkline/services/platform/natstest/process"
)

// Server is one redis-server process.
type Server struct {
	*process.Process
	port int
}

// Start runs a server on a free port of 127.0.0.1 and returns when it answers
// PING. Further arguments are given to redis-server, such as "--requirepass",
// "secret". The test's cleanup stops it. A machine without redis-server fails
// the test.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not installed: run ./task setup (or apt-get install redis-server)")
	}
	dir := t.TempDir()
	s := &Server{port: process.FreePort(t)}
	s.Process = process.Start(t, process.Spec{
		Name: "redis",
		Path: path,
		Args: append([]string{
			"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port),
			"--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no",
			"--maxmemory-policy", "allkeys-lru",
		}, args...),
		Dir:   dir,
		Ready: s.ready,
	})
	return s
}

// Addr returns the address for clients, such as "127.0.0.1:20123". It stays the
// same across restarts.
func (s *Server) Addr() string { return process.Loopback(s.port) }

// ready accepts a demand for a password as an answer: the server is up.
func (s *Server) ready() error {
	_, err := s.call("PING")
	if err != nil && strings.HasPrefix(err.Error(), "NOAUTH") {
		return nil
	}
	return err
}
