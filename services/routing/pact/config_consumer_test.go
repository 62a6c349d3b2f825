//go:build pact

package pact_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pacttest"
	"trunkline/services/routing/bus"
)

// The engine hears of a change on the bus and reads the new state from the version on that the event tells. It uses
// nothing else of an event, but refuses one with a field that is not as the schema says.
func TestConsumerHearsOfChanges(t *testing.T) {
	const version, occurred = "7", "2026-11-21T12:00:00Z"
	id := map[string]any{"operatorId": north.id}
	for _, c := range []struct {
		name    string
		states  []models.ProviderState
		subject string
		says    object
	}{
		{
			name: "an operator was created",
			states: []models.ProviderState{{Name: "an operator was created", Parameters: map[string]any{"request": map[string]any{
				"operator": map[string]any{
					"name": north.name, "host": north.host, "port": north.port, "systemId": north.systemID,
					"tpsLimit": map[string]any{"maxTps": north.maxTPS},
				},
				"password": "secret",
			}}}},
			subject: "operator.config.created",
			says:    object{"operatorId": matchers.Term(north.id, uuidPattern), "operatorVersion": "1", "credentialsChanged": true},
		},
		{
			name:    "the password of an operator changed",
			states:  []models.ProviderState{managed(north), {Name: "the password of an operator was changed", Parameters: id}},
			subject: "operator.config.updated",
			says:    object{"operatorId": north.id, "operatorVersion": "2", "credentialsChanged": true},
		},
		{
			name:    "an operator was deleted",
			states:  []models.ProviderState{managed(north), {Name: "an operator was deleted", Parameters: id}},
			subject: "operator.config.deleted",
			says:    object{"operatorId": north.id, "operatorVersion": "2"},
		},
		{
			name: "a routing rule was created",
			states: []models.ProviderState{managed(north), {Name: "a routing rule was created", Parameters: map[string]any{"rule": map[string]any{
				"prefix": prefix, "strategy": "ROUTING_STRATEGY_PRIORITY", "active": true, "candidates": []any{map[string]any{"operatorId": north.id}},
			}}}},
			subject: "operator.config.created",
			says:    object{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.says["configVersion"] = matchers.Term(version, pacttest.Int64)
			c.says["occurredAt"] = matchers.Term(occurred, pacttest.Timestamp)
			conn, engine := following(t)
			pacttest.Event{
				Consumer: "routing-engine", Provider: "operator-management", Name: c.name, States: c.states,
				Metadata: map[string]string{"subject": c.subject}, Content: c.says,
			}.Run(t, func(data []byte) error {
				return conn.Publish(t.Context(), c.subject, data, "")
			})
			require.EqualValues(t, 7, <-engine)
		})
	}
}

// versions are those that an engine was told of.
type versions chan int64

// Changed implements bus.Refresher. 0 says that any version may have come.
func (v versions) Changed(version int64) {
	if version > 0 {
		select {
		case v <- version:
		default: // told already
		}
	}
}

func (versions) Await(context.Context, int64) bool { return true }

func (versions) Failures() int64 { return 0 }

// following gives a bus on which an engine follows changes, and what it hears.
func following(t *testing.T) (*jetstream.Conn, versions) {
	t.Helper()
	server, err := jetstream.Embedded(t.TempDir(), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Shutdown()) })
	quiet := slog.New(slog.DiscardHandler)
	conn, err := jetstream.Connect(jetstream.DefaultConfig(), quiet, jetstream.WithInProcessServer(server))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.NoError(t, conn.AwaitConnected(t.Context()))
	require.NoError(t, conn.EnsureStreams(t.Context(), bus.Streams()))
	engine := make(versions, 1)
	subscriptions, err := bus.NewConfig(conn, engine, quiet).Start(t.Context())
	require.NoError(t, err)
	for _, s := range subscriptions {
		t.Cleanup(s.Stop)
	}
	<-subscriptions[0].Synced()
	return conn, engine
}
