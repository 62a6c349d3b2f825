package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

// The streams, beside release.Stream. Those who publish to them create them.
const (
	healthStream  = "OPERATOR_HEALTH"
	healthSubject = "operator.health."
	configStream  = "OPERATOR_CONFIG"

	// healthLife is the age at which the stream drops a word about an operator.
	healthLife = 24 * time.Hour
	// checkEvery is how often the connection is looked at; watchers hear of its loss this late at most.
	checkEvery = time.Second
)

// Feed hears events and tells watchers. It is safe for concurrent use.
type Feed struct {
	conn  *jetstream.Conn
	clock clock.Clock
	log   *slog.Logger

	watching  prometheus.Gauge
	malformed *prometheus.CounterVec

	mu       sync.Mutex
	words    words
	watchers map[*watcher]struct{}
	// connected tells whether everything that the streams hold has come, and NATS answers.
	connected bool
	// blamed are the streams of which a malformed event was logged.
	blamed map[string]bool
}

// New registers ops_feed_watchers and ops_feed_malformed_total, and returns a feed that hears nothing before Run.
func New(conn *jetstream.Conn, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*Feed, error) {
	f := &Feed{
		conn: conn, clock: clk, log: log, words: newWords(), watchers: map[*watcher]struct{}{}, blamed: map[string]bool{},
		watching: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ops_feed_watchers", Help: "Open streams of WatchEvents.",
		}),
		malformed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ops_feed_malformed_total", Help: "Events that no watcher was told of because they cannot be read, by stream.",
		}, []string{"stream"}),
	}
	for _, stream := range []string{healthStream, configStream, release.Stream} {
		f.malformed.WithLabelValues(stream)
	}
	if err := errors.Join(reg.Register(f.watching), reg.Register(f.malformed)); err != nil {
		return nil, fmt.Errorf("register the metrics of the feed: %w", err)
	}
	return f, nil
}

// source is one stream and what becomes of its messages.
type source struct {
	stream string
	policy jetstream.Policy
	hear   func(jetstream.Message) error
}

func (f *Feed) sources() []source {
	return []source{
		{healthStream, jetstream.LastPerSubject, f.hearHealth},
		{configStream, jetstream.New, f.hearConfig},
		{release.Stream, jetstream.LastPerSubject, f.hearEngine},
	}
}

// Run hears until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	var followed []*jetstream.Subscription
	for _, s := range f.sources() {
		one, err := f.conn.Follow(ctx, jetstream.FollowSpec{Stream: s.stream, Policy: s.policy}, func(ctx context.Context, m jetstream.Message) {
			f.heard(ctx, s, m)
		})
		if err != nil {
			f.log.ErrorContext(ctx, "events are not heard; whoever watches is told nothing", "stream", s.stream, "error", err)
			return
		}
		defer one.Stop()
		followed = append(followed, one)
	}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		connected := f.reached(ctx, followed)
		if ctx.Err() != nil {
			return
		}
		f.setConnected(connected)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reached tells whether events come here.
func (f *Feed) reached(ctx context.Context, followed []*jetstream.Subscription) bool {
	for _, one := range followed {
		select {
		case <-one.Synced():
		default:
			return false
		}
	}
	return f.conn.Check(ctx) == nil
}

func (f *Feed) setConnected(connected bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.connected == connected {
		return
	}
	f.connected = connected
	for w := range f.watchers {
		w.beat = true
		w.nudge()
	}
}

func (f *Feed) hearHealth(m jetstream.Message) error {
	e, err := readHealth(m)
	if err != nil {
		return err
	}
	f.tellWord(m, healthLife, &operatorsv1.WatchEventsResponse{Event: &operatorsv1.WatchEventsResponse_OperatorHealth{OperatorHealth: e}})
	return nil
}

func (f *Feed) hearEngine(m jetstream.Message) error {
	e, err := readEngine(m)
	if err != nil {
		return err
	}
	f.tellWord(m, operators.EngineLife, &operatorsv1.WatchEventsResponse{Event: &operatorsv1.WatchEventsResponse_Release{Release: e}})
	return nil
}

func (f *Feed) tellWord(m jetstream.Message, life time.Duration, response *operatorsv1.WatchEventsResponse) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.words.add(m, life, response) {
		return
	}
	for w := range f.watchers {
		w.nudge()
	}
}

func (f *Feed) hearConfig(m jetstream.Message) error {
	e, err := readConfig(m)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		w.change = merged(w.change, e)
		w.nudge()
	}
	return nil
}

// heard takes a message in, or counts it as one that cannot be read. The log has the first one of each stream: whoever
// publishes one publishes more.
func (f *Feed) heard(ctx context.Context, from source, m jetstream.Message) {
	err := from.hear(m)
	if err == nil {
		return
	}
	f.malformed.WithLabelValues(from.stream).Inc()
	f.mu.Lock()
	first := !f.blamed[from.stream]
	f.blamed[from.stream] = true
	f.mu.Unlock()
	if first {
		f.log.WarnContext(ctx, "an event cannot be read and nobody who watches is told of it; further ones are only counted",
			"stream", from.stream, "subject", m.Subject, "sequence", m.Sequence, "error", err)
	}
}
