package bus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/routing"
)

// Saver keeps a health event where other engines find it.
type Saver interface {
	Save(ctx context.Context, e routing.HealthEvent) error
}

// HealthObserver is told of every event a view took in: what it says, and whether it changed which
// operators are out.
type HealthObserver interface {
	HealthApplied(status string, blocked bool)
}

// Health feeds a HealthView from the bus.
type Health struct {
	conn     *jetstream.Conn
	view     *routing.HealthView
	saver    Saver
	observer HealthObserver
	clock    clock.Clock
	log      *slog.Logger
}

// NewHealth gives the feed of a view.
func NewHealth(conn *jetstream.Conn, view *routing.HealthView, saver Saver, observer HealthObserver, clk clock.Clock, log *slog.Logger) *Health {
	return &Health{conn: conn, view: view, saver: saver, observer: observer, clock: clk, log: log}
}

// forwardWait is how long another engine waits before it takes over an event of the inbox.
const forwardWait = 2 * time.Second

// Start follows until ctx ends. It returns at once; the first subscription tells by Synced when the view
// knows everything the stream does.
func (h *Health) Start(ctx context.Context) ([]*jetstream.Subscription, error) {
	follow, err := h.conn.Follow(ctx, jetstream.FollowSpec{Stream: HealthStream, Policy: jetstream.LastPerSubject}, h.apply)
	if err != nil {
		return nil, err
	}
	subscriptions := []*jetstream.Subscription{follow}
	// Every engine looks into the inbox itself: an UNBOUND there must not wait for the events before it to be
	// moved one by one, nor for an engine that hangs with one in hand.
	inbox, err := h.conn.Follow(ctx, jetstream.FollowSpec{Stream: InboxStream, Policy: jetstream.New}, h.applyInbox)
	if err != nil {
		follow.Stop()
		return nil, err
	}
	subscriptions = append(subscriptions, inbox)
	for _, d := range []struct {
		spec   jetstream.DurableSpec
		handle func(context.Context, jetstream.Message) error
	}{
		{jetstream.DurableSpec{Stream: HealthStream, Name: healthDurable, Policy: jetstream.All}, h.save},
		// One at a time keeps the order in which a neighbour published. An engine that dies with an event in
		// hand holds up the others for the short AckWait.
		{jetstream.DurableSpec{Stream: InboxStream, Name: inboxDurable, Policy: jetstream.All, MaxInFlight: 1, AckWait: forwardWait}, h.forward},
	} {
		s, err := h.conn.Durable(ctx, d.spec, d.handle)
		if err != nil {
			for _, started := range subscriptions {
				started.Stop()
			}
			return nil, err
		}
		subscriptions = append(subscriptions, s)
	}
	return subscriptions, nil
}

// apply takes an event into the view. What cannot be read is the durable's to report.
func (h *Health) apply(ctx context.Context, m jetstream.Message) {
	if e, err := h.event(m); err == nil {
		h.take(ctx, e)
	}
}

// applyInbox takes an event into the view while it still waits to be moved to its operator's subject.
func (h *Health) applyInbox(ctx context.Context, m jetstream.Message) {
	if e, err := DecodeHealth(m.Data); err == nil {
		e.Inbox, e.ObservedAt = routing.Position{Sequence: m.Sequence, At: m.Time}, h.observed(m)
		h.take(ctx, e)
	}
}

func (h *Health) take(ctx context.Context, e routing.HealthEvent) {
	before := h.view.Epoch()
	if !h.view.Apply(e) {
		return
	}
	changed := h.view.Epoch() != before
	h.observer.HealthApplied(statusLabel(e), changed)
	if changed {
		h.log.InfoContext(ctx, "an operator went out or came back", "operator_id", e.Operator, "says", statusLabel(e), "version", e.Version)
	}
}

func (h *Health) save(ctx context.Context, m jetstream.Message) error {
	e, err := h.event(m)
	if err != nil {
		return jetstream.Poison("not a health event", err)
	}
	if h.view.Stale(e) {
		return nil // it came late: the newer word stays
	}
	return h.saver.Save(ctx, e)
}

// forward gives an event of the inbox the subject of its operator. The subject keeps one message, so an event
// that was taken in before the one that stands there stays behind: it would hide the newer word from every
// engine that has not read it yet. A heartbeat is no newer word: it repeats what was said before the event.
func (h *Health) forward(ctx context.Context, m jetstream.Message) error {
	e, err := DecodeHealth(m.Data)
	if err != nil {
		return jetstream.Poison("not a health event", err)
	}
	subject := HealthSubject + "." + e.Operator.String()
	last, err := h.conn.Last(ctx, HealthStream, subject)
	if err != nil {
		return err
	}
	if last.Sequence > 0 && takenIn(last).After(m.Time) && h.newer(last, e, m.Time) {
		return nil
	}
	return h.conn.PublishAfter(ctx, subject, m.Data, fmt.Sprintf(inboxID, m.Sequence, m.Time.UnixNano()), last.Sequence)
}

// newer reports whether a word that came after an event, which was taken in at a moment, says something newer. With
// versions in both they decide. Else the version must be one that was not heard before the event; an engine that has just
// started may not know, and then takes the word for new.
func (h *Health) newer(last jetstream.Message, e routing.HealthEvent, at time.Time) bool {
	word, err := h.event(last)
	switch {
	case err != nil || word.Version == 0:
		return true
	case e.Version > 0:
		return word.Version >= e.Version
	}
	return !h.view.Heard(word.Operator, word.Version, at)
}

// takenIn is when an event reached the bus: for one that was moved, when the inbox took it in.
func takenIn(m jetstream.Message) time.Time {
	if inbox := inboxPosition(m); inbox != (routing.Position{}) {
		return inbox.At
	}
	return m.Time
}

// inboxID is the message id of an event that was moved: it keeps the move from happening twice, and tells
// followers the event's place in the inbox.
const inboxID = InboxStream + "/%d/%d"

// inboxPosition reads it; zero for an event that did not come from the inbox.
func inboxPosition(m jetstream.Message) routing.Position {
	var sequence uint64
	var nanos int64
	if n, err := fmt.Sscanf(m.Header.Get(nats.MsgIdHdr), inboxID, &sequence, &nanos); n != 2 || err != nil {
		return routing.Position{}
	}
	return routing.Position{Sequence: sequence, At: time.Unix(0, nanos)}
}

// observed is when the stream took a message in, or now when the server's clock is ahead of ours.
func (h *Health) observed(m jetstream.Message) time.Time {
	if now := h.clock.Now(); m.Time.After(now) {
		return now
	}
	return m.Time
}

// event reads a message of the stream. Its age counts from when the stream took it, see
// routing.HealthEvent.
func (h *Health) event(m jetstream.Message) (routing.HealthEvent, error) {
	e, err := DecodeHealth(m.Data)
	if err != nil {
		return e, err
	}
	named, err := uuid.Parse(strings.TrimPrefix(m.Subject, HealthSubject+"."))
	if err != nil || named != e.Operator {
		return e, fmt.Errorf("the event is about %s, but its subject is %q", e.Operator, m.Subject)
	}
	e.Position, e.Inbox = routing.Position{Sequence: m.Sequence, At: m.Time}, inboxPosition(m)
	e.ObservedAt = h.observed(m)
	return e, nil
}
