package pacttest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// World is a provider process with all that it needs, arranged by states.
type World interface {
	// URL is the base URL of its server.
	URL() string
	// Close ends it.
	Close() error
}

// Worlds gives each interaction of a pact a world of its own, so that nothing of the one before is left, and
// stands before them under one URL.
type Worlds[W World] struct {
	// URL is where the world of the interaction under way is served.
	URL string

	create func(ctx context.Context) (W, error)

	mu  sync.Mutex
	now *W
}

// NewWorlds makes worlds until the test ends.
func NewWorlds[W World](tb testing.TB, create func(ctx context.Context) (W, error)) *Worlds[W] {
	s := &Worlds[W]{create: create}
	front := httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = front.URL
	tb.Cleanup(func() {
		front.Close()
		if err := s.End(context.Background()); err != nil {
			tb.Errorf("end the last world: %v", err)
		}
	})
	return s
}

// Current gives the world of the interaction under way, making it when there is none.
func (s *Worlds[W]) Current(ctx context.Context) (W, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		return *s.now, nil
	}
	w, err := s.create(ctx)
	if err == nil {
		s.now = &w
	}
	return w, err
}

// End closes the current world. It is a Provider's Reset.
func (s *Worlds[W]) End(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return nil
	}
	w := *s.now
	s.now = nil
	return w.Close()
}

// serve passes a request on as it is.
func (s *Worlds[W]) serve(rw http.ResponseWriter, r *http.Request) {
	w, err := s.Current(r.Context())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	target, err := url.Parse(w.URL())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}).ServeHTTP(rw, r)
}

// Arrange is a State of the current world. Parameters are read strictly: one that the state does not know
// would be ignored otherwise, and the interaction verified in another state than its consumer means.
func Arrange[W World, P any](s *Worlds[W], arrange func(ctx context.Context, w W, params P) error) State {
	return Tell(s, func(ctx context.Context, w W, params P) (map[string]any, error) { return nil, arrange(ctx, w, params) })
}

// Tell is Arrange for a State that gives values to the request.
func Tell[W World, P any](s *Worlds[W], arrange func(ctx context.Context, w W, params P) (map[string]any, error)) State {
	return func(ctx context.Context, data json.RawMessage) (map[string]any, error) {
		var params P
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&params); err != nil {
			return nil, err
		}
		w, err := s.Current(ctx)
		if err != nil {
			return nil, err
		}
		return arrange(ctx, w, params)
	}
}
