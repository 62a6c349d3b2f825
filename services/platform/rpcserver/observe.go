package rpcserver

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/platform/fault"
)

const (
	labelMethod = "method"
	labelCode   = "status_code"
	// unknownMethod is the method label of calls whose path names no procedure.
	// A label from the path would let callers create series.
	unknownMethod = "unknown"
	codeOK        = "OK"
)

// meter holds the label handles of one method, so that a good call looks none up.
type meter struct {
	requests *prometheus.CounterVec
	ok       prometheus.Counter
	duration prometheus.Observer
}

func newMeter(m Metrics, procedure string) *meter {
	label := unknownMethod
	switch {
	case procedure == "":
	case m.Label != nil:
		label = m.Label(procedure)
	default:
		label = lastSegment(procedure)
	}
	out := &meter{}
	if m.Requests != nil {
		out.requests = m.Requests.MustCurryWith(prometheus.Labels{labelMethod: label})
		out.ok = out.requests.WithLabelValues(codeOK)
	}
	if m.Duration != nil {
		out.duration = m.Duration.WithLabelValues(label)
	}
	return out
}

func (m *meter) count(err *connect.Error, took time.Duration) {
	if m == nil {
		return
	}
	switch {
	case m.requests == nil:
	case err == nil:
		m.ok.Inc()
	default:
		m.requests.WithLabelValues(codeName(err.Code())).Inc()
	}
	if m.duration != nil {
		m.duration.Observe(took.Seconds())
	}
}

// observer writes one access line and one sample per call.
type observer struct {
	log     *slog.Logger
	unknown *meter
	floods  floods
}

// floods lets one warning per procedure through in floodPause: an outage fails
// every call, and the metrics count them.
type floods struct {
	mu   sync.Mutex
	last map[string]time.Time
}

const floodPause = time.Second

func (f *floods) allow(procedure string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last, ok := f.last[procedure]; ok && now.Sub(last) < floodPause {
		return false
	}
	if f.last == nil {
		f.last = map[string]time.Time{}
	}
	f.last[procedure] = now
	return true
}

// observe records a finished call; err is nil for success. It must run once per call.
func (o *observer) observe(ctx context.Context, c *call, err *connect.Error) {
	took := time.Since(c.start)
	m, name, infra := o.unknown, unknownMethod, false
	if p := c.procedure; p != nil {
		m, name, infra = p.meter, p.name, p.infra
	}
	m.count(err, took)

	level := levelOf(err)
	if level == slog.LevelWarn && !o.floods.allow(name, c.start) {
		level = slog.LevelDebug
	}
	if infra && level == slog.LevelDebug || !o.log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("procedure", name),
		slog.String("protocol", c.protocol),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000))
	if err == nil {
		attrs = append(attrs, slog.String("code", codeOK))
	} else {
		attrs = append(attrs, slog.String("code", codeName(err.Code())))
		var f *fault.Fault
		if errors.As(err, &f) {
			attrs = append(attrs, slog.String("reason", f.Reason))
			if level > slog.LevelDebug {
				attrs = append(attrs, slog.Any("fault", f))
			}
		}
	}
	o.log.LogAttrs(ctx, level, "rpc", attrs...)
}

// levelOf raises the level for faults of the server. What callers do wrong stays
// at debug: it must not be possible to fill the log from outside.
func levelOf(err *connect.Error) slog.Level {
	if err == nil {
		return slog.LevelDebug
	}
	switch err.Code() {
	case connect.CodeInternal, connect.CodeUnknown, connect.CodeDataLoss:
		return slog.LevelError
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
