//go:build pact

package operatorsfx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
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
		_, err := w.operators().RotateCredentials(ctx, &operatorsv1.RotateCredentialsRequest{
			OperatorId: p.OperatorID.String(), Password: "another",
		})
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
	take := func(_ context.Context, m jetstream.Message) {
		select {
		case found <- m:
		default: // one is enough
		}
	}
	events, err := w.conn.Follow(ctx, jetstream.FollowSpec{Stream: "OPERATOR_CONFIG", Policy: jetstream.All}, take)
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
