package rpcserver

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"trunkline/services/platform/fault"
)

// nonceBytes is the length of the secret that makes marks unforgeable.
const nonceBytes = 16

// markField is the field number of a mark among a message's unknown fields: the
// highest that the wire format allows, which no schema uses.
const markField = protowire.MaxValidNumber

// markReason says what made the bytes unreadable.
type markReason byte

const (
	markMalformed markReason = iota + 1
	markTooLarge
	markBadGzip
)

// marks carries a decoding failure past the RPC library. A codec that returned
// an error would make the library answer by itself, without details, count or
// log line. So the codec succeeds, empties the message and leaves a mark in its
// unknown fields, and the intake interceptor takes the mark out and fails the
// call. The nonce is random per server: no caller can send a mark.
type marks struct{ nonce [nonceBytes]byte }

func newMarks() *marks {
	m := &marks{}
	_, _ = rand.Read(m.nonce[:]) // never fails, it ends the process instead
	return m
}

func (k *marks) put(m proto.Message, reason markReason, text string) {
	proto.Reset(m)
	payload := append(k.poison(reason), text...)
	raw := protowire.AppendTag(nil, markField, protowire.BytesType)
	m.ProtoReflect().SetUnknown(protowire.AppendBytes(raw, payload))
}

// take returns the fault of a marked message, or nil. On the good path it costs
// one look at the unknown fields.
func (k *marks) take(m proto.Message, limit int) *fault.Fault {
	raw := m.ProtoReflect().GetUnknown()
	if len(raw) == 0 {
		return nil
	}
	field, kind, n := protowire.ConsumeTag(raw)
	if n < 0 || field != markField || kind != protowire.BytesType {
		return nil
	}
	payload, n := protowire.ConsumeBytes(raw[n:])
	if n < 0 || len(payload) <= nonceBytes || !bytes.Equal(payload[1:1+nonceBytes], k.nonce[:]) {
		return nil
	}
	proto.Reset(m)
	switch markReason(payload[0]) {
	case markTooLarge:
		return tooLarge(int64(limit))
	case markBadGzip:
		return fault.New(fault.InvalidArgument, ReasonMalformedMessage, "The message is not valid gzip data.")
	default:
		return malformed(string(payload[1+nonceBytes:]))
	}
}

// fieldMark separates the field at fault from the text of a mark.
const fieldMark = "\x00"

// malformed is the fault of an unreadable message; the text may start with the field at fault.
func malformed(text string) *fault.Fault {
	field, rest, found := strings.Cut(text, fieldMark)
	if !found {
		return fault.New(fault.InvalidArgument, ReasonMalformedMessage, "%s", text)
	}
	f := fault.New(fault.InvalidArgument, ReasonMalformedMessage, "%s", rest)
	f.Violations = []fault.Violation{{Field: field, Description: rest}}
	return f
}

// poison is a payload that stands for a failure. The decompressor appends it to
// its output and every codec looks for it at the end of its input.
func (k *marks) poison(reason markReason) []byte {
	return append([]byte{byte(reason)}, k.nonce[:]...)
}

func (k *marks) poisoned(data []byte) (markReason, bool) {
	if len(data) <= nonceBytes || !bytes.HasSuffix(data, k.nonce[:]) {
		return 0, false
	}
	return markReason(data[len(data)-nonceBytes-1]), true
}

func tooLarge(limit int64) *fault.Fault {
	return fault.New(fault.ResourceExhausted, ReasonMessageTooLarge,
		"A message of this call may have at most %d bytes.", limit)
}

var errNoMessage = errors.New("the value is not a protobuf message")

// errEncode replaces the library's text, which can quote field values.
var errEncode = errors.New("the answer could not be encoded")

// codec is what both codecs share.
type codec struct {
	marks  *marks
	name   string
	decode func([]byte, proto.Message) error
	append func([]byte, proto.Message) ([]byte, error)
	// explain turns a decoding error into text without values.
	explain func(error) string
}

// Name implements connect.Codec.
func (c *codec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (c *codec) Marshal(v any) ([]byte, error) { return c.MarshalAppend(nil, v) }

// MarshalAppend lets the library reuse its buffers.
func (c *codec) MarshalAppend(dst []byte, v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, errNoMessage
	}
	out, err := c.append(dst, m)
	if err != nil {
		return nil, errEncode
	}
	return out, nil
}

// Unmarshal implements connect.Codec. It fails only for values that are no
// messages, which is a defect of the handler; bad bytes leave a mark.
func (c *codec) Unmarshal(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return errNoMessage
	}
	if reason, bad := c.marks.poisoned(data); bad {
		c.marks.put(m, reason, "")
		return nil
	}
	if err := c.decode(data, m); err != nil {
		c.marks.put(m, markMalformed, c.explain(err))
	}
	return nil
}

func codecs(k *marks) []connect.HandlerOption {
	binary := &codec{
		marks:  k,
		name:   "proto",
		decode: proto.Unmarshal,
		append: proto.MarshalOptions{}.MarshalAppend,
		explain: func(error) string {
			return "The message is not valid protobuf data of the expected type."
		},
	}
	text := codec{
		marks:   k,
		name:    "json",
		decode:  decodeJSON,
		append:  protojson.MarshalOptions{}.MarshalAppend,
		explain: explainJSON,
	}
	// The library registers the second name too, and would keep its own codec there.
	withCharset := text
	withCharset.name = "json; charset=utf-8"
	return []connect.HandlerOption{
		connect.WithCodec(binary), connect.WithCodec(&text), connect.WithCodec(&withCharset),
	}
}
