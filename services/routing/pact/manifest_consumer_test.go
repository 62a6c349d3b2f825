//go:build pact

package pact_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pacttest"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/metrics"
	"trunkline/services/routing/releases"
)

// A manifest is stored in binary with its signature around it, which no pact can match. So the pact has what it says, and
// this test signs that for the engine; the provider's verification checks the signature of the real one. The engine uses
// every field: a manifest with another digest, size or time does not come to what is wanted here.
func TestConsumerFollowsTheManifest(t *testing.T) {
	const (
		first  = "0190a8f0-0000-7000-8000-0000000000f1"
		second = "0190a8f0-0000-7000-8000-0000000000f2"
		later  = "2026-11-21T13:00:00Z"
		made   = "2026-11-21T11:00:00Z"
	)
	compiledAt := noon.Add(-time.Hour)
	artifacts := shelf{}
	entry := func(releaseID, activation, activateTime string) object {
		sealed := artifacts.add(t, releaseID)
		return object{
			"releaseId": releaseID, "activation": activation, "digest": matchers.Term(sealed.Digest, "^[0-9a-f]{64}$"),
			"sizeBytes": matchers.Term(text(sealed.Size), pacttest.Int64), "storedBytes": matchers.Term("200", pacttest.Int64),
			"activateTime": matchers.Term(activateTime, pacttest.Timestamp), "compileTime": matchers.Term(made, pacttest.Timestamp),
		}
	}
	exist := models.ProviderState{Name: "releases exist", Parameters: map[string]any{"releases": []any{
		map[string]any{"releaseId": first}, map[string]any{"releaseId": second},
	}}}
	publish := func(activations ...any) []models.ProviderState {
		return []models.ProviderState{exist, {Name: "releases were published", Parameters: map[string]any{"activations": activations}}}
	}
	current := map[string]any{"releaseId": first}
	for _, c := range []struct {
		name   string
		states []models.ProviderState
		says   object
		then   func(t *testing.T, e *follower)
	}{
		{
			name: "the manifest of a release in force", states: publish(current),
			says: object{"current": entry(first, "1", "2026-11-21T12:00:00Z")},
			then: func(*testing.T, *follower) {},
		},
		{
			name: "the manifest of a release in force and of the next", states: publish(current, map[string]any{"releaseId": second, "activateTime": "2099-01-01T00:00:00Z"}),
			says: object{"current": entry(first, "1", "2026-11-21T12:00:00Z"), "scheduled": entry(second, "2", later)},
			then: func(t *testing.T, e *follower) {
				e.says(t, eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED, second, 2)
				e.clock.Advance(time.Hour)
				e.Wake()
				e.serves(t, routing.Release{ID: uuid.MustParse(second), Activation: 2, CompiledAt: compiledAt})
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.says["environment"], c.says["revision"] = "production", matchers.Term("7", pacttest.Int64)
			var m releasesv1.Manifest
			pacttest.Event{
				Consumer: "routing-engine", Provider: "operator-management", Name: c.name, States: c.states,
				Metadata: map[string]string{"bucket": release.Bucket, "key": "production"}, Content: c.says,
			}.Run(t, func(data []byte) error { return protojson.Unmarshal(data, &m) })

			e := follow(t, artifacts, &m)
			e.serves(t, routing.Release{ID: uuid.MustParse(first), Activation: 1, CompiledAt: compiledAt})
			c.then(t, e)
		})
	}
}

// shelf holds artifacts by digest.
type shelf map[string][]byte

func (s shelf) add(t *testing.T, operator string) release.Sealed {
	t.Helper()
	var artifact bytes.Buffer
	sealed, err := release.Compile(&artifact, &release.Content{Operators: []release.Operator{{
		ID: uuid.MustParse(operator), Name: north.name, Host: north.host, Port: int32(north.port), SystemID: north.systemID, MaxTPS: int32(north.maxTPS),
		Types: release.AllTypes, Status: release.Active,
	}}})
	require.NoError(t, err)
	s[sealed.Digest] = artifact.Bytes()
	return sealed
}

// follower is what of an engine follows releases.
type follower struct {
	*releases.Follower
	shelf  shelf
	clock  *clock.Fake
	supply *routing.ReleaseSupply

	mu   sync.Mutex
	said []*eventsv1.ReleaseEvent
}

// follow gives an engine, at noon, the manifest with the signature that it trusts.
func follow(t *testing.T, artifacts shelf, m *releasesv1.Manifest) *follower {
	t.Helper()
	seed, public := release.GenerateKey()
	signer, err := release.NewSigner(config.NewSecret(seed))
	require.NoError(t, err)
	keys, err := release.NewKeys(public)
	require.NoError(t, err)
	signed, err := signer.Sign(m)
	require.NoError(t, err)
	folder, err := releases.OpenFolder(t.TempDir())
	require.NoError(t, err)

	e := &follower{shelf: artifacts, clock: clock.NewFake(noon)}
	quiet, health := slog.New(slog.DiscardHandler), routing.NewHealthView()
	e.supply = routing.NewReleaseSupply(unknown{}, nil, health, e.clock.Now, quiet, func() { e.Wake() })
	counts, err := metrics.NewReleases(prometheus.NewRegistry(), e.supply.Serves, e.clock)
	require.NoError(t, err)
	settings := releases.Settings{Environment: "production", Keys: keys, MaxBytes: 1 << 20, Engine: uuid.New(), Host: "engine-1"}
	e.Follower = releases.New(settings, e, folder, e.supply, health, e.clock, quiet, counts)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	e.Offer(signed)
	return e
}

// unknown is a database out of reach.
type unknown struct{}

func (unknown) Operators(context.Context) ([]routing.Operator, routing.Versions, error) {
	return nil, routing.Versions{}, fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down")
}

// ObjectGet implements releases.Bus.
func (e *follower) ObjectGet(_ context.Context, _, name string) (io.ReadCloser, error) {
	artifact, ok := e.shelf[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "NOT_FOUND", "There is no such object.")
	}
	return io.NopCloser(bytes.NewReader(artifact)), nil
}

// Publish implements releases.Bus.
func (e *follower) Publish(_ context.Context, _ string, data []byte, _ string) error {
	var word eventsv1.ReleaseEvent
	if err := protojson.Unmarshal(data, &word); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = append(e.said, &word)
	return nil
}

const (
	within = 15 * time.Second
	tick   = 5 * time.Millisecond
)

func (e *follower) serves(t *testing.T, want routing.Release) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, _, ok := e.supply.Serves()
		return ok && got.ID == want.ID && got.Activation == want.Activation && got.CompiledAt.Equal(want.CompiledAt)
	}, within, tick, "%v", e.Check(t.Context()))
}

func (e *follower) says(t *testing.T, state eventsv1.ReleaseEngineState, releaseID string, activation int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, word := range e.said {
			if word.GetState() == state && word.GetReleaseId() == releaseID && word.GetActivation() == activation {
				return true
			}
		}
		return false
	}, within, tick)
}
