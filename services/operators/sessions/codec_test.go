package sessions

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
)

var (
	operator = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	at       = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)
)

func TestTheStatesOfEventsHaveTheNumbersOfTheDomain(t *testing.T) {
	for wire, state := range map[eventsv1.BindState]operators.BindState{
		eventsv1.BindState_BIND_STATE_UNSPECIFIED: operators.BindUnknown, eventsv1.BindState_BIND_STATE_BOUND: operators.Bound,
		eventsv1.BindState_BIND_STATE_UNBOUND: operators.Unbound, eventsv1.BindState_BIND_STATE_FAILBACK: operators.Failback,
	} {
		require.EqualValues(t, wire, state)
	}
	for wire, quality := range map[eventsv1.Quality]operators.Quality{
		eventsv1.Quality_QUALITY_UNSPECIFIED: operators.QualityUnknown, eventsv1.Quality_QUALITY_HEALTHY: operators.Healthy,
		eventsv1.Quality_QUALITY_DEGRADED: operators.Degraded, eventsv1.Quality_QUALITY_UNHEALTHY: operators.Unhealthy,
	} {
		require.EqualValues(t, wire, quality)
	}
	require.Len(t, eventsv1.BindState_name, 4)
	require.Len(t, eventsv1.Quality_name, 4)
}

func TestAReportIsReadWhole(t *testing.T) {
	got, err := readReport(jetstream.Message{Subject: SessionSubject + operator.String(), Time: at, Data: []byte(
		`{"operator_id":"` + operator.String() + `","connectorId":"a","sequence":7,"bindState":"BIND_STATE_FAILBACK","submits":"30","errors":"2","throttled":"1","occurredAt":"2020-01-01T00:00:00Z"}`)})
	require.NoError(t, err)
	require.Equal(t, operators.SessionReport{
		OperatorID: operator, ConnectorID: "a", Sequence: 7, Bind: operators.Failback, Submits: 30, Errors: 2, Throttled: 1,
		ReceivedAt: at.Truncate(time.Microsecond),
	}, got, "its time is that of the stream")
}

func TestAWordIsReadAsItWasWritten(t *testing.T) {
	h := operators.Health{OperatorID: operator, Bind: operators.Failback, Quality: operators.Degraded, Version: 1 << 60, ObservedAt: at}
	data, err := EncodeHealth(h)
	require.NoError(t, err)
	var e eventsv1.OperatorHealthEvent
	require.NoError(t, protojson.Unmarshal(data, &e))
	require.Equal(t, at, e.GetOccurredAt().AsTime())
	require.Equal(t, operators.Word{Place: 5, Bind: h.Bind, Quality: h.Quality, Version: h.Version, At: at},
		readWord(jetstream.Message{Subject: HealthSubject + operator.String(), Sequence: 5, Time: at, Data: data}))
}

func TestWordsOfNeighboursAreReadAsEnginesReadThem(t *testing.T) {
	for _, tt := range []struct {
		name, fields string
		bind         operators.BindState
		quality      operators.Quality
		version      int64
	}{
		{"a short name", `"status":"UNBOUND"`, operators.Unbound, 0, 0},
		{"in any case", `"status":"unbound"`, operators.Unbound, 0, 0},
		{"a long name", `"status":"BIND_STATE_BOUND"`, operators.Bound, 0, 0},
		{"a number", `"status":3`, operators.Failback, 0, 0},
		{"both states", `"status":"BOUND","quality":"degraded"`, operators.Bound, operators.Degraded, 0},
		{"a quality as status", `"status":"UNHEALTHY"`, 0, operators.Unhealthy, 0},
		{"a long quality as status", `"status":"QUALITY_HEALTHY"`, 0, operators.Healthy, 0},
		{"only a quality", `"quality":"HEALTHY"`, 0, operators.Healthy, 0},
		{"a version as text", `"status":"BOUND","version":"12"`, operators.Bound, 0, 12},
		{"a version as number", `"status":"BOUND","version":12`, operators.Bound, 0, 12},
		{"a field that nobody knows", `"status":"BOUND","later":{}`, operators.Bound, 0, 0},

		{"an unknown state says nothing", `"status":"SLEEPY","quality":"HEALTHY"`, 0, 0, 0},
		{"an unknown quality says nothing", `"status":"BOUND","quality":"SLEEPY"`, 0, 0, 0},
		{"a status that is neither says nothing", `"status":"SLEEPY"`, 0, 0, 0},
		{"a number beyond the states says nothing", `"status":4`, 0, 0, 0},
		{"a broken number says nothing", `"status":1.5`, 0, 0, 0},
		{"a negative version says nothing", `"status":"BOUND","version":-1`, 0, 0, 0},
		{"a version that is none says nothing", `"status":"BOUND","version":"x"`, 0, 0, 0},
		{"a version of another kind says nothing", `"status":"BOUND","version":[]`, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, id := range []string{`"operatorId":"`, `"operator_id":"`} {
				got := readWord(jetstream.Message{
					Subject: HealthSubject + operator.String(), Sequence: 5, Time: at, Data: []byte(`{` + id + operator.String() + `",` + tt.fields + `}`),
				})
				require.Equal(t, operators.Word{Place: 5, At: at, Bind: tt.bind, Quality: tt.quality, Version: tt.version}, got)
			}
		})
	}
	for _, data := range []string{`not json`, `[]`, `{"status":"BOUND"}`, `{"operatorId":7,"status":"BOUND"}`, `{"operatorId":"` + uuid.NewString() + `","status":"BOUND"}`} {
		require.Equal(t, operators.Word{Place: 5, At: at}, readWord(jetstream.Message{Subject: HealthSubject + operator.String(), Sequence: 5, Time: at, Data: []byte(data)}), data)
	}
}

func TestAWordThatWasMovedIsAsOldAsInTheInbox(t *testing.T) {
	for id, want := range map[string]time.Time{
		"OPERATOR_HEALTH_INBOX/7/1763726400000000001": time.Unix(0, 1763726400000000001),
		"OPERATOR_HEALTH_INBOX/7":                     at,
		"something else":                              at,
	} {
		require.Equal(t, want, readWord(jetstream.Message{Header: jetstream.Header{"Nats-Msg-Id": {id}}, Time: at}).At, id)
	}
}

func TestAWordOfTheAlarmIsProvisional(t *testing.T) {
	for id, want := range map[string]bool{alarmID + "7/1": true, "something else": false, "": false} {
		require.Equal(t, want, readWord(jetstream.Message{Header: jetstream.Header{"Nats-Msg-Id": {id}}, Time: at}).Provisional, id)
	}
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	reg := prometheus.NewRegistry()
	_, err := NewMetrics(reg)
	require.NoError(t, err)
	_, err = NewMetrics(reg)
	require.Error(t, err)
}
