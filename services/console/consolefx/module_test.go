package consolefx_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"trunkline/services/console/consolefx"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// serving starts a process that has the console and nothing else, and gives its address.
func serving(t *testing.T, c consolefx.Config) string {
	t.Helper()
	p := platformfx.DefaultConfig()
	p.Server.Addr, p.Server.Drain.Notice = "127.0.0.1:0", 0
	var server *rpcserver.Server
	app := fxtest.New(t,
		fx.Supply(p, platformfx.Process{Name: "test", Version: "v1"}, slog.New(slog.DiscardHandler), rpcserver.Metrics{}, c, consolefx.Auth(true)),
		platformfx.Module, consolefx.Module, fx.Populate(&server),
	)
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	return server.URL()
}

type answer struct {
	code   int
	header http.Header
	body   string
}

// ask gets an address as a browser would, without following redirects.
func ask(t *testing.T, method, url string) answer {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/html")
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(body)}
}

func TestTheConsoleIsOnTheServerOfTheProcess(t *testing.T) {
	url := serving(t, consolefx.Config{Enabled: true, Environment: "staging"})

	settings := ask(t, http.MethodGet, url+"/console/settings.json")
	require.Equal(t, http.StatusOK, settings.code)
	require.JSONEq(t, `{"engineUrl":"","environment":"staging","version":"v1","auth":true}`, settings.body)

	root := ask(t, http.MethodGet, url+"/")
	require.Equal(t, "/console/", root.header.Get("Location"))
	short := ask(t, http.MethodGet, url+"/console?a=b")
	require.Equal(t, "/console/?a=b", short.header.Get("Location"))
	require.Contains(t, []int{http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}, short.code)
	require.Equal(t, http.StatusMethodNotAllowed, ask(t, http.MethodPost, url+"/console/").code)
	require.Equal(t, http.StatusNotFound, ask(t, http.MethodGet, url+"/elsewhere").code)

	missing := ask(t, http.MethodGet, url+"/console/assets/none.js")
	require.Equal(t, http.StatusNotFound, missing.code)
	require.Equal(t, "no-store", missing.header.Get("Cache-Control"))
	require.NotContains(t, missing.header.Get("Content-Security-Policy"), "script-src", "no page, no scripts")
	require.Equal(t, "nosniff", missing.header.Get("X-Content-Type-Options"))

	// Encoded ways up never reach the handler, or find nothing.
	for _, path := range []string{"/console/%2e%2e/metrics", "/console/..%2f..%2fgo.mod", "/console/assets/..%2findex.html"} {
		up := ask(t, http.MethodGet, url+path)
		require.NotEqual(t, http.StatusOK, up.code, path)
		require.NotContains(t, up.body, "module trunkline")
	}
}

func TestTheConsoleCanBeTurnedOff(t *testing.T) {
	url := serving(t, consolefx.Config{})
	for _, path := range []string{"/", "/console", "/console/", "/console/settings.json"} {
		require.Equal(t, http.StatusNotFound, ask(t, http.MethodGet, url+path).code, path)
	}
}

func TestTheServersPolicyCanBeExtended(t *testing.T) {
	// A start fails where it cannot; the page itself is there only in a binary with the console.
	url := serving(t, consolefx.Config{Enabled: true, EngineURL: "https://engine.example"})
	settings := ask(t, http.MethodGet, url+"/console/settings.json")
	require.Contains(t, settings.body, `"engineUrl":"https://engine.example"`)
}

func TestSettingsThatAreRefused(t *testing.T) {
	require.NoError(t, consolefx.DefaultConfig().Validate())
	require.True(t, consolefx.DefaultConfig().Enabled)
	for _, engine := range []string{"https://engine.example", "https://engine.example:8443", "http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"} {
		require.NoError(t, consolefx.Config{EngineURL: engine}.Validate(), engine)
	}
	for engine, says := range map[string]string{
		"http://engine.example":                       "use https",
		"https://engine.example/":                     "without path",
		"https://engine.example/path":                 "without path",
		"https://engine.example?q":                    "without path",
		"https://Engine.example":                      "small letters",
		"https://engine.example:443":                  "leave out the port",
		"https://*.example":                           "wildcard",
		"https://user:secret@engine.example":          "without path",
		"engine.example":                              "write an origin",
		"//engine.example":                            "write an origin",
		"ftp://engine.example":                        "use https",
		"javascript:alert(1)":                         "write an origin",
		"https://engine.example;script-src":           "write an origin",
		"https://engine.example 'unsafe-inline'":      "write an origin",
		"https://engine.example,https://evil.example": "write an origin",
	} {
		err := consolefx.Config{EngineURL: engine}.Validate()
		require.ErrorContains(t, err, "engine_url", engine)
		require.ErrorContains(t, err, says, engine)
	}
	require.NoError(t, consolefx.Config{Environment: strings.Repeat("ü", 32)}.Validate())
	for _, environment := range []string{strings.Repeat("a", 33), "two\nlines", "a\x00"} {
		require.ErrorContains(t, consolefx.Config{Environment: environment}.Validate(), "at most 32 characters in one line")
	}
}
