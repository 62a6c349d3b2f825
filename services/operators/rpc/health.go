package rpc

import (
	"context"
	"time"

	"github.com/google/uuid"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/pagetoken"
)

// HealthReader reads what is known of the health of operators. The answer may come from a replica, and says so.
type HealthReader interface {
	// Health gives the health of one operator; that of one that was never reported is unknown.
	Health(ctx context.Context, operator uuid.UUID) (operators.Health, operators.Freshness, error)
	// HealthOf gives the health of those of the operators that were reported; none means all live ones.
	HealthOf(ctx context.Context, all []uuid.UUID) ([]operators.Health, operators.Freshness, error)
	// ListTransitions gives changes of health, newest first, and whether there are more.
	ListTransitions(ctx context.Context, filter operators.TransitionFilter) ([]operators.Transition, bool, operators.Freshness, error)
}

// Board is where engines read the health of operators.
type Board interface {
	// Standing gives the word that stands about one operator.
	Standing(ctx context.Context, operator uuid.UUID) (operators.Word, error)
	// Heard gives the last word about one operator that came here, at no cost; it may be moments behind.
	Heard(operator uuid.UUID) operators.Word
}

// The enums of events and of the domain have the same numbers.
func toHealth(h operators.Health) *operatorsv1.OperatorHealth {
	return &operatorsv1.OperatorHealth{
		OperatorId: h.OperatorID.String(), BindState: eventsv1.BindState(h.Bind), Quality: eventsv1.Quality(h.Quality),
		Throttled: h.Throttled, Version: h.Version, ChangeTime: toTime(h.ChangedAt), ObserveTime: toTime(h.ObservedAt),
		ByHand: h.ByHand,
	}
}

// healthOf gives the health of each operator of a page, which engines act on as in GetOperatorHealth. That of deleted ones
// is unknown. It reads the stored health of all at once, and of words those that came here.
func (h *Operators) healthOf(ctx context.Context, page []operators.Operator) ([]*operatorsv1.OperatorHealth, operators.Freshness, error) {
	var live []uuid.UUID
	for _, o := range page {
		if o.Live() {
			live = append(live, o.ID)
		}
	}
	known := make(map[uuid.UUID]operators.Health, len(live))
	var fresh operators.Freshness
	if len(live) > 0 {
		reported, f, err := h.health.HealthOf(ctx, live)
		if err != nil {
			return nil, f, err
		}
		for _, one := range reported {
			known[one.OperatorID] = one
		}
		fresh = f
	}
	now := h.clock.Now()
	all := make([]*operatorsv1.OperatorHealth, len(page))
	for i, o := range page {
		one := known[o.ID]
		one.OperatorID = o.ID
		if o.Live() {
			one = one.Under(h.board.Heard(o.ID), now).Aged(now)
		}
		all[i] = toHealth(one)
	}
	return all, fresh, nil
}

// GetOperatorHealth gives the health of one operator that engines act on: the reduced one, or the word of a neighbour that
// stands against it. While the board is out of reach it is the reduced one: no new word reaches engines then either.
func (h *Operators) GetOperatorHealth(
	ctx context.Context, req *operatorsv1.GetOperatorHealthRequest,
) (*operatorsv1.GetOperatorHealthResponse, error) {
	one, fresh, err := h.health.Health(ctx, idOf(req.GetOperatorId()))
	if err != nil {
		return nil, err
	}
	now := h.clock.Now()
	if standing, err := h.board.Standing(ctx, one.OperatorID); err == nil {
		one = one.Under(standing, now)
	}
	return &operatorsv1.GetOperatorHealthResponse{Health: toHealth(one.Aged(now)), Freshness: toFreshness(fresh)}, nil
}

// ListHealthTransitions gives changes of health, newest first, in pages.
func (h *Operators) ListHealthTransitions(
	ctx context.Context, req *operatorsv1.ListHealthTransitionsRequest,
) (*operatorsv1.ListHealthTransitionsResponse, error) {
	filter := operators.TransitionFilter{OperatorID: idOf(req.GetOperatorId()), Limit: pagetoken.Size(req.GetPageSize())}
	var err error
	if filter.From, err = fromTime("start_time", req.GetStartTime()); err != nil {
		return nil, err
	}
	if filter.To, err = fromTime("end_time", req.GetEndTime()); err != nil {
		return nil, err
	}
	list, err := pagetoken.ListOf(operatorsv1connect.OperatorServiceListHealthTransitionsProcedure, req)
	if err != nil {
		return nil, err
	}
	after, err := list.Read(req.GetPageToken(), 2)
	if err != nil {
		return nil, err
	}
	if after != nil {
		if filter.AfterTime, err = time.Parse(time.RFC3339Nano, after[0]); err != nil {
			return nil, pagetoken.Invalid()
		}
		filter.AfterID = idOf(after[1])
	}
	page, more, fresh, err := h.health.ListTransitions(ctx, filter)
	if err != nil {
		return nil, err
	}
	response := &operatorsv1.ListHealthTransitionsResponse{Freshness: toFreshness(fresh)}
	for _, t := range page {
		response.Transitions = append(response.Transitions, toTransition(t))
	}
	if more {
		last := page[len(page)-1]
		response.NextPageToken = list.Write(last.OccurredAt.Format(time.RFC3339Nano), last.ID.String())
	}
	return response, nil
}

func toTransition(t operators.Transition) *operatorsv1.HealthTransition {
	return &operatorsv1.HealthTransition{
		TransitionId: t.ID.String(), OperatorId: t.OperatorID.String(), OccurTime: toTime(t.OccurredAt),
		FromBindState: eventsv1.BindState(t.FromBind), ToBindState: eventsv1.BindState(t.ToBind),
		FromQuality: eventsv1.Quality(t.FromQuality), ToQuality: eventsv1.Quality(t.ToQuality),
		Cause: t.Cause, Submits: t.Submits, Errors: t.Errors, Version: t.Version,
	}
}
