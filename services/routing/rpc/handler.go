package rpc

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

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
	ctx, span := h.tracer.Start(ctx, "routing-engine.select_operator")
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

// batchWorkers bounds how many questions of one batch are asked at once. It matters when each asks a
// database; in memory the machine's cores are the limit.
const batchWorkers = 8

// BatchSelectOperators decides for many messages, in order. Only the end of the call's time fails the
// call as a whole.
func (h *Handler) BatchSelectOperators(ctx context.Context, req *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
	ctx, span := h.tracer.Start(ctx, "routing-engine.batch_select_operators")
	defer span.End()
	span.SetAttributes(attribute.Int("routing.batch", len(req.GetRequests())))
	results := make([]*routingv1.BatchResult, len(req.GetRequests()))
	chunk := (len(results) + batchWorkers - 1) / batchWorkers
	var wg sync.WaitGroup
	var panicked atomic.Value
	for lo := 0; lo < len(results); lo += chunk {
		hi := min(lo+chunk, len(results))
		wg.Go(func() {
			// A panic must reach the call's own goroutine, where the server turns it into an answer; here
			// it would end the process.
			defer func() {
				if p := recover(); p != nil {
					panicked.CompareAndSwap(nil, fmt.Sprint(p))
				}
			}()
			d := h.decisions.Get().(*routing.Decision)
			defer h.decisions.Put(d)
			for i := lo; i < hi && ctx.Err() == nil; i++ {
				results[i] = h.batchResult(ctx, req.GetRequests()[i], d)
			}
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &routingv1.BatchSelectOperatorsResponse{Results: results}, nil
}

func (h *Handler) batchResult(ctx context.Context, req *routingv1.SelectOperatorRequest, d *routing.Decision) *routingv1.BatchResult {
	if err := h.decide(ctx, req, d, nil); err != nil {
		return &routingv1.BatchResult{Result: &routingv1.BatchResult_Error{Error: failure(err)}}
	}
	return &routingv1.BatchResult{Result: &routingv1.BatchResult_Response{Response: response(d)}}
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
