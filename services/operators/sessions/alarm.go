package sessions

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
)

// alarmID begins the message id of a word of the alarm. The ingest knows by it that the word is provisional: it ends with
// the next report after the database is back, also when the operator came back before and no change is left to store.
const alarmID = "ops-health-alarm/"

// silence is after how long a connector that reports nothing is left out: one heartbeat of 10 s may be missed.
const silence = 25 * time.Second

// maxHeard bounds how many operators, and connectors of one, are remembered.
const maxHeard = 10_000

// Alarm says UNBOUND for operators while the database is down. Reducing health needs the database: for its versions, its
// log, and to agree who reduces. An operator that is lost must not be selected all the same, so every process listens,
// and when the store cannot be reached, the loss of an operator's last session is published as a word without a
// version. The word stands until the state that is stored later takes its place. It is only ever a bad word.
type Alarm struct {
	conn *jetstream.Conn
	// down tells that the store cannot be reached at the moment.
	down func(ctx context.Context) bool
	log  *slog.Logger

	mu   sync.Mutex
	last map[uuid.UUID]map[string]operators.SessionReport // by operator and connector
}

// NewAlarm returns an alarm that hears nothing before Run.
func NewAlarm(conn *jetstream.Conn, down func(ctx context.Context) bool, log *slog.Logger) *Alarm {
	return &Alarm{conn: conn, down: down, log: log, last: map[uuid.UUID]map[string]operators.SessionReport{}}
}

// Run listens until ctx ends. It begins with the reports that the stream still has: without them a connector that lost its
// session would look like the only one. Nobody is told of those, because what they said may not hold any more.
func (a *Alarm) Run(ctx context.Context) {
	var recalled atomic.Bool
	heard, err := a.conn.Follow(ctx, jetstream.FollowSpec{Stream: SessionStream, Policy: jetstream.All}, func(ctx context.Context, m jetstream.Message) {
		report, err := readReport(m)
		if err != nil {
			return // what cannot be read is the consumer's to report
		}
		if a.lost(report) && recalled.Load() && a.down(ctx) {
			a.tell(ctx, m, report)
		}
	})
	if err != nil {
		a.log.ErrorContext(ctx, "the alarm for lost operators does not listen", "error", err)
		return
	}
	defer heard.Stop()
	select {
	case <-heard.Synced():
		// A loss that is heard just before is told with the connector's next report, 10 s later.
		recalled.Store(true)
	case <-ctx.Done():
	}
	<-ctx.Done()
}

func (a *Alarm) tell(ctx context.Context, m jetstream.Message, report operators.SessionReport) {
	data, err := protojson.Marshal(&eventsv1.OperatorHealthEvent{
		OperatorId: report.OperatorID.String(), Status: eventsv1.BindState_BIND_STATE_UNBOUND, OccurredAt: timestamppb.New(report.ReceivedAt),
	})
	if err == nil {
		// Every process hears the same report; the stream keeps the word of one.
		err = a.conn.Publish(ctx, HealthSubject+report.OperatorID.String(), data, fmt.Sprintf("%s%d/%d", alarmID, m.Sequence, m.Time.UnixNano()))
	}
	if err != nil {
		a.log.WarnContext(ctx, "an operator was lost and engines could not be told", "operator_id", report.OperatorID, "error", err)
		return
	}
	a.log.WarnContext(ctx, "an operator was lost while the database is down; engines were told", "operator_id", report.OperatorID)
}

// lost takes a report in and tells whether it means that no connector has a session any more.
func (a *Alarm) lost(report operators.SessionReport) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	reports := a.last[report.OperatorID]
	if reports == nil {
		if len(a.last) >= maxHeard {
			clear(a.last) // ids that are made up; the real ones report again within 10 s
		}
		reports = map[string]operators.SessionReport{}
		a.last[report.OperatorID] = reports
	}
	if before, known := reports[report.ConnectorID]; known && before.Sequence >= report.Sequence {
		return false
	}
	if len(reports) >= maxHeard {
		clear(reports)
	}
	reports[report.ConnectorID] = report
	for connector, other := range reports {
		if report.ReceivedAt.Sub(other.ReceivedAt) > silence {
			delete(reports, connector)
		} else if other.Bind == operators.Bound || other.Bind == operators.Failback {
			return false
		}
	}
	return true
}
