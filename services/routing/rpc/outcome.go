package rpc

import (
	"context"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

// ReasonNoLog marks a report to an engine that keeps no log.
const ReasonNoLog = "NO_DECISION_LOG"

// ReportOutcome tells what became of a message.
func (h *Handler) ReportOutcome(ctx context.Context, req *routingv1.ReportOutcomeRequest) (*routingv1.ReportOutcomeResponse, error) {
	if h.reporter == nil {
		return nil, fault.New(fault.FailedPrecondition, ReasonNoLog,
			"This engine keeps no log of decisions, so outcomes have no place: give it a key by engine.decision_log.key, or do not report.")
	}
	decision, err := uuid.Parse(req.GetDecisionId())
	if err != nil {
		return nil, err // the schema has checked the form
	}
	operator, err := uuid.Parse(req.GetOperatorId())
	if err != nil {
		return nil, err
	}
	err = h.reporter.Report(routing.Report{
		Decision: decision, Operator: operator, Account: caller.From(ctx).Account, Outcome: routing.Outcome(req.GetOutcome()),
		CommandStatus: req.GetCommandStatus(), Segments: uint8(req.GetSegments()),
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.ReportOutcomeResponse{}, nil
}
