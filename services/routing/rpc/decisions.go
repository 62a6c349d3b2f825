package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/telemetry"
	"trunkline/services/routing"
)

// DecisionLog is the log that is shown. It gives generated types, because nothing happens to them on the way.
type DecisionLog interface {
	// Export gives the decisions that the filter chooses, oldest first, some at a time.
	Export(ctx context.Context, f routing.RecordFilter, give func([]*routingv1.DecisionRecord) error) error
	// Erase takes away every decision about a number and tells how many there were.
	Erase(ctx context.Context, e routing.Erasure) (int64, error)
	// List gives a page, newest first, and whether there are more.
	List(ctx context.Context, p routing.RecordPage) ([]*routingv1.DecisionRecord, bool, error)
	// Summarize sums up what a bounded query chooses, by interval and then by group.
	Summarize(ctx context.Context, q routing.SummaryQuery) ([]routing.Summary, error)
}

// Traffic is watched as it comes.
type Traffic interface {
	// Watch gives the past, which may be nothing, and then new seconds until ctx ends, all without gaps.
	Watch(ctx context.Context, past time.Duration, give func([]routing.TrafficPoint) error) error
}

// Decisions implements routingv1connect.DecisionServiceHandler.
type Decisions struct {
	log     DecisionLog
	traffic Traffic
	clock   clock.Clock
}

// NewDecisions gives the service.
func NewDecisions(log DecisionLog, traffic Traffic, clk clock.Clock) *Decisions {
	return &Decisions{log, traffic, clk}
}

// ExportDecisions gives the decisions that the request chooses, oldest first.
func (d *Decisions) ExportDecisions(
	ctx context.Context, req *routingv1.ExportDecisionsRequest, stream *connect.ServerStream[routingv1.ExportDecisionsResponse],
) error {
	f := routing.RecordFilter{From: moment(req.GetFromTime()), To: moment(req.GetToTime()), Number: e164.Number(req.GetNumber())}
	var err error
	if f.Account, err = optionalID(req.GetAccountId()); err != nil {
		return err
	}
	if f.ID, err = optionalID(req.GetDecisionId()); err != nil {
		return err
	}
	return d.log.Export(ctx, f, func(some []*routingv1.DecisionRecord) error {
		return stream.Send(&routingv1.ExportDecisionsResponse{Decisions: some})
	})
}

// EraseDecisions takes every decision about a number away.
func (d *Decisions) EraseDecisions(ctx context.Context, req *routingv1.EraseDecisionsRequest) (*routingv1.EraseDecisionsResponse, error) {
	number, err := e164.Parse(req.GetNumber())
	if err != nil {
		return nil, err // the schema has checked the form
	}
	n, err := d.log.Erase(ctx, routing.Erasure{
		Number: number, Actor: caller.From(ctx).Name, RequestID: telemetry.RequestID(ctx), At: d.clock.Now(), DryRun: req.GetValidateOnly(),
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.EraseDecisionsResponse{Erased: n}, nil
}

func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func optionalID(text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.Nil, nil
	}
	return uuid.Parse(text)
}
