package jetstream

import (
	"context"
	"strings"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/propagation"
)

// Message is what handlers receive. Data and Header must not be changed and must
// be copied to be kept.
type Message struct {
	Subject string
	Data    []byte
	Header  Header
	// Sequence is the position in the stream, from 1. It starts again when the
	// stream is deleted and created again.
	Sequence uint64
	// Time is when the stream stored the message, by the clock of the server.
	Time time.Time
	// Deliveries counts how often this consumer was given the message, from 1.
	Deliveries int
}

// Header holds the headers of a message. Names are case-sensitive on the wire.
type Header map[string][]string

// Get returns the first value of name or, failing that, of the same name in
// another case, as other clients write names differently.
func (h Header) Get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	for k, v := range h {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// Set replaces the values of name.
func (h Header) Set(name, value string) { h[name] = []string{value} }

// Keys returns the names in no order. With Get and Set it makes a Header a carrier
// of trace context.
func (h Header) Keys() []string {
	keys := make([]string, 0, len(h))
	for k := range h {
		keys = append(keys, k)
	}
	return keys
}

var _ propagation.TextMapCarrier = Header{}

// received turns a delivery into a Message and adds its trace context to ctx.
func (c *Conn) received(ctx context.Context, msg natsjs.Msg) (context.Context, Message, *natsjs.MsgMetadata, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return ctx, Message{}, nil, err
	}
	m := Message{
		Subject: msg.Subject(), Data: msg.Data(), Header: Header(msg.Headers()),
		Sequence: meta.Sequence.Stream, Time: meta.Timestamp, Deliveries: int(meta.NumDelivered),
	}
	return c.propagator.Extract(ctx, m.Header), m, meta, nil
}
