//go:build pact

package pacttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/pacttest"
)

// pact is one interaction with one state. The real ones are verified beside the services they are with.
const pact = `{
  "consumer": {"name": "reader"}, "provider": {"name": "library"},
  "interactions": [{
    "type": "Synchronous/HTTP", "description": "a book", "pending": false,
    "providerStates": [{"name": "a book is there", "params": {"title": "T"}}],
    "request": {
      "method": "GET", "path": "/book", "headers": {"If-Match": ["example"]},
      "generators": {"header": {"If-Match": {"type": "ProviderState", "expression": "${etag of T}"}}}
    },
    "response": {"status": 200}
  }],
  "metadata": {"pactSpecification": {"version": "4.0"}}
}`

// etag is known to the state only, not to the pact.
const etag = "8"

// library answers with the status once the state was set up with its parameter, to who knows the etag.
func library(t *testing.T, status int) pacttest.Provider {
	t.Helper()
	there := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if there && r.Header.Get("If-Match") == etag {
			w.WriteHeader(status)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	return pacttest.Provider{
		Name: "library", URL: server.URL,
		States: map[string]pacttest.State{"a book is there": func(_ context.Context, params json.RawMessage) (map[string]any, error) {
			var p struct{ Title string }
			if err := json.Unmarshal(params, &p); err != nil || p.Title != "T" {
				return nil, errors.New("the parameter did not arrive")
			}
			there = true
			return map[string]any{"etag of T": etag}, nil
		}},
		Reset: func(context.Context) error { there = false; return nil },
	}
}

// at is who publishes results at the stand-in.
func at(s *pacttest.StandIn) pacttest.Broker {
	return pacttest.Broker{URL: s.URL, Username: "reader", Password: "secret", Version: "7", Branch: "main"}
}

const basic = "Basic cmVhZGVyOnNlY3JldA=="

// fails runs a test that must fail, and whose failure is not this test's.
func fails(name string, test func(t *testing.T)) bool {
	return !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: name, F: test}})
}

func TestProviderWithTheRightAnswerIsASuccessAtTheBroker(t *testing.T) {
	broker := pacttest.StartStandIn(t, basic, []byte(pact))
	pacttest.VerifyFromBroker(t, library(t, 200), at(broker))
	require.Equal(t, []string{"reader"}, broker.Fetched())
	require.Equal(t, []pacttest.Result{{Consumer: "reader", Provider: "library", Version: "7", Success: true}}, broker.Results())
	require.Equal(t, map[string]string{"7": "main"}, broker.Branches())
}

func TestProviderWithAnotherAnswerIsAFailureAtTheBroker(t *testing.T) {
	broker := pacttest.StartStandIn(t, basic, []byte(pact))
	require.True(t, fails("another answer", func(t *testing.T) { pacttest.VerifyFromBroker(t, library(t, 500), at(broker)) }))
	require.Equal(t, []pacttest.Result{{Consumer: "reader", Provider: "library", Version: "7"}}, broker.Results())
}

// The library warns and calls the provider all the same, which answers as the pact wants.
func TestProviderThatDoesNotHandleAStateFails(t *testing.T) {
	broker := pacttest.StartStandIn(t, basic, []byte(pact))
	require.True(t, fails("unhandled state", func(t *testing.T) {
		p := library(t, 200)
		_, err := p.States["a book is there"](t.Context(), json.RawMessage(`{"title":"T"}`))
		require.NoError(t, err)
		p.States, p.Reset = map[string]pacttest.State{"another": nil}, nil
		pacttest.VerifyFromBroker(t, p, at(broker))
	}))
	require.Equal(t, []pacttest.Result{{Consumer: "reader", Provider: "library", Version: "7"}}, broker.Results())
}

// A result that is lost on the way is no failure to the library.
func TestProviderWhoseResultTheBrokerRefusesFails(t *testing.T) {
	broker := pacttest.StartStandIn(t, basic, []byte(pact))
	broker.RefuseResults()
	require.True(t, fails("refused result", func(t *testing.T) { pacttest.VerifyFromBroker(t, library(t, 200), at(broker)) }))
	require.Empty(t, broker.Results())
}

func TestProviderWithoutTheRightCredentialFails(t *testing.T) {
	broker := pacttest.StartStandIn(t, "Bearer other", []byte(pact))
	require.True(t, fails("credential", func(t *testing.T) { pacttest.VerifyFromBroker(t, library(t, 200), at(broker)) }))
	require.Empty(t, broker.Fetched())
}

func TestProviderOfWhichTheBrokerHasNoPactFails(t *testing.T) {
	broker := pacttest.StartStandIn(t, basic)
	require.True(t, fails("no pact", func(t *testing.T) { pacttest.VerifyFromBroker(t, library(t, 200), at(broker)) }))
}

func TestProviderWithoutPactFilesFails(t *testing.T) {
	t.Setenv("PACT_BROKER_BASE_URL", "")
	require.True(t, fails("no files", func(t *testing.T) { pacttest.Verify(t, library(t, 200), t.TempDir()) }))
}

func TestProviderIsVerifiedFromTheBrokerThatTheEnvironmentNames(t *testing.T) {
	broker := pacttest.StartStandIn(t, "Bearer secret", []byte(pact))
	for name, value := range map[string]string{
		"PACT_BROKER_BASE_URL": broker.URL, "PACT_BROKER_TOKEN": "secret",
		"PACT_PROVIDER_VERSION": "8", "PACT_PROVIDER_BRANCH": "topic",
	} {
		t.Setenv(name, value)
	}
	pacttest.Verify(t, library(t, 200), t.TempDir())
	require.Equal(t, []pacttest.Result{{Consumer: "reader", Provider: "library", Version: "8", Success: true}}, broker.Results())
	require.Equal(t, map[string]string{"8": "topic"}, broker.Branches())
}
