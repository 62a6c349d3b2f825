package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// cluster is what all servers of this process share: where the binaries are, the
// private folder, and an initialised data folder to copy.
type cluster struct {
	binaries string
	runAs    *syscall.Credential
	root     string
	keeper   io.WriteCloser
}

// theCluster and sharedServer are the package's only state: one per test
// process, which is what makes a database per test cheap.
var (
	theCluster   = sync.OnceValues(newCluster)
	sharedServer = sync.OnceValues(func() (*Server, error) { return newServer("shared") })
)

// keeperScript ends when its input ends, that is, when the test process is gone.
// SIGQUIT makes a server stop at once. A frozen one is woken first.
const keeperScript = `
trap '' INT TERM HUP
cat >/dev/null
for lock in "$1"/*/postmaster.pid; do
	[ -f "$lock" ] || continue
	pid=$(head -n 1 "$lock")
	for one in "$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill -CONT "$one" 2>/dev/null; done
	kill -QUIT "$pid" 2>/dev/null
	tries=0
	while [ -e "/proc/$pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries+1)); done
done
rm -rf "$1"
`

func newCluster() (*cluster, error) {
	binaries, err := findBinaries(packagedBinaries)
	if err != nil {
		return nil, err
	}
	runAs, err := account(os.Getuid())
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("make the folder of the test servers: %w", err)
	}
	c := &cluster{binaries: binaries, runAs: runAs, root: root}
	if err := c.keep(); err != nil {
		return nil, err
	}
	if runAs != nil {
		if err := os.Chown(root, int(runAs.Uid), int(runAs.Gid)); err != nil {
			return nil, fmt.Errorf("give the folder of the test servers to their user: %w", err)
		}
	}
	initdb := c.command("initdb", "-D", c.template(), "-U", superuser, "--auth=trust",
		"--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	return c, nil
}

func (c *cluster) template() string { return filepath.Join(c.root, "template") }

// keep starts the keeper. Its input closes with this process.
func (c *cluster) keep() error {
	keeper := exec.Command("/bin/sh", "-c", keeperScript, "keeper", c.root)
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := keeper.StdinPipe()
	if err != nil {
		return fmt.Errorf("make the keeper's pipe: %w", err)
	}
	if err := keeper.Start(); err != nil {
		return fmt.Errorf("start the keeper: %w", err)
	}
	c.keeper = input
	return nil
}

// command prepares one of the PostgreSQL programs under the right user, in a
// process group of its own so that an interrupt at the terminal does not hit it.
func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.binaries, program), args...)
	cmd.Dir = c.root
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.runAs}
	return cmd
}
