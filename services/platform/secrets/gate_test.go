package secrets_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// gate stands between a Vault client and the server and stops one request, so that a test can break things exactly
// there.
type gate struct {
	url     string
	forward http.Handler
	ended   <-chan struct{} // the test is over: nothing waits any more

	mu    sync.Mutex
	stop  *stop
	calls []string // "METHOD path" of every request
}

// stop is one request that waits at the gate.
type stop struct {
	method, path string
	answered     bool          // wait after the server did its work; the answer is lost then
	reached      chan struct{} // closed when the request waits
	release      chan struct{} // the test closes it
}

func newGate(t *testing.T, target string, serve func(http.Handler) *httptest.Server) *gate {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	g := &gate{ended: t.Context().Done(), forward: &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:    &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	server := serve(g)
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// next stops the next request of this kind.
func (g *gate) next(method, path string, answered bool) *stop {
	s := &stop{method, path, answered, make(chan struct{}), make(chan struct{})}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stop = s
	return s
}

// seen returns the calls so far and forgets them.
func (g *gate) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	calls := g.calls
	g.calls = nil
	return calls
}

func (g *gate) take(r *http.Request) *stop {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v1/"))
	if s := g.stop; s != nil && r.Method == s.method && strings.HasPrefix(r.URL.Path, "/v1/"+s.path) {
		g.stop = nil
		return s
	}
	return nil
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := g.take(r)
	if s != nil && s.answered {
		g.forward.ServeHTTP(httptest.NewRecorder(), r)
	}
	if s != nil {
		close(s.reached)
		select {
		case <-s.release:
		case <-g.ended:
		}
	}
	if s != nil && s.answered {
		panic(http.ErrAbortHandler)
	}
	g.forward.ServeHTTP(w, r)
}
