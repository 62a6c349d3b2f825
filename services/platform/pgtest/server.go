package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "postgres"
	// startLimit is generous: a loaded machine may need seconds for what takes 100 ms.
	startLimit = 60 * time.Second
	startTick  = 10 * time.Millisecond
	// portTries bounds how often a start is repeated because the port was taken meanwhile.
	portTries = 5
	// Below the range from which the kernel picks ports for outgoing connections: a client that dials a killed
	// server again and again could otherwise be given the server's own port and keep it from coming back.
	firstPort, lastPort = 20000, 31999
)

// Server is a PostgreSQL server that belongs to one test. Its methods are for
// the goroutine of that test.
type Server struct {
	cluster *cluster
	data    string
	port    int
	claim   net.PacketConn // keeps the port from others while the server is down
	process *os.Process
}

// Start gives a running server that no other test uses. It is stopped and
// removed at the end of t. The test fails when no server can be had.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := newServer("own")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Errorf("stop the PostgreSQL server of this test: %v", err)
		}
	})
	return s
}

func newServer(name string) (*Server, error) {
	c, err := theCluster()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp(c.root, name+"-")
	if err != nil {
		return nil, fmt.Errorf("make a data folder: %w", err)
	}
	if out, err := exec.Command("cp", "-a", c.template()+"/.", data).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the data folder: %w: %s", err, out)
	}
	s := &Server{cluster: c, data: data}
	return s, s.launchAnywhere()
}

// launchAnywhere starts the server on a port that is free.
func (s *Server) launchAnywhere() error {
	for try := 1; ; try++ {
		var err error
		if err = s.takePort(); err != nil {
			return err
		}
		if err = s.launch(); err == nil {
			return nil
		}
		_ = s.claim.Close()
		if try == portTries {
			return err
		}
	}
}

// takePort finds a port that nobody listened on a moment ago, and claims it by the UDP port of the same number, as
// natstest does: another test binary would otherwise find the TCP port free while the server is down.
func (s *Server) takePort() error {
	var err error
	for range 200 {
		s.port = firstPort + rand.IntN(lastPort-firstPort+1)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
		if s.claim, err = net.ListenPacket("udp4", address); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp4", address); err == nil {
			return l.Close()
		}
		_ = s.claim.Close()
	}
	return fmt.Errorf("find a free port: %w", err)
}

// remove stops the server and gives back all that it had.
func (s *Server) remove() error {
	return errors.Join(s.stop(), os.RemoveAll(s.data), s.claim.Close())
}

// URL is the address of the database postgres on this server, for its superuser.
// It stays the same over Restart.
func (s *Server) URL() string { return s.database("postgres") }

func (s *Server) database(name string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", superuser, s.port, name)
}

// Kill ends the server and all its sessions with SIGKILL, as a power cut would.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Fatalf("kill PostgreSQL: %v", err)
	}
}

// Restart kills the server if it runs and starts it again on the same port with
// the same data. It returns when the server answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill(t)
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
}

// Pause freezes the server and all its sessions: connections stay open and
// nothing answers. Resume wakes it.
func (s *Server) Pause(t testing.TB) {
	t.Helper()
	if err := s.signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("pause PostgreSQL: %v", err)
	}
}

// Resume wakes a server that Pause froze.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	if err := s.signal(syscall.SIGCONT); err != nil {
		t.Fatalf("resume PostgreSQL: %v", err)
	}
}

// signal reaches the postmaster and its children. They are in sessions of their
// own, so a signal to the process group would miss them.
func (s *Server) signal(sig syscall.Signal) error {
	if s.process == nil {
		return errors.New("the server does not run")
	}
	if err := s.process.Signal(sig); err != nil {
		return err
	}
	if sig == syscall.SIGSTOP {
		// A postmaster that is not quite asleep could start a session that is missed below.
		s.awaitAsleep()
	}
	for _, pid := range s.children() {
		// A child may have ended since.
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// awaitAsleep returns when the postmaster has stopped, or soon where the system does not tell.
func (s *Server) awaitAsleep() {
	for range 100 {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.process.Pid), "stat"))
		// The state comes after the name of the program, which is in brackets.
		if _, state, found := strings.Cut(string(text), ") "); err != nil || !found || strings.HasPrefix(state, "T") {
			return
		}
		time.Sleep(startTick)
	}
}

func (s *Server) children() []int {
	pid := strconv.Itoa(s.process.Pid)
	text, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

func (s *Server) stop() error {
	if s.process == nil {
		return nil
	}
	children := s.children()
	if err := s.signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if _, err := s.process.Wait(); err != nil {
		return err
	}
	s.process = nil
	// The next start refuses while a session of the old server lives.
	deadline := time.Now().Add(startLimit)
	for _, pid := range children {
		for syscall.Kill(pid, 0) == nil {
			if time.Now().After(deadline) {
				return fmt.Errorf("session %d of the killed server does not end", pid)
			}
			time.Sleep(startTick)
		}
	}
	return nil
}

func (s *Server) launch() error {
	logPath := filepath.Join(s.data, "server.log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("make the server's log: %w", err)
	}
	defer log.Close()
	settings := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.port), "unix_socket_directories=",
		// Nothing is forced to disk. What is committed still survives Kill: the system keeps what was written.
		"fsync=off",
		"max_connections=200", "shared_buffers=64MB", "wal_level=replica", "max_wal_senders=4",
		// For replicas: the primary keeps what one may have missed, and one that lost its primary asks again soon.
		"wal_keep_size=64MB", "wal_retrieve_retry_interval=100ms",
	}
	args := []string{"-D", s.data}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := s.cluster.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.process = cmd.Process

	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		// Asking without blocking needs no goroutine that would wait for as long as the server lives.
		var status syscall.WaitStatus
		if pid, _ := syscall.Wait4(s.process.Pid, &status, syscall.WNOHANG, nil); pid == s.process.Pid {
			s.process = nil
			return fmt.Errorf("PostgreSQL ended at start: %s", tail(logPath))
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("PostgreSQL did not answer in %s: %w: %s", startLimit, err, tail(logPath)), s.stop())
		}
		time.Sleep(startTick)
	}
}

// tail returns the end of a log, enough to show why a start failed.
func tail(path string) string {
	const kept = 2000
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-kept):]))
}
