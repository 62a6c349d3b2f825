package rpc

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/routing"
)

// Decider answers queries. routing.Selector is one; metrics wrap it.
type Decider interface {
	// Explain decides into d; tr may be nil. Faults: NO_ROUTE, NO_USABLE_OPERATOR, and those of the
	// source of rules.
	Explain(ctx context.Context, q *routing.Query, d *routing.Decision, tr *routing.Trace) error
}

// Reporter takes reports of what became of messages. It never waits.
type Reporter interface {
	// Report keeps one. It is an UNAVAILABLE fault when too many wait.
	Report(r routing.Report) error
}

// Handler implements routingv1connect.RoutingServiceHandler.
type Handler struct {
	decider   Decider
	reporter  Reporter
	clock     clock.Clock
	tracer    trace.Tracer
	decisions sync.Pool
}

// NewHandler gives the service over a decider. reporter is nil in an engine that keeps no log.
func NewHandler(decider Decider, reporter Reporter, clk clock.Clock, tracer trace.Tracer) *Handler {
	return &Handler{
		decider:   decider,
		reporter:  reporter,
		clock:     clk,
		tracer:    tracer,
		decisions: sync.Pool{New: func() any { return new(routing.Decision) }},
	}
}

// SelectOperator decides for one message.
func (h *Handler) SelectOperator(ctx context.Context, req *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
	ctx, span := h.span(ctx, "routing-engine.select_operator")
	defer span.End()
	d := h.decisions.Get().(*routing.Decision)
	defer h.decisions.Put(d)
	if err := h.decide(ctx, req, d, nil); err != nil {
		return nil, err
	}
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("routing.strategy", strategies[d.Strategy].String()),
			attribute.String("routing.cache", cacheResults[d.Cache].String()),
			attribute.Int("routing.alternates", len(d.Choices)-1),
			attribute.Int64("routing.config_version", d.Versions.Config),
		)
	}
	return response(d), nil
}

// span begins a part of the trace. A trace that is not recorded needs no parts: the call's own span stands for them.
func (h *Handler) span(ctx context.Context, name string) (context.Context, trace.Span) {
	if of := trace.SpanContextFromContext(ctx); of.IsValid() && !of.IsSampled() {
		return ctx, noop.Span{}
	}
	return h.tracer.Start(ctx, name)
}

// ExplainRoute tells how a decision comes about. A number without a route is an answer; a question
// that cannot be read or rules out of reach are errors.
func (h *Handler) ExplainRoute(ctx context.Context, req *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error) {
	var d routing.Decision
	var tr routing.Trace
	err := h.decide(ctx, req.GetQuery(), &d, &tr)
	res := &routingv1.ExplainRouteResponse{Rules: ruleTraces(&tr), Meta: meta(&d)}
	switch {
	case err == nil:
		res.Result = &routingv1.ExplainRouteResponse_Decision{Decision: response(&d)}
	case isNoAnswer(err):
		res.Result = &routingv1.ExplainRouteResponse_Failure{Failure: failure(err)}
	default:
		return nil, err
	}
	return res, nil
}

func (h *Handler) decide(ctx context.Context, req *routingv1.SelectOperatorRequest, d *routing.Decision, tr *routing.Trace) error {
	q, err := query(ctx, req)
	if err != nil {
		return err
	}
	q.At = h.clock.Now()
	return h.decider.Explain(ctx, &q, d, tr)
}
