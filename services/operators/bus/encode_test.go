package bus_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/bus"
)

func TestEventsAreJSONOnTheSubjectOfTheirKind(t *testing.T) {
	id := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	at := time.Date(2026, 11, 21, 12, 0, 0, 5000, time.UTC)
	for _, c := range []struct {
		name, subject, json string
		event               operators.Event
	}{
		{"an operator was created", "operator.config.created",
			`{"configVersion": "7", "occurredAt": "2026-11-21T12:00:00.000005Z", "operatorId": "01890a5d-ac96-774b-bcce-b302099a8057", "operatorVersion": "1", "credentialsChanged": true}`,
			operators.Event{Kind: operators.EventCreated, ConfigVersion: 7, OccurredAt: at, OperatorID: id, OperatorVersion: 1, CredentialsChanged: true}},
		{"many rows were updated", "operator.config.updated", `{"configVersion": "8", "occurredAt": "2026-11-21T12:00:00.000005Z"}`,
			operators.Event{Kind: operators.EventUpdated, ConfigVersion: 8, OccurredAt: at}},
		{"an operator was deleted", "operator.config.deleted",
			`{"configVersion": "9", "occurredAt": "2026-11-21T12:00:00.000005Z", "operatorId": "01890a5d-ac96-774b-bcce-b302099a8057", "operatorVersion": "4"}`,
			operators.Event{Kind: operators.EventDeleted, ConfigVersion: 9, OccurredAt: at, OperatorID: id, OperatorVersion: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			subject, payload, err := bus.Encode(c.event)
			require.NoError(t, err)
			require.Equal(t, c.subject, subject)
			require.JSONEq(t, c.json, string(payload))
		})
	}
}

func TestEventsThatConsumersWouldRefuseAreErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		event operators.Event
	}{
		{"an unknown kind", operators.Event{Kind: "renamed", ConfigVersion: 1}},
		{"no kind", operators.Event{ConfigVersion: 1}},
		{"no version", operators.Event{Kind: operators.EventCreated}},
		{"a negative operator version", operators.Event{Kind: operators.EventUpdated, ConfigVersion: 1, OperatorVersion: -1}},
		{"a time that JSON cannot hold", operators.Event{Kind: operators.EventUpdated, ConfigVersion: 1, OccurredAt: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			subject, payload, err := bus.Encode(c.event)
			require.Error(t, err)
			require.Empty(t, subject)
			require.Empty(t, payload)
		})
	}
}

func TestTheStreamKeepsEverySubjectForAWeek(t *testing.T) {
	specs := bus.Streams()
	require.Len(t, specs, 1)
	require.Equal(t, "OPERATOR_CONFIG", specs[0].Name)
	require.Equal(t, []string{"operator.config.>"}, specs[0].Subjects)
	require.Equal(t, 7*24*time.Hour, specs[0].MaxAge)
}
