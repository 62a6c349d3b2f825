// Package process runs a real server as a child of a test, so that the test may
// kill, pause and restart it. A child never outlives the test binary: it is
// stopped by t.Cleanup, and on Linux the kernel kills it when the binary dies.
package process

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Ports are taken below the range from which the kernel picks ports for outgoing
// connections (32768 and up on Linux). A client that redials a stopped server
// could otherwise be given the server's own port and block its restart.
const (
	firstPort = 20000
	lastPort  = 31999
)

const (
	// The limits are generous: a loaded machine may need seconds for what takes milliseconds.
	startLimit = 60 * time.Second
	stateLimit = 60 * time.Second
	tick       = 5 * time.Millisecond
)

// Spec describes how to start one server.
type Spec struct {
	// Name is used in messages and as the name of the log file.
	Name string
	// Path is the program; Args are its arguments; Env is added to the environment.
	Path string
	Args []string
	Env  []string
	// Dir is where the output of the server is kept.
	Dir string
	// Ready reports nil once the server answers. It is called again and again.
	Ready func() error
}

// Process is one server that can be stopped and started again with the same
// arguments. Its methods fail the test on error and must not be called
// concurrently.
type Process struct {
	t    testing.TB
	spec Spec

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start runs the server and waits until it is ready. The test's cleanup kills it.
func Start(t testing.TB, spec Spec) *Process {
	t.Helper()
	p := &Process{t: t, spec: spec}
	t.Cleanup(p.stop)
	p.Restart()
	return p
}

// Restart kills the server if it still runs, starts it again with the same
// arguments and waits until it is ready.
func (p *Process) Restart() {
	p.t.Helper()
	p.stop()
	if err := p.launch(); err != nil {
		p.t.Fatalf("%s did not start: %v", p.spec.Name, err)
	}
	deadline := time.Now().Add(startLimit)
	for {
		err := p.spec.Ready()
		if err == nil {
			return
		}
		select {
		case <-p.exited:
			p.t.Fatalf("%s exited while starting: %v\n%s", p.spec.Name, err, p.output())
		case <-time.After(tick):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s is not ready after %v: %v\n%s", p.spec.Name, startLimit, err, p.output())
		}
	}
}

// Kill ends the server with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	select {
	case <-p.exited:
		p.t.Fatalf("%s has already exited\n%s", p.spec.Name, p.output())
	default:
		p.stop()
	}
}

// Pause freezes the server: connections stay open and nothing is answered. It
// returns when the server has stopped.
func (p *Process) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	p.awaitStopped(true)
}

// Resume lets a paused server go on.
func (p *Process) Resume() {
	p.t.Helper()
	p.signal(syscall.SIGCONT)
	p.awaitStopped(false)
}

// PID returns the process id of the running server.
func (p *Process) PID() int { return p.cmd.Process.Pid }

func (p *Process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("send %v to %s: %v", s, p.spec.Name, err)
	}
}

// awaitStopped waits until the kernel reports the wanted state, so that a test
// never runs against a server that is about to stop.
func (p *Process) awaitStopped(want bool) {
	p.t.Helper()
	deadline := time.Now().Add(stateLimit)
	for {
		stopped, known := isStopped(p.cmd.Process.Pid)
		if !known || stopped == want {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: stopped is %v and should be %v", p.spec.Name, stopped, want)
		}
		<-time.After(tick)
	}
}

// launch starts the child from a thread that lives as long as the child. The
// kernel sends the parent-death signal when the starting thread ends, not when
// the process ends, so the thread must not be given back before.
func (p *Process) launch() error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(p.spec.Path, p.spec.Args...)
	cmd.Env = append(os.Environ(), p.spec.Env...)
	cmd.Dir = p.spec.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()

	exited := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		defer close(exited)
		defer func() { _ = log.Close() }()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.exited = cmd, exited
	return <-started
}

func (p *Process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *Process) logPath() string { return filepath.Join(p.spec.Dir, p.spec.Name+".log") }

func (p *Process) output() string {
	b, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	const most = 4096
	return string(b[max(0, len(b)-most):])
}

// FreePort returns a port of 127.0.0.1 that nobody listened on a moment ago, and
// that no other test is given before t ends. The claim is the UDP port of the same
// number: a test binary next to this one would otherwise find the TCP port free
// whenever the server is down.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		claim, err := net.ListenPacket("udp", Loopback(port))
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = claim.Close() })
		l, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("close probe listener: %v", err)
		}
		return port
	}
	t.Fatalf("no free port between %d and %d", firstPort, lastPort)
	return 0
}

// Loopback returns "127.0.0.1:port".
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
