//go:build pact

package operatorsfx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/demo"
	"trunkline/services/operators/sessions"
)

// connectorsReported publishes reports of connectors, one after the other, and keeps the word that stands about the
// operator of the last one when they are handled.
func connectorsReported(ctx context.Context, w *world, p struct {
	Reports []json.RawMessage `json:"reports"`
}) error {
	consumer := func() (natsjs.ConsumerInfo, error) {
		c, err := w.bus.Consumer(ctx, sessions.SessionStream, "ops-health-consumer")
		if errors.Is(err, natsjs.ErrConsumerNotFound) { // the process makes it in the background
			return natsjs.ConsumerInfo{}, nil
		}
		if err != nil {
			return natsjs.ConsumerInfo{}, err
		}
		return *c.CachedInfo(), nil
	}
	// A leader that takes over later would see the last report of each connector only.
	err := until(ctx, "the leader asks for reports", func() (bool, error) {
		c, err := consumer()
		return c.NumWaiting > 0, err
	})
	if err != nil {
		return err
	}
	var operator string
	var last uint64
	err = each(p.Reports, func(m *eventsv1.OperatorSessionEvent) error {
		data, err := protojson.Marshal(m)
		if err != nil {
			return err
		}
		operator = m.GetOperatorId()
		last, err = w.publish(ctx, sessions.SessionSubject+operator, data)
		return err
	})
	if err != nil {
		return err
	}
	if operator == "" {
		return errors.New("a state without reports")
	}
	err = until(ctx, "the reports are handled", func() (bool, error) {
		c, err := consumer()
		return c.AckFloor.Stream >= last, err
	})
	if err != nil {
		return err
	}
	return w.keepLast(ctx, sessions.HealthStream, sessions.HealthSubject+operator)
}

// healthKnown is the state in which former reports have said this of an operator.
func healthKnown(ctx context.Context, w *world, p struct {
	OperatorID uuid.UUID `json:"operatorId"`
	BindState  string    `json:"bindState"`
	Quality    string    `json:"quality"`
	Version    int64     `json:"version"`
}) error {
	bind, err1 := operators.ParseBindState(p.BindState)
	quality, err2 := operators.ParseQuality(p.Quality)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	since := time.Now().Add(-time.Minute)
	return w.health.ChangeHealth(ctx, operators.Health{
		OperatorID: p.OperatorID, Bind: bind, Quality: quality, Version: p.Version, ChangedAt: since, ObservedAt: since,
	}, 0, nil)
}

// neighbourSaidUnbound publishes by hand, with a plain client.
func neighbourSaidUnbound(ctx context.Context, w *world, p operatorParams) error {
	event, err := json.Marshal(map[string]any{"operatorId": p.OperatorID, "status": "UNBOUND", "occurredAt": time.Now().UTC()})
	if err != nil {
		return err
	}
	_, err = w.publish(ctx, sessions.HealthSubject+p.OperatorID.String(), event)
	return err
}

// sessionIsUp and sessionHasEnded keep what the demo sessions report. Until there is a connector, they stand for it.

func sessionIsUp(ctx context.Context, w *world, p operatorParams) error {
	return w.demoSessions(ctx, p.OperatorID, []string{p.OperatorID.String()})
}

func sessionHasEnded(ctx context.Context, w *world, p operatorParams) error {
	return w.demoSessions(ctx, p.OperatorID, []string{p.OperatorID.String()}, nil)
}

func (w *world) demoSessions(ctx context.Context, operator uuid.UUID, up ...[]string) error {
	all := demo.NewSessions(w.conn, slog.New(slog.DiscardHandler))
	for _, ids := range up {
		if err := all.Bind(ctx, ids); err != nil {
			return err
		}
	}
	return w.keepLast(ctx, sessions.SessionStream, sessions.SessionSubject+operator.String())
}

func (w *world) publish(ctx context.Context, subject string, data []byte) (sequence uint64, err error) {
	ack, err := w.bus.Publish(ctx, subject, data)
	if err != nil {
		return 0, fmt.Errorf("the stream did not take the event: %w", err)
	}
	return ack.Sequence, nil
}

// keepLast keeps the last event of a subject.
func (w *world) keepLast(ctx context.Context, stream, subject string) error {
	m, err := w.conn.Last(ctx, stream, subject)
	if err == nil && m.Sequence == 0 {
		err = fmt.Errorf("nothing was published on %s", subject)
	}
	w.event = &m
	return err
}
