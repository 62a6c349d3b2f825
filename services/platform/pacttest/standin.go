package pacttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// StandIn takes the place of a Pact Broker in a test: it answers the calls that a verification makes, and
// keeps them. Its documents have the links of the broker's that are followed, and no others.
type StandIn struct {
	// URL is its base URL.
	URL string

	tb            testing.TB
	authorization string
	pacts         map[string]json.RawMessage // by consumer

	mu        sync.Mutex
	refuse    bool
	selectors json.RawMessage
	fetched   map[string]bool
	results   []Result
	branches  map[string]string
}

// Result is a verification result that was published.
type Result struct {
	Consumer, Provider, Version string
	Success                     bool
}

// StartStandIn serves these pacts until the test ends. Every request must have this Authorization header. The
// broker that the environment names is out of play meanwhile: the library would take its credentials.
func StartStandIn(tb testing.TB, authorization string, pacts ...[]byte) *StandIn {
	tb.Helper()
	for _, name := range []string{"PACT_BROKER_BASE_URL", "PACT_BROKER_TOKEN", "PACT_BROKER_USERNAME", "PACT_BROKER_PASSWORD"} {
		tb.Setenv(name, "")
	}
	s := &StandIn{
		tb: tb, authorization: authorization, pacts: map[string]json.RawMessage{},
		fetched: map[string]bool{}, branches: map[string]string{},
	}
	for _, pact := range pacts {
		var names struct {
			Consumer struct {
				Name string `json:"name"`
			} `json:"consumer"`
		}
		if err := json.Unmarshal(pact, &names); err != nil {
			tb.Fatalf("read a pact: %v", err)
		}
		s.pacts[names.Consumer.Name] = pact
	}
	mux := http.NewServeMux()
	const pact = "/pacts/provider/{provider}/consumer/{consumer}/pact-version/1"
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /pacts/provider/{provider}/for-verification", s.forVerification)
	mux.HandleFunc("POST /pacts/provider/{provider}/for-verification", s.forVerification)
	mux.HandleFunc("GET "+pact, s.pact)
	mux.HandleFunc("POST "+pact+"/verification-results", s.publish)
	mux.HandleFunc("GET "+pact+"/verification-results/latest", s.latest)
	mux.HandleFunc("GET /pacticipants/{provider}", s.provider)
	mux.HandleFunc("PUT /pacticipants/{provider}/branches/{branch}/versions/{version}", s.branch)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		tb.Errorf("the stand-in has no answer to %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != s.authorization {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// RefuseResults makes the stand-in answer every published result with an error.
func (s *StandIn) RefuseResults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = true
}

// Fetched lists the consumers whose pacts were read, sorted.
func (s *StandIn) Fetched() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.fetched))
}

// Results lists what was published, oldest first.
func (s *StandIn) Results() []Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.results)
}

// Branches gives the branch that each version of the provider was said to be of.
func (s *StandIn) Branches() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.branches)
}

// Selectors gives the consumer version selectors last asked for, as JSON.
func (s *StandIn) Selectors() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.selectors)
}

func (s *StandIn) index(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, s.links(map[string]string{
		"self":             "/",
		relForVerification: "/pacts/provider/{provider}/for-verification",
		"pb:provider":      "/pacticipants/{provider}",
		"pb:pacticipant":   "/pacticipants/{pacticipant}",
	}))
}

func (s *StandIn) forVerification(w http.ResponseWriter, r *http.Request) {
	var question struct {
		Selectors json.RawMessage `json:"consumerVersionSelectors"`
	}
	pacts := []any{}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.selectors = question.Selectors
		s.mu.Unlock()
		for _, consumer := range slices.Sorted(maps.Keys(s.pacts)) {
			pacts = append(pacts, map[string]any{
				"shortDescription":       "latest from the main branch",
				"verificationProperties": map[string]any{"notices": []any{}},
				"_links":                 map[string]any{"self": map[string]any{"href": s.URL + pactPath(r.PathValue("provider"), consumer), "name": "Pact of " + consumer}},
			})
		}
	}
	document := s.links(map[string]string{"self": r.URL.Path})
	document["_embedded"] = map[string]any{"pacts": pacts}
	s.answer(w, http.StatusOK, document)
}

func (s *StandIn) pact(w http.ResponseWriter, r *http.Request) {
	consumer := r.PathValue("consumer")
	document := map[string]any{}
	if err := json.Unmarshal(s.pacts[consumer], &document); err != nil {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	s.fetched[consumer] = true
	s.mu.Unlock()
	path := pactPath(r.PathValue("provider"), consumer)
	maps.Copy(document, s.links(map[string]string{
		"self":                            path,
		"pb:provider":                     "/pacticipants/" + url.PathEscape(r.PathValue("provider")),
		"pb:publish-verification-results": path + "/verification-results",
		relLatestResult:                   path + "/verification-results/latest",
	}))
	s.answer(w, http.StatusOK, document)
}

func (s *StandIn) publish(w http.ResponseWriter, r *http.Request) {
	var result struct {
		Success bool   `json:"success"`
		Version string `json:"providerApplicationVersion"`
	}
	if err := json.NewDecoder(r.Body).Decode(&result); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		http.Error(w, "no room", http.StatusInternalServerError)
		return
	}
	s.results = append(s.results, Result{r.PathValue("consumer"), r.PathValue("provider"), result.Version, result.Success})
	s.answer(w, http.StatusCreated, s.links(map[string]string{"self": r.URL.Path + "/" + fmt.Sprint(len(s.results))}))
}

func (s *StandIn) latest(w http.ResponseWriter, r *http.Request) {
	for _, result := range slices.Backward(s.Results()) {
		if result.Consumer == r.PathValue("consumer") && result.Provider == r.PathValue("provider") {
			s.answer(w, http.StatusOK, map[string]any{"success": result.Success, "providerApplicationVersion": result.Version})
			return
		}
	}
	http.NotFound(w, r)
}

func (s *StandIn) provider(w http.ResponseWriter, r *http.Request) {
	path := "/pacticipants/" + url.PathEscape(r.PathValue("provider"))
	document := s.links(map[string]string{
		"self":              path,
		"pb:version-tag":    path + "/versions/{version}/tags/{tag}",
		"pb:branch-version": path + "/branches/{branch}/versions/{version}",
	})
	document["name"] = r.PathValue("provider")
	s.answer(w, http.StatusOK, document)
}

func (s *StandIn) branch(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.branches[r.PathValue("version")] = r.PathValue("branch")
	s.answer(w, http.StatusCreated, s.links(map[string]string{"self": r.URL.Path}))
}

// links is a document with these relations.
func (s *StandIn) links(paths map[string]string) map[string]any {
	links := map[string]any{}
	for rel, path := range paths {
		links[rel] = map[string]any{"href": s.URL + path, "templated": true}
	}
	return map[string]any{"_links": links}
}

func (s *StandIn) answer(w http.ResponseWriter, status int, document map[string]any) {
	w.Header().Set("Content-Type", "application/hal+json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(document); err != nil {
		s.tb.Errorf("the stand-in cannot answer: %v", err)
	}
}

func pactPath(provider, consumer string) string {
	return "/pacts/provider/" + url.PathEscape(provider) + "/consumer/" + url.PathEscape(consumer) + "/pact-version/1"
}
