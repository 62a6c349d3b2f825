package pgtest

import (
	"errors"
	"fmt"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

var errNoBinaries = errors.New("PostgreSQL server binaries were not found: run ./task setup")

// packagedBinaries is where Debian puts the binaries of each major version.
const packagedBinaries = "/usr/lib/postgresql/*/bin"

// findBinaries returns the folder that holds initdb and postgres. The links in
// PATH are resolved, because the server looks for its library next to itself.
func findBinaries(packaged string) (string, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(initdb); err == nil && holdsServer(filepath.Dir(target)) {
			return filepath.Dir(target), nil
		}
	}
	found, err := filepath.Glob(packaged)
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	slices.SortFunc(found, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
	for _, dir := range found {
		if holdsServer(dir) {
			return dir, nil
		}
	}
	return "", errNoBinaries
}

func majorVersion(binaries string) int {
	version, _ := strconv.Atoi(filepath.Base(filepath.Dir(binaries)))
	return version
}

func holdsServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// account returns the user that the servers run as, or nil for the current one.
func account(uid int) (*syscall.Credential, error) {
	if uid != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		id, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		group, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &syscall.Credential{Uid: uint32(id), Gid: uint32(group)}, nil
	}
	return nil, errors.New("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody: run the tests as an ordinary user")
}
