// Package bus tells other processes about committed changes of operators and
// rules, as OperatorConfigEvent in JSON on operator.config.created and
// operator.config.updated. One event may stand for many rows; engines read the
// new state themselves.
//
// Delivery is at most once for now: an event that cannot be published is logged
// and counted, and the change stays. Engines find it at their next sweep, at
// most five minutes later. An outbox, written in the transaction of the change,
// will take the place of this.
package bus

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
)

// The subjects of the stream OPERATOR_CONFIG.
const (
	SubjectCreated = "operator.config.created"
	SubjectUpdated = "operator.config.updated"
)

// Publisher stores a message in a stream and returns when that is acknowledged.
// Equal message ids are stored once.
type Publisher interface {
	Publish(ctx context.Context, subject string, data []byte, msgID string) error
}

// Announcer publishes changes. It is safe for concurrent use.
type Announcer struct {
	publisher Publisher
	log       *slog.Logger
	published *prometheus.CounterVec
}

var _ operators.Announcer = (*Announcer)(nil)

// NewAnnouncer returns an announcer and registers ops_nats_publish_total.
func NewAnnouncer(publisher Publisher, reg prometheus.Registerer, log *slog.Logger) (*Announcer, error) {
	a := &Announcer{publisher: publisher, log: log, published: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ops_nats_publish_total",
		Help: "Events published to NATS by event and result (ok or error).",
	}, []string{"event", "result"})}
	if err := reg.Register(a.published); err != nil {
		return nil, fmt.Errorf("register the metrics of the event publisher: %w", err)
	}
	return a, nil
}

// Announce publishes one event for created rows and one for updated rows. What
// cannot be published is logged and counted.
func (a *Announcer) Announce(ctx context.Context, change operators.Change) {
	data, err := protojson.Marshal(&eventsv1.OperatorConfigEvent{
		ConfigVersion: change.ConfigVersion, OccurredAt: timestamppb.New(change.OccurredAt),
	})
	if err != nil {
		a.log.ErrorContext(ctx, "a change cannot be written as an event", "config_version", change.ConfigVersion, "error", err)
		return
	}
	if change.Created {
		a.publish(ctx, SubjectCreated, data, change.ConfigVersion)
	}
	if change.Updated {
		a.publish(ctx, SubjectUpdated, data, change.ConfigVersion)
	}
}

func (a *Announcer) publish(ctx context.Context, subject string, data []byte, version int64) {
	result := "ok"
	// The version names the change, so a second try cannot store the event twice.
	if err := a.publisher.Publish(ctx, subject, data, fmt.Sprintf("%s-%d", subject, version)); err != nil {
		result = "error"
		a.log.WarnContext(ctx, "a change was not announced; engines find it at their next sweep",
			"subject", subject, "config_version", version, "error", err)
	}
	a.published.WithLabelValues(subject, result).Inc()
}
