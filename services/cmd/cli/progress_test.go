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
	p := startProgress(&out, "importing", -1, "reading", "storing")
	drawn := func(done, total int64) string {
		out.Reset()
		p.set(done, total)
		return out.String()
	}
	require.Contains(t, drawn(5, 10), "reading")
	p.set(10, 10)
	grown := drawn(12, 12)
	require.Contains(t, grown, "reading", "a total that was guessed grows")
	require.Contains(t, drawn(0, 20), "storing")
	require.NotEmpty(t, drawn(20, 20), "a bar that is full is taken away")
	p.close()
	p.close()

	p = startProgress(&out, "importing", -1, "reading", "storing")
	require.Contains(t, drawn(10, 10), "reading")
	require.Contains(t, drawn(12, 20), "storing", "its first reports were not seen")
	p.close()

	p = startProgress(&out, "importing", -1, "reading", "storing")
	p.set(10, 10)
	require.Contains(t, drawn(0, 10), "storing", "as many are stored as were read")
	p.close()
}

func TestProgressWithoutPhasesKeepsItsTitle(t *testing.T) {
	var out bytes.Buffer
	p := startProgress(&out, "checking", 10)
	p.set(2, 10)
	p.set(4, 20)
	require.EqualValues(t, 20, p.bar.GetMax64())
	p.close()
	require.Contains(t, out.String(), "checking")
}
