package pacttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Broker says how to reach a Pact Broker and who publishes results.
type Broker struct {
	// URL is the base URL. Token authenticates, or Username and Password, or nothing.
	URL, Token, Username, Password string
	// Version of the provider, and the branch it is on.
	Version, Branch string
}

// brokerFromEnvironment gives the broker of PACT_BROKER_BASE_URL, false when it is not set. The version comes
// from PACT_PROVIDER_VERSION and the branch from PACT_PROVIDER_BRANCH, or both from git.
func brokerFromEnvironment(ctx context.Context) (Broker, bool, error) {
	b := Broker{
		URL:      os.Getenv("PACT_BROKER_BASE_URL"),
		Token:    os.Getenv("PACT_BROKER_TOKEN"),
		Username: os.Getenv("PACT_BROKER_USERNAME"),
		Password: os.Getenv("PACT_BROKER_PASSWORD"),
		Version:  os.Getenv("PACT_PROVIDER_VERSION"),
		Branch:   os.Getenv("PACT_PROVIDER_BRANCH"),
	}
	if b.URL == "" {
		return Broker{}, false, nil
	}
	var err error
	if b.Version == "" {
		// With -dirty when something is not committed, so that no commit is credited with it.
		if b.Version, err = git(ctx, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"); err != nil {
			return Broker{}, false, fmt.Errorf("set PACT_PROVIDER_VERSION: %w", err)
		}
	}
	if b.Branch == "" {
		if b.Branch, err = git(ctx, "symbolic-ref", "--short", "HEAD"); err != nil {
			return Broker{}, false, fmt.Errorf("set PACT_PROVIDER_BRANCH: %w", err)
		}
	}
	return b, true, nil
}

func git(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", args...).Output() // the arguments are constants
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// selector chooses pacts by the versions of their consumers; the names are those of the broker's API.
type selector struct {
	MainBranch         bool `json:"mainBranch,omitempty"`
	MatchingBranch     bool `json:"matchingBranch,omitempty"`
	DeployedOrReleased bool `json:"deployedOrReleased,omitempty"`
}

// selectors are what a provider must not break: what is being built and what is in use.
func selectors() []selector {
	return []selector{{MainBranch: true}, {MatchingBranch: true}, {DeployedOrReleased: true}}
}

// The relations of the broker's HAL documents that are followed here.
const (
	relForVerification = "pb:provider-pacts-for-verification"
	relLatestResult    = "pb:latest-verification-results"
)

type link struct {
	Href string `json:"href"`
	Name string `json:"name"`
}

type resource struct {
	Links map[string]json.RawMessage `json:"_links"` // some relations hold lists
}

func (r resource) href(rel string) (string, error) {
	var l link
	if err := json.Unmarshal(r.Links[rel], &l); err != nil || l.Href == "" {
		return "", fmt.Errorf("the broker's answer has no link %s", rel)
	}
	return l.Href, nil
}

// errNotReceived is a result that the broker does not have.
var errNotReceived = errors.New("the broker did not get the result")

// received checks that the broker holds a result of this version for every pact it wants verified, and that
// it is a success when the verification was one.
func (b Broker) received(ctx context.Context, provider string, success bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	pacts, err := b.forVerification(ctx, provider)
	if err != nil {
		return err
	}
	for _, pact := range pacts {
		if err := b.hasResult(ctx, pact, success); err != nil {
			return fmt.Errorf("%s: %w", pact.Name, err)
		}
	}
	return nil
}

func (b Broker) forVerification(ctx context.Context, provider string) ([]link, error) {
	var index resource
	if _, err := b.call(ctx, http.MethodGet, b.URL, nil, &index); err != nil {
		return nil, err
	}
	href, err := index.href(relForVerification)
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(map[string]any{"consumerVersionSelectors": selectors(), "providerVersionBranch": b.Branch})
	if err != nil {
		return nil, err
	}
	var found struct {
		Embedded struct {
			Pacts []struct {
				Links struct {
					Self link `json:"self"`
				} `json:"_links"`
			} `json:"pacts"`
		} `json:"_embedded"`
	}
	href = strings.ReplaceAll(href, "{provider}", url.PathEscape(provider))
	if _, err := b.call(ctx, http.MethodPost, href, question, &found); err != nil {
		return nil, err
	}
	var pacts []link
	for _, p := range found.Embedded.Pacts {
		pacts = append(pacts, p.Links.Self)
	}
	if len(pacts) == 0 {
		return nil, fmt.Errorf("the broker has no pact with %s to verify", provider)
	}
	return pacts, nil
}

func (b Broker) hasResult(ctx context.Context, pact link, success bool) error {
	var r resource
	if _, err := b.call(ctx, http.MethodGet, pact.Href, nil, &r); err != nil {
		return err
	}
	href, err := r.href(relLatestResult)
	if err != nil {
		return err
	}
	var result struct {
		Version string `json:"providerApplicationVersion"`
		Success bool   `json:"success"`
	}
	status, err := b.call(ctx, http.MethodGet, href, nil, &result)
	switch {
	case status == http.StatusNotFound:
		return errNotReceived
	case err != nil:
		return err
	case result.Version != b.Version:
		return fmt.Errorf("%w: the latest is of version %s, this is %s", errNotReceived, result.Version, b.Version)
	case success && !result.Success:
		return fmt.Errorf("%w: it holds a failure, the verification succeeded", errNotReceived)
	}
	return nil
}

// maxAnswer bounds what is read of one answer of the broker.
const maxAnswer = 16 << 20

// call makes one call and decodes the answer. The status is 0 when there was no answer.
func (b Broker) call(ctx context.Context, method, address string, body []byte, answer any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/hal+json, application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case b.Token != "":
		req.Header.Set("Authorization", "Bearer "+b.Token)
	case b.Username != "":
		req.SetBasicAuth(b.Username, b.Password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the broker: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return res.StatusCode, fmt.Errorf("read the broker's answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, fmt.Errorf("the broker answered %s %s with %s", method, req.URL.Path, res.Status)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return res.StatusCode, fmt.Errorf("read the broker's answer: %w", err)
	}
	return res.StatusCode, nil
}
