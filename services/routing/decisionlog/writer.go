package decisionlog

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

const (
	// queued bounds what waits for its batch. It holds four of the largest calls of BatchSelectOperators, for decisions come
	// faster than NATS takes them. An entry takes about 300 bytes, 216 of them in the queue.
	queued = 40_960
	// batchMost is how many entries one message holds: about 100 KiB.
	batchMost = 256
	// lag is the longest time an entry waits for others.
	lag = 200 * time.Millisecond
	// retryFirst and retryLast bound the pauses while NATS does not take a batch, flushLimit the end of the process.
	retryFirst = 250 * time.Millisecond
	retryLast  = 5 * time.Second
	flushLimit = 3 * time.Second
)

// Publisher sends one message to a stream and waits for its ack.
type Publisher interface {
	Publish(ctx context.Context, subject string, data []byte, msgID string) error
}

// Decider answers queries.
type Decider interface {
	Explain(ctx context.Context, q *routing.Query, d *routing.Decision, tr *routing.Trace) error
}

// Writer sends decisions and outcomes to the log. Its methods never wait.
type Writer struct {
	queue chan entry
	// full tells that a whole batch waits. The queue alone would wake the sender for every decision.
	full      chan struct{}
	publisher Publisher
	parcel    parcel
	now       func() time.Time
	log       *slog.Logger
	dropped   prometheus.Counter
	batches   *prometheus.CounterVec
}

// entry is one or the other.
type entry struct {
	record routing.Record
	report *routing.Report
}

// NewWriter gives a writer and registers routing_engine_decision_log_dropped_total, _queued and _batches_total{result}.
func NewWriter(publisher Publisher, hasher *Hasher, now func() time.Time, log *slog.Logger, reg prometheus.Registerer) (*Writer, error) {
	w := &Writer{
		queue: make(chan entry, queued), full: make(chan struct{}, 1), publisher: publisher, parcel: parcel{hasher: hasher}, now: now, log: log,
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "routing_engine_decision_log_dropped_total", Help: "Decisions that are not in the log, because too many waited.",
		}),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "routing_engine_decision_log_batches_total", Help: "Tries to send a batch of the decision log.",
		}, []string{"result"}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "routing_engine_decision_log_queued", Help: "Decisions and outcomes that wait for their batch.",
	}, func() float64 { return float64(len(w.queue)) })
	for _, c := range []prometheus.Collector{w.dropped, w.batches, waiting} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Logged decides and takes note of each decision. Explanations for people are not logged.
func (w *Writer) Logged(next Decider) *Logged { return &Logged{next, w} }

// Logged is a decider whose decisions are logged.
type Logged struct {
	next   Decider
	writer *Writer
}

// Explain decides.
func (l *Logged) Explain(ctx context.Context, q *routing.Query, d *routing.Decision, tr *routing.Trace) error {
	if tr != nil {
		return l.next.Explain(ctx, q, d, tr)
	}
	began := time.Now()
	err := l.next.Explain(ctx, q, d, nil)
	if !l.writer.put(entry{record: routing.NewRecord(q, d, err, time.Since(began))}) {
		l.writer.dropped.Inc()
	}
	return err
}

// put queues an entry, unless too many wait.
func (w *Writer) put(e entry) bool {
	select {
	case w.queue <- e:
	default:
		return false
	}
	if len(w.queue) >= batchMost-1 { // the sender has the first one
		select {
		case w.full <- struct{}{}:
		default: // it is told already
		}
	}
	return true
}

// ReasonOverloaded marks a report that found the queue full.
const ReasonOverloaded = "OVERLOADED"

// Report takes note of what became of a message, and gives it an id and a time. It is an UNAVAILABLE fault when too much
// waits.
func (w *Writer) Report(r routing.Report) error {
	r.ID, r.At = uuid.Must(uuid.NewV7()), w.now()
	if !w.put(entry{report: &r}) {
		return fault.New(fault.Unavailable, ReasonOverloaded, "Too many outcomes wait to be logged: report it again in a moment.").WithRetry(time.Second)
	}
	return nil
}

// Run sends batches until ctx ends, and then what waits, for a few seconds.
func (w *Writer) Run(ctx context.Context) {
	var unsent *routingv1.DecisionBatch
	for unsent == nil && ctx.Err() == nil {
		if batch := w.collect(ctx); batch != nil && !w.deliver(ctx, batch) {
			unsent = batch
		}
	}
	w.flush(context.WithoutCancel(ctx), unsent)
}

// collect waits for the first entry and then a moment for others; nil when ctx ended before the first.
func (w *Writer) collect(ctx context.Context) *routingv1.DecisionBatch {
	var first entry
	select {
	case first = <-w.queue:
	case <-ctx.Done():
		return nil
	}
	timer := time.NewTimer(lag)
	defer timer.Stop()
	for late := false; !late && len(w.queue) < batchMost-1; {
		select {
		case <-w.full:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			late = true
		}
	}
	w.parcel.empty(1 + len(w.queue))
	w.parcel.add(&first)
	return w.fill()
}

// fill adds what waits, as far as it fits; nil when the batch stays empty.
func (w *Writer) fill() *routingv1.DecisionBatch {
	for w.parcel.len() < batchMost {
		select {
		case next := <-w.queue:
			w.parcel.add(&next)
			continue
		default:
		}
		break
	}
	if w.parcel.len() == 0 {
		return nil
	}
	return &w.parcel.batch
}

// deliver tries until the stream has the batch, meanwhile the queue fills, which is its bound. False means that ctx
// ended before.
func (w *Writer) deliver(ctx context.Context, batch *routingv1.DecisionBatch) bool {
	id := uuid.NewString()
	for pause := retryFirst; ; pause = min(2*pause, retryLast) {
		err := w.publish(ctx, batch, id)
		if err == nil {
			return true
		}
		w.log.DebugContext(ctx, "a batch of the decision log was not taken; it is tried again", "error", err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

func (w *Writer) publish(ctx context.Context, batch *routingv1.DecisionBatch, id string) error {
	data, err := proto.Marshal(batch)
	if err == nil {
		err = w.publisher.Publish(ctx, Subject, data, id)
	}
	if err != nil {
		w.batches.WithLabelValues("error").Inc()
		return err
	}
	w.batches.WithLabelValues("ok").Inc()
	return nil
}

// flush sends what waits when the process ends, until the first failure.
func (w *Writer) flush(ctx context.Context, batch *routingv1.DecisionBatch) {
	ctx, cancel := context.WithTimeout(ctx, flushLimit)
	defer cancel()
	if batch == nil {
		batch = w.waiting()
	}
	for ; batch != nil; batch = w.waiting() {
		if err := w.publish(ctx, batch, uuid.NewString()); err != nil {
			lost := len(batch.GetDecisions()) + len(batch.GetOutcomes()) + len(w.queue)
			w.dropped.Add(float64(lost))
			w.log.WarnContext(ctx, "the end of the decision log was not sent", "entries", lost, "error", err)
			return
		}
	}
}

// waiting gives a batch of what is in the queue; nil when that is nothing.
func (w *Writer) waiting() *routingv1.DecisionBatch {
	w.parcel.empty(len(w.queue))
	return w.fill()
}
