package control

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/routing"
)

const (
	// healthTimeout bounds one question about health.
	healthTimeout = 3 * time.Second
	// healthBatch is how many operators one question may name.
	healthBatch = 1000
)

// nobody is an operator that does not exist: a question about it costs nothing and still shows that questions are
// answered.
var nobody = []uuid.UUID{uuid.Nil}

// Check gives nil while operator-management answers this engine.
func (c *Client) Check(ctx context.Context) error {
	_, err := c.ask(ctx, nobody)
	return err
}

// Fill implements routing.HealthSource. What it knows is ordered by version, so an old answer hides no newer word.
func (c *Client) Fill(ctx context.Context, view *routing.HealthView, operators []uuid.UUID) error {
	for batch := range slices.Chunk(operators, healthBatch) {
		answer, err := c.ask(ctx, batch)
		if err != nil {
			return err
		}
		now := c.clock.Now()
		for _, h := range answer.GetHealth() {
			id, err := uuid.Parse(h.GetOperatorId())
			if err != nil || !slices.Contains(batch, id) || h.GetVersion() < 0 {
				continue
			}
			at := time.Time{} // a word without a time is old
			if h.GetObserveTime().IsValid() {
				at = h.GetObserveTime().AsTime()
			}
			if at.After(now) {
				at = now // its clock is ahead of ours
			}
			view.Fill(id, routing.StoredHealth{
				Health:  routing.Health{Bind: bindStates[h.GetBindState()], Quality: qualities[h.GetQuality()], ObservedAt: at},
				Version: h.GetVersion(),
			})
		}
	}
	return nil
}

func (c *Client) ask(ctx context.Context, operators []uuid.UUID) (*operatorsv1.InternalOperatorServiceGetOperatorHealthResponse, error) {
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req := &operatorsv1.InternalOperatorServiceGetOperatorHealthRequest{OperatorIds: make([]string, len(operators))}
	for i, id := range operators {
		req.OperatorIds[i] = id.String()
	}
	answer, err := c.service.GetOperatorHealth(limited, req)
	if err != nil {
		return nil, remote(ctx, err)
	}
	return answer, nil
}

// States that this engine does not know count as not told.
var (
	bindStates = map[eventsv1.BindState]routing.BindState{
		eventsv1.BindState_BIND_STATE_BOUND:    routing.Bound,
		eventsv1.BindState_BIND_STATE_UNBOUND:  routing.Unbound,
		eventsv1.BindState_BIND_STATE_FAILBACK: routing.Failback,
	}
	qualities = map[eventsv1.Quality]routing.Quality{
		eventsv1.Quality_QUALITY_HEALTHY:   routing.Healthy,
		eventsv1.Quality_QUALITY_DEGRADED:  routing.Degraded,
		eventsv1.Quality_QUALITY_UNHEALTHY: routing.Unhealthy,
	}
)
