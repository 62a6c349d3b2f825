package demo

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/platform/jetstream"
)

const (
	sessionSubject = "operator.session."
	connectorID    = "demo"
	// heartbeat is how often a connector reports.
	heartbeat = 10 * time.Second
)

// Sessions stands in for the connector that a development process does not have: it reports sessions that are up and
// carry nothing. What follows from that is for the ingest of health to say, so an UNBOUND published by hand stays
// until somebody publishes BOUND. It is safe for concurrent use.
type Sessions struct {
	conn  *jetstream.Conn
	log   *slog.Logger
	every time.Duration

	mu       sync.Mutex
	states   map[string]eventsv1.BindState // by operator
	sequence int64
}

// NewSessions gives the sessions of no operator yet.
func NewSessions(conn *jetstream.Conn, log *slog.Logger) *Sessions {
	return &Sessions{conn: conn, log: log, every: heartbeat, states: map[string]eventsv1.BindState{}, sequence: time.Now().UnixNano()}
}

// Bind brings up the sessions of the operators with these ids, ends those of all others, and reports every one. After
// an error the sessions are as asked; Run reports them with its next heartbeat.
func (s *Sessions) Bind(ctx context.Context, operatorIDs []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, state := range s.states {
		if state == eventsv1.BindState_BIND_STATE_UNBOUND {
			delete(s.states, id) // it was reported
		} else {
			s.states[id] = eventsv1.BindState_BIND_STATE_UNBOUND
		}
	}
	for _, id := range operatorIDs {
		s.states[id] = eventsv1.BindState_BIND_STATE_BOUND
	}
	return s.report(ctx)
}

// Run repeats the reports until ctx ends.
func (s *Sessions) Run(ctx context.Context) {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		err := s.report(ctx)
		s.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			s.log.DebugContext(ctx, "the demo sessions were not reported", "error", err)
		}
	}
}

// report needs mu.
func (s *Sessions) report(ctx context.Context) error {
	for id, state := range s.states {
		s.sequence++
		event, err := protojson.Marshal(&eventsv1.OperatorSessionEvent{
			OperatorId: id, ConnectorId: connectorID, Sequence: s.sequence, BindState: state, OccurredAt: timestamppb.Now(),
		})
		if err != nil {
			return err
		}
		if err := s.conn.Publish(ctx, sessionSubject+id, event, ""); err != nil {
			return fmt.Errorf("report the demo sessions: %w", err)
		}
	}
	return nil
}
