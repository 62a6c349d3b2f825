package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"trunkline/services/platform/fault"
)

// Publish stores one message and returns when the stream has acknowledged it. It
// takes at most Config.PublishTimeout, or less if ctx ends before; it does not try
// again by itself. A stream stores messages with equal msgID only once within its
// window for duplicates (two minutes by default) and acknowledges the others too;
// an empty msgID turns this off. The trace context of ctx travels in the headers.
//
// Errors: ErrTooLarge, ErrUnavailable, and the fault of a context that ended.
func (c *Conn) Publish(ctx context.Context, subject string, data []byte, msgID string) error {
	return c.compose(ctx, subject, data, msgID)
}

// PublishAfter is Publish that the stream refuses with ErrWrongSequence unless the
// last message of the subject has this sequence; 0 means that there is none. So a
// writer cannot overwrite what it has not read.
func (c *Conn) PublishAfter(ctx context.Context, subject string, data []byte, msgID string, sequence uint64) error {
	return c.compose(ctx, subject, data, msgID, natsjs.WithExpectLastSequencePerSubject(sequence))
}

// Last reads the last message of a subject; the zero Message, whose Sequence is 0, when there is none.
func (c *Conn) Last(ctx context.Context, stream, subject string) (Message, error) {
	if err := c.connection(); err != nil {
		return Message{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		c.streamMissing()
	}
	if err != nil {
		return Message{}, ErrUnavailable.Wrap(fmt.Errorf("stream %s: %w", stream, err))
	}
	m, err := s.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, natsjs.ErrMsgNotFound) {
		return Message{}, nil
	}
	if err != nil {
		return Message{}, ErrUnavailable.Wrap(fmt.Errorf("last message of %s: %w", subject, err))
	}
	return Message{Subject: m.Subject, Data: m.Data, Header: Header(m.Header), Sequence: m.Sequence, Time: m.Time, Deliveries: 1}, nil
}

func (c *Conn) compose(ctx context.Context, subject string, data []byte, msgID string, more ...natsjs.PublishOpt) error {
	if len(data) > c.cfg.MaxMessageBytes {
		return ErrTooLarge.Wrap(fmt.Errorf("%d bytes for %s, at most %d", len(data), subject, c.cfg.MaxMessageBytes))
	}
	header := Header{}
	c.propagator.Inject(ctx, header)
	return c.publish(ctx, &nats.Msg{Subject: subject, Data: data, Header: nats.Header(header)}, msgID, more...)
}

func (c *Conn) publish(ctx context.Context, msg *nats.Msg, msgID string, more ...natsjs.PublishOpt) error {
	if err := c.connection(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	opts := append([]natsjs.PublishOpt{natsjs.WithRetryAttempts(0)}, more...)
	if msgID != "" {
		opts = append(opts, natsjs.WithMsgID(msgID))
	}
	_, err := c.js.PublishMsg(limited, msg, opts...)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.From(ctx.Err())
	case wrongSequence(err):
		return ErrWrongSequence.Wrap(err)
	case errors.Is(err, natsjs.ErrNoStreamResponse):
		c.streamMissing()
	}
	return ErrUnavailable.Wrap(fmt.Errorf("publish to %s: %w", msg.Subject, err))
}

func wrongSequence(err error) bool {
	var api *natsjs.APIError
	return errors.As(err, &api) && (api.ErrorCode == natsjs.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == natsjs.JSErrCodeStreamWrongLastSequenceConstant)
}
