package rpcserver

import (
	"context"
	"net/http"

	"connectrpc.com/grpchealth"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"trunkline/services/platform/fault"
)

type readyBody struct {
	Status   string   `json:"status"`
	Reasons  []string `json:"reasons,omitempty"`
	Degraded []string `json:"degraded,omitempty"`
}

// healthPages are the plain HTTP questions of balancers, orchestrators and people.
func healthPages(h *Health) []Page {
	alive := page(func(w http.ResponseWriter) {
		writeJSON(w, http.StatusOK, readyBody{Status: "alive"})
	})
	ready := page(func(w http.ResponseWriter) {
		r := h.Readiness()
		if !r.Ready {
			writeJSON(w, http.StatusServiceUnavailable, readyBody{"not_ready", r.Reasons, r.Degraded})
			return
		}
		writeJSON(w, http.StatusOK, readyBody{Status: "ready", Degraded: r.Degraded})
	})
	detailed := page(func(w http.ResponseWriter) {
		writeJSON(w, http.StatusOK, struct {
			Ready        bool               `json:"ready"`
			Dependencies []DependencyStatus `json:"dependencies"`
		}{h.Readiness().Ready, h.Dependencies()})
	})
	return []Page{
		{Pattern: "GET /health", Handler: alive}, {Pattern: "GET /healthz", Handler: alive},
		{Pattern: "GET /ready", Handler: ready}, {Pattern: "GET /readyz", Handler: ready},
		{Pattern: "GET /health/detailed", Handler: detailed},
	}
}

func page(write func(http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w) })
}

// metricsPage bounds concurrent scrapes, because gathering is the one page that
// costs more than a few microseconds.
func metricsPage(g prometheus.Gatherer) Page {
	return Page{Pattern: "GET /metrics", Handler: promhttp.HandlerFor(g, promhttp.HandlerOpts{MaxRequestsInFlight: 4})}
}

// grpcHealth answers the gRPC health protocol from the same verdict. Every
// service of a process shares it.
type grpcHealth struct {
	health   *Health
	services map[string]bool
}

var _ grpchealth.Watcher = (*grpcHealth)(nil)

// Check implements grpchealth.Checker. The empty name asks for the process.
func (g *grpcHealth) Check(_ context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if req.Service != "" && !g.services[req.Service] {
		return nil, fault.New(fault.NotFound, ReasonUnknownService, "This server has no such service.")
	}
	if g.health.Readiness().Ready {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
}

// Watch implements grpchealth.Watcher.
func (g *grpcHealth) Watch(ctx context.Context, req *grpchealth.CheckRequest, onChange func()) (func(), error) {
	if _, err := g.Check(ctx, req); err != nil {
		return nil, err
	}
	return g.health.watch(onChange), nil
}
