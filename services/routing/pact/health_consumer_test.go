//go:build pact

package pact_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pact-foundation/pact-go/v2/matchers"
	message "github.com/pact-foundation/pact-go/v2/message/v4"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/pacttest"
	"trunkline/services/routing"
	"trunkline/services/routing/bus"
)

// The engine reads operator.health by the function that serves its subscriptions.
func TestConsumerReadsHealthEvents(t *testing.T) {
	const occurred = "2026-11-21T12:00:00Z"
	for _, c := range []struct {
		name, state, status string
		want                routing.BindState
	}{
		{"the first word about an operator: BOUND", "an operator is bound", "BOUND", routing.Bound},
		{"the short form that a neighbour publishes by hand: UNBOUND", "a neighbour said UNBOUND of an operator", "UNBOUND", routing.Unbound},
	} {
		t.Run(c.name, func(t *testing.T) {
			pact, err := message.NewAsynchronousPact(message.Config{
				Consumer: "routing-engine", Provider: "operator-management", PactDir: pacttest.Dir(t),
			})
			require.NoError(t, err)
			var got routing.HealthEvent
			err = pact.AddAsynchronousMessage().
				GivenWithParameter(models.ProviderState{Name: c.state, Parameters: map[string]any{"operatorId": north.id}}).
				ExpectsToReceive(c.name).
				WithMetadata(map[string]string{"contentType": "application/json", "subject": bus.HealthSubject + "." + north.id}).
				WithJSONContent(object{
					"operatorId": north.id,
					"status":     c.status,
					"occurredAt": matchers.Term(occurred, `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$`),
				}).
				ConsumedBy(func(m message.AsynchronousMessage) (err error) {
					got, err = bus.DecodeHealth(m.Contents)
					return err
				}).
				Verify(t)
			require.NoError(t, err)
			require.Equal(t, routing.HealthEvent{
				Operator: uuid.MustParse(north.id), Bind: c.want, ObservedAt: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
			}, got)
		})
	}
}
