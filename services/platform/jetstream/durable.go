package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
)

// DurableSpec describes a consumer whose progress the server keeps. Processes that
// use the same stream and name share its messages. Stream and Name are required.
type DurableSpec struct {
	Stream string
	Name   string
	// FilterSubjects limits what is consumed; empty means the whole stream.
	FilterSubjects []string
	// Policy is used only when the consumer is created.
	Policy Policy
	// AckWait is the time for one call of the handler and the deadline of its
	// context; then the message is delivered again. 0 means 30 s.
	AckWait time.Duration
	// MaxDeliver sends a message that failed so often to the dead letter stream. 0
	// means no limit, the right choice when handlers fail because a neighbour is
	// down: use Poison for what can never succeed.
	MaxDeliver int
	// MaxInFlight is how many messages may be out unacknowledged over all processes,
	// 0 means 64. With 1 the order is kept: nothing is delivered before the previous
	// message was handled, also while that one waits for another try.
	MaxInFlight int
	// MinDelay and MaxDelay bound the pause before a failed message is delivered
	// again; it doubles with each delivery. 0 means 200 ms and 30 s.
	MinDelay, MaxDelay time.Duration
}

const (
	defaultAckWait     = 30 * time.Second
	defaultMaxInFlight = 64
	defaultMinDelay    = 200 * time.Millisecond
	defaultMaxDelay    = 30 * time.Second
	// prefetch is how many messages one process takes ahead. Messages that wait in
	// the process use up their AckWait, so it is small.
	prefetch = 16
)

type durable struct {
	*Subscription
	spec   DurableSpec
	handle func(context.Context, Message) error

	// warned is when a failure was last warned of, and quiet how many were not since.
	warned time.Time
	quiet  int
}

// warnPause keeps a neighbour that is down, which fails every message, from
// filling the log.
const warnPause = 5 * time.Second

func (d *durable) failed(log *slog.Logger, err error) {
	level := slog.LevelDebug
	if time.Since(d.warned) >= warnPause {
		level = slog.LevelWarn
		log = log.With("more_before", d.quiet)
		d.warned, d.quiet = time.Now(), 0
	} else {
		d.quiet++
	}
	log.Log(context.Background(), level, "message failed and will be delivered again", "error", err)
}

// Durable starts to consume in the background and returns. Messages are handled
// one after the other. The subscription ends with ctx, with its Stop or with
// Conn.Close, after the handler of the current message has returned. An error
// means that the spec is invalid or the connection closed.
//
// A message is acknowledged when handle returned nil and delivered again later
// when it returned an error; see Poison and the package comment for the rest.
func (c *Conn) Durable(ctx context.Context, spec DurableSpec, handle func(context.Context, Message) error) (*Subscription, error) {
	if err := errors.Join(validName("stream", spec.Stream), validName("durable", spec.Name)); err != nil {
		return nil, err
	}
	if spec.MaxDeliver < 0 || spec.MaxInFlight < 0 || spec.AckWait < 0 || spec.MinDelay < 0 || spec.MaxDelay < 0 {
		return nil, fmt.Errorf("durable %s: limits must not be negative", spec.Name)
	}
	spec.AckWait = pick(spec.AckWait > 0, spec.AckWait, defaultAckWait)
	spec.MaxInFlight = pick(spec.MaxInFlight > 0, spec.MaxInFlight, defaultMaxInFlight)
	spec.MinDelay = pick(spec.MinDelay > 0, spec.MinDelay, defaultMinDelay)
	spec.MaxDelay = max(pick(spec.MaxDelay > 0, spec.MaxDelay, defaultMaxDelay), spec.MinDelay)

	s, err := c.subscribe(ctx, c.log.With("stream", spec.Stream, "durable", spec.Name))
	if err != nil {
		return nil, err
	}
	d := &durable{Subscription: s, spec: spec, handle: handle}
	go s.run(d.session)
	return s, nil
}

func (d *durable) session(context.Context) (started bool, err error) {
	if err := d.conn.connection(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(d.stop, apiTimeout)
	defer cancel()
	consumer, err := d.conn.js.CreateOrUpdateConsumer(ctx, d.spec.Stream, natsjs.ConsumerConfig{
		Durable:        d.spec.Name,
		DeliverPolicy:  d.spec.Policy.deliver(),
		FilterSubjects: d.spec.FilterSubjects,
		AckPolicy:      natsjs.AckExplicitPolicy,
		AckWait:        d.spec.AckWait,
		MaxAckPending:  d.spec.MaxInFlight,
		// The server would drop the message at its limit; we move it, see process.
		MaxDeliver: -1,
	})
	if err != nil {
		return false, fmt.Errorf("create the consumer: %w", err)
	}
	messages, err := consumer.Messages(
		natsjs.PullMaxMessages(min(prefetch, d.spec.MaxInFlight)),
		natsjs.PullExpiry(pullExpires), natsjs.PullHeartbeat(heartbeat))
	if err != nil {
		return false, fmt.Errorf("request messages: %w", err)
	}
	defer messages.Stop()
	d.markSynced()

	next, cancelNext := context.WithCancel(d.hard)
	defer cancelNext()
	defer context.AfterFunc(d.stop, func() {
		// Drain lets the loop below see what the server has sent already. Without a
		// connection nothing more can come and drain would wait for one.
		if d.conn.up.Load() {
			messages.Drain()
		} else {
			cancelNext()
		}
	})()
	for {
		msg, err := messages.Next(natsjs.NextContext(next))
		if err != nil {
			return true, err
		}
		d.process(msg)
	}
}

func (d *durable) process(msg natsjs.Msg) {
	ctx, m, _, err := d.conn.received(d.hard, msg)
	if err != nil {
		d.log.Error("a delivery has no readable metadata", "subject", msg.Subject(), "error", err)
		d.answer(msg.Term())
		return
	}
	log := d.log.With("sequence", m.Sequence, "deliveries", m.Deliveries)
	switch {
	case len(m.Data) > d.conn.cfg.MaxMessageBytes:
		d.deadLetter(ctx, msg, m, fmt.Sprintf("larger than %d bytes", d.conn.cfg.MaxMessageBytes))
		return
	case d.spec.MaxDeliver > 0 && m.Deliveries > d.spec.MaxDeliver:
		// The former handlers never answered: they crashed or hung.
		d.deadLetter(ctx, msg, m, reasonMaxDeliver)
		return
	}
	err = guard(log, func() error {
		ctx, cancel := context.WithTimeout(ctx, d.spec.AckWait)
		defer cancel()
		return d.handle(ctx, m)
	})
	switch {
	case err == nil:
		d.answer(msg.Ack())
	case errors.Is(err, ErrPoison):
		log.Error("poison message", "error", err)
		d.deadLetter(ctx, msg, m, poisonReason(err))
	case d.hard.Err() != nil:
		d.answer(msg.Nak()) // we are the problem: let another process try at once
	case d.spec.MaxDeliver > 0 && m.Deliveries >= d.spec.MaxDeliver:
		log.Error("message failed too often", "error", err)
		d.deadLetter(ctx, msg, m, reasonMaxDeliver)
	default:
		d.failed(log, err)
		d.retry(msg, m)
	}
}

func (d *durable) retry(msg natsjs.Msg, m Message) {
	d.answer(msg.NakWithDelay(grow(d.spec.MinDelay, d.spec.MaxDelay, m.Deliveries)))
}

// answer logs an answer that could not be sent. The message will be delivered
// again after AckWait.
func (d *durable) answer(err error) {
	if err != nil {
		d.log.Warn("an acknowledgement could not be sent", "error", err)
	}
}
