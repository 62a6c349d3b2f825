package platformfx_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"trunkline/services/platform/platformfx"
)

func profiled(t *testing.T, addr string) (*process, *platformfx.Profiling) {
	t.Helper()
	var profiling *platformfx.Profiling
	p := newProcess(t, func(c *platformfx.Config) { c.Profiling.Addr = addr }, fx.Populate(&profiling))
	p.app.RequireStart()
	return p, profiling
}

// ask gets a path of the profiler under the name that a caller gives the machine.
func ask(t *testing.T, client *http.Client, addr, host, path string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, http.NoBody)
	require.NoError(t, err)
	req.Host = host
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

func TestTheProfilerListensByItself(t *testing.T) {
	p, profiling := profiled(t, "127.0.0.1:0")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	addr := profiling.Addr().String()
	code, body := ask(t, client, addr, addr, "/debug/pprof/goroutine?debug=1")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "goroutine profile")
	code, _ = ask(t, client, addr, "localhost", "/debug/pprof/")
	require.Equal(t, http.StatusOK, code)
	code, _ = ask(t, client, addr, "rebound.example:80", "/debug/pprof/goroutine?debug=1")
	require.Equal(t, http.StatusForbidden, code, "a name that only resolves to loopback")
	for _, seconds := range []string{"3600", "NaN", "Inf"} {
		code, body = ask(t, client, addr, addr, "/debug/pprof/profile?seconds="+seconds)
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, body, "120 seconds or less")
	}
	code, _ = ask(t, client, addr, addr, "/metrics")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = ask(t, client, p.server.Addr().String(), addr, "/debug/pprof/")
	require.Equal(t, http.StatusNotFound, code, "the public listener has none")
	p.app.RequireStop()
	_, err := client.Get("http://" + addr + "/debug/pprof/")
	require.Error(t, err)
}

func TestTheProfilerIsOffUnlessAsked(t *testing.T) {
	p, profiling := profiled(t, "")
	require.Nil(t, profiling.Addr())
	p.app.RequireStop()
}

func TestAStopDoesNotWaitForAProfile(t *testing.T) {
	p, profiling := profiled(t, "127.0.0.1:0")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	// The headers of a trace arrive when it begins.
	res, err := client.Get("http://" + profiling.Addr().String() + "/debug/pprof/trace?seconds=100")
	require.NoError(t, err)
	p.app.RequireStop()
	_, err = io.Copy(io.Discard, res.Body)
	require.Error(t, err, "cut")
	require.NoError(t, res.Body.Close())
}

func TestTheProfilerIsNeverReachedByOthers(t *testing.T) {
	for addr, says := range map[string]string{
		"0.0.0.0:6060": "loopback", ":6060": "loopback", "192.0.2.1:6060": "loopback", "[::]:6060": "loopback", "db:6060": "loopback", "6060": "host:port",
	} {
		require.ErrorContains(t, platformfx.ProfilingConfig{Addr: addr}.Validate(), says, addr)
		c := platformfx.DefaultConfig()
		c.Profiling.Addr = addr
		app := fx.New(fx.NopLogger, fx.Supply(c, platformfx.Process{Name: "test"}), quietParts, platformfx.Module)
		require.ErrorContains(t, app.Err(), says, addr)
	}
	for _, addr := range []string{"", "127.0.0.1:6060", "[::1]:6060", "localhost:6060"} {
		require.NoError(t, platformfx.ProfilingConfig{Addr: addr}.Validate(), addr)
	}
}
