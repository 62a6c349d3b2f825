package vaulttest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trunkline/services/platform/natstest/process"
)

const (
	program   = ".vault/vault-test-server"
	policies  = "deploy/vault/*.hcl"
	rootToken = "vaulttest-root"
)

// Server is one Vault process. Its methods fail the test on error.
type Server struct {
	*process.Process
	t    testing.TB
	port int
	dir  string
}

// Start runs a server on a free port of 127.0.0.1 and returns when it is unsealed. The test's cleanup stops it. A
// machine without the program fails the test.
func Start(t testing.TB) *Server {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	path, err := findProgram(root)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, port: process.FreePort(t), dir: t.TempDir()}
	s.Process = process.Start(t, process.Spec{
		Name:  "vault",
		Path:  path,
		Args:  []string{"-listen", process.Loopback(s.port), "-dir", s.dir, "-token", rootToken},
		Dir:   s.dir,
		Ready: s.ready,
	})
	for _, method := range []string{"approle", "kubernetes"} {
		s.Request(http.MethodPost, "sys/auth/"+method, map[string]any{"type": method})
	}
	s.writePolicies(filepath.Join(root, policies))
	return s
}

// repository finds the folder of the main module from that of the running test.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod in or above the folder of the test")
		}
		dir = parent
	}
}

func findProgram(root string) (string, error) {
	path := filepath.Join(root, program)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the Vault test server %s was not found: run ./task setup", program)
	}
	return path, nil
}

func (s *Server) writePolicies(pattern string) {
	s.t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no policy at %s: %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		s.Policy(strings.TrimSuffix(filepath.Base(file), ".hcl"), string(text))
	}
}

// URL returns the address for clients, such as "http://127.0.0.1:20123". It stays the same across restarts.
func (s *Server) URL() string { return "http://" + process.Loopback(s.port) }

// RootToken returns a token that may do everything and never ends.
func (s *Server) RootToken() string { return rootToken }

// Seal closes the store: the server refuses everything until Unseal or Restart.
func (s *Server) Seal() {
	s.t.Helper()
	s.Request(http.MethodPut, "sys/seal", nil)
}

// Unseal opens the store again with all that was in it.
func (s *Server) Unseal() {
	s.t.Helper()
	key, err := os.ReadFile(filepath.Join(s.dir, "unseal.key"))
	if err != nil {
		s.t.Fatalf("read the unseal key: %v", err)
	}
	s.Request(http.MethodPut, "sys/unseal", map[string]any{"key": base64.StdEncoding.EncodeToString(key)})
	if err := s.ready(); err != nil {
		s.t.Fatalf("after unsealing: %v", err)
	}
}

func (s *Server) ready() error {
	status, _, err := s.call(http.MethodGet, "sys/health", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("sys/health answers %d", status)
	}
	return err
}
