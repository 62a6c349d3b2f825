package sessions

import (
	"context"
	"log/slog"
	"time"

	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
)

// Office is the key under which processes agree who consumes: "sessions" in ASCII.
const Office = 0x73657373696f6e73

const (
	// ackWait bounds the work on one report. When its consumer dies with it in hand, another gets it after this time.
	ackWait = 5 * time.Second
	// maxDelay bounds the pause before a report that failed comes again: its connector may be the only one to know.
	maxDelay = 5 * time.Second
)

// Consumer feeds an ingest with the reports of connectors. Only the process that leads runs it.
type Consumer struct {
	conn    *jetstream.Conn
	ingest  *operators.Ingest
	metrics *Metrics
	log     *slog.Logger
}

// NewConsumer returns a consumer, the only user of its ingest.
func NewConsumer(conn *jetstream.Conn, ingest *operators.Ingest, metrics *Metrics, log *slog.Logger) *Consumer {
	return &Consumer{conn: conn, ingest: ingest, metrics: metrics, log: log}
}

// Run consumes until ctx ends, and returns when the last report is done. It fails when the stored health cannot be read.
func (c *Consumer) Run(ctx context.Context) error {
	if err := c.ingest.Load(ctx); err != nil {
		return err
	}
	if err := c.recall(ctx); err != nil {
		return err
	}
	reports, err := c.conn.Durable(ctx, jetstream.DurableSpec{
		Stream: SessionStream, Name: durable, Policy: jetstream.All, AckWait: ackWait, MaxDelay: maxDelay,
	}, c.handle)
	if err != nil {
		return err
	}
	defer reports.Stop()
	c.log.InfoContext(ctx, "the reports of connectors are consumed")
	<-ctx.Done()
	return ctx.Err()
}

// recall reads the reports that the stream still has, done or not: the ingest has to know what every connector said
// last before it judges the next report.
func (c *Consumer) recall(ctx context.Context) error {
	past, err := c.conn.Follow(ctx, jetstream.FollowSpec{Stream: SessionStream, Policy: jetstream.All}, func(_ context.Context, m jetstream.Message) {
		if report, err := readReport(m); err == nil {
			c.ingest.Recall(report)
		}
	})
	if err != nil {
		return err
	}
	defer past.Stop()
	select {
	case <-past.Synced():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Consumer) handle(ctx context.Context, m jetstream.Message) error {
	report, err := readReport(m)
	if err != nil {
		c.metrics.reported(resultPoison)
		return jetstream.Poison("not a session event", err)
	}
	live, err := c.ingest.Report(ctx, report)
	switch {
	case err != nil:
		c.metrics.reported(resultFailed)
	case live:
		c.metrics.reported(resultDone)
	default:
		c.metrics.reported(resultDropped)
	}
	return err
}
