package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// server is a program that the benchmark runs for itself, on a socket in a folder that nobody else may enter. It ends with the
// benchmark, also when that is killed.
type server struct {
	dir    string
	runAs  *syscall.Credential
	ended  chan struct{}
	signal func(os.Signal) error
}

// newServer makes the folder. Programs that refuse to run as root run as somebody else, to whom it belongs then.
func newServer(asRoot bool) (s *server, err error) {
	s = &server{}
	// Not below the folder of the run, which others cannot enter; and short, because names of sockets are.
	if s.dir, err = os.MkdirTemp("", "trunkline-peer-"); err != nil {
		return nil, err
	}
	if asRoot || os.Getuid() != 0 {
		return s, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		who, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(who.Uid) // Linux has numbers
		gid, _ := strconv.Atoi(who.Gid)
		s.runAs = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return s, os.Chown(s.dir, uid, gid)
	}
	return nil, errors.Join(fmt.Errorf("%w: it does not run as root, and there is no user postgres or nobody", errMissing), s.stop())
}

// run runs a program to its end.
func (s *server) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the program is the caller's
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.runAs}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, out)
	}
	return nil
}

// start runs a program until stop, and waits until it answers.
func (s *server) start(ctx context.Context, answers func(ctx context.Context) error, program string, args ...string) error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(program, args...) //nolint:noctx,gosec // it lives until stop; the program is the caller's
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.runAs, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = log.Close() }()
		// The kernel kills the program when the thread that started it ends, so the thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is killed, or its log tells
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.ended, s.signal = ended, cmd.Process.Signal
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s ended: %s", filepath.Base(program), text)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", filepath.Base(program), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the program and removes the folder.
func (s *server) stop() error {
	if s.signal != nil {
		_ = s.signal(syscall.SIGQUIT) // PostgreSQL ends its children then; it may have ended by itself
		select {
		case <-s.ended:
		case <-time.After(stopLimit):
			_ = s.signal(syscall.SIGKILL)
			<-s.ended
		}
	}
	return os.RemoveAll(s.dir)
}
