package feed

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

func TestWhatNeighboursWriteByHandIsRead(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		data    string
		status  eventsv1.BindState
		quality eventsv1.Quality
		byHand  bool
	}{
		"as we write it":            {`{"operatorId":"ID","status":"BIND_STATE_BOUND","quality":"QUALITY_DEGRADED","version":"3","occurredAt":"2026-01-01T00:00:00Z"}`, 1, 2, false},
		"with a field of tomorrow":  {`{"operatorId":"ID","status":1,"quality":2,"later":{}}`, 1, 2, false},
		"in snake case":             {`{"operator_id":"ID","status":"BIND_STATE_UNBOUND"}`, 2, 0, false},
		"with short names":          {`{"operator_id":"ID","status":"unbound","quality":"Unhealthy"}`, 2, 3, true},
		"with a quality as status":  {`{"operatorId":"ID","status":"DEGRADED","version":7}`, 0, 2, true},
		"with a time that is none":  {`{"operatorId":"ID","status":"BOUND","occurredAt":1763773200}`, 1, 0, true},
		"with a time of other form": {`{"operatorId":"ID","status":"BIND_STATE_BOUND","occurredAt":"today"}`, 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := readHealth(jetstream.Message{Subject: healthSubject + one.String(), Data: []byte(strings.ReplaceAll(c.data, "ID", one.String())), Time: at})
			require.NoError(t, err)
			require.Equal(t, one.String(), e.GetOperatorId())
			require.Equal(t, c.status, e.GetStatus())
			require.Equal(t, c.quality, e.GetQuality())
			if c.byHand {
				require.Equal(t, at, e.GetOccurredAt().AsTime())
			}
		})
	}
}

func TestMalformedEventsAreCountedAndLoggedOnce(t *testing.T) {
	w := newWorld(t)
	health, engine := healthSubject+one.String(), release.EngineSubject(one.String())
	for name, m := range map[string]struct {
		stream  string
		message jetstream.Message
	}{
		"no JSON":                       {healthStream, w.message(health, "{")},
		"no object":                     {healthStream, w.message(health, "[]")},
		"nothing is said":               {healthStream, w.message(health, fmt.Sprintf(`{"operatorId":%q}`, one))},
		"a state that does not exist":   {healthStream, w.message(health, fmt.Sprintf(`{"operatorId":%q,"status":"UP"}`, one))},
		"a number of no state":          {healthStream, w.message(health, fmt.Sprintf(`{"operatorId":%q,"status":9}`, one))},
		"an operator that is none":      {healthStream, w.message(health, `{"operatorId":"x","status":"BOUND"}`)},
		"another operator":              {healthStream, w.message(health, healthOf(two, "BOUND"))},
		"a version below nothing":       {healthStream, w.message(health, fmt.Sprintf(`{"operatorId":%q,"status":"BOUND","version":-1}`, one))},
		"a change without a version":    {configStream, w.message("operator.config.updated", "{}")},
		"a change that is text":         {configStream, w.message("operator.config.updated", `"x"`)},
		"an engine of another subject":  {release.Stream, w.message(engine, fmt.Sprintf(`{"engineId":%q}`, two))},
		"an engine that is none":        {release.Stream, w.message(engine, `{"engineId":"x"}`)},
		"an engine that is not to read": {release.Stream, w.message(engine, "{")},
	} {
		t.Run(name, func(t *testing.T) {
			before := testutil.ToFloat64(w.malformed.WithLabelValues(m.stream))
			for range 2 {
				w.heard(t.Context(), w.source(t, m.stream), m.message)
			}
			require.Equal(t, before+2, testutil.ToFloat64(w.malformed.WithLabelValues(m.stream)))
			require.Zero(t, w.words.order.Len())
		})
	}
	require.Equal(t, 3, strings.Count(w.log.String(), "cannot be read"), "one line for each stream")
}

// source is that of a stream.
func (w *world) source(t *testing.T, stream string) source {
	t.Helper()
	for _, s := range w.sources() {
		if s.stream == stream {
			return s
		}
	}
	require.Fail(t, "no such stream", stream)
	return source{}
}
