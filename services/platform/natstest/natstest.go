// Package natstest runs a real NATS server with JetStream as a separate process
// that a test may kill, pause and restart on the same port and store.
//
// The process is the test binary itself, started again with a marker in its
// environment: the server is linked in, so no NATS installation, no build step
// and no download is needed.
package natstest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"trunkline/services/platform/natstest/process"
)

const answerLimit = 5 * time.Second

// Server is one NATS server process.
type Server struct {
	*process.Process
	t     testing.TB
	port  int
	store string
}

// Start runs a server on a free port of 127.0.0.1 with a private store and
// returns when JetStream answers. The test's cleanup stops it.
func Start(t testing.TB) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{t: t, port: process.FreePort(t), store: filepath.Join(dir, "store")}
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("find the test binary: %v", err)
	}
	s.Process = process.Start(t, process.Spec{
		Name:  "nats",
		Path:  self,
		Env:   []string{marker(s.port, s.store)},
		Dir:   dir,
		Ready: s.ready,
	})
	return s
}

// URL returns the address for clients, such as "nats://127.0.0.1:20123". It
// stays the same across restarts.
func (s *Server) URL() string { return "nats://" + process.Loopback(s.port) }

// WipeStore deletes everything the server has stored. Call it between Kill and
// Restart to play the loss of a disk.
func (s *Server) WipeStore() {
	s.t.Helper()
	if err := os.RemoveAll(s.store); err != nil {
		s.t.Fatalf("wipe the store: %v", err)
	}
}

// ready asks JetStream for its account info over a bare connection: a listening
// port alone does not mean that streams have been recovered.
func (s *Server) ready() error {
	conn, err := net.DialTimeout("tcp", process.Loopback(s.port), answerLimit)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return err
	}
	ask := "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n" +
		"SUB ready 1\r\nPUB $JS.API.INFO ready 0\r\n\r\nPING\r\n"
	if _, err := conn.Write([]byte(ask)); err != nil {
		return err
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.Contains(line, "account_info_response"):
			return nil
		case strings.HasPrefix(line, "-ERR"), strings.HasPrefix(line, "HMSG"):
			return fmt.Errorf("JetStream does not answer: %s", line)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return fmt.Errorf("the server closed the connection")
}

// LostListener excuses a goroutine of nats.go that outlives the object store's Put when it gets to run only after Put is done: it
// then waits for a channel that is gone. It is one per such Put, on a busy machine.
func LostListener() goleak.Option {
	return goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect")
}
