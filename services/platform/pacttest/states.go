package pacttest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// State brings the provider into a state before an interaction. params is the JSON object that the pact gives
// to the state; it may be empty. The request of the interaction may have been written with a ${name}: then the value
// of that name is put in. values may be nil.
type State func(ctx context.Context, params json.RawMessage) (values map[string]any, err error)

// stateTimeout bounds one state.
const stateTimeout = 30 * time.Second

// states is the endpoint at which the Pact library asks for provider states.
type states struct {
	tb     testing.TB
	states map[string]State
	reset  func(ctx context.Context) error
}

// serveStates starts the endpoint and gives its URL. The end of the test stops it.
func serveStates(tb testing.TB, known map[string]State, reset func(ctx context.Context) error) string {
	server := httptest.NewServer(&states{tb: tb, states: known, reset: reset})
	tb.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP implements http.Handler. A failure is an answer that makes the library fail the interaction, and
// fails the test by itself too.
func (s *states) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), stateTimeout)
	defer cancel()
	values, err := s.change(ctx, r)
	answer := []byte("{}")
	if err == nil && values != nil {
		answer, err = json.Marshal(values)
	}
	if err != nil {
		s.tb.Errorf("provider state: %v", err)
		// The library tears nothing down after a failure, and the next interaction would find what is left.
		if err := s.undo(context.WithoutCancel(ctx)); err != nil {
			s.tb.Errorf("undo the provider states: %v", err)
		}
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

func (s *states) change(ctx context.Context, r *http.Request) (values map[string]any, err error) {
	var wanted struct {
		Action string          `json:"action"`
		State  string          `json:"state"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		return nil, fmt.Errorf("the question cannot be read: %w", err)
	}
	switch wanted.Action {
	case "setup":
		if wanted.State == "" {
			return nil, nil // the interaction needs none
		}
		state, ok := s.states[wanted.State]
		if !ok {
			return nil, fmt.Errorf("nobody handles %q; add it to the States of this provider", wanted.State)
		}
		if len(wanted.Params) == 0 {
			wanted.Params = json.RawMessage("{}")
		}
		if values, err = state(ctx, wanted.Params); err != nil {
			return nil, fmt.Errorf("%q: %w", wanted.State, err)
		}
		return values, nil
	case "teardown":
		return nil, s.undo(ctx)
	}
	return nil, fmt.Errorf("unknown action %q", wanted.Action)
}

func (s *states) undo(ctx context.Context) error {
	if s.reset == nil {
		return nil
	}
	return s.reset(ctx)
}
