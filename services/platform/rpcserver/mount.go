package rpcserver

import (
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
)

// Mount is one RPC service. A generated constructor fits in one line:
//
//	rpcserver.Mount{
//		Name: routingv1connect.RoutingServiceName,
//		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
//			return routingv1connect.NewRoutingServiceHandler(service, opts...)
//		},
//	}
type Mount struct {
	// Name is the full service name, such as trunkline.routing.v1.RoutingService.
	Name string
	// Handler builds the HTTP handler. It must pass opts on, after its own.
	Handler func(opts ...connect.HandlerOption) (path string, h http.Handler)
	// Valid holds checks by procedure that do the work of the schema's rules in less time, for procedures where
	// that counts. A message that one of them accepts satisfies every rule of the schema; what it does not accept is
	// left to the rules, so that errors stay theirs. A test has to hold each check against them.
	Valid map[string]func(message any) bool
}

// Page is a plain HTTP handler beside the RPC services.
type Page struct {
	// Pattern is a net/http pattern such as "/" or "GET /assets/". RPC paths win
	// over it, also when a procedure does not exist.
	Pattern string
	Handler http.Handler
	// ContentSecurityPolicy of the page, such as ConsolePolicy. Empty keeps the one of
	// the API, under which a browser runs, loads and frames nothing.
	ContentSecurityPolicy string
}

// within is the handler under the policy of the page.
func (p Page) within() http.Handler {
	if p.ContentSecurityPolicy == "" || p.Handler == nil {
		return p.Handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", p.ContentSecurityPolicy)
		p.Handler.ServeHTTP(w, r)
	})
}

// Metrics are the collectors that calls are counted in. The caller registers
// them, because their names are contracts of the service. Nil fields count
// nothing.
type Metrics struct {
	// Requests has the labels method and status_code. status_code is the
	// canonical name, such as OK or INVALID_ARGUMENT.
	Requests *prometheus.CounterVec
	// Duration has the label method and counts seconds, also of failed calls.
	Duration *prometheus.HistogramVec
	// Label turns a procedure, such as /trunkline.routing.v1.RoutingService/SelectOperator,
	// into the method label. Nil takes the part after the last slash. Calls of
	// procedures that do not exist have the label "unknown".
	Label func(procedure string) string
}

// NewMetrics creates and registers <prefix>_requests_total and
// <prefix>_request_duration_seconds. Nil buckets mean LatencyBuckets.
func NewMetrics(reg prometheus.Registerer, prefix string, buckets []float64) (Metrics, error) {
	if buckets == nil {
		buckets = LatencyBuckets()
	}
	m := Metrics{
		Requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "_requests_total",
			Help: "Finished calls by method and canonical status code.",
		}, []string{labelMethod, labelCode}),
		Duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "_request_duration_seconds",
			Help:    "Time from the arrival of a call's headers to its end.",
			Buckets: buckets,
		}, []string{labelMethod}),
	}
	for _, c := range []prometheus.Collector{m.Requests, m.Duration} {
		if err := reg.Register(c); err != nil {
			return Metrics{}, err
		}
	}
	return m, nil
}

// LatencyBuckets returns 1, 2.5, 5, 10, 25, 40, 50, 100 and 250 ms in seconds.
// 40 and 50 ms are the warning and critical levels of the latency alert.
func LatencyBuckets() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.010, 0.025, 0.040, 0.050, 0.100, 0.250}
}

// Limits widens or narrows what one procedure may use. Zero fields keep the
// values of Config, 30 minutes for a stream, and any number of calls.
type Limits struct {
	// MaxBytes bounds one request message.
	MaxBytes int
	// MaxCalls bounds the calls in flight: one more is refused before its message is read. For what takes large messages.
	MaxCalls int
	// Timeout bounds a call or a stream. The one message of a server stream has to
	// arrive within the request timeout of Config all the same.
	Timeout time.Duration
}
