package jetstream

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
)

// DeadLetterStream holds messages that no handler could take, each under the
// subject dead_letter.<stream>.<durable>, with the original data and headers.
const DeadLetterStream = "DEAD_LETTER"

// Headers that a dead letter has besides those of the original message. Headers
// that start with "Nats-" are not copied.
const (
	HeaderSubject    = "Dead-Letter-Subject"    // original subject
	HeaderStream     = "Dead-Letter-Stream"     // original stream
	HeaderSequence   = "Dead-Letter-Sequence"   // original sequence in that stream
	HeaderReason     = "Dead-Letter-Reason"     // why it is here
	HeaderDeliveries = "Dead-Letter-Deliveries" // how often it was delivered
	HeaderTruncated  = "Dead-Letter-Truncated"  // "true" if the data did not fit
)

const (
	reasonMaxDeliver = "delivered too often"

	deadLetterAge = 30 * 24 * time.Hour
	maxReason     = 256
	// maxCopiedHeaders bounds the copied headers and, once more, our own; the data
	// gets what remains of the server's limit for one message.
	maxCopiedHeaders = 4 << 10
)

// DeadLetterSpec returns the stream that every user of Durable has to ensure.
func DeadLetterSpec() StreamSpec {
	return StreamSpec{
		Name:        DeadLetterStream,
		Description: "Messages that no handler could take.",
		Subjects:    []string{"dead_letter.>"},
		MaxAge:      deadLetterAge,
	}
}

// deadLetter stores a copy and then, only if that was acknowledged, terminates the
// message. The copy has a message id, so that a termination that got lost does not
// make a second one.
func (d *durable) deadLetter(ctx context.Context, msg natsjs.Msg, m Message, reason string) {
	log := d.log.With("sequence", m.Sequence, "reason", reason)
	if d.spec.Stream != DeadLetterStream { // there it stays where it is
		id := fmt.Sprintf("%s/%s/%d/%d", d.spec.Stream, d.spec.Name, m.Sequence, m.Time.UnixNano())
		if err := d.conn.publish(ctx, d.letter(m, reason), id); err != nil {
			log.Error("dead letter could not be stored, the message stays", "error", err)
			d.retry(msg, m)
			return
		}
	}
	log.Error("message moved to the dead letter stream")
	d.answer(msg.TermWithReason(printable(reason)))
}

func (d *durable) letter(m Message, reason string) *nats.Msg {
	header := Header{}
	if kept, size := copied(m.Header); size <= maxCopiedHeaders {
		maps.Copy(header, kept)
	}
	header.Set(HeaderSubject, m.Subject)
	header.Set(HeaderStream, d.spec.Stream)
	header.Set(HeaderSequence, strconv.FormatUint(m.Sequence, 10))
	header.Set(HeaderReason, printable(reason))
	header.Set(HeaderDeliveries, strconv.Itoa(m.Deliveries))
	data := m.Data
	if room := int(d.conn.nc.MaxPayload()) - 2*maxCopiedHeaders; room > 0 && len(data) > room {
		data = data[:room]
		header.Set(HeaderTruncated, "true")
	}
	return &nats.Msg{
		Subject: "dead_letter." + d.spec.Stream + "." + d.spec.Name,
		Data:    data,
		Header:  nats.Header(header),
	}
}

// copied leaves out the headers that instruct a stream, such as its expected
// sequence or a rollup.
func copied(h Header) (kept Header, size int) {
	kept = Header{}
	for name, values := range h {
		if len(name) >= 5 && strings.EqualFold(name[:5], "Nats-") {
			continue
		}
		kept[name] = values
		for _, v := range values {
			size += len(name) + len(v) + 4
		}
	}
	return kept, size
}

// printable makes a reason fit for a header line.
func printable(reason string) string {
	reason = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, reason)
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	return reason
}
