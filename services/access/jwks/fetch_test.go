package jwks

import (
	"bytes"
	"compress/gzip"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
)

func TestAnswersThatAreNotTaken(t *testing.T) {
	e := newEndpoint(t)
	elsewhere := newEndpoint(t)
	elsewhere.serve(http.StatusOK, onlyED())
	var bomb bytes.Buffer
	pack := gzip.NewWriter(&bomb)
	_, _ = pack.Write(bytes.Repeat([]byte(" "), 4<<20))
	_ = pack.Close()
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"a redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.server.URL, http.StatusFound)
		}, "status 302 instead of 200; redirects are not followed"},
		{"a redirect on the same host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusPermanentRedirect)
		}, "status 308"},
		{"a good document with another status", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write(onlyED())
		}, "status 202"},
		{"more than 1 MiB", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(onlyED(), bytes.Repeat([]byte(" "), maxDocument)...))
		}, "longer than 1 MiB"},
		{"a body that unpacks to more than 1 MiB", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "longer than 1 MiB"},
		{"endless headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
			_, _ = w.Write(onlyED())
		}, "headers exceeded"},
		{"a body that is cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(onlyED())
		}, "read the answer"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "no JWKS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e.serveBy(c.answer)
			v, err := New(e.config(t), clock.System(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			require.ErrorContains(t, refreshNow(t, v), c.want)
		})
	}
	require.Zero(t, elsewhere.fetched.Load(), "nothing was asked elsewhere")
}

func TestTheCertificateOfTheEndpointIsChecked(t *testing.T) {
	e := newEndpoint(t)
	e.serve(http.StatusOK, onlyED())
	fetch := func(change func(*Config)) error {
		cfg := e.config(t)
		change(&cfg)
		v, err := New(cfg, clock.System(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		return refreshNow(t, v)
	}
	require.NoError(t, fetch(func(*Config) {}))
	require.ErrorContains(t, fetch(func(c *Config) { c.CAFile = "" }), "certificate")
	require.ErrorContains(t, fetch(func(c *Config) { c.CAFile += ".missing" }), "ca_file")
	require.ErrorContains(t, fetch(func(c *Config) {
		require.NoError(t, os.WriteFile(c.CAFile, []byte("no certificate"), 0o600))
	}), "ca_file holds no PEM certificate")
	require.ErrorContains(t, fetch(func(c *Config) { c.JWKSURL = strings.Replace(c.JWKSURL, "127.0.0.1", "localhost", 1) }), "localhost")
}

func TestDevelopmentMayFetchWithoutTLSFromThisMachine(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(onlyED()) }))
	t.Cleanup(server.Close)
	cfg := ourConfig()
	cfg.JWKSURL, cfg.AllowHTTP = server.URL, true
	v, err := New(cfg, clock.System(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, refreshNow(t, v))
}
