package cli

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProgressIsForTerminalsOnly(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/stderr")
	require.NoError(t, err)
	p := newProgress(f, "importing", 10)
	p.set(5, 10)
	p.close()
	content, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Empty(t, content)
	require.NoError(t, f.Close())
}

func TestProgressFollowsTheServersPhases(t *testing.T) {
	var out bytes.Buffer
	p := &progress{bar: newBar(&out, "importing", -1)}
	p.set(10, 10)
	p.set(1, 20)
	p.set(20, 20)
	p.close()
	p.close()
	require.Contains(t, out.String(), "importing")
}
