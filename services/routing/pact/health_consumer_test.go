//go:build pact

package pact_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pact-foundation/pact-go/v2/matchers"
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
		name   string
		states []models.ProviderState
		says   object
		want   routing.HealthEvent
	}{
		{
			name:   "the first word about an operator: BOUND",
			states: []models.ProviderState{managed(north), reported(report(north, 1, "BOUND"))},
			says:   object{"status": "BIND_STATE_BOUND", "quality": "QUALITY_HEALTHY", "version": "1"},
			want:   routing.HealthEvent{Bind: routing.Bound, Quality: routing.Healthy, Version: 1},
		},
		{
			name:   "the last session is lost: UNBOUND",
			states: []models.ProviderState{managed(north), reported(report(north, 1, "BOUND"), report(north, 2, "UNBOUND"))},
			says:   object{"status": "BIND_STATE_UNBOUND", "quality": "QUALITY_UNHEALTHY", "version": "2"},
			want:   routing.HealthEvent{Bind: routing.Unbound, Quality: routing.Unhealthy, Version: 2},
		},
		{
			name:   "a backup session carries: FAILBACK",
			states: []models.ProviderState{managed(north), reported(report(north, 1, "BOUND"), report(north, 2, "FAILBACK"))},
			says:   object{"status": "BIND_STATE_FAILBACK", "quality": "QUALITY_HEALTHY", "version": "2"},
			want:   routing.HealthEvent{Bind: routing.Failback, Quality: routing.Healthy, Version: 2},
		},
		{
			name:   "an operator with too many errors: DEGRADED",
			states: []models.ProviderState{managed(north), known(north, "DEGRADED", 4), reported(report(north, 1, "BOUND"))},
			says:   object{"status": "BIND_STATE_BOUND", "quality": "QUALITY_DEGRADED", "version": "4"},
			want:   routing.HealthEvent{Bind: routing.Bound, Quality: routing.Degraded, Version: 4},
		},
		{
			// What the connectors report next must not hide it.
			name: "the short form that a neighbour publishes by hand: UNBOUND",
			states: []models.ProviderState{
				managed(north), known(north, "HEALTHY", 4),
				{Name: "a neighbour said UNBOUND of an operator", Parameters: map[string]any{"operatorId": north.id}},
				reported(report(north, 1, "BOUND")),
			},
			says: object{"status": "UNBOUND"},
			want: routing.HealthEvent{Bind: routing.Unbound},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.says["operatorId"] = north.id
			c.says["occurredAt"] = matchers.Term(occurred, pacttest.Timestamp)
			c.want.Operator, c.want.ObservedAt = uuid.MustParse(north.id), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
			var got routing.HealthEvent
			pacttest.Event{
				Consumer: "routing-engine", Provider: "operator-management", Name: c.name, States: c.states,
				Metadata: map[string]string{"subject": bus.HealthSubject + "." + north.id}, Content: c.says,
			}.Run(t, func(data []byte) (err error) {
				got, err = bus.DecodeHealth(data)
				return err
			})
			require.Equal(t, c.want, got)
		})
	}
}
