//go:build pact

package releases

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pacttest"
	"trunkline/services/platform/release"
)

const uuidPattern = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`

// The id of an engine is new with each process, and so is the subject: the pact cannot name it. It is the one of the
// engine that the content names, which the provider's verification checks.
func TestConsumerHearsEngines(t *testing.T) {
	const (
		engine = "0190a8f0-0000-7000-8000-0000000000e1"
		first  = "0190a8f0-0000-7000-8000-0000000000f1"
		second = "0190a8f0-0000-7000-8000-0000000000f2"
		since  = "2026-11-21T12:00:00Z"
	)
	at := time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)
	told := func(name, releaseID string, activation int) models.ProviderState {
		return models.ProviderState{Name: name, Parameters: map[string]any{"releaseId": releaseID, "activation": activation}}
	}
	served := told("an engine serves a release", first, 3)
	for _, c := range []struct {
		name   string
		states []models.ProviderState
		says   pacttest.Object
		want   operators.EngineWord
	}{
		{
			name: "an engine serves what is published: SERVING", states: []models.ProviderState{served},
			says: pacttest.Object{"state": "RELEASE_ENGINE_STATE_SERVING", "releaseId": first, "activation": "3"},
			want: operators.EngineWord{State: operators.EngineServing, ReleaseID: uuid.MustParse(first), Activation: 3},
		},
		{
			name:   "an engine has ready what is scheduled: PREPARED",
			states: []models.ProviderState{served, told("an engine prepared a release", second, 4)},
			says:   pacttest.Object{"state": "RELEASE_ENGINE_STATE_PREPARED", "releaseId": second, "activation": "4"},
			want:   operators.EngineWord{State: operators.EnginePrepared, ReleaseID: uuid.MustParse(second), Activation: 4},
		},
		{
			name:   "an engine refuses what is damaged: REFUSED",
			states: []models.ProviderState{served, told("an engine refused a release whose artifact is another", second, 4)},
			says:   pacttest.Object{"state": "RELEASE_ENGINE_STATE_REFUSED", "releaseId": second, "activation": "4", "reason": "ARTIFACT_DIGEST"},
			want:   operators.EngineWord{State: operators.EngineRefused, ReleaseID: uuid.MustParse(second), Activation: 4, Reason: "ARTIFACT_DIGEST"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.says["engineId"] = matchers.Term(engine, uuidPattern)
			c.says["host"] = matchers.Like("engine-1")
			c.says["servingReleaseId"], c.says["servingActivation"] = first, "3"
			c.says["servingSince"] = matchers.Term(since, pacttest.Timestamp)
			c.says["occurredAt"] = matchers.Term(since, pacttest.Timestamp)
			var got operators.EngineWord
			pacttest.Event{
				Consumer: "operator-management", Provider: "routing-engine", Name: c.name, States: c.states, Content: c.says,
			}.Run(t, func(data []byte) (err error) {
				got, err = readWord(jetstream.Message{Subject: release.EngineSubject(engine), Data: data, Time: at})
				return err
			})
			c.want.EngineID, c.want.Host, c.want.At = uuid.MustParse(engine), "engine-1", at
			c.want.ServingID, c.want.ServingActivation = uuid.MustParse(first), 3
			c.want.ServingSince = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
			require.Equal(t, c.want, got)
		})
	}
}
