package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/platform/jetstream"
)

// The connection of platform/jetstream is the publisher in every process.
var _ bus.Publisher = (*jetstream.Conn)(nil)

type message struct {
	subject, id string
	event       *eventsv1.OperatorConfigEvent
}

type publisher struct {
	t    *testing.T
	sent []message
	err  error
}

func (p *publisher) Publish(_ context.Context, subject string, data []byte, id string) error {
	event := new(eventsv1.OperatorConfigEvent)
	require.NoError(p.t, protojson.Unmarshal(data, event))
	p.sent = append(p.sent, message{subject, id, event})
	return p.err
}

func count(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	counts := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			counts[family.GetName()+" "+metric.GetLabel()[0].GetValue()+" "+metric.GetLabel()[1].GetValue()] = metric.GetCounter().GetValue()
		}
	}
	return counts
}

func TestAChangeIsAnnouncedOnTheSubjectsThatFitIt(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 5000, time.UTC)
	for _, c := range []struct {
		name     string
		change   operators.Change
		subjects []string
	}{
		{"created rows", operators.Change{ConfigVersion: 7, OccurredAt: at, Created: true}, []string{"operator.config.created"}},
		{"updated rows", operators.Change{ConfigVersion: 7, OccurredAt: at, Updated: true}, []string{"operator.config.updated"}},
		{"both", operators.Change{ConfigVersion: 7, OccurredAt: at, Created: true, Updated: true},
			[]string{"operator.config.created", "operator.config.updated"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &publisher{t: t}
			reg := prometheus.NewRegistry()
			a, err := bus.NewAnnouncer(p, reg, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			a.Announce(t.Context(), c.change)
			require.Len(t, p.sent, len(c.subjects))
			for i, subject := range c.subjects {
				require.Equal(t, subject, p.sent[i].subject)
				require.Equal(t, subject+"-7", p.sent[i].id)
				require.EqualValues(t, 7, p.sent[i].event.GetConfigVersion())
				require.Equal(t, at, p.sent[i].event.GetOccurredAt().AsTime())
				require.InDelta(t, 1, count(t, reg)["ops_nats_publish_total "+subject+" ok"], 0)
			}
		})
	}
}

func TestAnEventThatCannotBePublishedIsCountedAndNoError(t *testing.T) {
	p := &publisher{t: t, err: errors.New("down")}
	reg := prometheus.NewRegistry()
	a, err := bus.NewAnnouncer(p, reg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a.Announce(t.Context(), operators.Change{ConfigVersion: 1, Created: true})
	require.InDelta(t, 1, count(t, reg)["ops_nats_publish_total operator.config.created error"], 0)
	_, err = bus.NewAnnouncer(p, reg, slog.New(slog.DiscardHandler))
	require.Error(t, err, "the metrics are registered once")
}
