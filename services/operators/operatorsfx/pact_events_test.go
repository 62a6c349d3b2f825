//go:build pact

package operatorsfx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/operators/demo"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/jetstream"
)

type operatorParams struct {
	OperatorID uuid.UUID `json:"operatorId"`
}

// The states of configuration events change something through the API and keep the event of it.

func operatorCreated(ctx context.Context, w *world, p struct {
	Request json.RawMessage `json:"request"`
}) error {
	var req operatorsv1.CreateOperatorRequest
	if err := protojson.Unmarshal(p.Request, &req); err != nil {
		return err
	}
	return w.keepConfigEvent(ctx, func() error {
		_, err := w.operators().CreateOperator(ctx, &req)
		return err
	})
}

func credentialsRotated(ctx context.Context, w *world, p operatorParams) error {
	return w.keepConfigEvent(ctx, func() error {
		_, err := w.operators().RotateCredentials(ctx, &operatorsv1.RotateCredentialsRequest{OperatorId: p.OperatorID.String(), Password: "another"})
		return err
	})
}

func operatorDeleted(ctx context.Context, w *world, p operatorParams) error {
	return w.keepConfigEvent(ctx, func() error {
		_, err := w.operators().DeleteOperator(ctx, &operatorsv1.DeleteOperatorRequest{OperatorId: p.OperatorID.String()})
		return err
	})
}

func ruleCreated(ctx context.Context, w *world, p struct {
	Rule json.RawMessage `json:"rule"`
}) error {
	var rule operatorsv1.RoutingRule
	if err := protojson.Unmarshal(p.Rule, &rule); err != nil {
		return err
	}
	return w.keepConfigEvent(ctx, func() error {
		_, err := operatorsv1connect.NewRoutingRuleServiceClient(http.DefaultClient, w.URL()).
			CreateRoutingRule(ctx, &operatorsv1.CreateRoutingRuleRequest{Rule: &rule})
		return err
	})
}

func (w *world) operators() operatorsv1connect.OperatorServiceClient {
	return operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, w.URL())
}

// keepConfigEvent makes a change and waits for its event, the first in its stream.
func (w *world) keepConfigEvent(ctx context.Context, change func() error) error {
	if err := change(); err != nil {
		return err
	}
	found := make(chan jetstream.Message, 1)
	events, err := w.conn.Follow(ctx, jetstream.FollowSpec{Stream: "OPERATOR_CONFIG", Policy: jetstream.All}, func(_ context.Context, m jetstream.Message) {
		select {
		case found <- m:
		default: // one is enough
		}
	})
	if err != nil {
		return err
	}
	defer events.Stop()
	select {
	case m := <-found:
		w.event = &m
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no event came: %w", ctx.Err())
	}
}

// eventPublished and eventWaits create an operator and see what becomes of its event.

func eventPublished(ctx context.Context, w *world, _ struct{}) error {
	return w.outboxComesTo(ctx, func(s *operatorsv1.GetOutboxStatusResponse) bool { return s.GetPublished() == 1 })
}

func eventWaits(ctx context.Context, w *world, _ struct{}) error {
	if err := w.silence(); err != nil {
		return err
	}
	return w.outboxComesTo(ctx, func(s *operatorsv1.GetOutboxStatusResponse) bool { return s.GetPendingPublish() == 1 })
}

func (w *world) outboxComesTo(ctx context.Context, wanted func(*operatorsv1.GetOutboxStatusResponse) bool) error {
	_, err := w.operators().CreateOperator(ctx, &operatorsv1.CreateOperatorRequest{Operator: &operatorsv1.Operator{
		Name: "North", Host: "smsc.north.example", Port: 2775, SystemId: "north", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 1},
	}})
	if err != nil {
		return err
	}
	outbox := operatorsv1connect.NewOutboxServiceClient(http.DefaultClient, w.URL())
	return until(ctx, "the event is where it should be", func() (bool, error) {
		status, err := outbox.GetOutboxStatus(ctx, &operatorsv1.GetOutboxStatusRequest{})
		return err == nil && wanted(status), err
	})
}

// connectorsReported publishes reports of connectors, one after the other, and keeps the word that stands about the
// operator of the last one when they are handled.
func connectorsReported(ctx context.Context, w *world, p struct {
	Reports []json.RawMessage `json:"reports"`
}) error {
	var operator string
	var last uint64
	err := each(p.Reports, func(m *eventsv1.OperatorSessionEvent) error {
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
		consumer, err := w.bus.Consumer(ctx, sessions.SessionStream, "ops-health-consumer")
		if err != nil {
			return false, nil // the process makes it in the background
		}
		return consumer.CachedInfo().AckFloor.Stream >= last, nil
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

// until asks again and again.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not come to that %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
