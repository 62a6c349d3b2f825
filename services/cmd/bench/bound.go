package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"trunkline/services/platform/jetstream"
	"trunkline/services/routing/bus"
)

// heartbeat is how often the last word about each operator is repeated; engines forget health that is a minute old.
const heartbeat = 10 * time.Second

// bound stands in for operator-management, whose load would be measured too: it says that every operator is bound, and
// then repeats whatever was said last.
type bound struct {
	conn      *jetstream.Conn
	log       *slog.Logger
	operators []string
}

func (b *bound) subject(operator string) string { return bus.HealthSubject + "." + operator }

// begin says it of each operator until the stream has it or ctx ends: on a machine that does other work too, a message
// may take longer than it may.
func (b *bound) begin(ctx context.Context) error {
	for _, id := range b.operators {
		event, err := json.Marshal(map[string]string{"operatorId": id, "status": "BOUND", "occurredAt": time.Now().UTC().Format(time.RFC3339Nano)})
		if err != nil {
			return err
		}
		for err := b.conn.Publish(ctx, b.subject(id), event, ""); err != nil; err = b.conn.Publish(ctx, b.subject(id), event, "") {
			select {
			case <-ctx.Done():
				return fmt.Errorf("bind the operators: %w", err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// repeat goes on until ctx ends.
func (b *bound) repeat(ctx context.Context) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, id := range b.operators {
			if err := b.repeatOne(ctx, b.subject(id)); err != nil && ctx.Err() == nil {
				b.log.DebugContext(ctx, "a heartbeat was not published", "error", err)
			}
		}
	}
}

// repeatOne does not overwrite a word that it has not read.
func (b *bound) repeatOne(ctx context.Context, subject string) error {
	last, err := b.conn.Last(ctx, bus.HealthStream, subject)
	if err != nil || last.Sequence == 0 {
		return err
	}
	err = b.conn.PublishAfter(ctx, subject, last.Data, "", last.Sequence)
	if errors.Is(err, jetstream.ErrWrongSequence) {
		return nil
	}
	return err
}
