package vaulttest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

const callLimit = 20 * time.Second

// Request calls the HTTP API with the root token. Path is what follows /v1/, a nil body sends none. It returns the
// answer, nil when it is empty. Any answer but a success fails the test.
func (s *Server) Request(method, path string, body map[string]any) map[string]any {
	s.t.Helper()
	status, answer, err := s.call(method, path, body)
	if err != nil || status >= http.StatusMultipleChoices {
		s.t.Fatalf("%s %s: status %d, %v: %v", method, path, status, err, answer)
	}
	return answer
}

// call is a client of its own, because the helpers must not depend on the one that the tests are about. It keeps no
// connection and so leaves no goroutine.
func (s *Server) call(method, path string, body map[string]any) (int, map[string]any, error) {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return 0, nil, err
		}
	}
	request, err := http.NewRequest(method, s.URL()+"/v1/"+path, &text)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("X-Vault-Token", rootToken)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: callLimit}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if response.StatusCode == http.StatusNoContent {
		return response.StatusCode, nil, nil
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	return response.StatusCode, answer, err
}
