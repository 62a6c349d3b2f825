//go:build pact

package pacttest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pact-foundation/pact-go/v2/message"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/pact-foundation/pact-go/v2/provider"
	"github.com/stretchr/testify/require"
)

// Provider is a running program that keeps pacts.
type Provider struct {
	// Name in the pacts, such as routing-engine.
	Name string
	// URL of the real server. A provider of messages only has none.
	URL string
	// States by name. Every state of every pact must be here.
	States map[string]State
	// Reset undoes the states after an interaction; it is called once per state. May be nil.
	Reset func(ctx context.Context) error
	// Messages by the description of their interaction.
	Messages map[string]Message
}

// Message gives a message as the provider publishes it, and the metadata it has.
type Message func(ctx context.Context) (data []byte, metadata map[string]any, err error)

// Verify checks the provider against the pacts in dir, or against those of the broker when the environment
// names one; the result is then published. It fails the test.
func Verify(t *testing.T, p Provider, dir string) {
	t.Helper()
	broker, ok, err := brokerFromEnvironment(t.Context())
	require.NoError(t, err)
	if ok {
		VerifyFromBroker(t, p, broker)
		return
	}
	files, err := withProvider(dir, p.Name)
	require.NoError(t, err)
	require.NotEmpty(t, files, "no pact with %s in %s; run ./task pact:update", p.Name, dir)
	request := p.request(t)
	request.PactFiles = files
	_ = provider.NewVerifier().VerifyProvider(t, request) // fails t itself
}

// VerifyFromBroker checks the provider against the pacts of a broker, publishes the result, and checks that
// the broker has got it.
func VerifyFromBroker(t *testing.T, p Provider, b Broker) {
	t.Helper()
	request := p.request(t)
	request.BrokerURL = b.URL
	request.BrokerToken, request.BrokerUsername, request.BrokerPassword = b.Token, b.Username, b.Password
	request.ProviderVersion, request.ProviderBranch = b.Version, b.Branch
	for _, s := range selectors() {
		request.ConsumerVersionSelectors = append(request.ConsumerVersionSelectors, &provider.ConsumerVersionSelector{
			MainBranch: s.MainBranch, MatchingBranch: s.MatchingBranch, DeployedOrReleased: s.DeployedOrReleased,
		})
	}
	request.PublishVerificationResults = true
	failed := provider.NewVerifier().VerifyProvider(t, request) // fails t itself
	require.NoError(t, b.received(t.Context(), p.Name, failed == nil))
}

func (p Provider) request(t *testing.T) provider.VerifyRequest {
	handlers := message.Handlers{}
	for description, produce := range p.Messages {
		handlers[description] = func([]models.ProviderState) (message.Body, message.Metadata, error) {
			ctx, cancel := context.WithTimeout(t.Context(), stateTimeout)
			defer cancel()
			data, metadata, err := produce(ctx)
			if err != nil {
				t.Errorf("message %q: %v", description, err)
			}
			return data, metadata, err
		}
	}
	return provider.VerifyRequest{
		Provider:               p.Name,
		ProviderBaseURL:        p.URL,
		ProviderStatesSetupURL: serveStates(t, p.States, p.Reset),
		MessageHandlers:        handlers,
		FailIfNoPactsFound:     true,
		RequestTimeout:         stateTimeout + 5*time.Second,
		DisableColoredOutput:   true,
	}
}

// withProvider lists the pacts in dir that are with this provider.
func withProvider(dir, name string) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var files []string
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var pact struct {
			Provider struct {
				Name string `json:"name"`
			} `json:"provider"`
		}
		if err := json.Unmarshal(data, &pact); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if pact.Provider.Name == name {
			files = append(files, file)
		}
	}
	return files, nil
}
