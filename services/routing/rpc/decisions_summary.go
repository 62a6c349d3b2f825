package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/routing"
)

var groupings = map[routingv1.DecisionGroup]routing.Grouping{
	routingv1.DecisionGroup_DECISION_GROUP_UNSPECIFIED: routing.Together,
	routingv1.DecisionGroup_DECISION_GROUP_OPERATOR:    routing.ByOperator,
	routingv1.DecisionGroup_DECISION_GROUP_FAILURE:     routing.ByFailure,
}

// SummarizeDecisions counts decisions, what they cost and what became of the messages, by interval.
func (d *Decisions) SummarizeDecisions(ctx context.Context, req *routingv1.SummarizeDecisionsRequest) (*routingv1.SummarizeDecisionsResponse, error) {
	filter, err := recordFilter(req.GetFilter())
	if err != nil {
		return nil, err
	}
	query, err := routing.SummaryQuery{RecordFilter: filter, Step: req.GetStep().AsDuration(), Group: groupings[req.GetGroup()]}.Bounded(d.clock.Now())
	if err != nil {
		return nil, err
	}
	all, err := d.log.Summarize(ctx, query)
	if err != nil {
		return nil, err
	}
	res := &routingv1.SummarizeDecisionsResponse{Summaries: make([]*routingv1.DecisionSummary, len(all))}
	for i := range all {
		res.Summaries[i] = toSummary(&all[i])
	}
	return res, nil
}

func toSummary(s *routing.Summary) *routingv1.DecisionSummary {
	out := &routingv1.DecisionSummary{
		StartTime: timestamppb.New(s.Start), Group: s.Group, DecisionCount: s.Count, FailedCount: s.Failed,
		LatencyP50: durationpb.New(s.Latencies.Within(50)), LatencyP95: durationpb.New(s.Latencies.Within(95)),
	}
	for _, cost := range s.Costs {
		out.Costs = append(out.Costs, &routingv1.Money{CurrencyCode: cost.Currency.String(), Nanos: cost.Nanos})
	}
	for outcome := routing.Accepted; outcome <= routing.Undelivered; outcome++ {
		if n := s.Outcomes[outcome]; n > 0 {
			out.Outcomes = append(out.Outcomes, &routingv1.OutcomeCount{Outcome: routingv1.Outcome(outcome), Count: n})
		}
	}
	return out
}
