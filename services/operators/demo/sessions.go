package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"trunkline/services/platform/jetstream"
)

const (
	healthStream  = "OPERATOR_HEALTH"
	healthSubject = "operator.health."
	// heartbeat is how often a connector repeats the state of a session.
	heartbeat = 10 * time.Second
)

// Sessions stands in for the connector that a development process does not have: it binds every demo
// operator at the start and then repeats, like a connector's heartbeat, whatever was said of an operator
// last. So an UNBOUND published by hand stays until somebody publishes BOUND.
type Sessions struct {
	conn *jetstream.Conn
	log  *slog.Logger

	mu   sync.Mutex
	last map[string]said // by subject
}

type said struct {
	sequence uint64
	data     []byte
}

// NewSessions gives the sessions of the operators with these ids.
func NewSessions(conn *jetstream.Conn, log *slog.Logger) *Sessions {
	return &Sessions{conn: conn, log: log, last: map[string]said{}}
}

// Bind says BOUND for every operator of which nothing was said yet.
func (s *Sessions) Bind(ctx context.Context, operatorIDs []string) error {
	for _, id := range operatorIDs {
		event, err := json.Marshal(map[string]string{"operatorId": id, "status": "BOUND", "occurredAt": time.Now().UTC().Format(time.RFC3339)})
		if err != nil {
			return err
		}
		// Expecting sequence 0 keeps a state that a former run, or a user, left behind.
		if err := s.conn.PublishAfter(ctx, healthSubject+id, event, "", 0); err != nil && !errors.Is(err, jetstream.ErrWrongSequence) {
			return fmt.Errorf("bind the demo operators: %w", err)
		}
	}
	return nil
}

// Run repeats states until ctx ends.
func (s *Sessions) Run(ctx context.Context) {
	_, err := s.conn.Follow(ctx, jetstream.FollowSpec{Stream: healthStream, Policy: jetstream.LastPerSubject}, func(_ context.Context, m jetstream.Message) {
		if readable(m) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.last[m.Subject] = said{m.Sequence, m.Data}
		}
	})
	if err != nil {
		s.log.WarnContext(ctx, "the demo sessions cannot be kept alive", "error", err)
		return
	}
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.repeat(ctx)
		}
	}
}

// readable tells a state of the subject's operator from what is not worth repeating.
func readable(m jetstream.Message) bool {
	var event struct {
		OperatorID string `json:"operatorId"`
		Status     string `json:"status"`
	}
	return json.Unmarshal(m.Data, &event) == nil && event.Status != "" && strings.EqualFold(healthSubject+event.OperatorID, m.Subject)
}

// repeat never overwrites what it has not read: the stream refuses a heartbeat that is not the next
// message of its subject.
func (s *Sessions) repeat(ctx context.Context) {
	s.mu.Lock()
	states := make(map[string]said, len(s.last))
	for subject, state := range s.last {
		states[subject] = state
	}
	s.mu.Unlock()
	for subject, state := range states {
		if err := s.conn.PublishAfter(ctx, subject, state.data, "", state.sequence); err != nil && !errors.Is(err, jetstream.ErrWrongSequence) && ctx.Err() == nil {
			s.log.DebugContext(ctx, "a demo heartbeat was not published", "error", err)
		}
	}
}
