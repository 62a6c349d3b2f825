package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestARunningProcessTakesUpItsSettings changes the file under an engine whose neighbours are all down.
func TestARunningProcessTakesUpItsSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine.yaml")
	put := func(addr, level string, origins ...string) {
		t.Helper()
		require.NoError(t, os.WriteFile(file+".new", fmt.Appendf(nil,
			"database:\n  url: postgres://nobody:canary-9f3b77ad@127.0.0.1:1/none\nnats:\n  urls: [\"nats://127.0.0.1:1\"]\nredis:\n  addrs: [\"127.0.0.1:1\"]\n"+
				"server:\n  addr: %s\n  cors:\n    allowed_origins: [%s]\n  drain:\n    notice: 0s\nlog:\n  level: %s\n",
			addr, strings.Join(origins, ","), level), 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	t.Setenv("TRUNKLINE_ACCESS_KEYS_PEPPER", "9f3b77ad51c0e2d84b6a1f9037c5e8d29f3b77ad51c0e2d8")
	put("127.0.0.1:0", "info")
	p := start(t, "serve", "routing-engine", "--config", file)
	url := "http://" + p.find(t, `"addr":"(127\.0\.0\.1:\d+)","tls":false`)
	require.Equal(t, http.StatusOK, status(url+"/health"))
	seen := 0 // bytes of the log that earlier steps have read
	next := func(pattern string) {
		t.Helper()
		var from int
		require.Eventually(t, func() bool {
			text := p.output.String()[seen:]
			from = strings.Index(text, pattern)
			return from >= 0
		}, eventually, tick, "the log never had %s", pattern)
		seen += from + len(pattern)
	}
	metric := func(line string) {
		t.Helper()
		_, text := get(url + "/metrics")
		require.Contains(t, text, line+"\n")
	}
	metric("trunkline_config_last_reload_success 1")

	require.NotContains(t, p.output.String(), `"level":"DEBUG"`)
	put("127.0.0.1:0", "debug")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	next(`"changed":["log.level"]`)
	next(`"level":"DEBUG"`) // of the connections that are still looked for

	preflight := func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, url+"/trunkline.routing.v1.RoutingService/SelectOperator", nil)
		require.NoError(t, err)
		req.Header.Set("Origin", "https://console.example")
		req.Header.Set("Access-Control-Request-Method", "POST")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.Header.Get("Access-Control-Allow-Origin")
	}
	require.Empty(t, preflight())
	put("127.0.0.1:0", "debug", "https://console.example")
	next(`"changed":["server.cors.allowed_origins"]`)
	require.Equal(t, "https://console.example", preflight())

	put("127.0.0.1:0", "loud", "https://console.example")
	next(`"message":"the new configuration is not usable, the old one stays in force","service":"routing-engine","cause":"file","error":"`)
	next(`log.level = \"loud\"`)
	metric("trunkline_config_last_reload_success 0")
	metric(`trunkline_config_reload_total{result="error"} 1`)

	put("127.0.0.1:9", "warn", "https://console.example")
	next(`"message":"these settings changed and need a restart","service":"routing-engine","settings":["server.addr"]`)
	metric("trunkline_config_last_reload_success 1")
	require.Equal(t, http.StatusOK, status(url+"/health"), "at the old address")
	p.stop(t)
	require.NotContains(t, p.output.String()[seen:], "draining", "which is told at info")
	require.NotContains(t, p.output.String(), "canary")
}
