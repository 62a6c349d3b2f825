package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
)

// FollowSpec describes what to follow. Stream is required.
type FollowSpec struct {
	Stream string
	// FilterSubjects limits what is followed; empty means the whole stream.
	FilterSubjects []string
	// Policy says where to start. After an interruption All and New go on behind the
	// last message handled; LastPerSubject starts over.
	Policy Policy
}

const (
	// followPrefetch is large: a follower catches up with whole streams.
	followPrefetch = 512
	// followInactive is how long the server keeps the consumer of a process that died.
	followInactive = 30 * time.Second
	// syncCheck is how often a follower that is not in sync asks how much is left.
	syncCheck = 250 * time.Millisecond
)

var errGap = errors.New("a message is missing")

type follower struct {
	*Subscription
	spec   FollowSpec
	handle func(context.Context, Message)

	// birth and last say where to go on: the creation time of the stream and the
	// sequence of the last message that was handled or, with New, skipped.
	birth   time.Time
	last    uint64
	started bool
}

// Follow gives every message to this process too, whoever else consumes it, and
// returns at once. Messages are handled one after the other in the order of the
// stream. After an interruption messages may come again, so handle must be
// idempotent; none is left out, unless the stream itself has dropped it. Messages
// larger than Config.MaxMessageBytes are logged and skipped. The subscription ends
// with ctx, with its Stop or with Conn.Close.
func (c *Conn) Follow(ctx context.Context, spec FollowSpec, handle func(context.Context, Message)) (*Subscription, error) {
	if err := validName("stream", spec.Stream); err != nil {
		return nil, err
	}
	s, err := c.subscribe(ctx, c.log.With("stream", spec.Stream, "follow", spec.FilterSubjects))
	if err != nil {
		return nil, err
	}
	f := &follower{Subscription: s, spec: spec, handle: handle}
	go s.run(f.session)
	return s, nil
}

func (f *follower) session(era context.Context) (started bool, err error) {
	if err := f.conn.connection(); err != nil {
		return false, err
	}
	// The consumer may be gone after a reconnect, so the session ends with it.
	ctx, cancel := context.WithCancel(f.stop)
	defer cancel()
	defer context.AfterFunc(era, cancel)()

	consumer, err := f.consumer(ctx)
	if err != nil {
		return false, err
	}
	name := consumer.CachedInfo().Name
	messages, err := consumer.Messages(natsjs.PullMaxMessages(followPrefetch),
		natsjs.PullExpiry(pullExpires), natsjs.PullHeartbeat(heartbeat))
	if err != nil {
		return false, fmt.Errorf("request messages: %w", err)
	}
	defer func() {
		messages.Stop()
		if f.stop.Err() != nil && f.conn.up.Load() {
			f.remove(name)
		}
	}()

	pending := consumer.CachedInfo().NumPending
	if pending == 0 {
		f.markSynced()
	}
	var count uint64
	for {
		msg, err := f.next(ctx, messages)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			f.checkSynced(ctx, consumer, count)
			continue
		}
		if err != nil {
			return true, err
		}
		hctx, m, meta, err := f.conn.received(f.hard, msg)
		if err != nil {
			return true, err
		}
		count++
		if meta.Sequence.Consumer != count {
			return true, fmt.Errorf("%w: got number %d instead of %d", errGap, meta.Sequence.Consumer, count)
		}
		f.deliver(hctx, m)
		f.last = m.Sequence
		if count >= pending || meta.NumPending == 0 {
			f.markSynced()
		}
	}
}

// consumer creates one that starts where the last session ended.
func (f *follower) consumer(ctx context.Context) (natsjs.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	stream, err := f.conn.js.Stream(ctx, f.spec.Stream)
	if err != nil {
		return nil, fmt.Errorf("look up the stream: %w", err)
	}
	f.locate(stream.CachedInfo())
	cfg := natsjs.ConsumerConfig{
		DeliverPolicy:     natsjs.DeliverByStartSequencePolicy,
		OptStartSeq:       f.last + 1,
		FilterSubjects:    f.spec.FilterSubjects,
		AckPolicy:         natsjs.AckNonePolicy,
		InactiveThreshold: followInactive,
		MemoryStorage:     true,
		Replicas:          1,
	}
	if f.spec.Policy == LastPerSubject {
		cfg.DeliverPolicy, cfg.OptStartSeq = natsjs.DeliverLastPerSubjectPolicy, 0
		if len(cfg.FilterSubjects) == 0 {
			cfg.FilterSubjects = []string{">"} // required with this policy
		}
	}
	consumer, err := stream.CreateConsumer(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("create the consumer: %w", err)
	}
	return consumer, nil
}

// locate sets last for the stream as it is now. A stream that was created anew, or
// lost its end in a crash, is read from its start: all of it may be new to us.
func (f *follower) locate(info *natsjs.StreamInfo) {
	switch {
	case !f.started:
		f.started, f.birth = true, info.Created
		if f.spec.Policy == New {
			f.last = info.State.LastSeq
		}
	case !info.Created.Equal(f.birth) || info.State.LastSeq < f.last:
		f.log.Warn("the stream was replaced, following it from its start",
			"created", info.Created, "last", info.State.LastSeq, "handled", f.last)
		f.birth, f.last = info.Created, 0
	}
}

// next waits without limit once the follower is in sync, before only for syncCheck.
func (f *follower) next(ctx context.Context, messages natsjs.MessagesContext) (natsjs.Msg, error) {
	select {
	case <-f.synced:
	default:
		limited, cancel := context.WithTimeout(ctx, syncCheck)
		defer cancel()
		ctx = limited
	}
	return messages.Next(natsjs.NextContext(ctx))
}

// checkSynced covers messages that were counted at the start but dropped by the
// stream before they were sent: no message would ever say that it is the last one.
func (f *follower) checkSynced(ctx context.Context, consumer natsjs.Consumer, count uint64) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	info, err := consumer.Info(ctx)
	if err == nil && info.NumPending == 0 && info.Delivered.Consumer == count {
		f.markSynced()
	}
}

func (f *follower) deliver(ctx context.Context, m Message) {
	if len(m.Data) > f.conn.cfg.MaxMessageBytes {
		f.log.Error("skipped a message that is too large", "sequence", m.Sequence, "bytes", len(m.Data))
		return
	}
	_ = guard(f.log, func() error { f.handle(ctx, m); return nil }) // guard has logged it
}

// remove is a courtesy to the server, which removes idle consumers by itself.
func (f *follower) remove(consumer string) {
	ctx, cancel := context.WithTimeout(f.hard, apiTimeout)
	defer cancel()
	_ = f.conn.js.DeleteConsumer(ctx, f.spec.Stream, consumer)
}
